//! Results of a scan, and filters on them.

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

/// The result of one check in a scan, as shown in lists. It includes the check's metadata at the time of the
/// scan: a later version of the check may have another severity or other framework ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultRow {
    /// The check's id.
    pub check_id: String,
    /// The check's title.
    pub title: String,
    /// The check's severity.
    pub severity: Severity,
    /// The check's service.
    pub service: Service,
    /// The check's ids in frameworks.
    pub frameworks: Vec<FrameworkId>,
    /// The result.
    pub result: CheckResult,
    /// The reason for which the check was skipped.
    pub skip: Option<SkipReason>,
    /// One sentence that explains the result.
    pub reason: ForeignText,
    /// The setting's value at the time of the scan, as JSON text of at most 4 KiB.
    pub detected: Option<String>,
    /// The number of failed entities.
    pub entities: u64,
    /// Hash over result, reason, value, evidence and entities. Equal results in two scans have equal hashes.
    pub content: u64,
}

impl ResultRow {
    /// Returns whether the check belongs to one of these frameworks and to one of these services. An empty list
    /// matches everything.
    pub fn is_within(&self, frameworks: &[Framework], services: &[Service]) -> bool {
        (services.is_empty() || services.contains(&self.service))
            && (frameworks.is_empty()
                || self
                    .frameworks
                    .iter()
                    .any(|id| frameworks.contains(&id.framework())))
    }
}

/// A result with all its details.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultDetail {
    /// The fields shown in lists.
    pub row: ResultRow,
    /// The observed facts, as the text of a JSON array.
    pub evidence: String,
    /// The failed entities; at most 1,000.
    pub entities: Vec<CheckEntity>,
    /// The change that would make the check pass.
    pub would_pass: Option<WouldPass>,
}

impl ResultDetail {
    /// Combines a check with its outcome.
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

/// The result of reading one setting in a scan, with its provenance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingRow {
    /// The setting's path.
    pub path: String,
    /// The state of the collection.
    pub state: CollectionState,
    /// The missing permission or another reason.
    pub detail: Option<String>,
    /// The API or other source of the document.
    pub source: String,
    /// The time of reading.
    pub read_at: Timestamp,
    /// SHA-256 of the document; `None` if there is no document.
    pub hash: Option<[u8; 32]>,
    /// The size of the document, in bytes.
    pub bytes: u64,
}

/// A setting with its document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingValue {
    /// The setting's row.
    pub row: SettingRow,
    /// The vendor's JSON as text.
    pub document: Option<String>,
}

/// Conditions on results. Values in one list are alternatives, and every list must match. An empty list is no
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
    /// Words that must all occur in the id, title, framework ids or reason, ignoring case.
    pub text: Option<String>,
}

impl ResultFilter {
    /// Returns whether every result matches.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
    /// Returns whether a result matches.
    pub fn matches(&self, row: &ResultRow) -> bool {
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
    /// The number of matching results.
    pub total: u64,
    /// The id of the check after which the next page begins; `None` at the end.
    pub next: Option<String>,
}

/// Returns the sort key of results in lists: failed first, then errors, passed and skipped; then by severity,
/// then by id.
fn order(row: &ResultRow) -> (u8, Severity, &str) {
    let first = match row.result {
        CheckResult::Failed => 0,
        CheckResult::Error => 1,
        CheckResult::Passed => 2,
        CheckResult::Skipped => 3,
    };
    (first, row.severity, &row.check_id)
}

/// Returns the matching rows in list order, at most `limit` after the check `after`.
pub fn select(rows: Vec<ResultRow>, filter: &ResultFilter, after: Option<&str>, limit: usize) -> ResultPage {
    let mut matching: Vec<ResultRow> = rows.into_iter().filter(|row| filter.matches(row)).collect();
    matching.sort_by(|a, b| order(a).cmp(&order(b)));
    let total = matching.len() as u64;
    let from = after
        .and_then(|id| matching.iter().position(|row| row.check_id == id))
        .map_or(0, |at| at.saturating_add(1));
    let mut results = matching.split_off(from.min(matching.len()));
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
    /// Returns the compliance score of the counts; `None` if no check passed or failed.
    pub fn score(&self) -> Option<ComplianceScore> {
        ComplianceScore::of(self.passed, self.failed)
    }
}

/// Counts results by framework. A check counts once in each framework to which it is mapped.
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

/// Counts results by service.
pub fn scored_by_service(rows: &[ResultRow]) -> BTreeMap<Service, ScanCounts> {
    let mut all: BTreeMap<Service, ScanCounts> = BTreeMap::new();
    for row in rows {
        add(all.entry(row.service).or_default(), row);
    }
    all
}
