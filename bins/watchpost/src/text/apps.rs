//! Texts of `watchpost apps`.

use watchpost_core::value::word::AppPolicy;

pub(crate) const NO_APPS: &str = "No apps match.";
pub(crate) const NOT_FOUND: &str = "app not found: `watchpost apps list` shows the apps";

pub(crate) fn policy_set(policy: AppPolicy) -> String {
    format!("The policy is now {policy}. It takes effect at the next analysis.")
}

pub(crate) fn policy_unchanged(policy: AppPolicy) -> String {
    format!("Nothing changed: the policy is already {policy}.")
}
