//! The names of the scopes that Watchpost uses. All of them are read-only.

pub(super) const API_TOKENS: &str = "okta.apiTokens.read";
pub(super) const APPS: &str = "okta.apps.read";
pub(super) const AUTHENTICATORS: &str = "okta.authenticators.read";
pub(super) const NETWORK_ZONES: &str = "okta.networkZones.read";
pub(super) const ORGS: &str = "okta.orgs.read";
pub(super) const POLICIES: &str = "okta.policies.read";
pub(super) const ROLES: &str = "okta.roles.read";
pub(super) const THREAT_INSIGHTS: &str = "okta.threatInsights.read";
pub(super) const USERS: &str = "okta.users.read";

/// The scopes that are requested by default.
pub(super) const DEFAULT: &str = "okta.orgs.read okta.users.read okta.roles.read okta.apps.read okta.apiTokens.read \
    okta.policies.read okta.authenticators.read okta.networkZones.read okta.threatInsights.read";
