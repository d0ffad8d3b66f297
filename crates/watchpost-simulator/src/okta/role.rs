//! The administrator roles of the app or the token's owner, which decide what Okta answers in addition to the scopes.

use super::error;
use crate::reply::{Context, Reply};
use serde::Deserialize;

/// The administrator roles of the simulated service app, and of the owner of the API token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OktaRole {
    /// No role: the list of users is empty, and everything else is denied.
    None,
    /// Read-only Administrator: neither administrators' roles nor the access of Okta's support can be read, and the list of
    /// apps contains only the own app.
    ReadOnly,
    /// Read-only Administrator together with a custom role that has the permission "View roles, resources, and admin
    /// assignments".
    ReadOnlyWithRoles,
    /// Super Administrator.
    #[default]
    SuperAdministrator,
}

impl OktaRole {
    /// Returns whether the list of apps contains only the own app.
    pub(super) const fn sees_only_own_app(self) -> bool {
        matches!(self, Self::ReadOnly | Self::ReadOnlyWithRoles)
    }

    /// Whether the list of users is empty.
    pub(super) const fn sees_no_users(self) -> bool {
        matches!(self, Self::None)
    }
}

/// Returns the response to a route that the roles don't allow.
pub(super) fn refusal(role: OktaRole, route: &[&str], context: &Context) -> Option<Reply> {
    let allowed = match (role, route) {
        (OktaRole::SuperAdministrator, _) | (OktaRole::None, ["users"]) => true,
        (OktaRole::None, _) | (_, ["org", "privacy", ..]) => false,
        (OktaRole::ReadOnly, ["iam", ..] | ["users", _, "roles"]) => false,
        (OktaRole::ReadOnly | OktaRole::ReadOnlyWithRoles, _) => true,
    };
    (!allowed).then(|| {
        error(
            context,
            403,
            "E0000006",
            "You do not have permission to perform the requested action",
        )
    })
}
