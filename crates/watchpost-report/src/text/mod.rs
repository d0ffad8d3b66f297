//! The sentences of reports, apart from those in the HTML templates. [`words`] has the labels, numbers and dates.

pub(crate) mod posture;
pub(crate) mod words;

use crate::controls::{ControlState, FrameworkControls};
use watchpost_core::{
    check::ScanType,
    report::ReportKind,
    scan::{ComparedWith, ComplianceScore, ExposureLabel, ScanCounts, exposure_label},
    value::time::Timestamp,
};
use words::{counted, day, moment, score, signed};

pub(crate) const NOT_JUDGED: &str = "No check was judged";
pub(crate) const NO_FAILURE: &str = "No check failed.";

pub(crate) fn title(kind: ReportKind, difference: bool) -> String {
    let kind = words::kind(kind);
    if difference {
        format!("{kind} of changes")
    } else {
        kind.to_owned()
    }
}

/// The scan's type and date.
pub(crate) fn subtitle(scan_type: ScanType, completed: Timestamp) -> String {
    format!("{} of {}", words::scan_type(scan_type), day(completed))
}

pub(crate) fn generated(at: Timestamp, version: &str) -> String {
    format!("{} by Watchpost {version}", moment(at))
}

/// The score with its band, or the label of an exposure scan.
pub(crate) fn verdict(scan_type: ScanType, counts: &ScanCounts) -> String {
    match (scan_type, counts.score()) {
        (ScanType::Exposure, _) => exposure_label(counts).to_string(),
        (ScanType::Compliance, Some(score)) => format!("{score} of 100, {}", score.band()),
        (ScanType::Compliance, None) => NOT_JUDGED.to_owned(),
    }
}

/// The scan that another one is compared with, and its [`verdict`].
pub(crate) fn earlier_scan(completed: &str, verdict: &str) -> String {
    format!("the scan of {completed}: {verdict}")
}

/// `Mara Holt, Ivo Brandt and 2 more`.
pub(crate) fn names_and_more(names: &[&str], more: usize) -> String {
    match (names, more) {
        (_, 0) => names.join(", "),
        ([], 1) => "1 account or group without a known name".to_owned(),
        ([], more) => format!("{more} accounts or groups without a known name"),
        (names, more) => format!("{} and {more} without a known name", names.join(", ")),
    }
}

/// The source of a scan's settings: the platform, or the previous scan.
pub(crate) const fn settings_source(fresh: bool) -> &'static str {
    if fresh {
        "read for this scan"
    } else {
        "reused from the previous scan"
    }
}

/// The computation of the score, or of the label of an exposure scan.
pub(crate) const fn method(scan_type: ScanType) -> &'static str {
    match scan_type {
        ScanType::Exposure => {
            "The worst failed check determines the label: critical or high makes it High risk, medium makes it Medium risk, anything else Low risk. Skipped checks and errors do not count."
        }
        ScanType::Compliance => {
            "Score = passed ÷ (passed + failed) × 100; higher is better. Skipped checks and errors do not count. Bands: Excellent from 90, Good from 70, Needs attention from 50, Critical risk below."
        }
    }
}

/// `checks` is the number of all checks.
pub(crate) fn judged(checks: u64, counts: &ScanCounts) -> String {
    let failed = match words::failed_by_severity(counts) {
        severities if severities.is_empty() => String::new(),
        severities => format!(" ({severities})"),
    };
    format!(
        "Of {}, {} could be judged: {} passed and {} failed{failed}.",
        counted(checks, "check", "checks"),
        counts.passed.saturating_add(counts.failed),
        counts.passed,
        counts.failed,
    )
}

pub(crate) fn skipped(counts: &ScanCounts) -> String {
    let skipped = counts.skipped_total();
    if skipped == 0 {
        return "No check was skipped.".to_owned();
    }
    format!(
        "{}: {}.",
        counted(skipped, "check was skipped", "checks were skipped"),
        words::skipped_by_reason(counts)
    )
}

pub(crate) fn errors(errors: u64) -> String {
    format!("{} could not be evaluated.", counted(errors, "check", "checks"))
}

pub(crate) fn unread(unread: u64, settings: u64) -> String {
    format!(
        "{unread} of {} couldn't be read completely.",
        counted(settings, "setting", "settings")
    )
}

pub(crate) const FIRST_SCAN: &str =
    "This is the first completed scan of its type, so there is no earlier scan to compare with.";

/// The earlier scan, and the reason for which the report compares with it.
pub(crate) fn compared_with(before: &str, with: ComparedWith) -> String {
    let reason = match with {
        ComparedWith::AnotherDay => "the last scan of another day",
        ComparedWith::Previous => "the previous scan",
        ComparedWith::Requested => "the requested scan",
    };
    format!("{before} ({reason})")
}

pub(crate) fn same_label(before: Timestamp, failed_before: u64) -> String {
    format!(
        "Same label as in the scan of {}, in which {} failed.",
        day(before),
        counted(failed_before, "check", "checks")
    )
}

pub(crate) fn earlier_label(before: Timestamp, label: ExposureLabel) -> String {
    format!(
        "The label was \u{201c}{label}\u{201d} in the scan of {}.",
        day(before)
    )
}

/// The change of the score. A score is `None` if no check was judged.
pub(crate) fn score_change(
    before: Timestamp,
    old: Option<ComplianceScore>,
    new: Option<ComplianceScore>,
) -> String {
    let day = day(before);
    match (old, new) {
        (Some(old), Some(new)) => format!(
            "{} points since {day} (then {old}, {}).",
            signed(new.difference(old)),
            old.band()
        ),
        (None, _) => format!("In the scan of {day}, no check could be judged."),
        (Some(old), None) => {
            format!("The score was {old} in the scan of {day}; now no check could be judged.")
        }
    }
}

/// The changes since an earlier scan in one sentence.
pub(crate) fn changes(
    before: Timestamp,
    new_failures: u64,
    fixed: u64,
    still_failing: u64,
    no_longer_judged: u64,
) -> String {
    let mut out = format!(
        "{} and {} since {}; {} still failing",
        counted(new_failures, "new failure", "new failures"),
        counted(fixed, "failure fixed", "failures fixed"),
        day(before),
        counted(still_failing, "check", "checks")
    );
    if no_longer_judged > 0 {
        out.push_str(&format!(
            "; {} no longer judged",
            counted(no_longer_judged, "check", "checks")
        ));
    }
    out.push('.');
    out
}

/// The numbers of a framework's controls, in total and by state.
pub(crate) fn controls(controls: &FrameworkControls<'_>) -> String {
    let count = |state| controls.count(Some(state));
    format!(
        "{}: {} passed, {} failed, {} incomplete, {} in error, {} not judged.",
        counted(controls.count(None), "control", "controls"),
        count(ControlState::Passed),
        count(ControlState::Failed),
        count(ControlState::Incomplete),
        count(ControlState::Error),
        count(ControlState::NotJudged),
    )
}

/// The exemptions of a summary.
pub(crate) fn exemptions(count: u64) -> String {
    format!(
        "{}; the evidence export lists each with its owner and end date.",
        counted(count, "active exemption", "active exemptions")
    )
}

/// The descriptions of the lists of changes.
pub(crate) mod lists {
    pub(crate) const NEW_FAILURES: &str = "Checks that fail now and did not fail before.";
    pub(crate) const FIXED: &str = "Checks that failed before and pass now.";
    pub(crate) const CHANGED_FAILURES: &str =
        "Checks that failed in both scans, with a different value or different entities.";
    pub(crate) const NEWLY_SKIPPED: &str = "Checks that were judged before and are now skipped or in error.";
    pub(crate) const NEWLY_READABLE: &str = "Checks that couldn't be judged before and pass now.";
    pub(crate) const ADDED: &str = "Checks that were not run before and do not fail.";
    pub(crate) const REMOVED: &str = "Checks that were run only in the earlier scan.";
}

/// The text alternatives of charts.
pub(crate) mod charts {
    use super::{Timestamp, day, score, words};
    use watchpost_core::scan::{ComplianceScore, ExposureLabel, ScanCounts};

    pub(crate) const NO_SCORE: &str = "No compliance score: no check was judged.";
    pub(crate) const SCALE: &str = "of 100, higher is better";

    pub(crate) fn gauge(score: ComplianceScore) -> String {
        format!(
            "Compliance score {score} of 100: {}. Higher is better.",
            score.band()
        )
    }

    pub(crate) fn exposure(label: ExposureLabel) -> String {
        format!("Exposure: {label}.")
    }

    /// The first and the last of `points` scans, each with its date and its counts.
    pub(crate) fn score_trend(
        points: usize,
        (first_at, first): (Timestamp, &ScanCounts),
        (last_at, last): (Timestamp, &ScanCounts),
    ) -> String {
        format!(
            "Compliance score over {points} scans, from {} on {} to {} on {}; higher is better.",
            score(first.score()),
            day(first_at),
            score(last.score()),
            day(last_at)
        )
    }

    /// As [`score_trend`], for the numbers of failed checks.
    pub(crate) fn failure_trend(
        points: usize,
        (first_at, first): (Timestamp, &ScanCounts),
        (last_at, last): (Timestamp, &ScanCounts),
    ) -> String {
        format!(
            "Failed checks over {points} scans, from {} on {} to {} on {}.",
            first.failed,
            day(first_at),
            last.failed,
            day(last_at)
        )
    }

    pub(crate) fn shares(counts: &ScanCounts) -> String {
        format!(
            "{} passed, {} failed, {} in error, {} skipped",
            counts.passed,
            counts.failed,
            counts.errors,
            counts.skipped_total()
        )
    }

    pub(crate) fn severities(counts: &ScanCounts) -> String {
        match words::failed_by_severity(counts) {
            severities if severities.is_empty() => super::NO_FAILURE.to_owned(),
            severities => format!("Failed checks: {severities}."),
        }
    }
}

/// Texts of the Markdown format.
pub(crate) mod markdown {
    use super::{Timestamp, counted};
    use watchpost_core::value::id::ScanId;

    pub(crate) const NO_DIFFERENCE: &str = "No check has a different result.";
    pub(crate) const REMEDIATION: &str = "What to do:";
    pub(crate) const CONDITION: &str = "Would pass if";
    pub(crate) const WITHOUT_CONTROL: &str = "Checks without a control";
    pub(crate) const UNREAD: &str = "Unread settings and unjudged checks";
    pub(crate) const SETTINGS: &str = "Settings of the scan";
    pub(crate) const ALL_OF_CHECK: &str = "the whole check";

    pub(crate) fn score(score: &str, band: &str) -> String {
        format!("**{score} of 100, {band}** (higher is better)")
    }

    pub(crate) fn further_failures(count: u64) -> String {
        counted(count, "more failed check", "more failed checks")
    }

    /// The number of rows that a list leaves out.
    pub(crate) fn more(count: usize) -> String {
        format!("And {count} more.")
    }

    pub(crate) fn compared_with(before: ScanId, completed: Timestamp) -> String {
        format!("Compared with scan {before} of {completed}.")
    }

    pub(crate) fn changed_values(count: u64) -> String {
        format!("{}.", counted(count, "value changed", "values changed"))
    }

    pub(crate) fn state_change(before: &str, after: &str) -> String {
        format!("State: {before}, now {after}.")
    }
}

/// Texts of the HTML format that the templates take from the code.
pub(crate) mod html {
    pub(crate) fn further_failures(count: u64) -> String {
        super::markdown::further_failures(count)
    }
}
