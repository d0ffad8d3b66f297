//! The holders of directory roles: directly or through a group, permanently, for a limited time, or after activation.

use super::Seen;
use crate::{
    m365::{
        client::{Client, GRAPH_API},
        normalize::{self, Held, Holding, RoleName},
        permission, wire,
    },
    run::{DatasetRun, Emitter, ReadError},
    text::m365 as text,
    value::id,
};
use std::collections::HashMap;
use watchpost_core::{
    integration::{connector::ConnectorError, fact::Dataset},
    value::{text::ForeignText, word::RoleHold},
};

/// The maximum numbers of role definitions and of PIM schedule instances of a tenant.
const ROLE_ROWS_MAX: usize = 100_000;
/// The maximum number of members of role-holding groups that are kept in memory.
const GROUP_MEMBERS_MAX: usize = 200_000;

/// The ids of the principal and the role definition, and the scope.
type AssignmentKey = (String, String, String);

/// Reads the active and the eligible roles. Only PIM's schedules show how an active role is held, so they are read first.
pub(super) async fn roles(client: &Client, out: &mut Emitter, seen: &mut Seen) -> Result<(), ConnectorError> {
    let mut schedules: HashMap<AssignmentKey, Held> = HashMap::new();
    let scheduled = active_schedules(client, &mut schedules).await;
    let default = match &scheduled {
        // Without PIM, all roles are permanent.
        Ok(()) | Err(ReadError::Unlicensed(_)) => Held {
            hold: RoleHold::Permanent,
            ends_at: None,
        },
        Err(_) => Held {
            hold: RoleHold::Unknown,
            ends_at: None,
        },
    };
    let mut definitions = HashMap::new();

    let mut run = out.begin(Dataset::Roles);
    let result = assignments(client, &mut run, seen, &mut definitions, &schedules, default).await;
    run.end(result).await?;

    let mut run = out.begin(Dataset::RoleSchedules);
    let result = match scheduled {
        Ok(()) => eligible(client, &mut run, seen, &definitions).await,
        Err(error) => Err(error),
    };
    run.end(result).await.map(drop)
}

async fn active_schedules(
    client: &Client,
    schedules: &mut HashMap<AssignmentKey, Held>,
) -> Result<(), ReadError> {
    let mut list = client.list(
        "/v1.0/roleManagement/directory/roleAssignmentScheduleInstances",
        None,
    );
    while let Some(rows) = list
        .page()
        .await
        .map_err(GRAPH_API.read_error_for(permission::ROLES_ACTIVE))?
    {
        for raw in rows {
            // With an unreadable schedule, a role without a schedule can't be assumed to be permanent.
            let Ok(row) = serde_json::from_str::<wire::ScheduleInstance>(raw.get()) else {
                return Err(ReadError::Partial(text::SCHEDULES_UNREADABLE.to_owned()));
            };
            if schedules.len() >= ROLE_ROWS_MAX {
                return Err(ReadError::Partial(text::TOO_MANY_SCHEDULES.to_owned()));
            }
            let held = Held::active(row.end_date_time.as_deref());
            let key = (
                row.principal_id,
                row.role_definition_id,
                row.directory_scope_id.unwrap_or_default(),
            );
            schedules.insert(key, held);
        }
    }
    Ok(())
}

async fn assignments(
    client: &Client,
    run: &mut DatasetRun<'_>,
    seen: &mut Seen,
    definitions: &mut HashMap<String, RoleName>,
    schedules: &HashMap<AssignmentKey, Held>,
    default: Held,
) -> Result<(), ReadError> {
    let read_error = GRAPH_API.read_error_for(permission::ROLES);
    let query = "$select=id,displayName,templateId";
    let mut list = client.list("/v1.0/roleManagement/directory/roleDefinitions", Some(query));
    while let Some(rows) = list.page().await.map_err(read_error)? {
        for raw in rows {
            if let Some(row) = run.row_aside::<wire::RoleDefinition>(&raw)
                && definitions.len() < ROLE_ROWS_MAX
            {
                match normalize::role_definition(&row) {
                    Some((definition, role)) => drop(definitions.insert(definition, role)),
                    None => run.row_error(),
                }
            }
        }
    }
    if definitions.is_empty() {
        // Every tenant has the built-in roles.
        return Err(ReadError::Denied(permission::ROLES));
    }
    let mut groups_result = Ok(());
    let mut list = client.list(
        "/v1.0/roleManagement/directory/roleAssignments",
        Some("$expand=principal"),
    );
    while let Some(rows) = list.page().await.map_err(read_error)? {
        for raw in rows {
            let Some(row) = run.row::<wire::RoleAssignment>(&raw) else {
                continue;
            };
            let key = (
                row.principal_id.clone(),
                row.role_definition_id.clone(),
                row.directory_scope_id.clone().unwrap_or_default(),
            );
            let held = schedules.get(&key).copied().unwrap_or(default);
            let assignment = Assignment {
                id: &row.id,
                principal: &row.principal_id,
                definition: &row.role_definition_id,
                object: row.principal.as_ref(),
                held,
            };
            keep_first_error(
                &mut groups_result,
                emit_holders(client, run, seen, definitions, &assignment).await,
            )?;
        }
    }
    groups_result
}

async fn eligible(
    client: &Client,
    run: &mut DatasetRun<'_>,
    seen: &mut Seen,
    definitions: &HashMap<String, RoleName>,
) -> Result<(), ReadError> {
    let path = "/v1.0/roleManagement/directory/roleEligibilityScheduleInstances";
    let mut groups_result = Ok(());
    let mut list = client.list(path, Some("$expand=principal"));
    while let Some(rows) = list
        .page()
        .await
        .map_err(GRAPH_API.read_error_for(permission::ROLES_ELIGIBLE))?
    {
        for raw in rows {
            let Some(row) = run.row::<wire::ScheduleInstance>(&raw) else {
                continue;
            };
            // The group has a row of its own, for which its members are read.
            if row.member_type.as_deref() == Some("Group") {
                continue;
            }
            let ends_at = Held::active(row.end_date_time.as_deref()).ends_at;
            let assignment = Assignment {
                id: &row.id,
                principal: &row.principal_id,
                definition: &row.role_definition_id,
                object: row.principal.as_ref(),
                held: Held {
                    hold: RoleHold::Eligible,
                    ends_at,
                },
            };
            keep_first_error(
                &mut groups_result,
                emit_holders(client, run, seen, definitions, &assignment).await,
            )?;
        }
    }
    groups_result
}

/// Stores the first error of a group, so that reading continues. Only an error that ends the sync is returned.
fn keep_first_error(
    first: &mut Result<(), ReadError>,
    result: Result<(), ReadError>,
) -> Result<(), ReadError> {
    match result {
        Err(ReadError::Fatal(error)) => Err(ReadError::Fatal(error)),
        Err(error) if first.is_ok() => {
            *first = Err(error);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// An active or eligible assignment of a role.
struct Assignment<'a> {
    id: &'a str,
    principal: &'a str,
    definition: &'a str,
    object: Option<&'a wire::DirectoryObject>,
    held: Held,
}

/// Emits a role for its holder or, if the holder is a group, for each member.
async fn emit_holders(
    client: &Client,
    run: &mut DatasetRun<'_>,
    seen: &mut Seen,
    definitions: &HashMap<String, RoleName>,
    assignment: &Assignment<'_>,
) -> Result<(), ReadError> {
    let mut holding = Holding {
        assignment: assignment.id,
        principal: assignment.principal,
        role_definition: assignment.definition,
        via_group: None,
        held: assignment.held,
    };
    let kind = assignment.object.and_then(|object| object.kind.as_deref());
    if kind != Some("#microsoft.graph.group") {
        run.push(normalize::role(&holding, definitions)).await;
        return Ok(());
    }
    let Some(group) = id(assignment.principal) else {
        run.row_error();
        return Ok(());
    };
    let name = assignment
        .object
        .and_then(|object| object.display_name.as_deref());
    let name = ForeignText::name(name.unwrap_or(&group));
    if !seen.groups.contains_key(&group) {
        let members = group_members(
            client,
            &group,
            GROUP_MEMBERS_MAX.saturating_sub(seen.group_members),
        )
        .await?;
        seen.group_members = seen.group_members.saturating_add(members.len());
        seen.groups.insert(group.clone(), members);
    }
    for member in seen.groups.get(&group).into_iter().flatten() {
        holding.principal = member;
        holding.via_group = Some(&name);
        run.push(normalize::role(&holding, definitions)).await;
    }
    Ok(())
}

async fn group_members(client: &Client, group: &str, at_most: usize) -> Result<Vec<String>, ReadError> {
    let path = format!("/v1.0/groups/{group}/transitiveMembers");
    let mut list = client.list(&path, Some("$select=id&$top=999"));
    let mut members = Vec::new();
    while let Some(rows) = list
        .page()
        .await
        .map_err(GRAPH_API.read_error_for(permission::GROUP_MEMBER))?
    {
        for raw in rows {
            let Ok(row) = serde_json::from_str::<wire::DirectoryObject>(raw.get()) else {
                return Err(ReadError::Partial(text::GROUP_MEMBERS_UNREADABLE.to_owned()));
            };
            // The members of nested groups are in this list, so the groups themselves are skipped.
            let holds = row.kind.as_deref().is_none_or(|kind| {
                matches!(
                    kind,
                    "#microsoft.graph.user" | "#microsoft.graph.servicePrincipal"
                )
            });
            if holds && let Some(member) = row.id.as_deref().and_then(id) {
                if members.len() >= at_most {
                    return Err(ReadError::Partial(text::TOO_MANY_GROUP_MEMBERS.to_owned()));
                }
                members.push(member);
            }
        }
    }
    Ok(members)
}
