//! Results of a scan, and choosing among them.

use super::{ComplianceScore, ScanCounts};
use crate::{
    check::{
        Check, CheckEntity, CheckResult, Framework, FrameworkId, Outcome, Service, SkipReason, WouldPass,
    },
    value::{
        text::ForeignText,
        time::Timestamp,
        word::{CollectionState, Severity},
    },
};
use std::collections::BTreeMap;

/// One check's result in a scan, as lists show it. What the check was then stands here: a check of a later version
/// may be graver or have other ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultRow {
    /// The check.
    pub check_id: String,
    /// Its title.
    pub title: String,
    /// Its severity.
    pub severity: Severity,
    /// Its service.
    pub service: Service,
    /// Its ids in frameworks.
    pub frameworks: Vec<FrameworkId>,
    /// The result.
    pub result: CheckResult,
    /// Why it was skipped.
    pub skip: Option<SkipReason>,
    /// One sentence.
    pub reason: ForeignText,
    /// The setting's value then, JSON text of at most 4 KiB.
    pub detected: Option<String>,
    /// How many things failed.
    pub entities: u64,
    /// Hash over result, reason, value, evidence and things: equal for equal findings in two scans.
    pub content: u64,
}

impl ResultRow {
    /// Whether its check belongs to one of these frameworks and to one of these services; an empty list is no condition.
    pub fn is_within(&self, frameworks: &[Framework], services: &[Service]) -> bool {
        (services.is_empty() || services.contains(&self.service))
            && (frameworks.is_empty()
                || self
                    .frameworks
                    .iter()
                    .any(|id| frameworks.contains(&id.framework())))
    }
}

/// A result with everything about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultDetail {
    /// What lists show.
    pub row: ResultRow,
    /// What was seen, a JSON array's text.
    pub evidence: String,
    /// Failing things, at most 1,000.
    pub entities: Vec<CheckEntity>,
    /// What would make it pass.
    pub would_pass: Option<WouldPass>,
}

impl ResultDetail {
    /// Joins a check with what it found.
    pub fn new(check: &Check, outcome: Outcome) -> Self {
        let row = ResultRow {
            check_id: check.id.clone(),
            title: check.title.clone(),
            severity: check.severity,
            service: check.service,
            frameworks: check.frameworks.clone(),
            result: outcome.result,
            skip: outcome.skip,
            entities: outcome.entities.len() as u64,
            content: content_of(&outcome),
            reason: outcome.reason,
            detected: outcome.detected,
        };
        Self {
            row,
            evidence: outcome.evidence,
            entities: outcome.entities,
            would_pass: outcome.would_pass,
        }
    }
}

fn content_of(outcome: &Outcome) -> u64 {
    use sha2::{Digest, Sha256};
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
        hash.update(bytes);
    };
    part(&[outcome.result.code(), outcome.skip.map_or(255, SkipReason::code)]);
    part(outcome.reason.untrusted().as_bytes());
    part(outcome.detected.as_deref().unwrap_or_default().as_bytes());
    part(outcome.evidence.as_bytes());
    for entity in &outcome.entities {
        part(entity.kind.as_bytes());
        part(entity.id.as_bytes());
    }
    let digest: [u8; 32] = hash.finalize().into();
    let mut first = [0_u8; 8];
    first.copy_from_slice(digest.get(..8).unwrap_or(&[0; 8]));
    u64::from_le_bytes(first)
}

/// What a scan read at one path: the collection row of that setting, with its provenance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingRow {
    /// The path.
    pub path: String,
    /// How reading it ended.
    pub state: CollectionState,
    /// Missing permission or reason.
    pub detail: Option<String>,
    /// Where it was read.
    pub source: String,
    /// When.
    pub read_at: Timestamp,
    /// SHA-256 of the document; `None` without one.
    pub hash: Option<[u8; 32]>,
    /// The document's size in bytes.
    pub bytes: u64,
}

/// A setting with its document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingValue {
    /// The row.
    pub row: SettingRow,
    /// The vendor's JSON as text.
    pub document: Option<String>,
}

/// Conditions on results. Values inside one list are alternatives; the lists must all hold; an empty list is no
/// condition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResultFilter {
    /// Results.
    pub results: Vec<CheckResult>,
    /// Frameworks.
    pub frameworks: Vec<Framework>,
    /// Services.
    pub services: Vec<Service>,
    /// Severities.
    pub severities: Vec<Severity>,
    /// Words that id, title, framework ids or reason must all contain (any case).
    pub text: Option<String>,
}

impl ResultFilter {
    /// Whether a result fits.
    pub fn fits(&self, row: &ResultRow) -> bool {
        (self.results.is_empty() || self.results.contains(&row.result))
            && row.is_within(&self.frameworks, &self.services)
            && (self.severities.is_empty() || self.severities.contains(&row.severity))
            && self.text.as_deref().is_none_or(|text| contains(row, text))
    }
}

fn contains(row: &ResultRow, text: &str) -> bool {
    let mut whole = format!("{} {} {}", row.check_id, row.title, row.reason.untrusted()).to_lowercase();
    for id in &row.frameworks {
        whole.push(' ');
        whole.push_str(&id.as_str().to_lowercase());
    }
    text.to_lowercase()
        .split_whitespace()
        .all(|word| whole.contains(word))
}

/// A page of results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultPage {
    /// The rows.
    pub results: Vec<ResultRow>,
    /// How many fit in all.
    pub total: u64,
    /// The check after which the next page begins; `None` at the end.
    pub next: Option<String>,
}

/// What lists are ordered by: failed first, then errors, passed, skipped; then severity, then id.
fn order(row: &ResultRow) -> (u8, Severity, &str) {
    let first = match row.result {
        CheckResult::Failed => 0,
        CheckResult::Error => 1,
        CheckResult::Passed => 2,
        CheckResult::Skipped => 3,
    };
    (first, row.severity, &row.check_id)
}

/// The rows that fit, worst first, at most `limit` after the check `after`.
pub fn select(rows: Vec<ResultRow>, filter: &ResultFilter, after: Option<&str>, limit: usize) -> ResultPage {
    let mut fitting: Vec<ResultRow> = rows.into_iter().filter(|row| filter.fits(row)).collect();
    fitting.sort_by(|a, b| order(a).cmp(&order(b)));
    let total = fitting.len() as u64;
    let from = after
        .and_then(|id| fitting.iter().position(|row| row.check_id == id))
        .map_or(0, |at| at.saturating_add(1));
    let mut results = fitting.split_off(from.min(fitting.len()));
    let more = results.len() > limit;
    results.truncate(limit);
    let next = more
        .then(|| results.last().map(|row| row.check_id.clone()))
        .flatten();
    ResultPage { results, total, next }
}

fn add(counts: &mut ScanCounts, row: &ResultRow) {
    match row.result {
        CheckResult::Passed => counts.passed += 1,
        CheckResult::Failed => {
            counts.failed += 1;
            if let Some(slot) = counts
                .failed_by_severity
                .get_mut(usize::from(row.severity.code()))
            {
                *slot += 1;
            }
        }
        CheckResult::Error => counts.errors += 1,
        CheckResult::Skipped => {
            let reason = row.skip.unwrap_or(SkipReason::Unreadable);
            if let Some(slot) = counts.skipped.get_mut(usize::from(reason.code())) {
                *slot += 1;
            }
        }
    }
}

impl ScanCounts {
    /// Counts results.
    pub fn of<'a>(rows: impl IntoIterator<Item = &'a ResultRow>) -> Self {
        let mut counts = Self::default();
        for row in rows {
            add(&mut counts, row);
        }
        counts
    }
    /// The score of these results.
    pub fn score(&self) -> Option<ComplianceScore> {
        ComplianceScore::of(self.passed, self.failed)
    }
}

/// Counts by framework; a check counts once in each framework that it has an id of.
pub fn scored_by_framework(rows: &[ResultRow]) -> BTreeMap<Framework, ScanCounts> {
    let mut all: BTreeMap<Framework, ScanCounts> = BTreeMap::new();
    for row in rows {
        let mut of_row: Vec<Framework> = row.frameworks.iter().map(FrameworkId::framework).collect();
        of_row.sort_unstable();
        of_row.dedup();
        for framework in of_row {
            add(all.entry(framework).or_default(), row);
        }
    }
    all
}

/// Counts by service.
pub fn scored_by_service(rows: &[ResultRow]) -> BTreeMap<Service, ScanCounts> {
    let mut all: BTreeMap<Service, ScanCounts> = BTreeMap::new();
    for row in rows {
        add(all.entry(row.service).or_default(), row);
    }
    all
}
