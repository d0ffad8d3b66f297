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

/// The users of an app in a table. A grant to the whole tenant belongs to no account.
pub(crate) fn accounts(accounts: u64, tenant_wide: bool) -> String {
    match (tenant_wide, accounts) {
        (false, accounts) => accounts.to_string(),
        (true, 0) => "whole tenant".to_owned(),
        (true, accounts) => format!("whole tenant, {accounts}"),
    }
}
