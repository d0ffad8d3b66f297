//! Settings of Exchange, Purview and Teams. In this order: a configuration snapshot, Exchange's documented endpoints,
//! and (only if the operator switched it on) its undocumented proxy.

use super::{
    exchange::Admin,
    graph::each,
    hosts::Hosts,
    seen::Seen,
    snapshot::{self, Readings},
    table::{SHARED_MAILBOX, WORKLOAD_SETTINGS, Workload, WorkloadSetting},
};
use crate::{
    m365::{
        client::{Client, GRAPH_API},
        permission,
    },
    run::Trouble,
    settings::{Found, Miss, Outlet},
};
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;
use watchpost_core::integration::connector::ConnectorError;

const SNAPSHOT: &str = "configuration-snapshot";
const DOCUMENTED: &str = "exchange-admin";
const PROXY: &str = "exchange-admin-beta";

/// Reads what is wanted of them.
pub(super) async fn read(
    client: &Client,
    hosts: &Hosts,
    seen: &mut Seen,
    metered: bool,
    out: &mut Outlet,
) -> Result<(), ConnectorError> {
    let wanted: Vec<&'static WorkloadSetting> = WORKLOAD_SETTINGS
        .iter()
        .filter(|setting| out.wants(setting.path))
        .collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let in_snapshots: Vec<_> = wanted
        .iter()
        .copied()
        .filter(|setting| setting.snapshot)
        .collect();
    let mut readings = if metered && !in_snapshots.is_empty() {
        snapshot::take(client, &in_snapshots).await
    } else {
        Readings::new()
    };
    let mut admin = None;
    for setting in wanted {
        let first = readings.remove(setting.path).unwrap_or_else(|| {
            Err(Miss::Failed(
                if setting.snapshot {
                    "configuration snapshots are off for this scan"
                } else {
                    "configuration snapshots don't read what has a row for each mailbox"
                }
                .to_owned(),
            ))
        });
        let (source, end) = match first {
            Err(miss) if setting.workload != Workload::Teams => {
                let admin = match &mut admin {
                    Some(admin) => admin,
                    None => admin.insert(Admin::new(client, hosts, seen).await),
                };
                otherwise(client, admin, setting, miss).await
            }
            end => (SNAPSHOT, end),
        };
        let end = match end {
            Ok(found) if setting.path == SHARED_MAILBOX => Ok(with_sign_in(client, found).await),
            end => end,
        };
        out.give(setting.path, source, end).await?;
    }
    Ok(())
}

/// The ways that are left when there is no snapshot.
async fn otherwise(
    client: &Client,
    admin: &mut Admin,
    setting: &WorkloadSetting,
    first: Miss,
) -> (&'static str, Result<Found, Miss>) {
    let mut misses = vec![first];
    let mut source = SNAPSHOT;
    if let Some(endpoint) = setting.documented {
        source = DOCUMENTED;
        match admin.documented(client, setting, endpoint).await {
            Ok(found) => return (source, Ok(found)),
            Err(miss) => misses.push(miss),
        }
    }
    if admin.may_use_proxy() {
        source = PROXY;
        match admin.proxy(client, setting).await {
            Ok(found) => return (source, Ok(found)),
            Err(miss) => misses.push(miss),
        }
    }
    (source, Err(together(misses)))
}

/// What several ways that all failed come to: a licence that is missing explains the rest, and a permission is what a
/// person can do something about.
fn together(misses: Vec<Miss>) -> Miss {
    let (mut denied, mut failed) = (Vec::new(), Vec::new());
    for miss in misses {
        match miss {
            Miss::Unlicensed(licence) => return Miss::Unlicensed(licence),
            Miss::Denied(permission) => denied.push(permission),
            Miss::Failed(reason) | Miss::Unreachable(reason) => failed.push(reason),
        }
    }
    if denied.is_empty() {
        failed.dedup();
        Miss::Failed(failed.join("; "))
    } else {
        denied.dedup();
        Miss::Denied(denied.join(" or "))
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

/// Adds to each shared mailbox whether its account can sign in.
async fn with_sign_in(client: &Client, mut found: Found) -> Found {
    let Some(rows) = found.document.get_mut("value").and_then(Value::as_array_mut) else {
        return found;
    };
    // By whatever names the account: id, name or address, in lower case.
    let mut places: HashMap<String, usize> = HashMap::new();
    for (place, row) in rows.iter().enumerate() {
        for (name, value) in row.as_object().into_iter().flatten() {
            let is_key = KEYS.iter().any(|key| name.eq_ignore_ascii_case(key));
            if let (true, Some(text)) = (is_key, value.as_str()) {
                places.insert(text.to_lowercase(), place);
            }
        }
    }
    if rows.is_empty() {
        return found;
    }
    let mut enabled: HashMap<usize, bool> = HashMap::new();
    let query = Some("$select=id,userPrincipalName,mail,accountEnabled&$top=999");
    let end = each(client, "/v1.0/users", query, |account: Account| {
        let names = [Some(account.id), account.user_principal_name, account.mail];
        let place = names
            .into_iter()
            .flatten()
            .find_map(|name| places.get(&name.to_lowercase()));
        if let (Some(place), Some(is_enabled)) = (place, account.account_enabled) {
            enabled.insert(*place, is_enabled);
        }
        true
    })
    .await;
    let all = rows.len();
    for (place, row) in rows.iter_mut().enumerate() {
        if let (Some(is_enabled), Some(row)) = (enabled.get(&place), row.as_object_mut()) {
            row.insert("accountEnabled".to_owned(), (*is_enabled).into());
        }
    }
    let lacks = match end.map_err(GRAPH_API.refused(permission::USER)) {
        Ok(_) if enabled.len() == all => None,
        Ok(_) => Some("the accounts of some shared mailboxes were not found".to_owned()),
        Err(Trouble::Denied(permission)) => Some(format!(
            "{permission} is missing, so whether the mailboxes' accounts can sign in isn't known"
        )),
        Err(_) => Some("the mailboxes' accounts could not be read".to_owned()),
    };
    let lacks = found.lacks.take().or(lacks);
    found.lacking(lacks)
}

/// Fields of a mailbox that name its account.
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
    fn of_several_misses_the_one_that_explains_most_is_told() {
        let denied = |text: &str| Miss::Denied(text.to_owned());
        let failed = |text: &str| Miss::Failed(text.to_owned());
        let unlicensed = Miss::Unlicensed("no Defender".to_owned());
        let check = |misses: &[&Miss], expected: Miss| {
            assert_eq!(together(misses.iter().copied().cloned().collect()), expected);
        };
        check(&[&denied("A"), &failed("b"), &denied("C")], denied("A or C"));
        check(&[&failed("a"), &failed("b")], failed("a; b"));
        check(&[&denied("A"), &unlicensed], unlicensed.clone());
    }
}
