//! Sentences that a person reads in answers, errors and the OpenAPI document. No text from outside is ever part of one,
//! except the cleaned name of a parameter of the request itself.

pub(crate) mod document;
pub(crate) mod files;
pub(crate) mod next_step;
pub(crate) mod posture;

use watchpost_core::value::word::FindingStatus;

/// The name that the domain gives an idempotency key in its errors.
pub(crate) const IDEMPOTENCY_FIELD: &str = "idempotency_key";

pub(crate) const AUDIT_UNAVAILABLE: &str = "The audit log can't be written, and no request is answered without its audit entry. Try again in a few seconds; if the error persists, the operator finds the cause with `watchpost doctor`";
pub(crate) const WRITE_SCOPE_REQUIRED: &str = "Write scope required: this operation changes the workspace, and this key is read-only. The operator can create a write key with `watchpost keys create --label NAME --scope write`";
pub(crate) const BODY_NOT_AN_OBJECT: &str = "the body must be one JSON object";
pub(crate) const REPEATED_FIELD: &str = "each name must be in the body only once";
pub(crate) const CONTENT_TYPE_JSON: &str = "a body must have the Content-Type application/json";
pub(crate) const NO_IDEMPOTENCY_KEY: &str = "this operation takes no Idempotency-Key, since the answer to a repeated request is the scan that is running or ended in the last minute";
pub(crate) const FLAG_EXPECTED: &str = "true or false";
pub(crate) const ID_EXPECTED: &str = "an id, such as 018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f";
pub(crate) const POSITION_EXPECTED: &str = "next_after of the previous page";
pub(crate) const PATH_NOT_TEXT: &str = "the path must be text in UTF-8";
pub(crate) const WRONG_POSITION: &str =
    "`after` must be next_after of the previous page, with the same filters; leave it out to begin again";
pub(crate) const ENTITY_NOT_FOUND: &str = "`entity` names no person, app or integration of this workspace: give an email address, an app's name, or an id";
pub(crate) const FINDING_NOT_FOUND: &str = "finding not found: take an id from GET /api/v1/findings";
pub(crate) const APP_REMOVED: &str = "the app was removed in the meantime: GET /api/v1/apps lists the apps";
pub(crate) const RULE_NOT_FOUND: &str = "rule not found: GET /api/v1/rules lists the ids";
pub(crate) const CHECK_NOT_FOUND: &str = "check not found: GET /api/v1/checks lists the ids";
pub(crate) const INTEGRATION_NOT_FOUND: &str =
    "integration not found: GET /api/v1/integrations lists the ids";
/// The last line of a table that could not be read to its end.
pub(crate) const EXPORT_INCOMPLETE: &str = "The export ended before its last row: request it again";
pub(crate) const OFFSET_OR_POSITION: &str = "give `after` or `offset`, not both";

pub(crate) fn too_many_parameters(max: usize) -> String {
    format!("a query may have at most {max} parameters")
}

/// `name` comes from the request.
pub(crate) fn unknown_parameter(name: &str, similar: Option<&str>, allowed: &[&str]) -> String {
    let meant = did_you_mean(similar);
    let takes = match (allowed, similar) {
        (_, Some(_)) => String::new(),
        ([], None) => ": this operation takes no parameters here".to_owned(),
        (allowed, None) => format!(": this operation takes {}", allowed.join(", ")),
    };
    format!("unknown parameter `{name}`{meant}{takes}")
}

pub(crate) fn missing_parameter(name: &str) -> String {
    format!("`{name}` is missing: this operation requires it")
}

/// `reason` says what the value must be.
pub(crate) fn invalid_parameter(name: &str, reason: &str, similar: Option<&str>) -> String {
    format!("`{name}` must be {reason}{}", did_you_mean(similar))
}

fn did_you_mean(similar: Option<&str>) -> String {
    similar.map_or_else(String::new, |similar| format!("; did you mean `{similar}`?"))
}

pub(crate) fn invalid_header(name: &str) -> String {
    format!("the header {name} must be given once, as visible ASCII characters")
}

pub(crate) fn one_of(words: &[&str]) -> String {
    format!("one of: {}", words.join(", "))
}

pub(crate) fn whole_number(min: i64, max: i64) -> String {
    format!("a whole number from {min} to {max}")
}

pub(crate) fn since(days_max: i64) -> String {
    format!("a date (2026-11-20), a time (2026-11-20T08:00:00Z) or a number of days from 0 to {days_max} (7)")
}

pub(crate) fn line_of(chars_max: usize) -> String {
    format!("a text of 1 to {chars_max} characters")
}

pub(crate) fn idempotency_key(chars_max: usize) -> String {
    format!("a text of 1 to {chars_max} visible ASCII characters without spaces")
}

/// `incident` identifies the log line with the cause.
pub(crate) fn internal_error(incident: &str) -> String {
    format!(
        "Watchpost hit an internal error; the operator finds the cause in the log under incident {incident}"
    )
}

/// `done` is the participle of the change.
pub(crate) fn cannot_be(done: &str, status: FindingStatus) -> String {
    format!("the finding is {} and can't be {done}", status.spoken())
}

pub(crate) fn nothing_to_remediate(status: FindingStatus) -> String {
    format!(
        "the finding is {}, so there is nothing to remediate",
        status.spoken()
    )
}

/// `steps` are the words of the rule's author.
pub(crate) fn no_action(steps: &[String]) -> String {
    if steps.is_empty() {
        return "no remediation can be requested for this finding".to_owned();
    }
    format!(
        "no remediation can be requested for this finding; the steps to do by hand are: {}",
        steps.join(" ")
    )
}

/// `queued` of the syncs were queued by the request.
pub(crate) fn sync_message(queued: usize, all: usize) -> String {
    match (queued, all) {
        (_, 0) => "No platform is connected, so there is nothing to sync".to_owned(),
        (0, _) => "All syncs were queued or running already".to_owned(),
        (queued, _) => format!("Queued syncs: {queued}"),
    }
}
