//! The sync of one org. Later datasets use data from earlier ones.

mod entities;

use super::{
    api::AT_ONCE,
    client::{Client, OKTA_API},
    normalize::{self, FactorLimits},
    role, scope, wire,
};
use crate::{
    concurrency::gather,
    run::{DOCUMENT_BYTES_MAX, DatasetRun, Emitter, ReadError},
    text::{ONLY_OWN_CLIENT_SEEN, okta as text},
    value::id,
    vendor::{ApiError, Vendor as _},
};
use entities::small_list;
use serde_json::Value;
use std::{collections::HashSet, sync::Arc};
use watchpost_core::{
    integration::{
        connector::ConnectorError,
        fact::{Dataset, Fact},
        reading::Readings,
    },
    value::{text::ForeignText, word::CollectionState},
};

/// The path of the setting about the access of Okta's support.
pub(super) const SUPPORT_ACCESS: &str = "org/privacy/oktaSupport";
/// The maximum number of accounts whose factors are read.
const ACCOUNTS_MAX: usize = 1_000_000;
/// The maximum number of apps.
const APPS_MAX: usize = 50_000;

/// The type of the policies on the factors that accounts can enroll.
const ENROLLMENT: &str = "MFA_ENROLL";
/// The types of policies, with the paths of their settings. The available types depend on the org's edition.
pub(super) const POLICY_TYPES: &[(&str, &str)] = &[
    ("OKTA_SIGN_ON", "policies/OKTA_SIGN_ON"),
    ("PASSWORD", "policies/PASSWORD"),
    (ENROLLMENT, "policies/MFA_ENROLL"),
    ("ACCESS_POLICY", "policies/ACCESS_POLICY"),
];

/// Reads all datasets.
pub(super) async fn read_all(
    client: Arc<Client>,
    known: Readings,
    mut out: Emitter,
) -> Result<(), ConnectorError> {
    let mut run = out.begin(Dataset::Organization);
    let result = document_setting(&client, &mut run, "org", scope::ORGS).await;
    run.end(result).await?;

    let mut active = Vec::new();
    let mut elsewhere = HashSet::new();
    let users_result = accounts(&client, &mut out, &mut active, &mut elsewhere).await?;

    let mut admins = HashSet::new();
    let mut run = out.begin(Dataset::Roles);
    let result = roles(&client, &mut run, &mut admins).await;
    run.end(result).await?;

    let mut app_ids = Vec::new();
    let mut run = out.begin(Dataset::Apps);
    let result = apps(&client, &mut run, &mut app_ids).await;
    let apps_result = result.clone();
    run.end(result).await?;

    let mut run = out.begin(Dataset::AppAssignments);
    let result = entities::assignments(&client, &mut run, app_ids, &known).await;
    let result = result.and_then(|()| require_all(&apps_result, text::APPS_NOT_READ));
    run.end(result).await?;

    let mut run = out.begin(Dataset::Tokens);
    let result = tokens(&client, &mut run).await;
    run.end(result).await?;

    let mut run = out.begin(Dataset::SignInPolicies);
    let mut enrollment = None;
    let result = policies(&client, &mut run, &mut enrollment).await;
    run.end(result).await?;

    single_settings(&client, &mut out).await?;

    let mut run = out.begin(Dataset::Mfa);
    let incomplete = normalize::lists_may_lack_factors(enrollment.as_deref());
    let limits = |account: &str| FactorLimits {
        elsewhere: elsewhere.contains(account),
        incomplete,
    };
    let result = entities::factors(&client, &mut run, active, &admins, &known, &limits).await;
    let result = result.and_then(|()| require_all(&users_result, text::ACCOUNTS_NOT_READ));
    run.end(result).await?;
    Ok(())
}

/// Reads the datasets that consist of one setting each.
async fn single_settings(client: &Client, out: &mut Emitter) -> Result<(), ConnectorError> {
    let mut run = out.begin(Dataset::AuthenticationMethods);
    let result = list_setting(client, &mut run, "authenticators", None, scope::AUTHENTICATORS).await;
    run.end(result).await?;

    let mut run = out.begin(Dataset::Locations);
    let result = list_setting(client, &mut run, "zones", Some("limit=200"), scope::NETWORK_ZONES).await;
    run.end(result).await?;

    let mut run = out.begin(Dataset::ThreatDetection);
    let result = document_setting(client, &mut run, "threats/configuration", scope::THREAT_INSIGHTS).await;
    run.end(result).await?;

    let mut run = out.begin(Dataset::SupportAccess);
    let result = document_setting(client, &mut run, SUPPORT_ACCESS, scope::ORGS).await;
    run.end(result).await.map(drop)
}

/// Reads the accounts with their last sign-ins: two datasets from one list. Adds the accounts that may sign in to `active`,
/// and those of them that authenticate at another identity provider to `elsewhere`. Returns the outcome of the list.
async fn accounts(
    client: &Client,
    out: &mut Emitter,
    active: &mut Vec<Box<str>>,
    elsewhere: &mut HashSet<Box<str>>,
) -> Result<Result<(), ReadError>, ConnectorError> {
    let mut run = out.begin(Dataset::Users);
    let result = users(client, &mut run, active, elsewhere).await;
    let rows = run.rows();
    let state = run.end(result.clone()).await?;
    let sign_in_result = match result.clone() {
        Ok(()) if state != CollectionState::Complete => {
            Err(ReadError::Partial(text::ACCOUNTS_INCOMPLETE.to_owned()))
        }
        result => result,
    };
    out.end(Dataset::SignIn, rows, sign_in_result).await?;
    Ok(result)
}

/// Returns the outcome of a dataset that is read row by row of a list: if the list is incomplete, so is the dataset, for
/// `reason`.
fn require_all(list: &Result<(), ReadError>, reason: &str) -> Result<(), ReadError> {
    match list {
        Ok(()) => Ok(()),
        Err(ReadError::Denied(scope)) => Err(ReadError::Denied(scope)),
        Err(_) => Err(ReadError::Partial(reason.to_owned())),
    }
}

/// Parses the org's id and name.
pub(super) fn tenant(body: &[u8]) -> Option<(String, ForeignText)> {
    let org: wire::Org = serde_json::from_slice(body).ok()?;
    let tenant = id(&org.id)?;
    let name = org
        .company_name
        .or(org.subdomain)
        .unwrap_or_else(|| tenant.clone());
    Some((tenant, ForeignText::name(&name)))
}

/// Returns the role that a document needs.
pub(super) fn role_for(path: &str) -> &'static str {
    if path == SUPPORT_ACCESS {
        role::SUPER
    } else {
        role::ANY
    }
}

/// Stores one document unchanged.
async fn document_setting(
    client: &Client,
    run: &mut DatasetRun<'_>,
    path: &'static str,
    scope: &'static str,
) -> Result<(), ReadError> {
    let url = client.url(&format!("/api/v1/{path}"), None);
    let response = client
        .get(url)
        .await
        .map_err(|error| OKTA_API.read_error(client.vendor.role_error(error, role_for(path)), scope))?;
    let Ok(document @ Value::Object(_)) = serde_json::from_slice::<Value>(&response.body) else {
        return Err(OKTA_API.unexpected_response());
    };
    run.add_rows(1);
    run.setting(path, document.to_string()).await
}

/// Stores a list as one document: an array, in Okta's format.
async fn list_setting(
    client: &Client,
    run: &mut DatasetRun<'_>,
    path: &'static str,
    query: Option<&str>,
    scope: &'static str,
) -> Result<(), ReadError> {
    let rows = read_list(client, run, &format!("/api/v1/{path}"), query)
        .await
        .map_err(OKTA_API.read_error_for(scope))?;
    run.setting(path, Value::Array(rows).to_string()).await
}

/// Reads a list that is small enough for one document.
async fn read_list(
    client: &Client,
    run: &mut DatasetRun<'_>,
    path: &str,
    query: Option<&str>,
) -> Result<Vec<Value>, ApiError> {
    let mut list = client.list(path, query);
    let mut rows = Vec::new();
    let mut bytes = 0_usize;
    while let Some(page) = list.page().await? {
        for raw in page {
            bytes = bytes.saturating_add(raw.get().len());
            if bytes > DOCUMENT_BYTES_MAX {
                let reason = text::LIST_TOO_LARGE.to_owned();
                return Err(ReadError::Failed(reason).into());
            }
            rows.extend(run.row::<Value>(&raw));
        }
    }
    Ok(rows)
}

/// Reads all accounts. The list without a filter omits the deprovisioned ones.
async fn users(
    client: &Client,
    run: &mut DatasetRun<'_>,
    active: &mut Vec<Box<str>>,
    elsewhere: &mut HashSet<Box<str>>,
) -> Result<(), ReadError> {
    for query in ["limit=200", "search=status%20eq%20%22DEPROVISIONED%22&limit=200"] {
        let mut list = client.list("/api/v1/users", Some(query));
        while let Some(rows) = list.page().await.map_err(OKTA_API.read_error_for(scope::USERS))? {
            for raw in rows {
                let Some(user) = run.row::<wire::User>(&raw) else {
                    continue;
                };
                let Some((fact, has_factors)) = normalize::account(&user) else {
                    run.row_error();
                    continue;
                };
                if has_factors && active.len() < ACCOUNTS_MAX {
                    if normalize::authenticates_elsewhere(&user) {
                        elsewhere.insert(user.id.as_str().into());
                    }
                    active.push(user.id.into_boxed_str());
                }
                run.push(Some(fact)).await;
            }
        }
    }
    Ok(())
}

/// Reads the accounts with administrator roles, and then the roles of each.
/// Adds the accounts to `admins`.
async fn roles(
    client: &Arc<Client>,
    run: &mut DatasetRun<'_>,
    admins: &mut HashSet<String>,
) -> Result<(), ReadError> {
    let read_error =
        |error| OKTA_API.read_error(client.vendor.role_error(error, role::VIEW_ROLES), scope::ROLES);
    let mut list = client.list("/api/v1/iam/assignees/users", Some("limit=100"));
    while let Some(rows) = list.page().await.map_err(read_error)? {
        let mut holders = Vec::with_capacity(rows.len());
        for raw in rows {
            if let Some(row) = run.row::<wire::Assignee>(&raw) {
                match id(&row.id) {
                    Some(holder) => {
                        admins.insert(holder.clone());
                        holders.push(holder);
                    }
                    None => run.row_error(),
                }
            }
        }
        let work = holders.iter().map(|holder| {
            let (client, holder) = (Arc::clone(client), holder.clone());
            async move { small_list(&client, &format!("/api/v1/users/{holder}/roles")).await }
        });
        let lists = gather(work.collect::<Vec<_>>(), AT_ONCE as usize).await;
        for (holder, list) in holders.iter().zip(lists) {
            let rows = match list {
                Ok(rows) => rows,
                Err(ApiError::NotFound) => continue,
                Err(error) => return Err(read_error(error)),
            };
            for raw in rows {
                if let Some(row) = run.row::<wire::Role>(&raw) {
                    push(run, normalize::role(holder, &row)).await;
                }
            }
        }
    }
    Ok(())
}

async fn apps(client: &Client, run: &mut DatasetRun<'_>, ids: &mut Vec<String>) -> Result<(), ReadError> {
    let query = "filter=status%20eq%20%22ACTIVE%22&limit=200";
    let mut list = client.list("/api/v1/apps", Some(query));
    while let Some(rows) = list.page().await.map_err(OKTA_API.read_error_for(scope::APPS))? {
        for raw in rows {
            let Some(row) = run.row::<wire::App>(&raw) else {
                continue;
            };
            let fact = normalize::app(&row);
            if fact.is_some() {
                if ids.len() >= APPS_MAX {
                    return Err(ReadError::Partial(text::TOO_MANY_APPS.to_owned()));
                }
                ids.push(row.id);
            }
            run.push(fact).await;
        }
    }
    match ids.as_slice() {
        // Without a role that may see the others, Okta lists only the service app itself.
        [only] if client.vendor.client_id() == Some(only) => {
            Err(ReadError::Partial(ONLY_OWN_CLIENT_SEEN.to_owned()))
        }
        _ => Ok(()),
    }
}

async fn tokens(client: &Client, run: &mut DatasetRun<'_>) -> Result<(), ReadError> {
    let mut list = client.list("/api/v1/api-tokens", None);
    while let Some(rows) = list
        .page()
        .await
        .map_err(OKTA_API.read_error_for(scope::API_TOKENS))?
    {
        for raw in rows {
            if let Some(row) = run.row::<wire::ApiToken>(&raw) {
                run.push(normalize::token(&row)).await;
            }
        }
    }
    Ok(())
}

/// Reads the policies: one document per type, an array of policies in Okta's format, each with its `rules`.
/// Sets `enrollment` to the policies on factors, unless they can't be read.
async fn policies(
    client: &Client,
    run: &mut DatasetRun<'_>,
    enrollment: &mut Option<Vec<wire::EnrollmentPolicy>>,
) -> Result<(), ReadError> {
    for (kind, path) in POLICY_TYPES {
        let query = format!("type={kind}");
        let mut rows = match read_list(client, run, "/api/v1/policies", Some(&query)).await {
            Ok(rows) => rows,
            // The org's edition doesn't have this type.
            Err(ApiError::Status(400) | ApiError::NotFound | ApiError::Unlicensed) => {
                if *kind == ENROLLMENT {
                    *enrollment = Some(Vec::new());
                }
                continue;
            }
            Err(error) => return Err(OKTA_API.read_error(error, scope::POLICIES)),
        };
        for row in &mut rows {
            let policy = serde_json::from_value::<wire::Policy>(row.clone())
                .ok()
                .and_then(|row| id(&row.id));
            let (Some(policy), Value::Object(fields)) = (policy, row) else {
                run.row_error();
                continue;
            };
            let rules = match read_list(client, run, &format!("/api/v1/policies/{policy}/rules"), None).await
            {
                Ok(rules) => rules,
                Err(ApiError::NotFound) => Vec::new(),
                Err(error) => return Err(OKTA_API.read_error(error, scope::POLICIES)),
            };
            fields.insert("rules".to_owned(), Value::Array(rules));
        }
        if *kind == ENROLLMENT {
            let policies = rows.iter().map(|row| serde_json::from_value(row.clone()));
            *enrollment = policies.collect::<Result<_, _>>().ok();
        }
        run.setting(path, Value::Array(rows).to_string()).await?;
    }
    Ok(())
}

/// Emits the fact of a row. The inner `None` emits nothing; the outer one is counted as a row that can't be used.
async fn push(run: &mut DatasetRun<'_>, fact: Option<Option<Fact>>) {
    match fact {
        Some(Some(fact)) => run.push(Some(fact)).await,
        Some(None) => {}
        None => run.row_error(),
    }
}
