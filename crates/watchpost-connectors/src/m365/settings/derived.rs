//! Settings that are put together from lists of Graph. Long lists are counted page by page.

use super::{
    graph::{Rows, each, odd_rows, whole_list},
    seen::Seen,
    table::{DERIVED, GRAPH, GRAPH_BETA, derived},
};
use crate::{
    m365::{
        client::{Client, GRAPH_API},
        permission, wire,
    },
    many::gather,
    settings::{Found, Miss, Outlet},
    value::id,
    vendor::Refusal,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::{collections::HashMap, sync::Arc};
use watchpost_core::integration::connector::ConnectorError;

/// Microsoft Graph's own application id.
const GRAPH_APP_ID: &str = "00000003-0000-0000-c000-000000000000";
/// Tenants that first-party applications belong to.
const FIRST_PARTY_OWNERS: [&str; 2] = [
    "f8cdef31-a31e-4b4a-93e4-5f571e91255a",
    "72f988bf-86f1-41af-91ab-2d7cd011db47",
];
/// Things that a document names.
const NAMED_MAX: usize = 1_000;
/// Accounts whose registration is remembered until their state is known.
const ACCOUNTS_MAX: usize = 1_000_000;
/// Applications whose federated credentials are asked for at the same time.
const AT_ONCE: usize = 4;

/// Reads what is wanted of them.
pub(super) async fn read(
    client: &Arc<Client>,
    seen: &mut Seen,
    out: &mut Outlet,
) -> Result<(), ConnectorError> {
    if out.wants(derived::B2B) {
        let keep = |row: Map<String, Value>| {
            (row.get("type").and_then(Value::as_str) == Some("B2BManagementPolicy")).then_some(row)
        };
        let end = whole_list(client, "/beta/legacy/policies", None, permission::POLICY, keep).await;
        out.give(derived::B2B, GRAPH_BETA, end).await?;
    }
    if out.wants(derived::CLASSIFICATIONS) {
        let end = classifications(client).await;
        out.give(derived::CLASSIFICATIONS, GRAPH, end).await?;
    }
    if out.wants(derived::LICENSES) {
        let end = licenses(client, seen).await;
        out.give(derived::LICENSES, DERIVED, end).await?;
    }
    users(client, out).await?;
    if out.wants(derived::GROUPS) {
        let end = public_groups(client).await;
        out.give(derived::GROUPS, GRAPH, end).await?;
    }
    if out.wants(derived::APPLICATIONS) {
        let end = applications(client).await;
        out.give(derived::APPLICATIONS, GRAPH, end).await?;
    }
    if out.wants(derived::SERVICE_PRINCIPALS) {
        let end = open_service_principals(client).await;
        out.give(derived::SERVICE_PRINCIPALS, GRAPH, end).await?;
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AppKey {
    id: String,
    app_id: Option<String>,
}

/// Which delegated permissions of Graph itself an administrator has classified.
async fn classifications(client: &Client) -> Result<Found, Miss> {
    let refused = GRAPH_API.refused(permission::APPLICATION);
    let query = format!("$filter=appId%20eq%20'{GRAPH_APP_ID}'&$select=id,appId");
    let mut graph = None;
    each(client, "/v1.0/servicePrincipals", Some(&query), |row: AppKey| {
        if row.app_id.as_deref() == Some(GRAPH_APP_ID) {
            graph = id(&row.id);
        }
        true
    })
    .await
    .map_err(refused)?;
    let Some(graph) = graph else {
        return Err(Miss::Failed(
            "the tenant's list of applications doesn't show Microsoft Graph itself".to_owned(),
        ));
    };
    let at = format!("/v1.0/servicePrincipals/{graph}/delegatedPermissionClassifications");
    whole_list(client, &at, None, permission::APPLICATION, Some).await
}

/// What the licences include.
async fn licenses(client: &Client, seen: &mut Seen) -> Result<Found, Miss> {
    let skus = seen.skus(client).await?;
    let mut features = Map::new();
    let rows = skus.get("value").and_then(Value::as_array);
    let rows = rows.map(Vec::as_slice).unwrap_or_default();
    let mut plans = Vec::new();
    let mut odd = 0_u64;
    for row in rows {
        // A suspended subscription gives nothing; one in its warning period still does.
        let active = matches!(
            row.get("capabilityStatus").and_then(Value::as_str),
            None | Some("Enabled" | "Warning")
        );
        let Some(list) = row.get("servicePlans").and_then(Value::as_array) else {
            odd = odd.saturating_add(1);
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
    for (feature, names, otherwise) in FEATURES {
        let has = plans.iter().any(|plan| names.contains(plan));
        // With a row missing, "isn't there" can't be said.
        if has || (*otherwise == Otherwise::Lacks && odd == 0) {
            features.insert((*feature).to_owned(), has.into());
        }
    }
    let sold_to_government = |row: &Value| {
        let name = row
            .get("skuPartNumber")
            .and_then(Value::as_str)
            .unwrap_or_default();
        name.contains("_GOV") || name.contains("USGOV") || name.contains("_GCC")
    };
    if client.vendor.is_government_cloud() || rows.iter().any(sold_to_government) {
        features.insert("government".to_owned(), true.into());
    } else if odd == 0 {
        features.insert("government".to_owned(), false.into());
    }
    Ok(Found::whole(Value::Object(features)).lacking(odd_rows(odd)))
}

/// What it means that no plan of the list is there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Otherwise {
    /// The tenant lacks the feature.
    Lacks,
    /// Other plans, or none at all, may bring it.
    Unknown,
}

/// Features with the names of the service plans that include them.
const FEATURES: &[(&str, &[&str], Otherwise)] = &[
    ("entra_p2", &["AAD_PREMIUM_P2"], Otherwise::Lacks),
    (
        "defender",
        &["ATP_ENTERPRISE", "THREAT_INTELLIGENCE"],
        Otherwise::Lacks,
    ),
    (
        "defender_dlp",
        &[
            "COMMUNICATIONS_DLP",
            "MICROSOFTENDPOINTDLP",
            "BPOS_S_DlpAddOn",
            "EXCHANGE_S_ENTERPRISE",
        ],
        Otherwise::Unknown,
    ),
    ("audit_advanced", &["M365_ADVANCED_AUDITING"], Otherwise::Lacks),
    (
        "powerbi",
        &["BI_AZURE_P0", "BI_AZURE_P1", "BI_AZURE_P2", "BI_AZURE_P3"],
        Otherwise::Unknown,
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

/// How many accounts there are, and which members lack a second factor: two documents from one pass.
async fn users(client: &Client, out: &mut Outlet) -> Result<(), ConnectorError> {
    let mut capable = HashMap::new();
    if out.wants(derived::MFA)
        && let Err(miss) = capabilities(client, &mut capable).await
    {
        out.give(derived::MFA, DERIVED, Err(miss)).await?;
    }
    if !out.wants(derived::MFA) && !out.wants(derived::USERS) {
        return Ok(());
    }
    let (mut enabled, mut guests, mut members) = (0_u64, 0_u64, 0_u64);
    let (mut not_capable, mut unknown) = (0_u64, 0_u64);
    let mut accounts = Vec::new();
    let query = Some("$select=id,userPrincipalName,userType,accountEnabled&$top=999");
    let odd = each(client, "/v1.0/users", query, |row: Account| {
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
                if accounts.len() < NAMED_MAX {
                    accounts.push(json!({"id": row.id, "userPrincipalName": row.user_principal_name}));
                }
            }
            None => unknown = unknown.saturating_add(1),
        }
        true
    })
    .await
    .map_err(GRAPH_API.refused(permission::USER));
    let odd = match odd {
        Ok(odd) => odd,
        Err(trouble) => {
            let miss = Miss::from(trouble);
            out.give(derived::MFA, DERIVED, Err(miss.clone())).await?;
            return out.give(derived::USERS, DERIVED, Err(miss)).await;
        }
    };
    let lacks = match (odd, unknown) {
        (0, 0) => None,
        (0, unknown) => Some(format!("the report says nothing about {unknown} enabled members")),
        (odd, _) => odd_rows(odd),
    };
    let document = json!({"enabledMembers": members, "notCapable": not_capable, "accounts": accounts});
    out.give(derived::MFA, DERIVED, Ok(Found::whole(document).lacking(lacks)))
        .await?;
    let document = json!({"enabled": enabled, "enabledGuests": guests});
    out.give(
        derived::USERS,
        DERIVED,
        Ok(Found::whole(document).lacking(odd_rows(odd))),
    )
    .await
}

/// Which accounts could use a second factor.
async fn capabilities(client: &Client, capable: &mut HashMap<u128, bool>) -> Result<(), Miss> {
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
    .map_err(GRAPH_API.refused(permission::AUDIT_LOG))?;
    if overflow {
        return Err(Miss::Failed(
            "there are more accounts than can be compared".to_owned(),
        ));
    }
    Ok(())
}

/// A directory object's id in little room.
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

/// A list of which only the first thousand are named.
#[derive(Default)]
struct Named {
    rows: Vec<Value>,
    all: u64,
}

impl Named {
    fn push(&mut self, row: impl FnOnce() -> Value) {
        self.all = self.all.saturating_add(1);
        if self.rows.len() < NAMED_MAX {
            self.rows.push(row());
        }
    }

    fn found(self, odd: u64) -> Found {
        let lacks = odd_rows(odd).or_else(|| {
            (self.all > self.rows.len() as u64)
                .then(|| format!("only the first {NAMED_MAX} of {} are listed", self.all))
        });
        Found::list(self.rows).lacking(lacks)
    }
}

/// Groups that anybody in the tenant can join.
async fn public_groups(client: &Client) -> Result<Found, Miss> {
    let mut groups = Named::default();
    let query = Some("$select=id,displayName,visibility&$top=999");
    let odd = each(client, "/v1.0/groups", query, |row: Group| {
        if row.visibility.as_deref() == Some("Public") {
            groups.push(|| json!({"id": row.id, "displayName": row.display_name, "visibility": "Public"}));
        }
        true
    })
    .await
    .map_err(GRAPH_API.refused(permission::GROUP_MEMBER))?;
    Ok(groups.found(odd))
}

/// Other tenants' and own applications that every account of the tenant may sign in to.
async fn open_service_principals(client: &Client) -> Result<Found, Miss> {
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
    let mut open = Named::default();
    let query = Some(
        "$select=id,appId,displayName,appOwnerOrganizationId,servicePrincipalType,accountEnabled,\
         appRoleAssignmentRequired&$top=999",
    );
    let odd = each(
        client,
        "/v1.0/servicePrincipals",
        query,
        |row: ServicePrincipal| {
            let (Some(enabled), Some(required)) = (row.account_enabled, row.app_role_assignment_required)
            else {
                return false;
            };
            let owner = row.app_owner_organization_id.as_deref().unwrap_or_default();
            // Nobody signs in to a managed identity.
            let of_people = row
                .service_principal_type
                .as_deref()
                .is_none_or(|kind| kind != "ManagedIdentity");
            if enabled && !required && of_people && !FIRST_PARTY_OWNERS.contains(&owner) {
                open.push(|| json!({"id": row.id, "appId": row.app_id, "displayName": row.display_name}));
            }
            true
        },
    )
    .await
    .map_err(GRAPH_API.refused(permission::APPLICATION))?;
    Ok(open.found(odd))
}

/// What is kept of an application.
const APPLICATION_FIELDS: [&str; 6] = [
    "id",
    "appId",
    "displayName",
    "signInAudience",
    "passwordCredentials",
    "web",
];

/// The tenant's own applications, with whom their workload federation trusts.
async fn applications(client: &Arc<Client>) -> Result<Found, Miss> {
    let mut rows = Rows::default();
    let query = "$select=id,appId,displayName,signInAudience,passwordCredentials,web&$top=999";
    let mut list = client.list("/v1.0/applications", Some(query));
    while let Some(page) = list
        .page()
        .await
        .map_err(GRAPH_API.refused(permission::APPLICATION))?
    {
        let begins = rows.rows_mut().len();
        let mut ids = Vec::with_capacity(page.len());
        for raw in page {
            let row = serde_json::from_str::<Map<String, Value>>(raw.get()).ok();
            let app = row
                .as_ref()
                .and_then(|row| id(row.get("id").and_then(Value::as_str)?));
            let (Some(mut row), Some(app)) = (row, app) else {
                rows.odd = rows.odd.saturating_add(1);
                continue;
            };
            row.retain(|name, _| APPLICATION_FIELDS.contains(&name.as_str()));
            tidy_credentials(&mut row);
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
            row["federatedIdentityCredentials"] = list.map_err(GRAPH_API.refused(permission::APPLICATION))?;
        }
    }
    Ok(rows.found())
}

/// When each secret ends, without the vendor's hint at what it is; of the web settings only the addresses.
fn tidy_credentials(row: &mut Map<String, Value>) {
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

/// Whom one application trusts to sign in as it. Entra allows 20.
async fn federated(client: &Client, app: &str) -> Result<Value, Refusal> {
    let at = format!("/v1.0/applications/{app}/federatedIdentityCredentials");
    let mut list = client.list(&at, None);
    let mut rows = Vec::new();
    loop {
        match list.page().await {
            Ok(Some(page)) => {
                for raw in page {
                    let row: wire::FederatedCredential =
                        serde_json::from_str(raw.get()).map_err(|_| GRAPH_API.not_understood())?;
                    rows.push(
                        json!({"name": row.name, "issuer": row.issuer, "subject": row.subject,
                        "audiences": row.audiences}),
                    );
                }
            }
            // The application is gone by now.
            Ok(None) | Err(Refusal::NotFound) => return Ok(Value::Array(rows)),
            Err(refusal) => return Err(refusal),
        }
        if rows.len() > NAMED_MAX {
            return Err(GRAPH_API.not_understood().into());
        }
    }
}
