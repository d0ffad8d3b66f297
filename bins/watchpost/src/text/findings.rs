//! Texts of `watchpost findings`.

use crate::{
    output::foreign,
    text::{counted, numbered_steps, value},
};
use serde_json::Value;
use watchpost_core::{
    finding::Finding,
    value::{id::FindingId, time::Timestamp, word::FindingStatus},
};

pub(crate) const NO_FINDINGS: &str = "No findings match.";
pub(crate) const NOT_FOUND: &str = "finding not found: `watchpost findings list` shows the ids";

/// Follows a list: how many of all matching findings it has.
pub(crate) fn shown_of(shown: usize, total: u64, total_is_minimum: bool) -> String {
    let more = if total_is_minimum { "more than " } else { "" };
    format!("{shown} of {more}{}", counted(total, "finding", "findings"))
}

/// Everything about one finding; `steps` are its rule's remediation.
pub(crate) fn details(finding: &Finding, evidence: &Value, steps: &[String]) -> String {
    let summary = &finding.summary;
    let mut text = format!(
        "{}\n\n{}, {}, {}\nrule {}\nfirst seen {}, last seen {}",
        foreign(&summary.title),
        summary.severity,
        summary.category.spoken(),
        summary.status.spoken(),
        summary.rule_id,
        summary.first_seen_at,
        finding.last_seen_at,
    );
    if !summary.also.is_empty() {
        text.push_str(&format!("\nalso reported by {}", summary.also.join(", ")));
    }
    if let Some(until) = finding.snoozed_until {
        text.push_str(&format!("\nsnoozed until {until}"));
    }
    if let Some(reason) = finding.dismiss_reason {
        text.push_str(&format!("\ndismissed as {}", reason.spoken()));
    }
    if let Some(note) = &finding.note {
        text.push_str(&format!("\nnote: {}", foreign(note)));
    }
    text.push_str(&format!("\n\nEvidence\n{}", value::lines(evidence)));
    text.push_str(&numbered_steps(steps));
    text
}

pub(crate) fn status_changed(status: FindingStatus, snoozed_until: Option<Timestamp>) -> String {
    format!("The finding is now {}{}.", status.spoken(), until(snoozed_until))
}

pub(crate) fn status_unchanged(status: FindingStatus, snoozed_until: Option<Timestamp>) -> String {
    format!(
        "Nothing changed: the finding is already {}{}.",
        status.spoken(),
        until(snoozed_until)
    )
}

fn until(snoozed_until: Option<Timestamp>) -> String {
    snoozed_until
        .map(|until| format!(" until {until}"))
        .unwrap_or_default()
}

/// A closed finding can't be decided on again.
pub(crate) fn closed(id: FindingId, status: FindingStatus) -> String {
    format!(
        "the finding is {}: reopen it first with `watchpost findings reopen {id}`",
        status.spoken()
    )
}
