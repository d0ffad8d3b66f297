//! Answers about scans, their results and reports on them.

use super::{count, matching};
use watchpost_core::{
    check::ScanType,
    report::ReportKind,
    scan::{ComplianceScore, ResultRow, Scan, ScanCounts},
    service::ScanSummary,
    value::word::{Platform, RunState},
};

pub(crate) const NO_EARLIER_SCAN: &str = "there is no earlier completed scan of this type to compare with; the next scan can be compared with this one";

/// `91.3 (Excellent, higher is better)`, the label of an exposure scan, or that there is no score.
fn verdict(scan: &Scan) -> String {
    match (scan.exposure(), scan.score()) {
        (Some(label), _) => label.to_string(),
        (None, Some(score)) => format!("{score} ({}, higher is better)", score.band()),
        (None, None) => "no score, since no check passed or failed".to_owned(),
    }
}

/// `exposure scan of Microsoft 365`.
fn named(scan: &Scan) -> String {
    format!("{} scan of {}", scan.scan_type, scan.platform.subject())
}

/// The type at the beginning of a sentence.
fn capitalized(scan_type: ScanType) -> &'static str {
    match scan_type {
        ScanType::Compliance => "Compliance",
        ScanType::Exposure => "Exposure",
    }
}

pub(crate) fn unfinished(scan: &Scan) -> String {
    format!(
        "The {} is {}. Call get_scan again with this scan_id and wait_seconds.",
        named(scan),
        scan.state
    )
}

pub(crate) fn without_results(scan: &Scan) -> String {
    format!(
        "The {} is {}: it did not finish, so it has no results.",
        named(scan),
        scan.state
    )
}

/// `since_previous` is the sentence of [`new_failures`] or [`new_failures_unknown`].
pub(crate) fn completed(scan: &Scan, since_previous: &str) -> String {
    format!(
        "{} scan of {}: {}; {} failed, {} passed, {} skipped, {}. {since_previous}",
        capitalized(scan.scan_type),
        scan.platform.subject(),
        verdict(scan),
        scan.counts.failed,
        scan.counts.passed,
        scan.counts.skipped_total(),
        count(scan.counts.errors, "error"),
    )
}

pub(crate) fn new_failures(new: u64, fixed: u64) -> String {
    format!(
        "Since the previous scan: {}, {fixed} fixed.",
        count(new, "new failure")
    )
}

pub(crate) fn new_failures_unknown(why: &str) -> String {
    format!("New failures are unknown: {why}.")
}

/// The latest scans of each integration, one sentence each, appended to the posture summary.
pub(crate) fn latest(summaries: &[ScanSummary]) -> String {
    // Names come from outside, so the sentence counts where a platform doesn't say which tenant is meant.
    let subject = |at: usize| {
        let platform = summaries.get(at).map(|summary| summary.platform);
        let same = |upto: usize| {
            let shown = summaries.iter().take(upto);
            shown.filter(|summary| Some(summary.platform) == platform).count()
        };
        let name = platform.map_or("", Platform::subject);
        match same(summaries.len()) {
            1 if platform == Some(Platform::Import) => format!("{name} (named in `compliance`)"),
            0 | 1 => name.to_owned(),
            all => format!("{name} ({} of {all}, named in `compliance`)", same(at + 1)),
        }
    };
    let mut text = String::new();
    for (at, summary) in summaries.iter().enumerate() {
        if let Some(scan) = &summary.compliance {
            text.push_str(&format!(
                " Compliance of {}: {}, {} failing.",
                subject(at),
                verdict(scan),
                count(scan.counts.failed, "check"),
            ));
        }
        if let Some(label) = summary.exposure.as_ref().and_then(Scan::exposure) {
            text.push_str(&format!(" Exposure of {}: {label}.", subject(at)));
        }
    }
    text
}

pub(crate) fn started(scan: &Scan) -> String {
    format!(
        "Queued: {}. Call get_scan with scan_id {} and wait_seconds 50 until its status is completed.",
        named(scan),
        scan.id
    )
}

pub(crate) fn already_running(scan: &Scan) -> String {
    format!(
        "Nothing was started: the {} is already {}, with scan_id {}; only one scan per integration runs at a time.",
        named(scan),
        scan.state,
        scan.id
    )
}

/// The same scan ended less than a minute before the request.
pub(crate) fn just_completed(scan: &Scan) -> String {
    format!(
        "Nothing was started: the same {} was completed just now, at {}; get_scan with scan_id {} returns its results. \
         A new one can be started a minute after that.",
        named(scan),
        scan.completed_at.unwrap_or(scan.queued_at),
        scan.id
    )
}

/// The answer about a started scan that has ended.
pub(crate) fn ended(scan: &Scan) -> String {
    if scan.state == RunState::Completed {
        format!(
            "The {} is completed; get_scan with this scan_id returns its results.",
            named(scan)
        )
    } else {
        without_results(scan)
    }
}

pub(crate) fn listed(total: u64) -> String {
    if total == 0 {
        "No scan matches; start_scan starts one.".to_owned()
    } else {
        format!("{}, newest first.", count(total, "scan"))
    }
}

/// `score` is the score before and after, over all frameworks.
pub(crate) fn compared(
    after: &Scan,
    new_failures: u64,
    fixed: usize,
    still_failing: u64,
    score: (Option<ComplianceScore>, Option<ComplianceScore>),
) -> String {
    let scores = match score {
        (Some(before), Some(after)) => format!(" Score {before}, now {after} (higher is better)."),
        _ => String::new(),
    };
    format!(
        "{} scans of {} compared: {}, {fixed} fixed, {still_failing} still failing.{scores}",
        capitalized(after.scan_type),
        after.platform.subject(),
        count(new_failures, "new failure"),
    )
}

pub(crate) fn trend(scans: u64, days: u64, first: ComplianceScore, last: ComplianceScore) -> String {
    format!(
        "{} in {}: the score went from {first} to {last} (higher is better).",
        count(scans, "completed scan"),
        count(days, "day")
    )
}

pub(crate) fn no_trend(scan_type: ScanType) -> String {
    format!("No {scan_type} scan was completed in that time; start_scan starts one.")
}

pub(crate) fn result(row: &ResultRow, scan: &Scan) -> String {
    format!("Check {}: {} in the {}.", row.check_id, row.result, named(scan))
}

/// The results of the checks that carry a framework's id. `counts` are those of all of them; `first` is the check that
/// `detail` describes.
pub(crate) fn results_of_control(
    scan: &Scan,
    total: u64,
    counts: &ScanCounts,
    first: Option<&str>,
) -> String {
    let detail = first.map_or_else(String::new, |first| {
        format!(" `detail` is about {first}; check_id with another one's id gives its evidence and steps.")
    });
    format!(
        "{} with this id in the {}, failed first: {} failed, {} passed, {} skipped, {}.{detail}",
        count(total, "check"),
        named(scan),
        counts.failed,
        counts.passed,
        counts.skipped_total(),
        count(counts.errors, "error"),
    )
}

pub(crate) fn results_listed(scan: &Scan, total: u64, returned: u64, has_more: bool) -> String {
    let more = if has_more {
        "; next_after gives the next page"
    } else {
        ""
    };
    format!(
        "{} in the {}; {returned} shown below{more}.",
        matching(total, "result"),
        named(scan)
    )
}

pub(crate) fn report(kind: ReportKind, scan: &Scan) -> String {
    let kind = match kind {
        ReportKind::Executive => "Executive",
        ReportKind::Framework => "Framework",
        ReportKind::Evidence => "Evidence",
    };
    format!(
        "{kind} report on the {}: {}. The Markdown is below; `watchpost report` writes HTML, JSON, CSV or OCSF.",
        named(scan),
        verdict(scan),
    )
}

/// The description of a report in the list of resources.
pub(crate) fn latest_report_contents(scan: &Scan) -> String {
    format!(
        "A page for a board on the {}: score, changes, trend, the worst failures and how to fix them.",
        named(scan)
    )
}

/// The title of a report in the list of resources.
pub(crate) fn latest_report(scan: &Scan) -> String {
    format!("Executive report on the latest {}", named(scan))
}
