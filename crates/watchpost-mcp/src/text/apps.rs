//! Answers about apps and their policies.

use super::count;
use watchpost_core::{app::App, value::word::AppPolicy};

pub(crate) const NOT_SEEN: &str = "No connected platform has this app, and no policy is set for it.";

pub(crate) const NO_NAME: &str = "`app` must be a name or an id";

pub(crate) const REMOVED: &str =
    "app not found: it was removed in the meantime; `check_app_policy` looks apps up by name";

pub(crate) fn found(app: &App) -> String {
    format!(
        "{}. It was seen on {} and {}.",
        match app.policy {
            AppPolicy::None => "No policy is set for the app".to_owned(),
            decided => format!("The app's policy is {decided}"),
        },
        app.platform.title(),
        used_by(app)
    )
}

/// Says who uses an app. A grant to the whole tenant belongs to no account.
fn used_by(app: &App) -> String {
    match (app.tenant_wide, app.accounts) {
        (false, 0) => "is used by no account".to_owned(),
        (false, accounts) => format!("is used by {}", count(accounts, "account")),
        (true, 0) => "has permissions for the whole tenant".to_owned(),
        (true, accounts) => format!(
            "has permissions for the whole tenant and is used by {}",
            count(accounts, "account")
        ),
    }
}

pub(crate) fn several_match(total: u64) -> String {
    format!("{total} apps match this name: call again with the id of one of the candidates.")
}

pub(crate) fn policy_set(policy: AppPolicy, before: AppPolicy) -> String {
    format!(
        "The app's policy is now {policy} (before: {before}). An analysis is queued, which opens or resolves findings accordingly; findings of exposure scans change with the next scan, and nothing was changed on any platform."
    )
}

pub(crate) fn policy_unchanged(policy: AppPolicy) -> String {
    format!("Nothing was changed: the app's policy is already {policy}.")
}

pub(crate) fn policy_set_before(repeated: &str, policy: AppPolicy, before: AppPolicy) -> String {
    format!("{repeated} The app's policy was set to {policy} (before: {before}).")
}

/// The question before a change. `name` is quoted.
pub(crate) fn confirm_policy(app: &App, name: &str, policy: AppPolicy) -> String {
    format!(
        "Set the policy of the app {name} to {policy} (now: {})? It was seen on {} and {}. Its id is {}.",
        app.policy,
        app.platform.title(),
        used_by(app),
        app.id
    )
}
