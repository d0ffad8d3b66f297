//! Texts about asking a person before a change.

use watchpost_core::value::word::AppPolicy;

/// The description of the only field of the form.
pub(crate) const FIELD: &str = "Yes: make this change. No: leave everything as it is.";

pub(crate) const DECLINED: &str =
    "Nothing was changed: the person who was asked declined. Don't call again unless they ask for it";

pub(crate) const CANCELLED: &str = "Nothing was changed: the person who was asked gave no answer. Tell them what is still undecided; don't call again unless they ask for it";

/// The calls that need a confirmation, for the generated page: those about a finding of one of these severities.
pub(crate) fn if_severity(severities: &[&str]) -> String {
    format!("if the finding is {}", severities.join(" or "))
}

/// The calls that need a confirmation, for the generated page: those that set this policy.
pub(crate) fn if_policy(policy: AppPolicy) -> String {
    format!("if the new policy is `{policy}`")
}
