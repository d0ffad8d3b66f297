//! Report data seen as a reader needs it: what all formats say, worked out once.

mod changes;

pub(crate) use changes::{ChangeGroup, Changes};

use crate::{controls::FrameworkControls, entry::Entry, words};
use changes::selected_counts;
use std::collections::BTreeMap;
use watchpost_core::{
    check::{CheckResult, Framework, ScanType, Service, SkipReason},
    report::{ReportData, ReportKind},
    scan::{ComplianceScore, ResultDetail, ScanCounts, SettingRow, exposure_label},
    value::{time::Timestamp, word::CollectionState},
};

/// Failed checks that an executive summary tells in full.
const WORST_SHOWN: usize = 5;

/// A point of the trend.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Point {
    /// When the scan completed.
    pub at: Timestamp,
    /// Its counts over the report's selection.
    pub counts: ScanCounts,
}

/// Report data with what follows from it.
#[derive(Debug)]
pub(crate) struct View<'a> {
    /// The data.
    pub data: &'a ReportData,
    /// What differs from the earlier scan.
    pub changes: Option<Changes<'a>>,
    /// The trend over the report's selection, oldest first; empty if it isn't known for the selection.
    pub trend: Vec<Point>,
    settings: BTreeMap<&'a str, &'a SettingRow>,
}

impl<'a> View<'a> {
    pub(crate) fn new(data: &'a ReportData) -> Self {
        let trend: Vec<Point> = data
            .trend
            .iter()
            .filter_map(|point| selected_counts(data, point).map(|counts| Point { at: point.at, counts }))
            .collect();
        Self {
            data,
            changes: data
                .comparison
                .as_ref()
                .map(|(before, comparison)| Changes::of(data, before, comparison)),
            trend,
            settings: data.settings.iter().map(|row| (row.path.as_str(), row)).collect(),
        }
    }

    pub(crate) fn is_exposure(&self) -> bool {
        self.data.scan.scan_type == ScanType::Exposure
    }
    pub(crate) fn is_executive(&self) -> bool {
        self.data.kind == ReportKind::Executive
    }
    pub(crate) fn is_evidence(&self) -> bool {
        self.data.kind == ReportKind::Evidence
    }
    pub(crate) fn score(&self) -> Option<ComplianceScore> {
        self.data.counts.score()
    }

    /// The number or label that the report opens with.
    pub(crate) fn headline(&self) -> String {
        if self.is_exposure() {
            exposure_label(&self.data.counts).to_string()
        } else {
            words::score(self.score())
        }
    }
    /// The band of a compliance score; empty for exposure scans.
    pub(crate) fn band(&self) -> &'static str {
        match self.score() {
            Some(score) if !self.is_exposure() => score.band().as_str(),
            None if !self.is_exposure() => "Nothing was judged",
            _ => "",
        }
    }
    /// The style of the headline.
    pub(crate) fn tone(&self) -> &'static str {
        if self.is_exposure() {
            words::exposure_class(exposure_label(&self.data.counts))
        } else {
            self.score()
                .map_or("none", |score| words::band_class(score.band()))
        }
    }

    /// How the score or label moved; empty without an earlier scan.
    pub(crate) fn movement(&self) -> String {
        let Some(changes) = &self.changes else {
            return "This is the first completed scan of its type, so there is no earlier one to compare with.".to_owned();
        };
        let day = words::day(words::completed(changes.before));
        let Some(before) = changes.counts_before else {
            return format!("Compared with the scan of {day}; for this selection its score isn't kept.");
        };
        if self.is_exposure() {
            let (old, new) = (exposure_label(&before), exposure_label(&self.data.counts));
            return if old == new {
                format!(
                    "Same label as in the scan of {day}: then {} failed.",
                    words::counted(before.failed, "check", "checks")
                )
            } else {
                format!("It was \u{201c}{old}\u{201d} in the scan of {day}.")
            };
        }
        match (before.score(), self.score()) {
            (Some(old), Some(new)) => format!(
                "{} points since {day} (then {old}, {}).",
                words::signed(new.difference(old)),
                old.band()
            ),
            (None, _) => format!("In the scan of {day} nothing could be judged."),
            (Some(old), None) => format!("It was {old} in the scan of {day}; now nothing could be judged."),
        }
    }

    /// What was judged and what wasn't, in sentences: skipped checks and errors never hide behind a score.
    pub(crate) fn summary(&self) -> Vec<String> {
        let counts = &self.data.counts;
        let judged = counts.passed.saturating_add(counts.failed);
        let all = self.data.results.len() as u64;
        let mut out = vec![format!(
            "Of {}, {judged} could be judged: {} passed and {} failed{}.",
            words::counted(all, "check", "checks"),
            counts.passed,
            counts.failed,
            match words::failed_by_severity(counts) {
                parts if parts.is_empty() => String::new(),
                parts => format!(" ({parts})"),
            }
        )];
        let skipped = counts.skipped_total();
        if skipped > 0 {
            let were = if skipped == 1 { "was" } else { "were" };
            out.push(format!(
                "{} {were} skipped: {}.",
                words::counted(skipped, "check", "checks"),
                words::skipped_by_reason(counts)
            ));
        } else {
            out.push("No check was skipped.".to_owned());
        }
        if counts.errors > 0 {
            out.push(format!(
                "{} could not be evaluated.",
                words::counted(counts.errors, "check", "checks")
            ));
        }
        let unread = self.unread().len() as u64;
        if unread > 0 {
            let of = self.data.settings.len();
            out.push(format!(
                "{unread} of {} couldn't be read wholly.",
                words::counted(of as u64, "setting", "settings")
            ));
        }
        out
    }

    /// How the score is made, in a sentence.
    pub(crate) fn method(&self) -> &'static str {
        if self.is_exposure() {
            "The worst failed check decides the label: a critical or high one makes it High risk, a medium one Medium risk, anything else Low risk. Skipped checks and errors count neither way."
        } else {
            "Score = passed ÷ (passed + failed) × 100; higher is better. Skipped checks and errors are in neither term. Bands: Excellent from 90, Good from 70, Needs attention from 50, Critical risk below."
        }
    }

    /// Results with this verdict.
    pub(crate) fn with(&self, result: CheckResult) -> impl Iterator<Item = &'a ResultDetail> {
        let data = self.data;
        data.results
            .iter()
            .filter(move |detail| detail.row.result == result)
    }
    /// All failed checks, worst first.
    pub(crate) fn failed(&self) -> Vec<Entry<'a>> {
        self.with(CheckResult::Failed)
            .map(|detail| self.entry(detail))
            .collect()
    }
    /// The failed checks that an executive summary tells.
    pub(crate) fn worst(&self) -> Vec<Entry<'a>> {
        self.with(CheckResult::Failed)
            .take(WORST_SHOWN)
            .map(|detail| self.entry(detail))
            .collect()
    }
    /// Failed checks that [`Self::worst`] leaves out.
    pub(crate) fn further_failed(&self) -> Vec<Entry<'a>> {
        self.with(CheckResult::Failed)
            .skip(WORST_SHOWN)
            .map(|detail| self.entry(detail))
            .collect()
    }
    /// Checks that a missing setting or their own fault kept from a verdict.
    pub(crate) fn not_judged(&self) -> Vec<Entry<'a>> {
        self.data
            .results
            .iter()
            .filter(|detail| {
                detail.row.result == CheckResult::Error || detail.row.skip == Some(SkipReason::Unreadable)
            })
            .map(|detail| self.entry(detail))
            .collect()
    }
    /// All checks, by service.
    pub(crate) fn by_service(&self) -> Vec<(Service, Vec<Entry<'a>>)> {
        let mut out: BTreeMap<Service, Vec<Entry<'a>>> = BTreeMap::new();
        for detail in &self.data.results {
            out.entry(detail.row.service)
                .or_default()
                .push(self.entry(detail));
        }
        out.into_iter().collect()
    }

    pub(crate) fn entry(&self, detail: &'a ResultDetail) -> Entry<'a> {
        let check = self.data.checks.get(&detail.row.check_id);
        let settings = check.map_or_else(Vec::new, |check| {
            check
                .inputs
                .iter()
                .chain(&check.optional_inputs)
                .filter_map(|path| self.settings.get(path.as_str()).copied())
                .collect()
        });
        Entry {
            detail,
            check,
            settings,
        }
    }

    /// Failed checks that [`Self::worst`] leaves out, by severity.
    pub(crate) fn further_by_severity(&self) -> Vec<(&'static str, Vec<Entry<'a>>)> {
        let mut out: Vec<(&'static str, Vec<Entry<'a>>)> = Vec::new();
        for entry in self.further_failed() {
            let severity = entry.severity();
            match out.last_mut().filter(|(last, _)| *last == severity) {
                Some((_, entries)) => entries.push(entry),
                None => out.push((severity, vec![entry])),
            }
        }
        out
    }
    /// Settings that weren't read wholly, by how reading them ended.
    pub(crate) fn unread_by_state(&self) -> Vec<(&'static str, Vec<&'a SettingRow>)> {
        let mut out: BTreeMap<CollectionState, Vec<&'a SettingRow>> = BTreeMap::new();
        for row in self.unread() {
            out.entry(row.state).or_default().push(row);
        }
        out.into_iter()
            .map(|(state, rows)| (words::state(state), rows))
            .collect()
    }

    /// Settings that weren't read wholly.
    pub(crate) fn unread(&self) -> Vec<&'a SettingRow> {
        let data = self.data;
        data.settings
            .iter()
            .filter(|row| row.state != CollectionState::Complete)
            .collect()
    }

    /// The controls of every framework that the report is about, and the checks that are on none of them.
    pub(crate) fn frameworks(&self) -> (Vec<FrameworkControls<'a>>, Vec<Entry<'a>>) {
        let data = self.data;
        let shown: Vec<Framework> = data
            .by_framework
            .keys()
            .copied()
            .filter(|framework| data.frameworks.is_empty() || data.frameworks.contains(framework))
            .collect();
        let rest = data
            .results
            .iter()
            .filter(|detail| {
                !detail
                    .row
                    .frameworks
                    .iter()
                    .any(|id| shown.contains(&id.framework()))
            })
            .map(|detail| self.entry(detail))
            .collect();
        let controls = shown
            .into_iter()
            .map(|framework| FrameworkControls::of(framework, &data.results))
            .collect();
        (controls, rest)
    }

    /// What the report is confined to; empty for everything.
    pub(crate) fn selection(&self) -> String {
        let frameworks = self.data.frameworks.iter().map(|one| one.title());
        let services = self.data.services.iter().map(|one| one.title());
        frameworks.chain(services).collect::<Vec<_>>().join(", ")
    }

    /// The report's title.
    pub(crate) fn title(&self) -> String {
        let kind = words::kind(self.data.kind);
        if self.data.difference {
            format!("{kind}: what changed")
        } else {
            kind.to_owned()
        }
    }
    /// Which scan, when.
    pub(crate) fn subtitle(&self) -> String {
        format!(
            "{} of {}",
            words::scan_type(self.data.scan.scan_type),
            words::day(words::completed(&self.data.scan))
        )
    }

    /// Facts about the report: names and values, in order. Values may be foreign.
    pub(crate) fn facts(&self) -> Vec<(&'static str, String)> {
        let scan = &self.data.scan;
        let name = scan.integration_name.untrusted();
        let mut out = vec![
            ("Integration", format!("{name} ({})", scan.platform.title())),
            ("Scan", format!("{} ({})", scan.id, words::trigger(scan.trigger))),
            ("Completed", words::moment(words::completed(scan))),
            (
                "Settings",
                if scan.fresh {
                    "read anew for this scan".to_owned()
                } else {
                    "those of the scan before".to_owned()
                },
            ),
        ];
        if !self.data.tenant.is_empty() {
            out.insert(1, ("Tenant", self.data.tenant.clone()));
        }
        if let Some(changes) = &self.changes {
            let before = changes.before;
            out.push((
                "Compared with",
                format!("{}, {}", before.id, words::moment(words::completed(before))),
            ));
        }
        let selection = self.selection();
        if !selection.is_empty() {
            out.push(("Confined to", selection));
        }
        out.push((
            "Written",
            format!(
                "{} by Watchpost {}",
                words::moment(self.data.generated_at),
                self.data.version
            ),
        ));
        out
    }
}
