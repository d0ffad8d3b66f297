//! The collection of the settings that scans evaluate: the same documents as in a sync, under the same paths.

use super::{
    client::{Client, OKTA_API},
    role, scope,
    sync::{POLICY_TYPES, SUPPORT_ACCESS, role_for},
    wire,
};
use crate::{
    run::ReadError,
    settings::{SettingContent, SettingEmitter, SettingError},
    text::{SETTING_TOO_LARGE, okta as text},
    value::id,
    vendor::{ApiError, Vendor as _},
};
use serde_json::Value;
use std::sync::Arc;
use watchpost_core::integration::{connector::ConnectorError, setting::SETTING_BYTES_MAX};

const SOURCE: &str = "okta";

/// The lists that are never empty: without a role, Okta may hide their rows.
const NEVER_EMPTY: [&str; 3] = ["authenticators", "policies/OKTA_SIGN_ON", "policies/PASSWORD"];

/// The settings that are stored unchanged: path, query, whether it is a list, and scope.
const PLAIN: &[(&str, Option<&str>, bool, &str)] = &[
    ("org", None, false, scope::ORGS),
    ("authenticators", None, true, scope::AUTHENTICATORS),
    ("zones", Some("limit=200"), true, scope::NETWORK_ZONES),
    ("threats/configuration", None, false, scope::THREAT_INSIGHTS),
    (SUPPORT_ACCESS, None, false, scope::ORGS),
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

/// Returns the paths of the settings that require a scope.
pub(super) fn settings_of(scope: &str) -> Vec<&'static str> {
    if scope == role::SUPER {
        return vec![SUPPORT_ACCESS];
    }
    let plain = PLAIN.iter().filter(|(_, _, _, needs)| *needs == scope);
    let policies = POLICY_TYPES.iter().filter(|_| scope == scope::POLICIES);
    plain
        .map(|(path, ..)| *path)
        .chain(policies.map(|(_, path)| *path))
        .collect()
}

/// Reads the settings that are pending in `out`.
pub(super) async fn collect(client: Arc<Client>, mut out: SettingEmitter) -> Result<(), ConnectorError> {
    for (path, query, list, scope) in PLAIN {
        if !out.is_pending(path) {
            continue;
        }
        let at = format!("/api/v1/{path}");
        let result = if *list {
            read_list(&client, &at, *query)
                .await
                .map(|rows| SettingContent::complete(rows.into()))
        } else {
            one(&client, &at).await
        };
        let result = result.map_err(|error| {
            let error = client.vendor.role_error(error, role_for(path));
            OKTA_API.read_error(error, scope).into()
        });
        out.emit(path, SOURCE, believed(path, result)).await?;
    }
    for (kind, path) in POLICY_TYPES {
        if out.is_pending(path) {
            let result = policies(&client, kind).await;
            out.emit(path, SOURCE, believed(path, result)).await?;
        }
    }
    out.finish(SOURCE).await
}

/// Returns the result of a path, which is an error if the list is empty and never is.
fn believed(
    path: &str,
    result: Result<SettingContent, SettingError>,
) -> Result<SettingContent, SettingError> {
    let found = result?;
    let is_empty = found.incomplete.is_none() && found.document.as_array().is_some_and(Vec::is_empty);
    if is_empty && NEVER_EMPTY.contains(&path) {
        Err(SettingError::Denied(role::ANY.to_owned()))
    } else {
        Ok(found)
    }
}

async fn one(client: &Client, at: &str) -> Result<SettingContent, ApiError> {
    let response = client.get(client.url(at, None)).await?;
    match serde_json::from_slice(&response.body) {
        Ok(document @ Value::Object(_)) => Ok(SettingContent::complete(document)),
        _ => Err(OKTA_API.unexpected_response().into()),
    }
}

/// Reads a list that is small enough for one document.
async fn read_list(client: &Client, at: &str, query: Option<&str>) -> Result<Vec<Value>, ApiError> {
    let mut list = client.list(at, query);
    let mut rows = Vec::new();
    let mut bytes = 0_usize;
    while let Some(page) = list.page().await? {
        for raw in page {
            bytes = bytes.saturating_add(raw.get().len());
            if bytes > SETTING_BYTES_MAX {
                let reason = SETTING_TOO_LARGE.to_owned();
                return Err(ReadError::Failed(reason).into());
            }
            match serde_json::from_str(raw.get()) {
                Ok(row @ Value::Object(_)) => rows.push(row),
                _ => return Err(OKTA_API.unexpected_response().into()),
            }
        }
    }
    Ok(rows)
}

/// Reads the policies of one type, each with its `rules`.
async fn policies(client: &Client, kind: &str) -> Result<SettingContent, SettingError> {
    let mut rows = match read_list(client, "/api/v1/policies", Some(&format!("type={kind}"))).await {
        Ok(rows) => rows,
        Err(ApiError::Status(400) | ApiError::NotFound | ApiError::Unlicensed) => {
            return Err(SettingError::Unlicensed(text::NO_SUCH_POLICIES.to_owned()));
        }
        Err(error) => return Err(OKTA_API.read_error(error, scope::POLICIES).into()),
    };
    let mut unreadable = 0_u64;
    for row in &mut rows {
        let policy = serde_json::from_value::<wire::Policy>(row.clone())
            .ok()
            .and_then(|row| id(&row.id));
        let (Some(policy), Value::Object(fields)) = (policy, row) else {
            unreadable = unreadable.saturating_add(1);
            continue;
        };
        let rules = match read_list(client, &format!("/api/v1/policies/{policy}/rules"), None).await {
            Ok(rules) => rules,
            // The policy no longer exists.
            Err(ApiError::NotFound) => Vec::new(),
            Err(error) => return Err(OKTA_API.read_error(error, scope::POLICIES).into()),
        };
        fields.insert("rules".to_owned(), Value::Array(rules));
    }
    let incomplete = (unreadable > 0).then(|| text::unreadable_rules(unreadable));
    Ok(SettingContent::complete(Value::Array(rows)).incomplete_because(incomplete))
}
