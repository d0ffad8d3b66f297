//! The changes since an earlier scan, within the report's selection.

use crate::text::{self, lists, words};
use watchpost_core::{
    report::{ReportComparison, ReportData},
    scan::{
        ComparedWith, Comparison, FrameworkDelta, ResultChange, Scan, ScanCounts, ScanPoint, SettingChange,
    },
};

/// A list of changes of one kind.
#[derive(Debug)]
pub(crate) struct ChangeGroup<'a> {
    /// The name in data formats.
    pub key: &'static str,
    /// The heading.
    pub title: &'static str,
    /// The description under the heading.
    pub meaning: &'static str,
    /// The changes, worst first.
    pub changes: Vec<&'a ResultChange>,
}

/// The changes since an earlier scan, within the report's selection.
#[derive(Debug)]
pub(crate) struct Changes<'a> {
    /// The earlier scan.
    pub before: &'a Scan,
    /// The reason for which the report compares with it.
    pub with: ComparedWith,
    /// The earlier scan's counts over the same selection.
    pub counts_before: ScanCounts,
    /// All lists in order, empty ones included.
    pub groups: Vec<ChangeGroup<'a>>,
    /// The number of checks with the same result as before.
    pub unchanged: u64,
    /// The number of those that fail.
    pub still_failing: u64,
    /// The scores by framework.
    pub frameworks: Vec<FrameworkDelta>,
    /// The changed settings.
    pub settings: Vec<&'a SettingChange>,
}

/// A list of a comparison, as reports show it.
struct ListShape {
    key: &'static str,
    title: &'static str,
    meaning: &'static str,
    changes: fn(&Comparison) -> &[ResultChange],
}

/// The lists in their order in reports.
const LISTS: [ListShape; 7] = [
    ListShape {
        key: "new_failures",
        title: "New failures",
        meaning: lists::NEW_FAILURES,
        changes: |comparison| &comparison.new_failures,
    },
    ListShape {
        key: "fixed",
        title: "Fixed",
        meaning: lists::FIXED,
        changes: |comparison| &comparison.fixed,
    },
    ListShape {
        key: "changed_failures",
        title: "Changed failures",
        meaning: lists::CHANGED_FAILURES,
        changes: |comparison| &comparison.changed_failures,
    },
    ListShape {
        key: "newly_skipped",
        title: "No longer judged",
        meaning: lists::NEWLY_SKIPPED,
        changes: |comparison| &comparison.newly_skipped,
    },
    ListShape {
        key: "newly_readable",
        title: "Judged again",
        meaning: lists::NEWLY_READABLE,
        changes: |comparison| &comparison.newly_readable,
    },
    ListShape {
        key: "added",
        title: "New checks",
        meaning: lists::ADDED,
        changes: |comparison| &comparison.added,
    },
    ListShape {
        key: "removed",
        title: "Removed checks",
        meaning: lists::REMOVED,
        changes: |comparison| &comparison.removed,
    },
];

impl<'a> Changes<'a> {
    pub(super) fn of(data: &'a ReportData, compared: &'a ReportComparison) -> Self {
        let whole = data.frameworks.is_empty() && data.services.is_empty();
        let comparison = &compared.differences;
        let groups = LISTS
            .iter()
            .map(|list| ChangeGroup {
                key: list.key,
                title: list.title,
                meaning: list.meaning,
                changes: (list.changes)(comparison).iter().collect(),
            })
            .collect();
        Self {
            before: &compared.before,
            with: compared.with,
            counts_before: comparison.counts.0,
            groups,
            unchanged: comparison.unchanged,
            still_failing: comparison.still_failing,
            frameworks: comparison.frameworks.clone(),
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

    /// The number of changes in a list.
    pub(crate) fn count(&self, key: &str) -> u64 {
        self.groups
            .iter()
            .find(|group| group.key == key)
            .map_or(0, |group| group.changes.len() as u64)
    }

    /// The changes in one sentence.
    pub(crate) fn summary(&self) -> String {
        text::changes(
            words::completed(self.before),
            self.count("new_failures"),
            self.count("fixed"),
            self.still_failing,
            self.count("newly_skipped"),
        )
    }
}

/// The counts of a point over the report's selection. The counts of services, which don't overlap, are added up. Frameworks
/// overlap, so there are counts for one framework only, and none for a framework within services.
pub(super) fn selected_counts(data: &ReportData, point: &ScanPoint) -> Option<ScanCounts> {
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
