//! The JSON of Okta, as far as it is used. Everything except identifiers may be missing or null.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::panic)]

use serde::Deserialize;
use serde_json::value::RawValue;

/// A page that is an object instead of an array.
#[derive(Deserialize)]
pub(super) struct WrappedPage {
    #[serde(default)]
    pub(super) value: Vec<Box<RawValue>>,
    #[serde(rename = "_links")]
    pub(super) links: Option<Links>,
}

#[derive(Deserialize)]
pub(super) struct Links {
    pub(super) next: Option<Link>,
}

#[derive(Deserialize)]
pub(super) struct Link {
    pub(super) href: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ErrorBody {
    pub(super) error_code: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Org {
    pub(super) id: String,
    pub(super) company_name: Option<String>,
    pub(super) subdomain: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct User {
    pub(super) id: String,
    pub(super) status: Option<String>,
    pub(super) created: Option<String>,
    pub(super) status_changed: Option<String>,
    pub(super) last_login: Option<String>,
    pub(super) password_changed: Option<String>,
    pub(super) profile: Option<Profile>,
    pub(super) credentials: Option<UserCredentials>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Profile {
    pub(super) login: Option<String>,
    pub(super) email: Option<String>,
    pub(super) display_name: Option<String>,
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
    pub(super) user_type: Option<String>,
    pub(super) department: Option<String>,
    pub(super) title: Option<String>,
    pub(super) manager: Option<String>,
    pub(super) manager_id: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct UserCredentials {
    pub(super) provider: Option<Provider>,
}

#[derive(Deserialize)]
pub(super) struct Provider {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Factor {
    pub(super) factor_type: String,
    pub(super) status: Option<String>,
}

/// An account with an administrator role.
#[derive(Deserialize)]
pub(super) struct Assignee {
    pub(super) id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Role {
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) label: Option<String>,
    pub(super) status: Option<String>,
    pub(super) assignment_type: Option<String>,
    /// The id of a custom role.
    pub(super) role: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct App {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) label: Option<String>,
    pub(super) status: Option<String>,
    pub(super) sign_on_mode: Option<String>,
    pub(super) features: Option<Vec<String>>,
    pub(super) created: Option<String>,
    pub(super) credentials: Option<AppCredentials>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AppCredentials {
    pub(super) oauth_client: Option<OauthClient>,
}

#[derive(Deserialize)]
pub(super) struct OauthClient {
    pub(super) client_id: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct AppUser {
    pub(super) id: String,
    pub(super) status: Option<String>,
    pub(super) created: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ApiToken {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) user_id: Option<String>,
    pub(super) created: Option<String>,
    pub(super) expires_at: Option<String>,
    /// The time for which a token stays valid after its last use, as a duration.
    pub(super) token_window: Option<String>,
    pub(super) network: Option<NetworkCondition>,
}

#[derive(Deserialize)]
pub(super) struct NetworkCondition {
    pub(super) connection: Option<String>,
}

/// A policy that says which factors accounts can enroll, with its rules.
#[derive(Deserialize)]
pub(super) struct EnrollmentPolicy {
    pub(super) status: Option<String>,
    pub(super) rules: Option<Vec<EnrollmentRule>>,
}

#[derive(Deserialize)]
pub(super) struct EnrollmentRule {
    pub(super) status: Option<String>,
    pub(super) conditions: Option<EnrollmentConditions>,
}

#[derive(Deserialize)]
pub(super) struct EnrollmentConditions {
    pub(super) network: Option<NetworkCondition>,
}

#[derive(Deserialize)]
pub(super) struct Policy {
    pub(super) id: String,
}
