//! Reading the settings that scans look at: the same documents that a sync keeps, under the same paths.

use super::{
    client::{Client, OKTA_API},
    scope,
    sync::POLICY_TYPES,
    wire,
};
use crate::{
    run::Trouble,
    settings::{Found, Miss, Outlet},
    value::id,
    vendor::Refusal,
};
use serde_json::Value;
use std::sync::Arc;
use watchpost_core::integration::{connector::ConnectorError, setting::SETTING_BYTES_MAX};

const SOURCE: &str = "okta";

/// What is kept as it is: path, query, whether it is a list, and the scope.
const PLAIN: &[(&str, Option<&str>, bool, &str)] = &[
    ("org", None, false, scope::ORGS),
    ("authenticators", None, true, scope::AUTHENTICATORS),
    ("zones", Some("limit=200"), true, scope::NETWORK_ZONES),
    ("threats/configuration", None, false, scope::THREAT_INSIGHTS),
    ("org/privacy/oktaSupport", None, false, scope::ORGS),
];

/// All paths.
pub(super) const PATHS: [&str; PLAIN.len() + POLICY_TYPES.len()] = {
    let mut paths = [""; PLAIN.len() + POLICY_TYPES.len()];
    let mut i = 0;
    while i < PLAIN.len() {
        paths[i] = PLAIN[i].0;
        i += 1;
    }
    let mut i = 0;
    while i < POLICY_TYPES.len() {
        paths[PLAIN.len() + i] = POLICY_TYPES[i].1;
        i += 1;
    }
    paths
};

/// The settings that can't be read without a scope.
pub(super) fn settings_of(scope: &str) -> Vec<&'static str> {
    let plain = PLAIN.iter().filter(|(_, _, _, needs)| *needs == scope);
    let policies = POLICY_TYPES.iter().filter(|_| scope == scope::POLICIES);
    plain
        .map(|(path, ..)| *path)
        .chain(policies.map(|(_, path)| *path))
        .collect()
}

/// Reads what `out` wants.
pub(super) async fn drive(client: Arc<Client>, mut out: Outlet) -> Result<(), ConnectorError> {
    for (path, query, list, scope) in PLAIN {
        if !out.wants(path) {
            continue;
        }
        let at = format!("/api/v1/{path}");
        let end = if *list {
            whole_list(&client, &at, *query)
                .await
                .map(|rows| Found::whole(rows.into()))
        } else {
            one(&client, &at).await
        };
        let end = end.map_err(|refusal| OKTA_API.trouble(refusal, scope).into());
        out.give(path, SOURCE, end).await?;
    }
    for (kind, path) in POLICY_TYPES {
        if out.wants(path) {
            let end = policies(&client, kind).await;
            out.give(path, SOURCE, end).await?;
        }
    }
    out.finish(SOURCE).await
}

async fn one(client: &Client, at: &str) -> Result<Found, Refusal> {
    let answer = client.get(client.url(at, None)).await?;
    match serde_json::from_slice(&answer.body) {
        Ok(document @ Value::Object(_)) => Ok(Found::whole(document)),
        _ => Err(OKTA_API.not_understood().into()),
    }
}

/// A list that is small enough to become one document.
async fn whole_list(client: &Client, at: &str, query: Option<&str>) -> Result<Vec<Value>, Refusal> {
    let mut list = client.list(at, query);
    let mut rows = Vec::new();
    let mut bytes = 0_usize;
    while let Some(page) = list.page().await? {
        for raw in page {
            bytes = bytes.saturating_add(raw.get().len());
            if bytes > SETTING_BYTES_MAX {
                let reason = "it is larger than 4 MiB".to_owned();
                return Err(Trouble::Failed(reason).into());
            }
            match serde_json::from_str(raw.get()) {
                Ok(row @ Value::Object(_)) => rows.push(row),
                _ => return Err(OKTA_API.not_understood().into()),
            }
        }
    }
    Ok(rows)
}

/// Policies of one kind, each with its `rules`.
async fn policies(client: &Client, kind: &str) -> Result<Found, Miss> {
    let mut rows = match whole_list(client, "/api/v1/policies", Some(&format!("type={kind}"))).await {
        Ok(rows) => rows,
        Err(Refusal::Status(400) | Refusal::NotFound | Refusal::Unlicensed) => {
            return Err(Miss::Unlicensed(
                "the org's edition has no policies of this kind".to_owned(),
            ));
        }
        Err(refusal) => return Err(OKTA_API.trouble(refusal, scope::POLICIES).into()),
    };
    let mut odd = 0_u64;
    for row in &mut rows {
        let policy = serde_json::from_value::<wire::Policy>(row.clone())
            .ok()
            .and_then(|row| id(&row.id));
        let (Some(policy), Value::Object(fields)) = (policy, row) else {
            odd = odd.saturating_add(1);
            continue;
        };
        let rules = match whole_list(client, &format!("/api/v1/policies/{policy}/rules"), None).await {
            Ok(rules) => rules,
            // The policy is gone by now.
            Err(Refusal::NotFound) => Vec::new(),
            Err(refusal) => return Err(OKTA_API.trouble(refusal, scope::POLICIES).into()),
        };
        fields.insert("rules".to_owned(), Value::Array(rules));
    }
    let lacks = (odd > 0).then(|| format!("the rules of {odd} policies could not be read"));
    Ok(Found::whole(Value::Array(rows)).lacking(lacks))
}
