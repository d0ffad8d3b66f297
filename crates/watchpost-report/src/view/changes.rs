//! What differs from an earlier scan, as far as the report's selection goes.

use crate::words;
use watchpost_core::{
    report::ReportData,
    scan::{Comparison, FrameworkDelta, ResultChange, ResultRow, Scan, ScanCounts, ScanPoint, SettingChange},
};

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

/// A list of a comparison as reports show it.
struct ListShape {
    key: &'static str,
    title: &'static str,
    meaning: &'static str,
    changes: fn(&Comparison) -> &[ResultChange],
}

/// The lists, in the order in which they are shown.
const LISTS: [ListShape; 7] = [
    ListShape {
        key: "new_failures",
        title: "New failures",
        meaning: "Fail now and didn't before.",
        changes: |comparison| &comparison.new_failures,
    },
    ListShape {
        key: "fixed",
        title: "Fixed",
        meaning: "Failed before and pass now.",
        changes: |comparison| &comparison.fixed,
    },
    ListShape {
        key: "changed_failures",
        title: "Still failing, differently",
        meaning: "Failed in both scans, with another value or other things than before.",
        changes: |comparison| &comparison.changed_failures,
    },
    ListShape {
        key: "newly_skipped",
        title: "No longer judged",
        meaning: "Were judged before and are skipped or in error now.",
        changes: |comparison| &comparison.newly_skipped,
    },
    ListShape {
        key: "newly_readable",
        title: "Judged again",
        meaning: "Couldn't be judged before and pass now.",
        changes: |comparison| &comparison.newly_readable,
    },
    ListShape {
        key: "added",
        title: "New checks",
        meaning: "Weren't run before and don't fail.",
        changes: |comparison| &comparison.added,
    },
    ListShape {
        key: "removed",
        title: "Checks no longer run",
        meaning: "Were run before only.",
        changes: |comparison| &comparison.removed,
    },
];

impl<'a> Changes<'a> {
    pub(super) fn of(data: &'a ReportData, before: &'a Scan, comparison: &'a Comparison) -> Self {
        let whole = data.frameworks.is_empty() && data.services.is_empty();
        let counts_before = if whole {
            Some(before.counts)
        } else {
            data.trend
                .iter()
                .find(|point| point.scan == before.id)
                .and_then(|point| selected_counts(data, point))
        };
        let groups = LISTS
            .iter()
            .map(|list| ChangeGroup {
                key: list.key,
                title: list.title,
                meaning: list.meaning,
                changes: (list.changes)(comparison)
                    .iter()
                    .filter(|change| change.row().is_some_and(|row| is_selected(data, row)))
                    .collect(),
            })
            .collect();
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
            words::day(words::completed(self.before))
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

fn is_selected(data: &ReportData, row: &ResultRow) -> bool {
    row.is_within(&data.frameworks, &data.services)
}

/// A point's counts over the report's selection. Services don't overlap and add up; frameworks do overlap, so only
/// one of them has counts, and a selection by both has none.
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
