//! Report data seen as a reader needs it: what all formats say, worked out once.

use crate::{controls::FrameworkControls, entry::Entry, words};
use std::collections::BTreeMap;
use watchpost_core::{
    check::{CheckResult, Framework, ScanType, Service, SkipReason},
    report::{ReportData, ReportKind},
    scan::{
        Comparison, ComplianceScore, FrameworkDelta, ResultChange, ResultDetail, ResultRow, Scan, ScanCounts,
        ScanPoint, SettingChange, SettingRow, exposure_label,
    },
    value::{time::Timestamp, word::CollectionState},
};

/// Failed checks that an executive summary tells in full.
const WORST_SHOWN: usize = 5;

/// A list of changes with a heading.
#[derive(Debug)]
pub(crate) struct ChangeGroup<'a> {
    /// Its name in data.
    pub key: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// What it lists.
    pub meaning: &'static str,
    /// The changes, worst first.
    pub changes: Vec<&'a ResultChange>,
}

/// What differs from the earlier scan, as far as the report's selection goes.
#[derive(Debug)]
pub(crate) struct Changes<'a> {
    /// The earlier scan.
    pub before: &'a Scan,
    /// Its counts over the same selection, if they are known.
    pub counts_before: Option<ScanCounts>,
    /// All lists, empty ones too, in the order in which they are shown.
    pub groups: Vec<ChangeGroup<'a>>,
    /// Checks with the same result as before, and how many of those fail; only without a selection.
    pub unchanged: Option<(u64, u64)>,
    /// Scores by framework.
    pub frameworks: Vec<FrameworkDelta>,
    /// Settings that moved.
    pub settings: Vec<&'a SettingChange>,
}

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
        let day = words::day(completed(changes.before));
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
        let skipped = counts.skipped_in_all();
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
            words::day(completed(&self.data.scan))
        )
    }

    /// Facts about the report: names and values, in order. Values may be foreign.
    pub(crate) fn facts(&self) -> Vec<(&'static str, String)> {
        let scan = &self.data.scan;
        let name = scan.integration_name.untrusted();
        let mut out = vec![
            ("Integration", format!("{name} ({})", scan.platform.title())),
            ("Scan", format!("{} ({})", scan.id, words::trigger(scan.trigger))),
            ("Completed", words::moment(completed(scan))),
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
                format!("{}, {}", before.id, words::moment(completed(before))),
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

impl<'a> Changes<'a> {
    fn of(data: &'a ReportData, before: &'a Scan, comparison: &'a Comparison) -> Self {
        let whole = data.frameworks.is_empty() && data.services.is_empty();
        let counts_before = if whole {
            Some(before.counts)
        } else {
            data.trend
                .iter()
                .find(|point| point.scan == before.id)
                .and_then(|point| selected_counts(data, point))
        };
        let group = |key, title, meaning, all: &'a [ResultChange]| ChangeGroup {
            key,
            title,
            meaning,
            changes: all
                .iter()
                .filter(|change| change.row().is_some_and(|row| is_selected(data, row)))
                .collect(),
        };
        let groups = vec![
            group(
                "new_failures",
                "New failures",
                "Fail now and didn't before.",
                &comparison.new_failures,
            ),
            group("fixed", "Fixed", "Failed before and pass now.", &comparison.fixed),
            group(
                "changed_failures",
                "Still failing, differently",
                "Failed in both scans, with another value or other things than before.",
                &comparison.changed_failures,
            ),
            group(
                "newly_skipped",
                "No longer judged",
                "Were judged before and are skipped or in error now.",
                &comparison.newly_skipped,
            ),
            group(
                "newly_readable",
                "Judged again",
                "Couldn't be judged before and pass now.",
                &comparison.newly_readable,
            ),
            group(
                "added",
                "New checks",
                "Weren't run before and don't fail.",
                &comparison.added,
            ),
            group(
                "removed",
                "Checks no longer run",
                "Were run before only.",
                &comparison.removed,
            ),
        ];
        let frameworks = comparison
            .frameworks
            .iter()
            .copied()
            .filter(|delta| {
                data.services.is_empty()
                    && (data.frameworks.is_empty() || data.frameworks.contains(&delta.framework))
            })
            .collect();
        Self {
            before,
            counts_before,
            groups,
            unchanged: whole.then_some((comparison.unchanged, comparison.still_failing)),
            frameworks,
            settings: data
                .setting_changes
                .values()
                .filter(|change| {
                    whole
                        || data.checks.values().any(|check| {
                            check.inputs.contains(&change.path)
                                || check.optional_inputs.contains(&change.path)
                        })
                })
                .collect(),
        }
    }

    /// How many changes a list has.
    pub(crate) fn count(&self, key: &str) -> u64 {
        self.groups
            .iter()
            .find(|group| group.key == key)
            .map_or(0, |group| group.changes.len() as u64)
    }

    /// What differs, in a sentence.
    pub(crate) fn summary(&self) -> String {
        let mut out = format!(
            "{} and {} since {}",
            words::counted(self.count("new_failures"), "new failure", "new failures"),
            words::counted(self.count("fixed"), "failure fixed", "failures fixed"),
            words::day(completed(self.before))
        );
        if let Some((_, failing)) = self.unchanged {
            out.push_str(&format!(
                "; {} still failing",
                words::counted(failing, "check", "checks")
            ));
        }
        let lost = self.count("newly_skipped");
        if lost > 0 {
            out.push_str(&format!(
                "; {} no longer judged",
                words::counted(lost, "check", "checks")
            ));
        }
        out.push('.');
        out
    }
}

/// When a scan ended.
pub(crate) fn completed(scan: &Scan) -> Timestamp {
    scan.completed_at.unwrap_or(scan.queued_at)
}

fn is_selected(data: &ReportData, row: &ResultRow) -> bool {
    let framework = |ids: &[Framework]| row.frameworks.iter().any(|id| ids.contains(&id.framework()));
    (data.services.is_empty() || data.services.contains(&row.service))
        && (data.frameworks.is_empty() || framework(&data.frameworks))
}

/// A point's counts over the report's selection. Services don't overlap and add up; frameworks do overlap, so only
/// one of them has counts, and a selection by both has none.
fn selected_counts(data: &ReportData, point: &ScanPoint) -> Option<ScanCounts> {
    match (data.frameworks.as_slice(), data.services.as_slice()) {
        ([], []) => Some(point.counts),
        ([framework], []) => point
            .frameworks
            .iter()
            .find(|(name, _)| name == framework)
            .map(|(_, counts)| *counts),
        ([], services) => Some(
            point
                .services
                .iter()
                .filter(|(name, _)| services.contains(name))
                .fold(ScanCounts::default(), |sum, (_, counts)| added(sum, counts)),
        ),
        _ => None,
    }
}

fn added(mut sum: ScanCounts, more: &ScanCounts) -> ScanCounts {
    sum.passed = sum.passed.saturating_add(more.passed);
    sum.failed = sum.failed.saturating_add(more.failed);
    sum.errors = sum.errors.saturating_add(more.errors);
    for (sum, more) in sum.skipped.iter_mut().zip(more.skipped) {
        *sum = sum.saturating_add(more);
    }
    for (sum, more) in sum.failed_by_severity.iter_mut().zip(more.failed_by_severity) {
        *sum = sum.saturating_add(more);
    }
    sum
}
