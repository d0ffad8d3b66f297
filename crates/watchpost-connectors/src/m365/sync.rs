//! Reading one tenant from front to back. Later datasets use what earlier ones showed.

mod apps;
mod roles;

use super::{
    client::{Client, GRAPH_API},
    normalise::{self, MailboxPlans},
    permission, wire,
};
use crate::{
    run::{DOCUMENT_BYTES_MAX, DatasetRun, Emitter, Trouble},
    value::id,
    vendor::Refusal,
};
use serde_json::Value;
use std::{collections::HashMap, sync::Arc};
use watchpost_core::{
    integration::{connector::ConnectorError, fact::Dataset},
    value::{text::ForeignText, word::CollectionState},
};

/// What is asked of users besides the last sign-in.
const USER_FIELDS: &str = "id,userPrincipalName,mail,proxyAddresses,displayName,userType,accountEnabled,\
    createdDateTime,externalUserState,onPremisesSyncEnabled,onPremisesImmutableId,passwordPolicies,\
    lastPasswordChangeDateTime,department,jobTitle,assignedLicenses";

/// What later datasets need of earlier ones.
#[derive(Default)]
struct Seen {
    tenant_id: Option<String>,
    mailboxes: Option<MailboxPlans>,
    /// Own registrations (application id) with their service principal.
    own_apps: Vec<(String, String)>,
    /// Resources (service principal id) with the permissions that they offer to apps.
    resources: Vec<(String, HashMap<String, String>)>,
    /// Members of groups that hold roles.
    groups: HashMap<String, Vec<String>>,
    group_members: usize,
}

/// One document, or list of documents, that is kept as a setting.
struct Document {
    dataset: Dataset,
    /// Below `/v1.0/`; it is also the setting's path.
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

/// Reads everything.
pub(super) async fn drive(client: Arc<Client>, mut out: Emitter) -> Result<(), ConnectorError> {
    let mut seen = Seen::default();

    let mut run = out.begin(Dataset::Organization);
    let end = organization(&client, &mut run, &mut seen).await;
    run.end(end).await?;

    let mut run = out.begin(Dataset::Licenses);
    let end = licenses(&client, &mut run, &mut seen).await;
    run.end(end).await?;

    let mut run = out.begin(Dataset::Domains);
    let end = list_setting(&client, &mut run, "domains", permission::DOMAIN)
        .await
        .map(drop);
    run.end(end).await?;

    users(&client, &mut out, &seen).await?;

    let mut run = out.begin(Dataset::Mfa);
    let end = registrations(&client, &mut run).await;
    run.end(end).await?;

    roles::roles(&client, &mut out, &mut seen).await?;

    let mut run = out.begin(Dataset::Apps);
    let end = apps::apps(&client, &mut run, &mut seen).await;
    let apps_end = end.clone();
    run.end(end).await?;

    let mut run = out.begin(Dataset::AppOwners);
    let end = apps::owners(&client, &mut run, &seen)
        .await
        .and_then(|()| after_apps(&apps_end));
    run.end(end).await?;

    let mut run = out.begin(Dataset::Grants);
    let end = apps::grants(&client, &mut run).await;
    run.end(end).await?;

    let mut run = out.begin(Dataset::AppGrants);
    let end = apps::app_grants(&client, &mut run, &seen)
        .await
        .and_then(|()| after_apps(&apps_end));
    run.end(end).await?;

    for document in DOCUMENTS {
        let mut run = out.begin(document.dataset);
        let end = if document.list {
            list_setting(&client, &mut run, document.path, document.permission)
                .await
                .map(drop)
        } else {
            one_setting(&client, &mut run, document).await
        };
        run.end(end).await?;
    }
    Ok(())
}

/// What is read app by app can't be whole if the apps aren't.
fn after_apps(apps: &Result<(), Trouble>) -> Result<(), Trouble> {
    match apps {
        Ok(()) => Ok(()),
        Err(Trouble::Denied(permission)) => Err(Trouble::Denied(permission)),
        Err(_) => Err(Trouble::Partial("not all apps could be read".to_owned())),
    }
}

/// The tenant's id and name in an answer about the organisation.
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

async fn organization(client: &Client, run: &mut DatasetRun<'_>, seen: &mut Seen) -> Result<(), Trouble> {
    let rows = list_setting(client, run, "organization", permission::ORGANIZATION).await?;
    let first = rows.as_array().and_then(|rows| rows.first());
    seen.tenant_id = first
        .and_then(|row| tenant_of(&row.to_string()))
        .map(|(tenant, _)| tenant);
    Ok(())
}

async fn licenses(client: &Client, run: &mut DatasetRun<'_>, seen: &mut Seen) -> Result<(), Trouble> {
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

/// Keeps a list as one document in the shape in which Graph sends lists, without its links. Gives the rows back.
async fn list_setting(
    client: &Client,
    run: &mut DatasetRun<'_>,
    path: &'static str,
    permission: &'static str,
) -> Result<Value, Trouble> {
    let mut list = client.list(&format!("/v1.0/{path}"), None);
    let mut rows = Vec::new();
    let mut bytes = 0_usize;
    while let Some(page) = list.page().await.map_err(GRAPH_API.refused(permission))? {
        for raw in page {
            bytes = bytes.saturating_add(raw.get().len());
            if bytes > DOCUMENT_BYTES_MAX {
                return Err(Trouble::Failed(format!("`{path}` is larger than 4 MiB")));
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

/// Keeps one document as it is, without Graph's notes about it.
async fn one_setting(client: &Client, run: &mut DatasetRun<'_>, document: &Document) -> Result<(), Trouble> {
    let url = client.url(&format!("/v1.0/{}", document.path), None);
    let answer = client
        .get(url)
        .await
        .map_err(GRAPH_API.refused(document.permission))?;
    let Ok(Value::Object(mut fields)) = serde_json::from_slice(&answer.body) else {
        return Err(GRAPH_API.not_understood());
    };
    fields.retain(|name, _| !name.starts_with("@odata."));
    run.add_rows(1);
    run.setting(document.path, Value::Object(fields).to_string())
        .await
}

/// Accounts, and with them when they were last used: two datasets from one list.
async fn users(client: &Client, out: &mut Emitter, seen: &Seen) -> Result<(), ConnectorError> {
    let mut run = out.begin(Dataset::Users);
    let mut sign_in = Ok(());
    let end = user_pages(client, &mut run, seen, &mut sign_in).await;
    let users_end = end.clone();
    let rows = run.rows();
    let state = run.end(end).await?;
    // Only where the column could be read.
    let sign_in_rows = if sign_in.is_ok() { rows } else { 0 };
    let sign_in_end = match (users_end, sign_in) {
        (_, Err(trouble)) => Err(trouble),
        (Err(trouble), Ok(())) => Err(trouble),
        (Ok(()), Ok(())) if state == CollectionState::Complete => Ok(()),
        (Ok(()), Ok(())) => Err(Trouble::Partial(
            "not all accounts could be understood".to_owned(),
        )),
    };
    out.end(Dataset::SignIn, sign_in_rows, sign_in_end).await
}

async fn user_pages(
    client: &Client,
    run: &mut DatasetRun<'_>,
    seen: &Seen,
    sign_in: &mut Result<(), Trouble>,
) -> Result<(), Trouble> {
    let with = format!("$select={USER_FIELDS},signInActivity&$top=500");
    let mut list = client.list("/v1.0/users", Some(&with));
    let first = match list.page().await {
        // Either the licence or the permission for sign-ins is missing; without that column both don't matter.
        Err(refusal @ (Refusal::Denied | Refusal::Unlicensed)) => {
            *sign_in = Err(GRAPH_API.trouble(refusal, permission::AUDIT_LOG));
            let without = format!("$select={USER_FIELDS}&$top=999");
            list = client.list("/v1.0/users", Some(&without));
            list.page().await
        }
        other => other,
    };
    let mut page = match first {
        // It was the list itself that is denied.
        Err(Refusal::Denied) => {
            *sign_in = Err(Trouble::Denied(permission::USER));
            return Err(Trouble::Denied(permission::USER));
        }
        other => other.map_err(GRAPH_API.refused(permission::USER))?,
    };
    while let Some(rows) = page {
        for raw in rows {
            if let Some(user) = run.row::<wire::User>(&raw) {
                run.push(normalise::account(
                    &user,
                    sign_in.is_ok(),
                    seen.mailboxes.as_ref(),
                ))
                .await;
            }
        }
        page = list.page().await.map_err(GRAPH_API.refused(permission::USER))?;
    }
    Ok(())
}

async fn registrations(client: &Client, run: &mut DatasetRun<'_>) -> Result<(), Trouble> {
    let path = "/v1.0/reports/authenticationMethods/userRegistrationDetails";
    let mut list = client.list(path, Some("$top=500"));
    while let Some(rows) = list
        .page()
        .await
        .map_err(GRAPH_API.refused(permission::AUDIT_LOG))?
    {
        for raw in rows {
            if let Some(row) = run.row::<wire::Registration>(&raw) {
                run.push(normalise::registration(&row)).await;
            }
        }
    }
    Ok(())
}
