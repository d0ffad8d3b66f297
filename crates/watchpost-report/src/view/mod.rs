//! Report data with the derived values that all formats show.

mod changes;

pub(crate) use changes::{ChangeGroup, Changes};

use crate::{
    controls::FrameworkControls,
    entry::Entry,
    text::{self, words},
};
use changes::selected_counts;
use std::collections::BTreeMap;
use watchpost_core::{
    check::{CheckResult, Framework, ScanType, Service, SkipReason},
    report::{ReportData, ReportKind},
    scan::{ComplianceScore, ResultDetail, ScanCounts, SettingRow, exposure_label},
    value::{time::Timestamp, word::CollectionState},
};

/// The maximum number of failed checks that an executive summary shows in full.
const WORST_SHOWN: usize = 5;

/// A point of the trend.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Point {
    /// The time at which the scan completed.
    pub at: Timestamp,
    /// The scan's counts over the report's selection.
    pub counts: ScanCounts,
}

/// Report data with derived values.
#[derive(Debug)]
pub(crate) struct View<'a> {
    /// The data.
    pub data: &'a ReportData,
    /// The changes since the earlier scan.
    pub changes: Option<Changes<'a>>,
    /// The trend over the report's selection, oldest first; empty if it is unknown for the selection.
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
                .map(|comparison| Changes::of(data, comparison)),
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

    /// The score or the exposure label, at the top of the report.
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
            None if !self.is_exposure() => text::NOT_JUDGED,
            _ => "",
        }
    }
    /// The CSS class of the headline.
    pub(crate) fn tone(&self) -> &'static str {
        if self.is_exposure() {
            words::exposure_class(exposure_label(&self.data.counts))
        } else {
            self.score()
                .map_or("none", |score| words::band_class(score.band()))
        }
    }

    /// The change of the score or label since the earlier scan, in one sentence.
    pub(crate) fn movement(&self) -> String {
        let Some(changes) = &self.changes else {
            return text::FIRST_SCAN.to_owned();
        };
        let at = words::completed(changes.before);
        let before = changes.counts_before;
        if self.is_exposure() {
            let (old, new) = (exposure_label(&before), exposure_label(&self.data.counts));
            return if old == new {
                text::same_label(at, before.failed)
            } else {
                text::earlier_label(at, old)
            };
        }
        text::score_change(at, before.score(), self.score())
    }

    /// The counts in sentences. They always include skipped checks, errors and unread settings, which the score doesn't show.
    pub(crate) fn summary(&self) -> Vec<String> {
        let counts = &self.data.counts;
        let mut out = vec![
            text::judged(self.data.results.len() as u64, counts),
            text::skipped(counts),
        ];
        if counts.errors > 0 {
            out.push(text::errors(counts.errors));
        }
        let unread = self.unread().len() as u64;
        if unread > 0 {
            out.push(text::unread(unread, self.data.settings.len() as u64));
        }
        out
    }

    /// The computation of the score or label.
    pub(crate) fn method(&self) -> &'static str {
        text::method(self.data.scan.scan_type)
    }

    /// The details of all checks with this result.
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
    /// The failed checks that an executive summary shows in full.
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
    /// Checks that have no result because of an unread setting or an error.
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
            is_summary: self.is_executive(),
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
    /// Settings that weren't read completely, by state.
    pub(crate) fn unread_by_state(&self) -> Vec<(&'static str, Vec<&'a SettingRow>)> {
        let mut out: BTreeMap<CollectionState, Vec<&'a SettingRow>> = BTreeMap::new();
        for row in self.unread() {
            out.entry(row.state).or_default().push(row);
        }
        out.into_iter()
            .map(|(state, rows)| (words::state(state), rows))
            .collect()
    }

    /// Settings that weren't read completely.
    pub(crate) fn unread(&self) -> Vec<&'a SettingRow> {
        let data = self.data;
        data.settings
            .iter()
            .filter(|row| row.state != CollectionState::Complete)
            .collect()
    }

    /// The controls of every framework in the report, and the checks without any of these controls.
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

    /// The risk score and the numbers about people, one sentence each; empty outside executive summaries.
    pub(crate) fn posture(&self) -> Vec<String> {
        if !self.is_executive() {
            return Vec::new();
        }
        self.data.posture.as_ref().map_or_else(
            || vec![text::posture::NO_SCORE.to_owned()],
            text::posture::sentences,
        )
    }

    /// The frameworks and services to which the report is limited; empty for all.
    pub(crate) fn selection(&self) -> String {
        let frameworks = self.data.frameworks.iter().map(|one| one.title());
        let services = self.data.services.iter().map(|one| one.title());
        frameworks.chain(services).collect::<Vec<_>>().join(", ")
    }

    /// The report's title.
    pub(crate) fn title(&self) -> String {
        text::title(self.data.kind, self.data.difference)
    }
    /// The scan's type and date.
    pub(crate) fn subtitle(&self) -> String {
        let scan = &self.data.scan;
        text::subtitle(scan.scan_type, words::completed(scan))
    }

    /// Facts about the report: names and values, in order. Values may contain foreign text.
    pub(crate) fn facts(&self) -> Vec<(&'static str, String)> {
        let scan = &self.data.scan;
        let name = scan.integration_name.untrusted();
        let mut out = vec![("Integration", format!("{name} ({})", scan.platform.title()))];
        if !self.data.tenant.is_empty() && !self.is_executive() {
            out.push(("Tenant", self.data.tenant.clone()));
        }
        let trigger = words::trigger(scan.trigger);
        if self.is_executive() {
            let verdict = text::verdict(scan.scan_type, &self.data.counts);
            let completed = words::moment(words::completed(scan));
            out.push(("Scan", format!("{completed}, {trigger}: {verdict}")));
        } else {
            out.push(("Scan", format!("{} ({trigger})", scan.id)));
            out.push(("Completed", words::moment(words::completed(scan))));
        }
        out.push(("Settings", text::settings_source(scan.fresh).to_owned()));
        if let Some(changes) = &self.changes {
            let before = changes.before;
            let completed = words::moment(words::completed(before));
            let shown = if self.is_executive() {
                let verdict = text::verdict(scan.scan_type, &changes.counts_before);
                text::earlier_scan(&completed, &verdict)
            } else {
                format!("{}, {completed}", before.id)
            };
            out.push(("Compared with", text::compared_with(&shown, changes.with)));
        }
        let selection = self.selection();
        if !selection.is_empty() {
            out.push(("Limited to", selection));
        }
        out.push((
            "Generated",
            text::generated(self.data.generated_at, self.data.version),
        ));
        out
    }
}
