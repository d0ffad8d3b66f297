//! The settings of Exchange, Purview and Teams. They are read from a configuration snapshot, else from Exchange's
//! documented endpoints, else, if the operator has enabled it, through Exchange's undocumented proxy.

use super::{
    documents::Documents,
    exchange::Admin,
    graph::each,
    hosts::Hosts,
    snapshot::{self, SnapshotResults},
    table::{SHARED_MAILBOX, WORKLOAD_SETTINGS, Workload, WorkloadSetting},
};
use crate::{
    m365::{
        client::{Client, GRAPH_API},
        permission,
    },
    run::ReadError,
    settings::{SettingContent, SettingEmitter, SettingError},
    text::m365_settings as text,
};
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;
use watchpost_core::integration::connector::ConnectorError;

const SNAPSHOT: &str = "configuration-snapshot";
const DOCUMENTED: &str = "exchange-admin";
const PROXY: &str = "exchange-admin-beta";

/// Reads the pending settings of these workloads.
pub(super) async fn read(
    client: &Client,
    hosts: &Hosts,
    documents: &mut Documents,
    metered: bool,
    out: &mut SettingEmitter,
) -> Result<(), ConnectorError> {
    let pending: Vec<&'static WorkloadSetting> = WORKLOAD_SETTINGS
        .iter()
        .filter(|setting| out.is_pending(setting.path))
        .collect();
    if pending.is_empty() {
        return Ok(());
    }
    let in_snapshots: Vec<_> = pending
        .iter()
        .copied()
        .filter(|setting| setting.snapshot)
        .collect();
    let mut results = if metered && !in_snapshots.is_empty() {
        snapshot::take(client, &in_snapshots).await
    } else {
        SnapshotResults::new()
    };
    let mut admin = None;
    for setting in pending {
        let from_snapshot = results.remove(setting.path).unwrap_or_else(|| {
            Err(SettingError::Failed(
                if setting.snapshot {
                    text::SNAPSHOTS_DISABLED
                } else {
                    text::NOT_IN_SNAPSHOTS
                }
                .to_owned(),
            ))
        });
        let (source, result) = match from_snapshot {
            Err(error) if setting.workload != Workload::Teams => {
                let admin = match &mut admin {
                    Some(admin) => admin,
                    None => admin.insert(Admin::new(client, hosts, documents).await),
                };
                without_snapshot(client, admin, setting, error).await
            }
            result => (SNAPSHOT, result),
        };
        let result = match result {
            Ok(found) if setting.path == SHARED_MAILBOX => Ok(with_sign_in(client, found).await),
            result => result,
        };
        out.emit(setting.path, source, result).await?;
    }
    Ok(())
}

/// Reads a setting from the endpoints or through the proxy, after the snapshot failed.
async fn without_snapshot(
    client: &Client,
    admin: &mut Admin,
    setting: &WorkloadSetting,
    snapshot_error: SettingError,
) -> (&'static str, Result<SettingContent, SettingError>) {
    let mut errors = vec![snapshot_error];
    let mut source = SNAPSHOT;
    if let Some(endpoint) = setting.documented {
        source = DOCUMENTED;
        match admin.documented(client, setting, endpoint).await {
            Ok(found) => return (source, Ok(found)),
            Err(error) => errors.push(error),
        }
    }
    if admin.may_use_proxy() {
        source = PROXY;
        match admin.proxy(client, setting).await {
            Ok(found) => return (source, Ok(found)),
            Err(error) => errors.push(error),
        }
    }
    (source, Err(combine(errors)))
}

/// Combines the errors of several attempts. A missing license explains all other errors, and a missing permission is more
/// useful to report than a failure.
fn combine(errors: Vec<SettingError>) -> SettingError {
    let (mut denied, mut failed) = (Vec::new(), Vec::new());
    for error in errors {
        match error {
            SettingError::Unlicensed(license) => return SettingError::Unlicensed(license),
            SettingError::Denied(permission) => denied.push(permission),
            SettingError::Failed(reason) | SettingError::Unreachable(reason) => failed.push(reason),
        }
    }
    if denied.is_empty() {
        failed.dedup();
        SettingError::Failed(failed.join("; "))
    } else {
        denied.dedup();
        SettingError::Denied(denied.join(" or "))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Account {
    id: String,
    user_principal_name: Option<String>,
    mail: Option<String>,
    account_enabled: Option<bool>,
}

/// Adds to each shared mailbox whether its account is enabled.
async fn with_sign_in(client: &Client, mut found: SettingContent) -> SettingContent {
    let Some(rows) = found.document.get_mut("value").and_then(Value::as_array_mut) else {
        return found;
    };
    // The indexes of the rows by id, name or address of the account, in lower case.
    let mut indexes: HashMap<String, usize> = HashMap::new();
    for (index, row) in rows.iter().enumerate() {
        for (name, value) in row.as_object().into_iter().flatten() {
            let is_key = KEYS.iter().any(|key| name.eq_ignore_ascii_case(key));
            if let (true, Some(text)) = (is_key, value.as_str()) {
                indexes.insert(text.to_lowercase(), index);
            }
        }
    }
    if rows.is_empty() {
        return found;
    }
    let mut enabled: HashMap<usize, bool> = HashMap::new();
    let query = Some("$select=id,userPrincipalName,mail,accountEnabled&$top=999");
    let result = each(client, "/v1.0/users", query, |account: Account| {
        let names = [Some(account.id), account.user_principal_name, account.mail];
        let index = names
            .into_iter()
            .flatten()
            .find_map(|name| indexes.get(&name.to_lowercase()));
        if let (Some(index), Some(is_enabled)) = (index, account.account_enabled) {
            enabled.insert(*index, is_enabled);
        }
        true
    })
    .await;
    let total = rows.len();
    for (index, row) in rows.iter_mut().enumerate() {
        if let (Some(is_enabled), Some(row)) = (enabled.get(&index), row.as_object_mut()) {
            row.insert("accountEnabled".to_owned(), (*is_enabled).into());
        }
    }
    let incomplete = match result.map_err(GRAPH_API.read_error_for(permission::USER)) {
        Ok(_) if enabled.len() == total => None,
        Ok(_) => Some(text::MAILBOX_ACCOUNTS_MISSING.to_owned()),
        Err(ReadError::Denied(permission)) => Some(text::mailbox_accounts_denied(permission)),
        Err(_) => Some(text::MAILBOX_ACCOUNTS_UNREADABLE.to_owned()),
    };
    let incomplete = found.incomplete.take().or(incomplete);
    found.incomplete_because(incomplete)
}

/// The fields of a mailbox that identify its account.
const KEYS: [&str; 4] = [
    "ExternalDirectoryObjectId",
    "UserPrincipalName",
    "PrimarySmtpAddress",
    "WindowsLiveID",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_useful_of_several_errors_is_reported() {
        let denied = |text: &str| SettingError::Denied(text.to_owned());
        let failed = |text: &str| SettingError::Failed(text.to_owned());
        let unlicensed = SettingError::Unlicensed("no Defender".to_owned());
        let check = |errors: &[&SettingError], expected: SettingError| {
            assert_eq!(combine(errors.iter().copied().cloned().collect()), expected);
        };
        check(&[&denied("A"), &failed("b"), &denied("C")], denied("A or C"));
        check(&[&failed("a"), &failed("b")], failed("a; b"));
        check(&[&denied("A"), &unlicensed], unlicensed.clone());
    }
}
