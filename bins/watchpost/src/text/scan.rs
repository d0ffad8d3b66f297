//! Texts of `watchpost scan`.

use crate::{
    output::foreign,
    text::{counted, numbered_steps, value, with_article},
};
use serde_json::Value;
use watchpost_core::{
    scan::{ComparedWith, ComplianceScore, ResultRow, Scan, ScanCounts},
    service::{ComparisonAnswer, NewFailures, Replay, ResultAnswer, ScanAnswer},
    value::{
        id::ScanId,
        word::{RunState, Severity},
    },
};

pub(crate) const NO_SCANS: &str = "There are no scans yet: start one with `watchpost scan start`.";
pub(crate) const NO_RESULTS: &str = "No results match.";
pub(crate) const NO_SCANS_IN_PERIOD: &str = "No scan was completed in this period.";
pub(crate) const NO_SCORE: &str = "no score";
pub(crate) const CANCELLED: &str = "The scan is cancelled.";
pub(crate) const VERDICT_DIFFERS: &str = "the verdict differs: this version's check interprets the settings of that scan \
                                          differently";
pub(crate) const SCANNING: &str = "scanning";
pub(crate) const NOT_A_PERCENTAGE: &str = "use a number from 0 to 100";
pub(crate) const NO_SCORE_TO_COMPARE: &str = "there is no score, since no check passed or failed";

/// A value of `--service` that doesn't exist.
pub(crate) fn unknown_service(known: &[&str]) -> String {
    format!("use one of {}", known.join(", "))
}

pub(crate) fn queued(id: ScanId) -> String {
    format!(
        "The scan is queued for a running server; `--wait` runs it in this process instead. `watchpost scan status \
         --scan {id}` shows its progress."
    )
}

/// The integration has a scan of the same type already.
pub(crate) fn already_started(scan: &Scan) -> String {
    format!(
        "Nothing was started: {} scan of this integration is already {}. `watchpost scan status --scan {}` shows its progress.",
        with_article(scan.scan_type.as_str()),
        scan.state,
        scan.id
    )
}

/// The same scan ended less than a minute before the request.
pub(crate) fn just_completed(scan: &Scan) -> String {
    format!(
        "Nothing was started: the same scan was completed just now, at {}. `watchpost scan status --scan {}` shows its \
         results; `--again` starts a new scan.",
        scan.completed_at.unwrap_or(scan.queued_at),
        scan.id
    )
}

/// The integration has a scan of the other type.
pub(crate) fn other_scan_unfinished(scan: &Scan) -> String {
    format!(
        "{} scan of this integration is {}: start this one when that one has ended",
        with_article(scan.scan_type.as_str()),
        scan.state
    )
}

pub(crate) fn still_running(id: ScanId, minutes: u64) -> String {
    format!("not finished after {minutes} minutes: `watchpost scan status --scan {id}` shows its progress")
}

/// A scan ended without a result, and stored no reason.
pub(crate) fn not_completed(state: RunState) -> String {
    format!("the scan is {state}")
}

pub(crate) fn score_too_low(scan: &Scan, minimum: f64) -> String {
    format!("the score is {}, under {minimum}", score(scan))
}

pub(crate) fn failed_checks(count: u64, severity: Severity) -> String {
    format!(
        "{} of severity {severity} or worse failed",
        counted(count, "check", "checks")
    )
}

/// The score with its band, or the exposure's label.
pub(crate) fn score(scan: &Scan) -> String {
    match (scan.exposure(), scan.score()) {
        (Some(label), _) => label.to_string(),
        (None, Some(score)) => format!("{score} ({})", score.band()),
        (None, None) => NO_SCORE.to_owned(),
    }
}

/// A score without its band.
pub(crate) fn plain_score(score: Option<ComplianceScore>) -> String {
    score.map_or_else(|| NO_SCORE.to_owned(), |score| score.to_string())
}

/// A scan's state and, once it is completed, its counts, new failures and unread settings.
pub(crate) fn status(answer: &ScanAnswer) -> String {
    let scan = &answer.scan;
    let mut text = format!(
        "{} scan of {} ({}): {}",
        scan.scan_type,
        scan.platform.subject(),
        foreign(&scan.integration_name),
        scan.state
    );
    if let Some(reason) = &scan.reason {
        text.push_str(&format!("\n{reason}"));
    }
    if scan.state != RunState::Completed {
        return text;
    }
    text.push_str(&format!(
        "\n{}; {} passed, {} failed, {} skipped, {}",
        score(scan),
        scan.counts.passed,
        scan.counts.failed,
        scan.counts.skipped_total(),
        counted(scan.counts.errors, "error", "errors")
    ));
    match &answer.new_failures {
        None => {}
        Some(NewFailures::Unknown(why)) => text.push_str(&format!("\nNothing to compare with: {why}.")),
        Some(NewFailures::Since { rows, fixed, .. }) => {
            text.push_str(&format!(
                "\n{} since the previous scan, {fixed} fixed",
                counted(rows.len() as u64, "new failure", "new failures")
            ));
            for row in rows {
                text.push_str(&format!("\n  {} {} ({})", row.severity, row.title, row.check_id));
            }
        }
    }
    if !answer.unread.is_empty() {
        text.push_str(&format!(
            "\n{} could not be read completely:",
            counted(answer.unread.len() as u64, "setting", "settings")
        ));
        for row in &answer.unread {
            let detail = row.detail.as_deref().unwrap_or("no reason is known");
            text.push_str(&format!("\n  {}: {}: {detail}", row.path, row.state));
        }
    }
    text
}

/// Everything about one result; `detected` and `evidence` may be null.
pub(crate) fn result_details(answer: &ResultAnswer, detected: &Value, evidence: &Value) -> String {
    let row = &answer.result.row;
    let mut text = format!(
        "{}\n{}: {}\n\n{}, {}, {}",
        row.title,
        row.result,
        foreign(&row.reason),
        row.check_id,
        row.severity,
        row.service.title()
    );
    for id in &row.frameworks {
        text.push_str(&format!("\n{} {}", id.framework().title(), id.as_str()));
    }
    if let Some(check) = &answer.check {
        text.push_str(&format!("\n\n{}", check.description));
    }
    for (title, found) in [("Detected", detected), ("Evidence", evidence)] {
        if !found.is_null() {
            text.push_str(&format!("\n\n{title}\n{}", value::lines(found)));
        }
    }
    if let Some(would) = &answer.result.would_pass {
        text.push_str(&format!("\n\nWould pass {}", foreign(&would.condition)));
        for id in &would.excluded {
            text.push_str(&format!("\n  {id}"));
        }
    }
    if !answer.settings.is_empty() {
        text.push_str("\n\nRead from");
        for row in &answer.settings {
            text.push_str(&format!(
                "\n  {}: {}, {} at {}",
                row.path, row.state, row.source, row.read_at
            ));
        }
    }
    if let Some(check) = &answer.check {
        text.push_str(&numbered_steps(&check.remediation));
    }
    text
}

/// The results of all checks that carry a framework's id, each as [`result_details`] writes it.
pub(crate) fn results_of_control(id: &str, counts: &ScanCounts, results: &[String]) -> String {
    format!(
        "{} carry {}: {} failed, {} passed, {} skipped, {}\n\n{}",
        counted(results.len() as u64, "check", "checks"),
        id,
        counts.failed,
        counts.passed,
        counts.skipped_total(),
        counted(counts.errors, "error", "errors"),
        results.join("\n\n----\n\n")
    )
}

/// The times and scores of both scans, and how many results are the same in both.
pub(crate) fn comparison(answer: &ComparisonAnswer) -> String {
    let comparison = &answer.comparison;
    let with = match answer.with {
        ComparedWith::AnotherDay => "the last scan of another day",
        ComparedWith::Previous => "the previous scan",
        ComparedWith::Requested => "the requested scan",
    };
    format!(
        "{} ({with}) → {}\nscore {} → {}; {} unchanged, {} of them failing",
        answer.before.completed_at.unwrap_or(answer.before.queued_at),
        answer.after.completed_at.unwrap_or(answer.after.queued_at),
        plain_score(comparison.score.0),
        plain_score(comparison.score.1),
        comparison.unchanged,
        comparison.still_failing
    )
}

/// The title of a group of changes.
pub(crate) fn changes(title: &str, count: usize) -> String {
    format!("\n\n{title} ({count})")
}

/// A check whose result changed, and below it each setting that changed.
pub(crate) fn change(answer: &ComparisonAnswer, row: &ResultRow) -> String {
    let mut text = format!(
        "\n  {} {} ({}): {}",
        row.severity,
        row.title,
        row.check_id,
        foreign(&row.reason)
    );
    let shown = |value: &Option<Value>| value.as_ref().map_or_else(|| "nothing".to_owned(), value::inline);
    for path in answer.inputs.get(&row.check_id).into_iter().flatten() {
        let changed = answer.settings.get(path).into_iter();
        for change in changed.flat_map(|setting| &setting.values) {
            text.push_str(&format!(
                "\n      {path}{}: {} → {}",
                change.pointer,
                shown(&change.before),
                shown(&change.after)
            ));
        }
    }
    text
}

/// Verdicts of a past scan, and today's on the same settings. If there are several, each with its check.
pub(crate) fn replays(replays: &[Replay]) -> String {
    if let [one] = replays {
        return replay(&one.then.row, &one.now.row);
    }
    let each = replays.iter().map(|one| {
        let row = &one.now.row;
        format!("{}\n{}", row.check_id, replay(&one.then.row, row))
    });
    each.collect::<Vec<_>>().join("\n\n")
}

fn replay(then: &ResultRow, now: &ResultRow) -> String {
    format!(
        "then: {}: {}\nnow:  {}: {}",
        then.result,
        foreign(&then.reason),
        now.result,
        foreign(&now.reason)
    )
}

/// The titles of the groups of changes.
pub(crate) mod group {
    pub(crate) const NEW_FAILURES: &str = "New failures";
    pub(crate) const FIXED: &str = "Fixed";
    pub(crate) const CHANGED_FAILURES: &str = "Still failing, for another reason";
    pub(crate) const NEWLY_SKIPPED: &str = "Newly skipped";
    pub(crate) const NEWLY_READABLE: &str = "Newly readable";
    pub(crate) const ADDED: &str = "Added checks";
    pub(crate) const REMOVED: &str = "Removed checks";
}
