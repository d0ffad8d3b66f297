//! The settings of Exchange, Purview and Teams. They are read from a configuration snapshot, else from Exchange's
//! documented endpoints, else, if the operator has enabled it, through Exchange's undocumented proxy. A setting that lacks a
//! field that checks need is completed from the next of these sources; if none has the field, it remains absent.

use super::{
    documents::Documents,
    exchange::Admin,
    graph::each,
    hosts::Hosts,
    snapshot::{self, SnapshotResults},
    table::{AUDIT_BYPASS, SHARED_MAILBOX, WORKLOAD_SETTINGS, Workload, WorkloadSetting},
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
/// A snapshot whose rows were completed from the documented endpoint.
const SNAPSHOT_AND_DOCUMENTED: &str = "configuration-snapshot+exchange-admin";

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
        .filter(|setting| setting.resource_type().is_some())
        .collect();
    let mut results = if metered && !in_snapshots.is_empty() {
        snapshot::take(client, &in_snapshots).await
    } else {
        SnapshotResults::new()
    };
    let mut admin = None;
    for setting in pending {
        let mut reading = Reading::new(setting, results.remove(setting.path));
        if reading.needs_more() && setting.workload != Workload::Teams {
            let admin = match &mut admin {
                Some(admin) => admin,
                None => admin.insert(Admin::new(client, hosts, documents).await),
            };
            reading.ask(client, admin).await;
        }
        let (source, result) = reading.result();
        let result = match result {
            Ok(found) if setting.path == SHARED_MAILBOX => Ok(with_sign_in(client, found).await),
            result => result,
        };
        out.emit(setting.path, source, result).await?;
    }
    Ok(())
}

/// A setting while its sources are asked one after the other.
struct Reading {
    setting: &'static WorkloadSetting,
    source: &'static str,
    found: Option<SettingContent>,
    errors: Vec<SettingError>,
}

impl Reading {
    /// Begins with the result from the snapshot.
    fn new(
        setting: &'static WorkloadSetting,
        from_snapshot: Option<Result<SettingContent, SettingError>>,
    ) -> Self {
        let from_snapshot = from_snapshot.unwrap_or_else(|| {
            let reason = match (setting.resource_type(), setting.path) {
                (Some(_), _) => text::SNAPSHOTS_DISABLED,
                (None, AUDIT_BYPASS) => text::NOT_IN_SNAPSHOTS,
                (None, _) => text::NO_SNAPSHOT_TYPE,
            };
            Err(SettingError::Failed(reason.to_owned()))
        });
        let (found, errors) = match from_snapshot {
            Ok(found) => (Some(found), Vec::new()),
            Err(error) => (None, vec![error]),
        };
        Self {
            setting,
            source: SNAPSHOT,
            found,
            errors,
        }
    }

    /// Whether the setting wasn't read, or lacks rows or fields that checks need.
    fn needs_more(&self) -> bool {
        let Some(found) = &self.found else {
            return true;
        };
        let kind = self.setting.resource_type();
        found.incomplete.is_some() || kind.is_some_and(|kind| !kind.lacks(&found.document).is_empty())
    }

    /// Asks the endpoint and the proxy, until nothing is missing.
    async fn ask(&mut self, client: &Client, admin: &mut Admin) {
        if let Some(endpoint) = self.setting.documented {
            let result = admin.documented(client, self.setting, endpoint).await;
            self.add(DOCUMENTED, result);
        }
        if self.needs_more() && admin.may_use_proxy() {
            let result = admin.proxy(client, self.setting).await;
            self.add(PROXY, result);
        }
    }

    /// Adds the result from another source.
    fn add(&mut self, source: &'static str, result: Result<SettingContent, SettingError>) {
        match (&mut self.found, result) {
            // The endpoint returns all rows, but only some of their fields.
            (Some(found), Ok(mut more)) if source == DOCUMENTED => {
                if found.incomplete.is_some() {
                    std::mem::swap(found, &mut more);
                }
                complete(&mut found.document, &more.document);
                self.source = SNAPSHOT_AND_DOCUMENTED;
            }
            // The proxy returns every row with every field.
            (_, Ok(more)) => {
                self.found = Some(more);
                self.source = source;
            }
            (Some(_), Err(error)) => {
                tracing::debug!(
                    path = self.setting.path,
                    source,
                    ?error,
                    "a setting could not be completed"
                );
            }
            (None, Err(error)) => {
                self.source = source;
                self.errors.push(error);
            }
        }
    }

    fn result(self) -> (&'static str, Result<SettingContent, SettingError>) {
        (self.source, self.found.ok_or_else(|| combine(self.errors)))
    }
}

/// The fields by which a row is found in another source, in this order.
const ROW_KEYS: [&str; 5] = ["Identity", "Name", "DomainName", "Domain", "PrimarySmtpAddress"];

/// Adds to each row of a list the fields that it lacks, from the same row of another list. The only row of a list is the same
/// as the only row of another, whatever its name.
fn complete(document: &mut Value, other: &Value) {
    let rows = document.get_mut("value").and_then(Value::as_array_mut);
    let others = other.get("value").and_then(Value::as_array);
    let (Some(rows), Some(others)) = (rows, others) else {
        return;
    };
    let singles = rows.len() == 1 && others.len() == 1;
    for row in rows {
        let same: Vec<&Value> = if singles {
            others.iter().collect()
        } else {
            others.iter().filter(|other| is_same(row, other)).collect()
        };
        // A key that several rows have identifies none of them.
        if let ([Value::Object(other)], Value::Object(row)) = (same.as_slice(), row) {
            for (name, value) in other {
                row.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
    }
}

/// Whether two rows have the same value in the first of the keys that both have.
fn is_same(row: &Value, other: &Value) -> bool {
    let text = |row: &Value, key: &str| row.get(key).and_then(Value::as_str).map(str::to_lowercase);
    ROW_KEYS
        .iter()
        .find_map(|key| Some((text(row, key)?, text(other, key)?)))
        .is_some_and(|(one, two)| one == two)
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
    use serde_json::json;

    #[test]
    fn rows_are_completed_by_their_keys() {
        let check = |rows: Value, others: Value, expected: Value| {
            let mut document = json!({"value": rows});
            complete(&mut document, &json!({"value": others}));
            assert_eq!(document["value"], expected);
        };
        check(
            json!([{"Identity": "A", "x": 1}, {"Name": "B", "x": null}, {"Name": "C"}]),
            json!([{"Identity": "other", "Name": "b", "x": 2, "y": 2}, {"Identity": "a", "x": 3, "y": 3}]),
            json!([{"Identity": "A", "x": 1, "y": 3},
                {"Identity": "other", "Name": "B", "x": null, "y": 2}, {"Name": "C"}]),
        );
        check(
            json!([{"x": 1}]),
            json!([{"Identity": "organization", "y": 2}]),
            json!([{"Identity": "organization", "x": 1, "y": 2}]),
        );
        let twice = json!([{"Name": "a", "y": 1}, {"Name": "A", "y": 2}]);
        check(
            json!([{"Name": "a"}, {"Name": "b"}]),
            twice,
            json!([{"Name": "a"}, {"Name": "b"}]),
        );
        check(json!([{"x": 1}]), json!([]), json!([{"x": 1}]));
    }

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
