//! The sync of one tenant. Later datasets use data from earlier ones.

mod apps;
mod assignments;
mod roles;

use super::{
    client::{Client, GRAPH_API},
    normalize::{self, Domains, MailboxPlans},
    permission, wire,
};
use crate::{
    run::{DOCUMENT_BYTES_MAX, DatasetRun, Emitter, ReadError},
    text::{m365 as text, setting_too_large},
    value::id,
    vendor::ApiError,
};
use serde_json::Value;
use std::{collections::HashMap, sync::Arc};
use watchpost_core::{
    integration::{connector::ConnectorError, fact::Dataset},
    value::{text::ForeignText, word::CollectionState},
};

/// The properties of users that are read in addition to the last sign-in.
const USER_FIELDS: &str = "id,userPrincipalName,mail,proxyAddresses,displayName,userType,accountEnabled,\
    createdDateTime,externalUserState,onPremisesSyncEnabled,onPremisesImmutableId,passwordPolicies,\
    lastPasswordChangeDateTime,department,jobTitle,assignedLicenses";

/// Data from earlier datasets that later ones need.
#[derive(Default)]
struct Seen {
    tenant_id: Option<String>,
    mailboxes: Option<MailboxPlans>,
    domains: Option<Domains>,
    /// The tenant's own app registrations: application id and service principal id.
    own_apps: Vec<(String, String)>,
    /// The resources, by service principal id, with their permissions for apps.
    resources: Vec<(String, HashMap<String, String>)>,
    /// The apps to which people can be assigned, and whether they are the tenant's own.
    assignable: Vec<(String, bool)>,
    /// The members of the groups that hold roles, by group id.
    groups: HashMap<String, Vec<String>>,
    group_members: usize,
}

/// A document or a list of documents that is stored as a setting.
struct Document {
    dataset: Dataset,
    /// The path below `/v1.0/`, which is also the setting's path.
    path: &'static str,
    list: bool,
    permission: &'static str,
}

const DOCUMENTS: &[Document] = &[
    Document {
        dataset: Dataset::ConditionalAccess,
        path: "identity/conditionalAccess/policies",
        list: true,
        permission: permission::POLICY,
    },
    Document {
        dataset: Dataset::SecurityDefaults,
        path: "policies/identitySecurityDefaultsEnforcementPolicy",
        list: false,
        permission: permission::POLICY,
    },
    Document {
        dataset: Dataset::AuthorizationPolicy,
        path: "policies/authorizationPolicy",
        list: false,
        permission: permission::POLICY,
    },
    Document {
        dataset: Dataset::AuthenticationMethods,
        path: "policies/authenticationMethodsPolicy",
        list: false,
        permission: permission::POLICY,
    },
    Document {
        dataset: Dataset::AdminConsent,
        path: "policies/adminConsentRequestPolicy",
        list: false,
        permission: permission::POLICY,
    },
    Document {
        dataset: Dataset::Locations,
        path: "identity/conditionalAccess/namedLocations",
        list: true,
        permission: permission::POLICY,
    },
];

/// Reads all datasets.
pub(super) async fn read_all(client: Arc<Client>, mut out: Emitter) -> Result<(), ConnectorError> {
    let mut seen = Seen::default();

    let mut run = out.begin(Dataset::Organization);
    let result = organization(&client, &mut run, &mut seen).await;
    run.end(result).await?;

    let mut run = out.begin(Dataset::Licenses);
    let result = licenses(&client, &mut run, &mut seen).await;
    run.end(result).await?;

    let mut run = out.begin(Dataset::Domains);
    let result = domains(&client, &mut run, &mut seen).await;
    run.end(result).await?;

    users(&client, &mut out, &seen).await?;

    let mut run = out.begin(Dataset::Mfa);
    let result = registrations(&client, &mut run, &seen).await;
    run.end(result).await?;

    roles::roles(&client, &mut out, &mut seen).await?;

    let mut run = out.begin(Dataset::Apps);
    let result = apps::apps(&client, &mut run, &mut seen).await;
    let apps_result = result.clone();
    run.end(result).await?;

    let mut run = out.begin(Dataset::AppOwners);
    let result = apps::owners(&client, &mut run, &seen)
        .await
        .and_then(|()| require_all_apps(&apps_result));
    run.end(result).await?;

    let mut run = out.begin(Dataset::Grants);
    let result = apps::grants(&client, &mut run).await;
    run.end(result).await?;

    let mut run = out.begin(Dataset::AppGrants);
    let result = apps::app_grants(&client, &mut run, &seen)
        .await
        .and_then(|()| require_all_apps(&apps_result));
    run.end(result).await?;

    let mut run = out.begin(Dataset::AppAssignments);
    let result = assignments::assignments(&client, &mut run, &seen)
        .await
        .and_then(|()| require_all_apps(&apps_result));
    run.end(result).await?;

    for document in DOCUMENTS {
        let mut run = out.begin(document.dataset);
        let result = if document.list {
            list_setting(&client, &mut run, document.path, document.permission)
                .await
                .map(drop)
        } else {
            document_setting(&client, &mut run, document).await
        };
        run.end(result).await?;
    }
    Ok(())
}

/// Returns the outcome of a dataset that is read app by app: it is incomplete if the apps are.
fn require_all_apps(apps: &Result<(), ReadError>) -> Result<(), ReadError> {
    match apps {
        Ok(()) => Ok(()),
        Err(ReadError::Denied(permission)) => Err(ReadError::Denied(permission)),
        Err(_) => Err(ReadError::Partial(text::APPS_INCOMPLETE.to_owned())),
    }
}

/// Parses the tenant's id and name in a response about the organization.
pub(super) fn tenant(body: &[u8]) -> Option<(String, ForeignText)> {
    let page: wire::ListPage = serde_json::from_slice(body).ok()?;
    tenant_of(page.value.first()?.get())
}

fn tenant_of(row: &str) -> Option<(String, ForeignText)> {
    let row: wire::Organization = serde_json::from_str(row).ok()?;
    let tenant = id(&row.id)?;
    let name = ForeignText::name(row.display_name.as_deref().unwrap_or(&tenant));
    Some((tenant, name))
}

async fn organization(client: &Client, run: &mut DatasetRun<'_>, seen: &mut Seen) -> Result<(), ReadError> {
    let rows = list_setting(client, run, "organization", permission::ORGANIZATION).await?;
    let first = rows.as_array().and_then(|rows| rows.first());
    seen.tenant_id = first
        .and_then(|row| tenant_of(&row.to_string()))
        .map(|(tenant, _)| tenant);
    Ok(())
}

async fn licenses(client: &Client, run: &mut DatasetRun<'_>, seen: &mut Seen) -> Result<(), ReadError> {
    let rows = list_setting(client, run, "subscribedSkus", permission::ORGANIZATION).await?;
    let mut plans = MailboxPlans::default();
    for row in rows.as_array().into_iter().flatten() {
        match serde_json::from_value(row.clone()) {
            Ok(sku) => plans.add(&sku),
            Err(_) => run.row_error(),
        }
    }
    seen.mailboxes = Some(plans);
    Ok(())
}

async fn domains(client: &Client, run: &mut DatasetRun<'_>, seen: &mut Seen) -> Result<(), ReadError> {
    let rows = list_setting(client, run, "domains", permission::DOMAIN).await?;
    let mut domains = Domains::default();
    let mut all = true;
    for row in rows.as_array().into_iter().flatten() {
        match serde_json::from_value(row.clone()) {
            Ok(domain) => domains.add(&domain),
            Err(_) => {
                all = false;
                run.row_error();
            }
        }
    }
    // An unreadable row may be that of a federated domain.
    seen.domains = all.then_some(domains);
    Ok(())
}

/// Stores a list as one document, in Graph's format for lists but without links. Returns the rows.
async fn list_setting(
    client: &Client,
    run: &mut DatasetRun<'_>,
    path: &'static str,
    permission: &'static str,
) -> Result<Value, ReadError> {
    let mut list = client.list(&format!("/v1.0/{path}"), None);
    let mut rows = Vec::new();
    let mut bytes = 0_usize;
    while let Some(page) = list.page().await.map_err(GRAPH_API.read_error_for(permission))? {
        for raw in page {
            bytes = bytes.saturating_add(raw.get().len());
            if bytes > DOCUMENT_BYTES_MAX {
                return Err(ReadError::Failed(setting_too_large(path)));
            }
            if let Some(row) = run.row::<Value>(&raw) {
                rows.push(row);
            }
        }
    }
    let rows = Value::Array(rows);
    let mut document = serde_json::Map::new();
    document.insert("value".to_owned(), rows.clone());
    run.setting(path, Value::Object(document).to_string()).await?;
    Ok(rows)
}

/// Stores one document, without Graph's annotations.
async fn document_setting(
    client: &Client,
    run: &mut DatasetRun<'_>,
    document: &Document,
) -> Result<(), ReadError> {
    let url = client.url(&format!("/v1.0/{}", document.path), None);
    let response = client
        .get(url)
        .await
        .map_err(GRAPH_API.read_error_for(document.permission))?;
    let Ok(Value::Object(mut fields)) = serde_json::from_slice(&response.body) else {
        return Err(GRAPH_API.unexpected_response());
    };
    fields.retain(|name, _| !name.starts_with("@odata."));
    run.add_rows(1);
    run.setting(document.path, Value::Object(fields).to_string())
        .await
}

/// Reads the accounts with their last sign-ins: two datasets from one list.
async fn users(client: &Client, out: &mut Emitter, seen: &Seen) -> Result<(), ConnectorError> {
    let mut run = out.begin(Dataset::Users);
    let mut sign_in = Ok(());
    let result = user_pages(client, &mut run, seen, &mut sign_in).await;
    let users_result = result.clone();
    let rows = run.rows();
    let state = run.end(result).await?;
    // The rows have sign-ins only if that property could be read.
    let sign_in_rows = if sign_in.is_ok() { rows } else { 0 };
    let sign_in_result = match (users_result, sign_in) {
        (_, Err(error)) => Err(error),
        (Err(error), Ok(())) => Err(error),
        (Ok(()), Ok(())) if state == CollectionState::Complete => Ok(()),
        (Ok(()), Ok(())) => Err(ReadError::Partial(text::ACCOUNTS_INCOMPLETE.to_owned())),
    };
    out.end(Dataset::SignIn, sign_in_rows, sign_in_result).await
}

async fn user_pages(
    client: &Client,
    run: &mut DatasetRun<'_>,
    seen: &Seen,
    sign_in: &mut Result<(), ReadError>,
) -> Result<(), ReadError> {
    let with = format!("$select={USER_FIELDS},signInActivity&$top=500");
    let mut list = client.list("/v1.0/users", Some(&with));
    let first = match list.page().await {
        // The license or the permission for sign-ins is missing. The other properties may still be readable.
        Err(error @ (ApiError::Denied | ApiError::Unlicensed)) => {
            *sign_in = Err(GRAPH_API.read_error(error, permission::AUDIT_LOG));
            let without = format!("$select={USER_FIELDS}&$top=999");
            list = client.list("/v1.0/users", Some(&without));
            list.page().await
        }
        other => other,
    };
    let mut page = match first {
        // The list itself is denied, not only the sign-ins.
        Err(ApiError::Denied) => {
            *sign_in = Err(ReadError::Denied(permission::USER));
            return Err(ReadError::Denied(permission::USER));
        }
        other => other.map_err(GRAPH_API.read_error_for(permission::USER))?,
    };
    while let Some(rows) = page {
        for raw in rows {
            if let Some(user) = run.row::<wire::User>(&raw) {
                run.push(normalize::account(
                    &user,
                    sign_in.is_ok(),
                    seen.mailboxes.as_ref(),
                    seen.domains.as_ref(),
                ))
                .await;
            }
        }
        page = list
            .page()
            .await
            .map_err(GRAPH_API.read_error_for(permission::USER))?;
    }
    Ok(())
}

async fn registrations(client: &Client, run: &mut DatasetRun<'_>, seen: &Seen) -> Result<(), ReadError> {
    let path = "/v1.0/reports/authenticationMethods/userRegistrationDetails";
    let mut list = client.list(path, Some("$top=500"));
    while let Some(rows) = list
        .page()
        .await
        .map_err(GRAPH_API.read_error_for(permission::AUDIT_LOG))?
    {
        for raw in rows {
            if let Some(row) = run.row::<wire::Registration>(&raw) {
                run.push(normalize::registration(&row, seen.domains.as_ref()))
                    .await;
            }
        }
    }
    Ok(())
}
