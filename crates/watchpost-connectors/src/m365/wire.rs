//! The JSON of Microsoft Graph, as far as it is used. Everything except identifiers may be missing or null.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::panic)]

use serde::Deserialize;
use serde_json::value::RawValue;

/// A page of a list. Rows are parsed one by one, so that a malformed one doesn't affect the others.
#[derive(Deserialize)]
pub(super) struct ListPage {
    pub(super) value: Vec<Box<RawValue>>,
    #[serde(rename = "@odata.nextLink")]
    pub(super) next: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct ErrorBody {
    pub(super) error: Option<ErrorDetail>,
}

#[derive(Deserialize)]
pub(super) struct ErrorDetail {
    pub(super) code: Option<String>,
    /// `None` for the hosts that send an object.
    #[serde(default, deserialize_with = "text_or_none")]
    pub(super) message: Option<String>,
}

fn text_or_none<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<String>, D::Error> {
    Ok(match serde_json::Value::deserialize(value)? {
        serde_json::Value::String(text) => Some(text),
        _ => None,
    })
}

/// Tells a property that is null from one that is missing: the former is `Some(None)`.
fn told<'de, D, T>(value: D) -> Result<Option<Option<T>>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<T>::deserialize(value).map(Some)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Organization {
    pub(super) id: String,
    pub(super) display_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SubscribedSku {
    pub(super) sku_id: String,
    pub(super) service_plans: Option<Vec<ServicePlan>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ServicePlan {
    pub(super) service_plan_id: Option<String>,
    pub(super) service_plan_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Domain {
    pub(super) id: String,
    pub(super) authentication_type: Option<String>,
    pub(super) is_root: Option<bool>,
    pub(super) password_validity_period_in_days: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct User {
    pub(super) id: String,
    pub(super) user_principal_name: Option<String>,
    pub(super) mail: Option<String>,
    pub(super) proxy_addresses: Option<Vec<String>>,
    pub(super) display_name: Option<String>,
    pub(super) user_type: Option<String>,
    pub(super) account_enabled: Option<bool>,
    pub(super) created_date_time: Option<String>,
    pub(super) external_user_state: Option<String>,
    /// `None` if it wasn't told; `Some(None)` if the account was never synced.
    #[serde(default, deserialize_with = "told")]
    pub(super) on_premises_sync_enabled: Option<Option<bool>>,
    #[serde(default, deserialize_with = "told")]
    pub(super) on_premises_immutable_id: Option<Option<String>>,
    #[serde(default, deserialize_with = "told")]
    pub(super) password_policies: Option<Option<String>>,
    pub(super) last_password_change_date_time: Option<String>,
    pub(super) department: Option<String>,
    pub(super) job_title: Option<String>,
    pub(super) assigned_licenses: Option<Vec<AssignedLicense>>,
    pub(super) sign_in_activity: Option<SignInActivity>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AssignedLicense {
    pub(super) sku_id: Option<String>,
    pub(super) disabled_plans: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SignInActivity {
    pub(super) last_sign_in_date_time: Option<String>,
    pub(super) last_non_interactive_sign_in_date_time: Option<String>,
    pub(super) last_successful_sign_in_date_time: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Registration {
    pub(super) id: String,
    pub(super) user_principal_name: Option<String>,
    pub(super) user_type: Option<String>,
    pub(super) is_mfa_registered: Option<bool>,
    pub(super) methods_registered: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RoleDefinition {
    pub(super) id: String,
    pub(super) template_id: Option<String>,
    pub(super) display_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RoleAssignment {
    pub(super) id: String,
    pub(super) principal_id: String,
    pub(super) role_definition_id: String,
    pub(super) directory_scope_id: Option<String>,
    pub(super) principal: Option<DirectoryObject>,
}

/// An active or eligible instance of a schedule of Privileged Identity Management (PIM).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ScheduleInstance {
    pub(super) id: String,
    pub(super) principal_id: String,
    pub(super) role_definition_id: String,
    pub(super) directory_scope_id: Option<String>,
    pub(super) end_date_time: Option<String>,
    pub(super) member_type: Option<String>,
    pub(super) principal: Option<DirectoryObject>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DirectoryObject {
    #[serde(rename = "@odata.type")]
    pub(super) kind: Option<String>,
    pub(super) id: Option<String>,
    pub(super) display_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ServicePrincipal {
    pub(super) id: String,
    pub(super) app_id: Option<String>,
    pub(super) display_name: Option<String>,
    pub(super) app_owner_organization_id: Option<String>,
    pub(super) service_principal_type: Option<String>,
    pub(super) account_enabled: Option<bool>,
    pub(super) verified_publisher: Option<VerifiedPublisher>,
    pub(super) password_credentials: Option<Vec<Credential>>,
    pub(super) key_credentials: Option<Vec<Credential>>,
    pub(super) app_roles: Option<Vec<AppRole>>,
    pub(super) created_date_time: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VerifiedPublisher {
    pub(super) display_name: Option<String>,
    pub(super) verified_publisher_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Credential {
    pub(super) start_date_time: Option<String>,
    pub(super) end_date_time: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AppRole {
    pub(super) id: Option<String>,
    pub(super) value: Option<String>,
    pub(super) allowed_member_types: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Application {
    pub(super) id: String,
    pub(super) app_id: Option<String>,
    pub(super) password_credentials: Option<Vec<Credential>>,
    pub(super) key_credentials: Option<Vec<Credential>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PermissionGrant {
    pub(super) id: String,
    pub(super) client_id: String,
    pub(super) consent_type: Option<String>,
    pub(super) principal_id: Option<String>,
    pub(super) scope: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AppRoleAssignment {
    pub(super) id: String,
    pub(super) principal_id: String,
    pub(super) principal_type: Option<String>,
    pub(super) app_role_id: Option<String>,
    pub(super) created_date_time: Option<String>,
}

/// A trust between an application and a workload of another identity provider.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FederatedCredential {
    pub(super) name: Option<String>,
    pub(super) issuer: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) audiences: Option<Vec<String>>,
    /// The condition on a token's claims that replaces the subject.
    pub(super) claims_matching_expression: Option<ClaimsExpression>,
}

#[derive(Deserialize)]
pub(super) struct ClaimsExpression {
    pub(super) value: Option<String>,
}
