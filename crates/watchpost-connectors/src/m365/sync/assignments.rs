//! The assignments of people and groups to apps. Graph has no list of all of them. One request per app is far fewer than one
//! per account, and Microsoft's own apps aren't asked, because nobody reviews them.

use super::Seen;
use crate::{
    concurrency::gather,
    m365::{
        client::{Client, GRAPH_API},
        normalize, permission, wire,
    },
    run::{DatasetRun, ReadError},
    text::m365 as text,
    value::id,
    vendor::ApiError,
};
use serde_json::value::RawValue;
use std::{collections::HashMap, sync::Arc};

/// The maximum number of apps whose assignments are read.
const APPS_MAX: usize = 2_000;
/// The maximum number of assignments of one app.
const ASSIGNMENTS_MAX: usize = 20_000;
/// The maximum number of groups whose members are read.
const GROUPS_MAX: usize = 500;
/// The maximum number of members of all groups together.
const MEMBERS_MAX: usize = 200_000;
/// The number of concurrent requests.
const AT_ONCE: usize = 4;
/// The number of apps whose assignments are read before the facts are emitted.
const BATCH: usize = 16;

/// The members of the groups read so far, by group id.
#[derive(Default)]
struct Groups {
    members: HashMap<String, Vec<String>>,
    count: usize,
}

/// Reads the assignments app by app, those of other organizations' apps first.
pub(super) async fn assignments(
    client: &Arc<Client>,
    run: &mut DatasetRun<'_>,
    seen: &Seen,
) -> Result<(), ReadError> {
    // The order is fixed, so that two syncs of the same tenant send the same requests.
    let mut apps: Vec<(bool, &str)> = seen
        .assignable
        .iter()
        .map(|(app, own)| (*own, app.as_str()))
        .collect();
    apps.sort_unstable();
    let overflow = apps.len() > APPS_MAX;
    apps.truncate(APPS_MAX);
    let mut groups = Groups::default();
    let mut groups_result = Ok(());
    for batch in apps.chunks(BATCH) {
        let work = batch.iter().map(|(_, app)| {
            let (client, app) = (Arc::clone(client), (*app).to_owned());
            async move { assignments_of(&client, &app).await }
        });
        let lists = gather(work.collect::<Vec<_>>(), AT_ONCE).await;
        for ((_, app), list) in batch.iter().zip(lists) {
            for raw in list? {
                let Some(row) = run.row::<wire::AppRoleAssignment>(&raw) else {
                    continue;
                };
                match row.principal_type.as_deref() {
                    Some("User") => {
                        run.push(normalize::assignment(&row, app, &row.principal_id))
                            .await;
                    }
                    Some("Group") if groups_result.is_ok() => {
                        groups_result = emit_members(client, run, &mut groups, app, &row).await;
                    }
                    // The permissions of apps are another dataset.
                    Some("Group" | "ServicePrincipal") => {}
                    _ => run.row_error(),
                }
            }
        }
    }
    groups_result?;
    if overflow {
        return Err(ReadError::Partial(text::TOO_MANY_ASSIGNED_APPS.to_owned()));
    }
    Ok(())
}

/// Reads the assignments of one app; none if it no longer exists.
async fn assignments_of(client: &Client, app: &str) -> Result<Vec<Box<RawValue>>, ReadError> {
    let path = format!("/v1.0/servicePrincipals/{app}/appRoleAssignedTo");
    let mut list = client.list(&path, Some("$top=999"));
    let mut all = Vec::new();
    loop {
        match list.page().await {
            Ok(Some(rows)) => all.extend(rows),
            Ok(None) | Err(ApiError::NotFound) => return Ok(all),
            Err(error) => return Err(GRAPH_API.read_error(error, permission::APPLICATION)),
        }
        if all.len() > ASSIGNMENTS_MAX {
            return Err(ReadError::Partial(text::TOO_MANY_ASSIGNMENTS.to_owned()));
        }
    }
}

/// Emits the assignment of a group as one for each member.
async fn emit_members(
    client: &Client,
    run: &mut DatasetRun<'_>,
    groups: &mut Groups,
    app: &str,
    row: &wire::AppRoleAssignment,
) -> Result<(), ReadError> {
    let Some(group) = id(&row.principal_id) else {
        run.row_error();
        return Ok(());
    };
    if !groups.members.contains_key(&group) {
        if groups.members.len() >= GROUPS_MAX {
            return Err(ReadError::Partial(text::TOO_MANY_ASSIGNED_GROUPS.to_owned()));
        }
        let members = members(client, &group, MEMBERS_MAX.saturating_sub(groups.count)).await?;
        groups.count = groups.count.saturating_add(members.len());
        groups.members.insert(group.clone(), members);
    }
    for member in groups.members.get(&group).into_iter().flatten() {
        run.push(normalize::assignment(row, app, member)).await;
    }
    Ok(())
}

/// Reads the accounts in a group; none if it no longer exists. The members of nested groups aren't among them, because Entra
/// gives them no access to the app.
async fn members(client: &Client, group: &str, at_most: usize) -> Result<Vec<String>, ReadError> {
    let path = format!("/v1.0/groups/{group}/members");
    let mut list = client.list(&path, Some("$select=id&$top=999"));
    let mut members = Vec::new();
    loop {
        let rows = match list.page().await {
            Ok(Some(rows)) => rows,
            Ok(None) | Err(ApiError::NotFound) => return Ok(members),
            Err(error) => return Err(GRAPH_API.read_error(error, permission::GROUP_MEMBER)),
        };
        for raw in rows {
            let Ok(row) = serde_json::from_str::<wire::DirectoryObject>(raw.get()) else {
                return Err(ReadError::Partial(text::GROUP_MEMBERS_UNREADABLE.to_owned()));
            };
            let account = row
                .kind
                .as_deref()
                .is_none_or(|kind| kind == "#microsoft.graph.user");
            if account && let Some(member) = row.id.as_deref().and_then(id) {
                if members.len() >= at_most {
                    return Err(ReadError::Partial(text::TOO_MANY_ASSIGNED_GROUPS.to_owned()));
                }
                members.push(member);
            }
        }
    }
}
