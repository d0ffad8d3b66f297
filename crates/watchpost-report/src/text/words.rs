//! Labels, numbers and dates for people.

use watchpost_core::{
    check::{CheckResult, ScanType, SkipReason},
    report::ReportKind,
    scan::{Band, ComplianceScore, ExposureLabel, Scan, ScanCounts, ScanTrigger},
    value::{
        time::Timestamp,
        word::{CollectionState, Severity},
    },
};

/// The title of a report.
pub(crate) const fn kind(kind: ReportKind) -> &'static str {
    match kind {
        ReportKind::Executive => "Executive summary",
        ReportKind::Framework => "Framework report",
        ReportKind::Evidence => "Evidence export",
    }
}

/// The kind of an entity: `service principal`.
pub(crate) fn kind_of_entity(kind: &str) -> String {
    kind.replace('_', " ")
}

pub(crate) const fn scan_type(scan_type: ScanType) -> &'static str {
    match scan_type {
        ScanType::Compliance => "Compliance scan",
        ScanType::Exposure => "Exposure scan",
    }
}

pub(crate) const fn trigger(trigger: ScanTrigger) -> &'static str {
    match trigger {
        ScanTrigger::Manual => "started manually",
        ScanTrigger::Schedule => "started on schedule",
        ScanTrigger::Import => "created from an imported settings export",
    }
}

pub(crate) const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "Critical",
        Severity::High => "High",
        Severity::Medium => "Medium",
        Severity::Low => "Low",
        Severity::Info => "Info",
    }
}

/// The result; for a skipped check, the reason.
pub(crate) const fn result(result: CheckResult, skip: Option<SkipReason>) -> &'static str {
    match (result, skip) {
        (CheckResult::Passed, _) => "Passed",
        (CheckResult::Failed, _) => "Failed",
        (CheckResult::Error, _) => "Error",
        (CheckResult::Skipped, Some(SkipReason::NotApplicable)) => "Not applicable",
        (CheckResult::Skipped, Some(SkipReason::Unlicensed)) => "Not licensed",
        (CheckResult::Skipped, Some(SkipReason::Manual)) => "Needs manual review",
        (CheckResult::Skipped, Some(SkipReason::Unreadable) | None) => "Not readable",
    }
}

/// The reason why checks were skipped, for use after their number.
pub(crate) const fn skipped(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::NotApplicable => "not applicable",
        SkipReason::Unlicensed => "not licensed",
        SkipReason::Unreadable => "without readable settings",
        SkipReason::Manual => "for manual review",
    }
}

pub(crate) const fn state(state: CollectionState) -> &'static str {
    match state {
        CollectionState::Complete => "Read",
        CollectionState::Partial => "Partly read",
        CollectionState::Denied => "Permission missing",
        CollectionState::Unlicensed => "Not licensed",
        CollectionState::Failed => "Read failed",
    }
}

/// The label of a state that is given as its word, as in comparisons.
pub(crate) fn state_of(word: Option<&str>) -> &'static str {
    word.and_then(|word| word.parse().ok())
        .map_or("Not attempted", state)
}

/// The CSS class of a band.
pub(crate) const fn band_class(band: Band) -> &'static str {
    match band {
        Band::Excellent => "excellent",
        Band::Good => "good",
        Band::NeedsAttention => "attention",
        Band::CriticalRisk => "critical",
    }
}

/// The CSS class of an exposure label.
pub(crate) const fn exposure_class(label: ExposureLabel) -> &'static str {
    match label {
        ExposureLabel::High => "critical",
        ExposureLabel::Medium => "attention",
        ExposureLabel::Low => "excellent",
    }
}

/// A score; a dash if no check was judged.
pub(crate) fn score(score: Option<ComplianceScore>) -> String {
    score.map_or_else(|| "–".to_owned(), |score| score.to_string())
}

/// A signed number of tenths: `+2.1`, `−0.4`, `±0.0`.
pub(crate) fn signed(tenths: i16) -> String {
    let sign = match tenths {
        1.. => '+',
        0 => '±',
        _ => '−',
    };
    let size = tenths.unsigned_abs();
    format!("{sign}{}.{}", size / 10, size % 10)
}

/// `1 check`, `2 checks`.
pub(crate) fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// `2 critical, 5 high`; empty if no check failed.
pub(crate) fn failed_by_severity(counts: &ScanCounts) -> String {
    let parts: Vec<String> = Severity::ALL
        .iter()
        .zip(counts.failed_by_severity)
        .filter(|(_, count)| *count > 0)
        .map(|(severity, count)| format!("{count} {severity}"))
        .collect();
    parts.join(", ")
}

/// `8 not applicable, 2 without readable settings`; empty if no check was skipped.
pub(crate) fn skipped_by_reason(counts: &ScanCounts) -> String {
    let parts: Vec<String> = SkipReason::ALL
        .iter()
        .zip(counts.skipped)
        .filter(|(_, count)| *count > 0)
        .map(|(reason, count)| format!("{count} {}", skipped(*reason)))
        .collect();
    parts.join(", ")
}

fn formatted(at: Timestamp, form: &str) -> String {
    jiff::Timestamp::from_millisecond(at.as_millis()).map_or_else(
        |_| "out of range".to_owned(),
        |time| time.strftime(form).to_string(),
    )
}

/// The time at which a scan completed; if unknown, the time at which it was queued.
pub(crate) fn completed(scan: &Scan) -> Timestamp {
    scan.completed_at.unwrap_or(scan.queued_at)
}

/// `21 November 2026`.
pub(crate) fn day(at: Timestamp) -> String {
    formatted(at, "%-d %B %Y")
}

/// `21 November 2026, 16:26 UTC`.
pub(crate) fn moment(at: Timestamp) -> String {
    formatted(at, "%-d %B %Y, %H:%M UTC")
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut out, byte| {
        // Writing to a string can't fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}
