//! The settings that are derived from lists of Graph. Long lists are counted page by page.

use super::{
    documents::Documents,
    graph::{Rows, each, each_of_some, read_list, unreadable_rows},
    table::{DERIVED, GRAPH, GRAPH_BETA, derived},
};
use crate::{
    concurrency::gather,
    m365::{
        client::{Client, GRAPH_API},
        permission, wire,
    },
    settings::{SettingContent, SettingEmitter, SettingError},
    text::m365_settings as text,
    value::id,
    vendor::ApiError,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::{collections::HashMap, sync::Arc};
use watchpost_core::integration::connector::ConnectorError;

/// Microsoft Graph's own application id.
const GRAPH_APP_ID: &str = "00000003-0000-0000-c000-000000000000";
/// The tenants that own the first-party applications.
const FIRST_PARTY_OWNERS: [&str; 2] = [
    "f8cdef31-a31e-4b4a-93e4-5f571e91255a",
    "72f988bf-86f1-41af-91ab-2d7cd011db47",
];
/// The maximum number of entries that a document lists.
const LISTED_MAX: usize = 1_000;
/// The maximum number of accounts whose MFA capability is kept in memory.
const ACCOUNTS_MAX: usize = 1_000_000;
/// The number of concurrent requests for federated credentials.
const AT_ONCE: usize = 4;

/// Reads the pending settings of this module.
pub(super) async fn read(
    client: &Arc<Client>,
    documents: &mut Documents,
    out: &mut SettingEmitter,
) -> Result<(), ConnectorError> {
    if out.is_pending(derived::B2B) {
        let keep = |row: Map<String, Value>| {
            (row.get("type").and_then(Value::as_str) == Some("B2BManagementPolicy")).then_some(row)
        };
        let result = read_list(client, "/beta/legacy/policies", None, permission::POLICY, keep).await;
        out.emit(derived::B2B, GRAPH_BETA, result).await?;
    }
    if out.is_pending(derived::CLASSIFICATIONS) {
        let result = classifications(client).await;
        out.emit(derived::CLASSIFICATIONS, GRAPH, result).await?;
    }
    if out.is_pending(derived::LICENSES) {
        let result = licenses(client, documents).await;
        out.emit(derived::LICENSES, DERIVED, result).await?;
    }
    users(client, out).await?;
    if out.is_pending(derived::GROUPS) {
        let result = public_groups(client).await;
        out.emit(derived::GROUPS, GRAPH, result).await?;
    }
    if out.is_pending(derived::APPLICATIONS) {
        let result = applications(client).await;
        out.emit(derived::APPLICATIONS, GRAPH, result).await?;
    }
    if out.is_pending(derived::SERVICE_PRINCIPALS) {
        let result = open_service_principals(client).await;
        out.emit(derived::SERVICE_PRINCIPALS, GRAPH, result).await?;
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AppKey {
    id: String,
    app_id: Option<String>,
}

/// Reads the administrators' classifications of Graph's delegated permissions.
async fn classifications(client: &Client) -> Result<SettingContent, SettingError> {
    let read_error = GRAPH_API.read_error_for(permission::APPLICATION);
    let query = format!("$filter=appId%20eq%20'{GRAPH_APP_ID}'&$select=id,appId");
    let mut graph = None;
    each(client, "/v1.0/servicePrincipals", Some(&query), |row: AppKey| {
        if row.app_id.as_deref() == Some(GRAPH_APP_ID) {
            graph = id(&row.id);
        }
        true
    })
    .await
    .map_err(read_error)?;
    let Some(graph) = graph else {
        return Err(SettingError::Failed(text::GRAPH_NOT_LISTED.to_owned()));
    };
    let at = format!("/v1.0/servicePrincipals/{graph}/delegatedPermissionClassifications");
    read_list(client, &at, None, permission::APPLICATION, Some).await
}

/// Reads the features that the licenses include.
async fn licenses(client: &Client, documents: &mut Documents) -> Result<SettingContent, SettingError> {
    let skus = documents.skus(client).await?;
    let mut features = Map::new();
    let rows = skus.get("value").and_then(Value::as_array);
    let rows = rows.map(Vec::as_slice).unwrap_or_default();
    let mut plans = Vec::new();
    let mut unreadable = 0_u64;
    for row in rows {
        // A suspended subscription grants no features; one in its warning period still does.
        let active = matches!(
            row.get("capabilityStatus").and_then(Value::as_str),
            None | Some("Enabled" | "Warning")
        );
        let Some(list) = row.get("servicePlans").and_then(Value::as_array) else {
            unreadable = unreadable.saturating_add(1);
            continue;
        };
        plans.extend(
            list.iter()
                .filter(|plan| {
                    active && plan.get("provisioningStatus").and_then(Value::as_str) == Some("Success")
                })
                .filter_map(|plan| plan.get("servicePlanName").and_then(Value::as_str)),
        );
    }
    for (feature, names, if_absent) in FEATURES {
        let has = plans.iter().any(|plan| names.contains(plan));
        // An unreadable row may contain the plan, so its absence is certain only if there are none.
        if has || (*if_absent == IfAbsent::Lacking && unreadable == 0) {
            features.insert((*feature).to_owned(), has.into());
        }
    }
    let is_government_sku = |row: &Value| {
        let name = row
            .get("skuPartNumber")
            .and_then(Value::as_str)
            .unwrap_or_default();
        name.contains("_GOV") || name.contains("USGOV") || name.contains("_GCC")
    };
    if client.vendor.is_government_cloud() || rows.iter().any(is_government_sku) {
        features.insert("government".to_owned(), true.into());
    } else if unreadable == 0 {
        features.insert("government".to_owned(), false.into());
    }
    Ok(SettingContent::complete(Value::Object(features)).incomplete_because(unreadable_rows(unreadable)))
}

/// The meaning of the absence of all plans of a feature.
#[derive(Clone, Copy, PartialEq, Eq)]
enum IfAbsent {
    /// The tenant incomplete the feature.
    Lacking,
    /// The feature may be included in other plans or require none.
    Unknown,
}

/// The features, with the names of the service plans that include them.
const FEATURES: &[(&str, &[&str], IfAbsent)] = &[
    ("entra_p2", &["AAD_PREMIUM_P2"], IfAbsent::Lacking),
    (
        "defender",
        &["ATP_ENTERPRISE", "THREAT_INTELLIGENCE"],
        IfAbsent::Lacking,
    ),
    (
        "defender_dlp",
        &[
            "COMMUNICATIONS_DLP",
            "MICROSOFTENDPOINTDLP",
            "BPOS_S_DlpAddOn",
            "EXCHANGE_S_ENTERPRISE",
        ],
        IfAbsent::Unknown,
    ),
    ("audit_advanced", &["M365_ADVANCED_AUDITING"], IfAbsent::Lacking),
    (
        "powerbi",
        &["BI_AZURE_P0", "BI_AZURE_P1", "BI_AZURE_P2", "BI_AZURE_P3"],
        IfAbsent::Unknown,
    ),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Account {
    id: String,
    user_principal_name: Option<String>,
    user_type: Option<String>,
    account_enabled: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Capability {
    id: String,
    is_mfa_capable: Option<bool>,
}

/// Reads two settings in one pass: the number of accounts, and the members without MFA capability.
async fn users(client: &Client, out: &mut SettingEmitter) -> Result<(), ConnectorError> {
    let mut capable = HashMap::new();
    if out.is_pending(derived::MFA)
        && let Err(error) = capabilities(client, &mut capable).await
    {
        out.emit(derived::MFA, DERIVED, Err(error)).await?;
    }
    if !out.is_pending(derived::MFA) && !out.is_pending(derived::USERS) {
        return Ok(());
    }
    let (mut enabled, mut guests, mut members) = (0_u64, 0_u64, 0_u64);
    let (mut not_capable, mut unknown) = (0_u64, 0_u64);
    let mut accounts = Vec::new();
    let query = Some("$select=id,userPrincipalName,userType,accountEnabled&$top=999");
    let unreadable = each_of_some(client, "/v1.0/users", query, |row: Account| {
        let Some(is_enabled) = row.account_enabled else {
            return false;
        };
        if !is_enabled {
            return true;
        }
        enabled = enabled.saturating_add(1);
        if row.user_type.as_deref() == Some("Guest") {
            guests = guests.saturating_add(1);
            return true;
        }
        members = members.saturating_add(1);
        match key(&row.id).and_then(|key| capable.get(&key)) {
            Some(true) => {}
            Some(false) => {
                not_capable = not_capable.saturating_add(1);
                if accounts.len() < LISTED_MAX {
                    accounts.push(json!({"id": row.id, "userPrincipalName": row.user_principal_name}));
                }
            }
            None => unknown = unknown.saturating_add(1),
        }
        true
    })
    .await
    .map_err(GRAPH_API.read_error_for(permission::USER));
    let unreadable = match unreadable {
        Ok(unreadable) => unreadable,
        Err(error) => {
            let error = SettingError::from(error);
            out.emit(derived::MFA, DERIVED, Err(error.clone())).await?;
            return out.emit(derived::USERS, DERIVED, Err(error)).await;
        }
    };
    let incomplete = match (unreadable, unknown) {
        (0, 0) => None,
        (0, unknown) => Some(text::members_not_in_report(unknown)),
        (unreadable, _) => unreadable_rows(unreadable),
    };
    let document = json!({"enabledMembers": members, "notCapable": not_capable, "accounts": accounts});
    out.emit(
        derived::MFA,
        DERIVED,
        Ok(SettingContent::complete(document).incomplete_because(incomplete)),
    )
    .await?;
    let document = json!({"enabled": enabled, "enabledGuests": guests});
    out.emit(
        derived::USERS,
        DERIVED,
        Ok(SettingContent::complete(document).incomplete_because(unreadable_rows(unreadable))),
    )
    .await
}

/// Reads the MFA capability of each account.
async fn capabilities(client: &Client, capable: &mut HashMap<u128, bool>) -> Result<(), SettingError> {
    let path = "/v1.0/reports/authenticationMethods/userRegistrationDetails";
    let mut overflow = false;
    each(client, path, Some("$top=500"), |row: Capability| {
        let (Some(key), Some(is_capable)) = (key(&row.id), row.is_mfa_capable) else {
            return false;
        };
        if capable.len() >= ACCOUNTS_MAX {
            overflow = true;
        } else {
            capable.insert(key, is_capable);
        }
        true
    })
    .await
    .map_err(GRAPH_API.read_error_for(permission::AUDIT_LOG))?;
    if overflow {
        return Err(SettingError::Failed(text::TOO_MANY_ACCOUNTS.to_owned()));
    }
    Ok(())
}

/// Returns the id of a directory object as a number, which takes less memory.
fn key(id: &str) -> Option<u128> {
    let hex: String = id.chars().filter(|c| *c != '-').collect();
    (hex.len() == 32).then(|| u128::from_str_radix(&hex, 16).ok())?
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    id: String,
    display_name: Option<String>,
    visibility: Option<String>,
}

/// A list that keeps only the first thousand rows and counts all.
#[derive(Default)]
struct TruncatedList {
    rows: Vec<Value>,
    total: u64,
}

impl TruncatedList {
    fn push(&mut self, row: impl FnOnce() -> Value) {
        self.total = self.total.saturating_add(1);
        if self.rows.len() < LISTED_MAX {
            self.rows.push(row());
        }
    }

    fn found(self, unreadable: u64) -> SettingContent {
        let incomplete = unreadable_rows(unreadable).or_else(|| {
            (self.total > self.rows.len() as u64).then(|| text::list_truncated(LISTED_MAX, self.total))
        });
        SettingContent::list(self.rows).incomplete_because(incomplete)
    }
}

/// Reads the groups that every member of the tenant can join.
async fn public_groups(client: &Client) -> Result<SettingContent, SettingError> {
    let mut groups = TruncatedList::default();
    let query = Some("$select=id,displayName,visibility&$top=999");
    let unreadable = each(client, "/v1.0/groups", query, |row: Group| {
        if row.visibility.as_deref() == Some("Public") {
            groups.push(|| json!({"id": row.id, "displayName": row.display_name, "visibility": "Public"}));
        }
        true
    })
    .await
    .map_err(GRAPH_API.read_error_for(permission::GROUP_MEMBER))?;
    Ok(groups.found(unreadable))
}

/// Reads the applications, except Microsoft's, that every account of the tenant may sign in to.
async fn open_service_principals(client: &Client) -> Result<SettingContent, SettingError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct ServicePrincipal {
        id: String,
        app_id: Option<String>,
        display_name: Option<String>,
        app_owner_organization_id: Option<String>,
        service_principal_type: Option<String>,
        account_enabled: Option<bool>,
        app_role_assignment_required: Option<bool>,
    }
    let mut open = TruncatedList::default();
    let query = Some(
        "$select=id,appId,displayName,appOwnerOrganizationId,servicePrincipalType,accountEnabled,\
         appRoleAssignmentRequired&$top=999",
    );
    let unreadable = each_of_some(
        client,
        "/v1.0/servicePrincipals",
        query,
        |row: ServicePrincipal| {
            let (Some(enabled), Some(required)) = (row.account_enabled, row.app_role_assignment_required)
            else {
                return false;
            };
            let owner = row.app_owner_organization_id.as_deref().unwrap_or_default();
            // Users don't sign in to a managed identity.
            let accepts_users = row
                .service_principal_type
                .as_deref()
                .is_none_or(|kind| kind != "ManagedIdentity");
            if enabled && !required && accepts_users && !FIRST_PARTY_OWNERS.contains(&owner) {
                open.push(|| json!({"id": row.id, "appId": row.app_id, "displayName": row.display_name}));
            }
            true
        },
    )
    .await
    .map_err(GRAPH_API.read_error_for(permission::APPLICATION))?;
    Ok(open.found(unreadable))
}

/// The properties of an application that are kept.
const APPLICATION_FIELDS: [&str; 6] = [
    "id",
    "appId",
    "displayName",
    "signInAudience",
    "passwordCredentials",
    "web",
];

/// Reads the tenant's own applications with their federated credentials.
async fn applications(client: &Arc<Client>) -> Result<SettingContent, SettingError> {
    let mut rows = Rows::default();
    let query = "$select=id,appId,displayName,signInAudience,passwordCredentials,web&$top=999";
    let mut list = client.list("/v1.0/applications", Some(query));
    while let Some(page) = list
        .page()
        .await
        .map_err(GRAPH_API.read_error_for(permission::APPLICATION))?
    {
        let begins = rows.rows_mut().len();
        let mut ids = Vec::with_capacity(page.len());
        for raw in page {
            let row = serde_json::from_str::<Map<String, Value>>(raw.get()).ok();
            let app = row
                .as_ref()
                .and_then(|row| id(row.get("id").and_then(Value::as_str)?));
            let (Some(mut row), Some(app)) = (row, app) else {
                rows.unreadable = rows.unreadable.saturating_add(1);
                continue;
            };
            row.retain(|name, _| APPLICATION_FIELDS.contains(&name.as_str()));
            strip_application(&mut row);
            rows.push(&raw, row)?;
            ids.push(app);
        }
        let work = ids.into_iter().map(|app| {
            let client = Arc::clone(client);
            async move { federated(&client, &app).await }
        });
        let lists = gather(work.collect::<Vec<_>>(), AT_ONCE).await;
        let pending = rows.rows_mut().iter_mut().skip(begins);
        for (row, list) in pending.zip(lists) {
            row["federatedIdentityCredentials"] =
                list.map_err(GRAPH_API.read_error_for(permission::APPLICATION))?;
        }
    }
    Ok(rows.found())
}

/// Removes the hints at the secrets' values, and everything in the web settings except the redirect addresses.
fn strip_application(row: &mut Map<String, Value>) {
    for credential in row
        .get_mut("passwordCredentials")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
    {
        credential.retain(|name, _| {
            matches!(
                name.as_str(),
                "keyId" | "displayName" | "startDateTime" | "endDateTime"
            )
        });
    }
    if let Some(web) = row.get_mut("web").and_then(Value::as_object_mut) {
        web.retain(|name, _| name == "redirectUris");
    }
}

/// Reads the federated credentials of one application. Entra allows at most 20. Only the beta version has the expressions that
/// replace the subjects of some.
async fn federated(client: &Client, app: &str) -> Result<Value, ApiError> {
    let at = format!("/beta/applications/{app}/federatedIdentityCredentials");
    let mut list = client.list(&at, None);
    let mut rows = Vec::new();
    loop {
        match list.page().await {
            Ok(Some(page)) => {
                for raw in page {
                    let row: wire::FederatedCredential =
                        serde_json::from_str(raw.get()).map_err(|_| GRAPH_API.unexpected_response())?;
                    let mut credential = json!({"name": row.name, "issuer": row.issuer,
                        "subject": row.subject, "audiences": row.audiences});
                    if let Some(expression) = row.claims_matching_expression {
                        credential["claimsMatchingExpression"] = json!({ "value": expression.value });
                    }
                    rows.push(credential);
                }
            }
            // The application no longer exists.
            Ok(None) | Err(ApiError::NotFound) => return Ok(Value::Array(rows)),
            Err(error) => return Err(error),
        }
        if rows.len() > LISTED_MAX {
            return Err(GRAPH_API.unexpected_response().into());
        }
    }
}
