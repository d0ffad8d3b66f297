//! Errors of calls, whatever the tool.

use watchpost_core::access::Actor;

pub(crate) const AUDIT_UNAVAILABLE: &str = "The audit log can't be written, and no call is answered without its audit entry. Try again in a few seconds; if the error persists, the operator finds the cause with `watchpost doctor`";

pub(crate) const UNCHANGED_SAFE: &str = "Safe to retry: yes, because nothing was changed";

pub(crate) const UNCHANGED_REFUSED: &str =
    "Nothing was changed, and the same call fails again until the cause is removed";

pub(crate) const KEYED_SAFE: &str =
    "Safe to retry: yes, with the same idempotency_key, because the change is made at most once per key";

pub(crate) const UNKNOWN_UNSAFE: &str = "Safe to retry: no, because it isn't known whether the change was made and the call had no idempotency_key: check first";

pub(crate) fn write_scope_required(tool: &str, actor: &Actor) -> String {
    match actor {
        Actor::LocalOperator { .. } => format!(
            "Write scope required: `{tool}` changes the workspace, and this server was started read-only. Its operator can start it with `--scope write`, or with a key created by `watchpost keys create --label NAME --scope write`"
        ),
        Actor::Key { .. } | Actor::Worker { .. } => format!(
            "Write scope required: `{tool}` changes the workspace, and this key is read-only. The operator can create a write key with `watchpost keys create --label NAME --scope write`"
        ),
    }
}

/// `incident` identifies the log line with the cause.
pub(crate) fn internal_error(incident: &str) -> String {
    format!(
        "Watchpost hit an internal error; the operator finds the cause in the log under incident {incident}"
    )
}

/// `advice` says whether a retry is safe.
pub(crate) fn with_retry_advice(message: &str, advice: &str) -> String {
    let message = message.trim_end_matches('.');
    format!("{message}. {advice}.")
}

pub(crate) fn with_full_stop(message: &str) -> String {
    let message = message.trim_end_matches('.');
    format!("{message}.")
}
