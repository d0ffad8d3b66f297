//! Reading one org from front to back. Later datasets use what earlier ones showed.

use super::{
    client::{Client, OKTA_API},
    normalise, scope, wire,
};
use crate::{
    many::gather,
    run::{DOCUMENT_BYTES_MAX, DatasetRun, Emitter, Trouble},
    value::id,
    vendor::Refusal,
};
use serde_json::{Value, value::RawValue};
use std::sync::Arc;
use watchpost_core::{
    integration::{
        connector::ConnectorError,
        fact::{Dataset, Fact},
    },
    value::{text::ForeignText, word::CollectionState},
};

/// Requests for single accounts at a time. Okta refuses more than 75 of all clients of an org together.
const AT_ONCE: u32 = 8;
/// Accounts that are asked for before their facts go out.
const BATCH: usize = 64;
/// Accounts whose ids are remembered for their factors.
const ACCOUNTS_MAX: usize = 1_000_000;
/// Apps whose ids are remembered for their assignments.
const APPS_MAX: usize = 50_000;

/// Policies that are read with their rules. Which types there are depends on the org's edition.
pub(super) const POLICY_TYPES: &[(&str, &str)] = &[
    ("OKTA_SIGN_ON", "policies/OKTA_SIGN_ON"),
    ("PASSWORD", "policies/PASSWORD"),
    ("MFA_ENROLL", "policies/MFA_ENROLL"),
    ("ACCESS_POLICY", "policies/ACCESS_POLICY"),
];

/// Reads everything.
pub(super) async fn drive(client: Arc<Client>, mut out: Emitter) -> Result<(), ConnectorError> {
    let mut run = out.begin(Dataset::Organization);
    let end = one_setting(&client, &mut run, "org", scope::ORGS).await;
    run.end(end).await?;

    let mut active = Vec::new();
    let users_end = accounts(&client, &mut out, &mut active).await?;

    let mut run = out.begin(Dataset::Roles);
    let end = roles(&client, &mut run).await;
    run.end(end).await?;

    let mut app_ids = Vec::new();
    let mut run = out.begin(Dataset::Apps);
    let end = apps(&client, &mut run, &mut app_ids).await;
    let apps_end = end.clone();
    run.end(end).await?;

    let mut run = out.begin(Dataset::AppAssignments);
    let end = assignments(&client, &mut run, &app_ids).await;
    let end = end.and_then(|()| after(&apps_end, "not all apps could be read"));
    run.end(end).await?;

    let mut run = out.begin(Dataset::Tokens);
    let end = tokens(&client, &mut run).await;
    run.end(end).await?;

    let mut run = out.begin(Dataset::SignInPolicies);
    let end = policies(&client, &mut run).await;
    run.end(end).await?;

    let mut run = out.begin(Dataset::AuthenticationMethods);
    let end = list_setting(&client, &mut run, "authenticators", None, scope::AUTHENTICATORS).await;
    run.end(end).await?;

    let mut run = out.begin(Dataset::Locations);
    let end = list_setting(
        &client,
        &mut run,
        "zones",
        Some("limit=200"),
        scope::NETWORK_ZONES,
    )
    .await;
    run.end(end).await?;

    let mut run = out.begin(Dataset::ThreatDetection);
    let end = one_setting(&client, &mut run, "threats/configuration", scope::THREAT_INSIGHTS).await;
    run.end(end).await?;

    let mut run = out.begin(Dataset::SupportAccess);
    let end = one_setting(&client, &mut run, "org/privacy/oktaSupport", scope::ORGS).await;
    run.end(end).await?;

    let mut run = out.begin(Dataset::Mfa);
    let end = factors(&client, &mut run, &active).await;
    let end = end.and_then(|()| after(&users_end, "not all accounts could be read"));
    run.end(end).await?;
    Ok(())
}

/// Accounts, and with them when they were last used: two datasets from one list. Gives how reading the list ended; whoever
/// may sign in goes into `active`.
async fn accounts(
    client: &Client,
    out: &mut Emitter,
    active: &mut Vec<Box<str>>,
) -> Result<Result<(), Trouble>, ConnectorError> {
    let mut run = out.begin(Dataset::Users);
    let end = users(client, &mut run, active).await;
    let rows = run.rows();
    let state = run.end(end.clone()).await?;
    let sign_in_end = match end.clone() {
        Ok(()) if state != CollectionState::Complete => Err(Trouble::Partial(
            "not all accounts could be understood".to_owned(),
        )),
        end => end,
    };
    out.end(Dataset::SignIn, rows, sign_in_end).await?;
    Ok(end)
}

/// What is read one by one can't be whole if the list of them isn't.
fn after(list: &Result<(), Trouble>, otherwise: &str) -> Result<(), Trouble> {
    match list {
        Ok(()) => Ok(()),
        Err(Trouble::Denied(scope)) => Err(Trouble::Denied(scope)),
        Err(_) => Err(Trouble::Partial(otherwise.to_owned())),
    }
}

/// The org's id and name in an answer about it.
pub(super) fn tenant(body: &[u8]) -> Option<(String, ForeignText)> {
    let org: wire::Org = serde_json::from_slice(body).ok()?;
    let tenant = id(&org.id)?;
    let name = org
        .company_name
        .or(org.subdomain)
        .unwrap_or_else(|| tenant.clone());
    Some((tenant, ForeignText::name(&name)))
}

/// Keeps one document as it is.
async fn one_setting(
    client: &Client,
    run: &mut DatasetRun<'_>,
    path: &'static str,
    scope: &'static str,
) -> Result<(), Trouble> {
    let url = client.url(&format!("/api/v1/{path}"), None);
    let answer = client.get(url).await.map_err(OKTA_API.refused(scope))?;
    let Ok(document @ Value::Object(_)) = serde_json::from_slice::<Value>(&answer.body) else {
        return Err(OKTA_API.not_understood());
    };
    run.add_rows(1);
    run.setting(path, document.to_string()).await
}

/// Keeps a list as one document: an array, as Okta sends it.
async fn list_setting(
    client: &Client,
    run: &mut DatasetRun<'_>,
    path: &'static str,
    query: Option<&str>,
    scope: &'static str,
) -> Result<(), Trouble> {
    let rows = whole_list(client, run, &format!("/api/v1/{path}"), query)
        .await
        .map_err(OKTA_API.refused(scope))?;
    run.setting(path, Value::Array(rows).to_string()).await
}

/// A list that is small enough to be held, since it becomes one document.
async fn whole_list(
    client: &Client,
    run: &mut DatasetRun<'_>,
    path: &str,
    query: Option<&str>,
) -> Result<Vec<Value>, Refusal> {
    let mut list = client.list(path, query);
    let mut rows = Vec::new();
    let mut bytes = 0_usize;
    while let Some(page) = list.page().await? {
        for raw in page {
            bytes = bytes.saturating_add(raw.get().len());
            if bytes > DOCUMENT_BYTES_MAX {
                let reason = "a list of settings is larger than 4 MiB".to_owned();
                return Err(Trouble::Failed(reason).into());
            }
            rows.extend(run.row::<Value>(&raw));
        }
    }
    Ok(rows)
}

/// All accounts: the plain list leaves out those that have ended.
async fn users(client: &Client, run: &mut DatasetRun<'_>, active: &mut Vec<Box<str>>) -> Result<(), Trouble> {
    for query in ["limit=200", "search=status%20eq%20%22DEPROVISIONED%22&limit=200"] {
        let mut list = client.list("/api/v1/users", Some(query));
        while let Some(rows) = list.page().await.map_err(OKTA_API.refused(scope::USERS))? {
            for raw in rows {
                let Some(user) = run.row::<wire::User>(&raw) else {
                    continue;
                };
                let Some((fact, has_factors)) = normalise::account(&user) else {
                    run.row_error();
                    continue;
                };
                if has_factors && active.len() < ACCOUNTS_MAX {
                    active.push(user.id.into_boxed_str());
                }
                run.push(Some(fact)).await;
            }
        }
    }
    Ok(())
}

/// The second factors of each account that may sign in.
async fn factors(
    client: &Arc<Client>,
    run: &mut DatasetRun<'_>,
    accounts: &[Box<str>],
) -> Result<(), Trouble> {
    for batch in accounts.chunks(BATCH) {
        let work = batch.iter().map(|account| {
            let (client, account) = (Arc::clone(client), account.clone());
            async move { small_list(&client, &format!("/api/v1/users/{account}/factors")).await }
        });
        let lists = gather(work.collect::<Vec<_>>(), AT_ONCE as usize).await;
        let mut failed = None;
        let mut read = 0_usize;
        for (account, list) in batch.iter().zip(lists) {
            let rows = match list {
                Ok(rows) => rows,
                // Gone between the two requests.
                Err(Refusal::NotFound) => continue,
                Err(refusal) => match OKTA_API.trouble(refusal, scope::USERS) {
                    // These hold for all accounts.
                    trouble @ (Trouble::Fatal(_)
                    | Trouble::Denied(_)
                    | Trouble::Unlicensed(_)
                    | Trouble::Partial(_)) => return Err(trouble),
                    trouble => {
                        run.add_rows(1);
                        run.row_error();
                        run.push(Some(normalise::mfa_unknown(account))).await;
                        failed = Some(trouble);
                        continue;
                    }
                },
            };
            read = read.saturating_add(1);
            run.add_rows(1);
            match rows
                .iter()
                .map(|raw| serde_json::from_str(raw.get()))
                .collect::<Result<Vec<_>, _>>()
            {
                Ok(factors) => run.push(Some(normalise::mfa(account, &factors))).await,
                // Without one factor we can't say that there is none.
                Err(_) => {
                    run.row_error();
                    run.push(Some(normalise::mfa_unknown(account))).await;
                }
            }
        }
        // Nothing of a whole batch: going on would only take long.
        if let (Some(trouble), 0) = (failed, read)
            && batch.len() == BATCH
        {
            return Err(trouble);
        }
    }
    Ok(())
}

/// A list that belongs to one account and is short.
async fn small_list(client: &Client, path: &str) -> Result<Vec<Box<RawValue>>, Refusal> {
    let mut list = client.list_among(path, None, AT_ONCE);
    let mut rows = Vec::new();
    while let Some(page) = list.page().await? {
        rows.extend(page);
        if rows.len() > 1_000 {
            let reason = "paging: a list that belongs to one account did not end".to_owned();
            return Err(Trouble::Failed(reason).into());
        }
    }
    Ok(rows)
}

/// Administrator roles: who has any, then which.
async fn roles(client: &Arc<Client>, run: &mut DatasetRun<'_>) -> Result<(), Trouble> {
    let mut list = client.list("/api/v1/iam/assignees/users", Some("limit=100"));
    while let Some(rows) = list.page().await.map_err(OKTA_API.refused(scope::ROLES))? {
        let mut holders = Vec::with_capacity(rows.len());
        for raw in rows {
            if let Some(row) = run.row::<wire::Assignee>(&raw) {
                match id(&row.id) {
                    Some(holder) => holders.push(holder),
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
                Err(Refusal::NotFound) => continue,
                Err(refusal) => return Err(OKTA_API.trouble(refusal, scope::ROLES)),
            };
            for raw in rows {
                if let Some(row) = run.row::<wire::Role>(&raw) {
                    push(run, normalise::role(holder, &row)).await;
                }
            }
        }
    }
    Ok(())
}

async fn apps(client: &Client, run: &mut DatasetRun<'_>, ids: &mut Vec<String>) -> Result<(), Trouble> {
    let query = "filter=status%20eq%20%22ACTIVE%22&limit=200";
    let mut list = client.list("/api/v1/apps", Some(query));
    while let Some(rows) = list.page().await.map_err(OKTA_API.refused(scope::APPS))? {
        for raw in rows {
            let Some(row) = run.row::<wire::App>(&raw) else {
                continue;
            };
            let fact = normalise::app(&row);
            if fact.is_some() {
                if ids.len() >= APPS_MAX {
                    return Err(Trouble::Partial(
                        "there are more apps than can be remembered".to_owned(),
                    ));
                }
                ids.push(row.id);
            }
            run.push(fact).await;
        }
    }
    Ok(())
}

async fn assignments(client: &Client, run: &mut DatasetRun<'_>, apps: &[String]) -> Result<(), Trouble> {
    for app in apps {
        let mut list = client.list(&format!("/api/v1/apps/{app}/users"), Some("limit=500"));
        loop {
            let rows = match list.page().await {
                Ok(Some(rows)) => rows,
                // The app is gone by now.
                Ok(None) | Err(Refusal::NotFound) => break,
                Err(refusal) => return Err(OKTA_API.trouble(refusal, scope::APPS)),
            };
            for raw in rows {
                if let Some(row) = run.row::<wire::AppUser>(&raw) {
                    push(run, normalise::assignment(app, &row)).await;
                }
            }
        }
    }
    Ok(())
}

async fn tokens(client: &Client, run: &mut DatasetRun<'_>) -> Result<(), Trouble> {
    let mut list = client.list("/api/v1/api-tokens", Some("limit=200"));
    while let Some(rows) = list.page().await.map_err(OKTA_API.refused(scope::API_TOKENS))? {
        for raw in rows {
            if let Some(row) = run.row::<wire::ApiToken>(&raw) {
                run.push(normalise::token(&row)).await;
            }
        }
    }
    Ok(())
}

/// Policies with their rules, one document per type: an array of policies as Okta sends them, each with its `rules`.
async fn policies(client: &Client, run: &mut DatasetRun<'_>) -> Result<(), Trouble> {
    for (kind, path) in POLICY_TYPES {
        let query = format!("type={kind}");
        let mut rows = match whole_list(client, run, "/api/v1/policies", Some(&query)).await {
            Ok(rows) => rows,
            // Not every edition has every type.
            Err(Refusal::Status(400) | Refusal::NotFound | Refusal::Unlicensed) => continue,
            Err(refusal) => return Err(OKTA_API.trouble(refusal, scope::POLICIES)),
        };
        for row in &mut rows {
            let policy = serde_json::from_value::<wire::Policy>(row.clone())
                .ok()
                .and_then(|row| id(&row.id));
            let (Some(policy), Value::Object(fields)) = (policy, row) else {
                run.row_error();
                continue;
            };
            let rules = match whole_list(client, run, &format!("/api/v1/policies/{policy}/rules"), None).await
            {
                Ok(rules) => rules,
                Err(Refusal::NotFound) => Vec::new(),
                Err(refusal) => return Err(OKTA_API.trouble(refusal, scope::POLICIES)),
            };
            fields.insert("rules".to_owned(), Value::Array(rules));
        }
        run.setting(path, Value::Array(rows).to_string()).await?;
    }
    Ok(())
}

/// Yields what a row became, if anything; an unusable one is counted.
async fn push(run: &mut DatasetRun<'_>, fact: Option<Option<Fact>>) {
    match fact {
        Some(Some(fact)) => run.push(Some(fact)).await,
        Some(None) => {}
        None => run.row_error(),
    }
}
