//! Answers about scans, their results and reports on them.

use super::{count, matching};
use watchpost_core::{
    check::ScanType,
    report::{ReportData, ReportKind},
    scan::{ComparedWith, ComplianceScore, ResultFilter, ResultRow, Scan, ScanCounts, exposure_label},
    service::{ComparisonAnswer, ScanSummary},
    value::word::{Platform, RunState},
};

/// `91.3 (Excellent, higher is better)`, the label of an exposure scan, or that there is no score.
fn verdict(scan: &Scan) -> String {
    verdict_of(scan.scan_type, &scan.counts)
}

fn verdict_of(scan_type: ScanType, counts: &ScanCounts) -> String {
    match (scan_type, counts.score()) {
        (ScanType::Exposure, _) => exposure_label(counts).to_string(),
        (ScanType::Compliance, Some(score)) => format!("{score} ({}, higher is better)", score.band()),
        (ScanType::Compliance, None) => "no score, since no check passed or failed".to_owned(),
    }
}

/// `, limited to CISA SCuBA and Exchange Online`; empty without a filter.
fn limited(filter: &ResultFilter) -> String {
    let frameworks = filter.frameworks.iter().map(|framework| framework.title());
    let services = filter.services.iter().map(|service| service.title());
    match frameworks.chain(services).collect::<Vec<_>>() {
        names if names.is_empty() => String::new(),
        names => format!(", limited to {}", names.join(" and ")),
    }
}

/// `2026-03-01T09:00:00Z, the last scan of another day`.
fn earlier(before: &Scan, with: ComparedWith) -> String {
    let reason = match with {
        ComparedWith::AnotherDay => "the last scan of another day",
        ComparedWith::Previous => "the previous scan",
        ComparedWith::Requested => "the requested scan",
    };
    format!("{}, {reason}", before.completed_at.unwrap_or(before.queued_at))
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

/// `selected` are the counts of the results that the call's filter selects; `since_previous` is the sentence of
/// [`new_failures`] or [`new_failures_unknown`].
pub(crate) fn completed(
    scan: &Scan,
    selected: Option<&ScanCounts>,
    filter: &ResultFilter,
    since_previous: &str,
) -> String {
    let within = selected.map_or_else(String::new, |counts| {
        let limited = limited(filter);
        format!(
            " {}: {}; {} failed, {} passed.",
            limited.trim_start_matches(", ").replacen('l', "L", 1),
            verdict_of(scan.scan_type, counts),
            counts.failed,
            counts.passed
        )
    });
    format!(
        "{} scan of {}: {}; {} failed, {} passed, {} skipped, {}.{within} {since_previous}",
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

/// `filter` is what the comparison is limited to.
pub(crate) fn compared(answer: &ComparisonAnswer, filter: &ResultFilter) -> String {
    let (after, found) = (&answer.after, &answer.comparison);
    let verdicts = match (after.scan_type, found.score) {
        (ScanType::Exposure, _) => {
            let label = |counts| exposure_label(counts).to_string();
            format!(" {}, then {}.", label(&found.counts.1), label(&found.counts.0))
        }
        (ScanType::Compliance, (Some(before), Some(after))) => {
            format!(" Score {before}, now {after} (higher is better).")
        }
        _ => String::new(),
    };
    format!(
        "{} scan of {} of {}{}, compared with {}: {}, {} fixed, {} still failing.{verdicts}",
        capitalized(after.scan_type),
        after.platform.subject(),
        after.completed_at.unwrap_or(after.queued_at),
        limited(filter),
        earlier(&answer.before, answer.with),
        count(found.new_failures.len() as u64, "new failure"),
        found.fixed.len(),
        found.still_failing,
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

pub(crate) fn report(data: &ReportData) -> String {
    let kind = match data.kind {
        ReportKind::Executive => "Executive",
        ReportKind::Framework => "Framework",
        ReportKind::Evidence => "Evidence",
    };
    let filter = ResultFilter {
        frameworks: data.frameworks.clone(),
        services: data.services.clone(),
        ..ResultFilter::default()
    };
    let compared = data.comparison.as_ref().map_or_else(String::new, |comparison| {
        format!("; compared with {}", earlier(&comparison.before, comparison.with))
    });
    format!(
        "{kind} report on the {}{}: {}{compared}. The Markdown is below; `watchpost report` writes HTML, JSON, CSV or OCSF.",
        named(&data.scan),
        limited(&filter),
        verdict_of(data.scan.scan_type, &data.counts),
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
