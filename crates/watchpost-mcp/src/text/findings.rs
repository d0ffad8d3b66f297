//! Answers and errors about findings, and the questions before one is changed.

use super::{count, matching};
use std::fmt::Write as _;
use watchpost_core::{
    finding::Total,
    remediation::Remediation,
    service::{FindingAnswer, NotReady},
    value::{
        id::FindingId,
        time::Timestamp,
        word::{DismissReason, FindingStatus, RemediationState, Severity},
    },
};

pub(crate) const NOT_FOUND: &str = "finding not found: take an id from `list_findings`";

pub(crate) const ENTITY_NOT_FOUND: &str = "entity not found: `entity` takes an email address, an app's name, or the id of an identity, app or integration from another answer; to search for part of a name, use `text`";

pub(crate) const WRONG_CURSOR: &str = "`cursor` does not belong to this list: pass next_cursor of the previous page with the same filters, or start again without a cursor";

/// The handling of requests for remediations in this version.
pub(crate) const REQUEST_ONLY: &str = "This version only records the request: nothing was changed on any platform. Approval and execution come with the dashboard; until then, a person carries out the steps by hand";

/// Answers a question for findings before any data was analyzed: no finding is then no good news.
pub(crate) fn none_yet(why: NotReady, next_step: &str) -> String {
    format!(
        "No finding matches, because there is no data to judge yet ({}). {next_step}.",
        why.state.spoken()
    )
}

pub(crate) fn listed(total: Total, returned: u64, has_more: bool) -> String {
    if total.value == 0 {
        return "No finding matches.".to_owned();
    }
    let at_least = if total.is_minimum { "At least " } else { "" };
    let shown = if returned == total.value {
        "all".to_owned()
    } else {
        returned.to_string()
    };
    let more = if has_more {
        "; next_cursor gives the next page"
    } else {
        ""
    };
    format!(
        "{at_least}{}; {shown} shown below{more}.",
        matching(total.value, "finding")
    )
}

/// The state of one finding and what fixing it saves. Its title is written by Watchpost around foreign names, so it isn't part
/// of the sentence.
pub(crate) fn explained(answer: &FindingAnswer<'_>) -> String {
    let finding = &answer.finding;
    let summary = &finding.summary;
    let mut out = format!(
        "The finding is {} and {}, first seen {} and last seen {}.",
        summary.status.spoken(),
        summary.severity,
        summary.first_seen_at,
        finding.last_seen_at
    );
    match answer.saving {
        Some(saving) if saving.points > 0 => {
            let tenths = |value: u64| format!("{}.{}", value / 10, value % 10);
            let _ = write!(
                out,
                " Fixing it lowers the risk score by {}, to {}.",
                tenths(saving.saved_tenths),
                tenths(saving.score_without_tenths)
            );
        }
        Some(_) => out.push_str(" It doesn't count in the risk score."),
        None => {}
    }
    out
}

/// The command with which a person takes a decision back.
pub(crate) fn reopen_command(id: FindingId) -> String {
    format!("watchpost findings reopen {id}")
}

pub(crate) fn dismissed(id: FindingId, reason: DismissReason) -> String {
    reopenable(
        id,
        &format!(
            "The finding is dismissed ({}): it is no longer listed or scored.",
            reason.spoken()
        ),
    )
}

pub(crate) fn already_dismissed(id: FindingId, reason: DismissReason) -> String {
    reopenable(
        id,
        &format!(
            "Nothing was changed: the finding is already dismissed ({}).",
            reason.spoken()
        ),
    )
}

pub(crate) fn dismissed_before(repeated: &str, id: FindingId, reason: DismissReason) -> String {
    reopenable(
        id,
        &format!("{repeated} The finding was dismissed ({}).", reason.spoken()),
    )
}

fn reopenable(id: FindingId, text: &str) -> String {
    format!("{text} A person can reopen it with `{}`.", reopen_command(id))
}

pub(crate) fn snoozed(days: u64, until: Option<Timestamp>) -> String {
    format!(
        "The finding is snoozed for {}{}: it is not listed or scored until then.",
        count(days, "day"),
        until_words(until)
    )
}

pub(crate) fn already_snoozed(until: Option<Timestamp>) -> String {
    format!(
        "Nothing was changed: the finding is already snoozed{}.",
        until_words(until)
    )
}

pub(crate) fn snoozed_before(repeated: &str, until: Option<Timestamp>) -> String {
    format!("{repeated} The finding was snoozed{}.", until_words(until))
}

fn until_words(until: Option<Timestamp>) -> String {
    until.map_or_else(String::new, |until| format!(", until {until}"))
}

pub(crate) fn remediation_requested(remediation: &Remediation) -> String {
    request("The request is recorded: the action", remediation)
}

pub(crate) fn remediation_waiting(remediation: &Remediation) -> String {
    request(
        "Nothing was changed: the same request is already waiting; the action",
        remediation,
    )
}

pub(crate) fn remediation_requested_before(repeated: &str, remediation: &Remediation) -> String {
    request(
        &format!("{repeated} The request was recorded: the action"),
        remediation,
    )
}

fn request(beginning: &str, remediation: &Remediation) -> String {
    format!(
        "{beginning} `{}` is {}. {REQUEST_ONLY}.",
        remediation.action,
        remediation_state(remediation.state)
    )
}

/// The state of a request, after "is".
fn remediation_state(state: RemediationState) -> String {
    match state {
        RemediationState::PendingApproval => "waiting for a person's approval".to_owned(),
        RemediationState::Approved
        | RemediationState::Rejected
        | RemediationState::Executed
        | RemediationState::Failed
        | RemediationState::Cancelled => state.spoken(),
    }
}

/// The command with which a person rejects a request.
pub(crate) fn reject_command(remediation: &Remediation) -> String {
    format!("watchpost remediations reject {}", remediation.id)
}

/// `done` is the participle of the change, as in `snoozed`.
pub(crate) fn cannot_be(done: &str, status: FindingStatus, id: FindingId) -> String {
    format!(
        "the finding is {}, so it can't be {done}; nothing was changed. A person can reopen it with `{}`",
        status.spoken(),
        reopen_command(id)
    )
}

pub(crate) fn nothing_to_remediate(status: FindingStatus, id: FindingId) -> String {
    format!(
        "the finding is {}: there is nothing to remediate; a person can reopen it with `{}`",
        status.spoken(),
        reopen_command(id)
    )
}

/// `steps` are the words of the author of the rule or check; empty if it is no longer active.
pub(crate) fn no_action(steps: &[String], id: FindingId) -> String {
    let instead = if steps.is_empty() {
        format!(
            "the rule that reported it is no longer active, so its steps aren't known either; `watchpost findings show {id}` shows the evidence"
        )
    } else {
        let numbered: Vec<String> = (1_usize..)
            .zip(steps)
            .map(|(number, step)| format!("{number}. {step}"))
            .collect();
        format!("a person can do this instead: {}", numbered.join(" "))
    };
    format!("Watchpost has no action for this kind of finding, so nothing was queued; {instead}")
}

pub(crate) fn confirm_dismissal(reason: DismissReason) -> String {
    format!(
        "Dismiss this finding ({})? It stays closed even if the condition persists.",
        reason.spoken()
    )
}

pub(crate) fn confirm_snooze(days: u64) -> String {
    format!(
        "Hide this finding from lists and score for {}?",
        count(days, "day")
    )
}

pub(crate) const CONFIRM_REMEDIATION: &str =
    "Queue the fix for this finding for approval? Nothing changes on any platform yet.";

/// The finding after the question. `title` is quoted.
pub(crate) fn confirmed_finding(question: &str, severity: Severity, title: &str, id: FindingId) -> String {
    format!("{question} Its severity is {severity} and its title is {title}. Its id is {id}.")
}
