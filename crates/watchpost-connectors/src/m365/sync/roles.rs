//! Who holds which role, directly or through a group, for good, for a time, or when they switch it on.

use super::Seen;
use crate::{
    m365::{
        client::{Client, GRAPH_API},
        normalise::{self, Held, Holding, RoleName},
        permission, wire,
    },
    run::{DatasetRun, Emitter, Trouble},
    value::id,
};
use std::collections::HashMap;
use watchpost_core::{
    integration::{connector::ConnectorError, fact::Dataset},
    value::{text::ForeignText, word::RoleHold},
};

/// Role definitions and PIM instances of one tenant.
const ROLE_ROWS_MAX: usize = 100_000;
/// Members of role-holding groups that are remembered.
const GROUP_MEMBERS_MAX: usize = 200_000;

/// Principal, role definition, scope.
type AssignmentKey = (String, String, String);

/// Roles that are on, and roles that can be switched on. How an active role is held is known from PIM's schedules,
/// which are therefore read first.
pub(super) async fn roles(client: &Client, out: &mut Emitter, seen: &mut Seen) -> Result<(), ConnectorError> {
    let mut schedules: HashMap<AssignmentKey, Held> = HashMap::new();
    let scheduled = active_schedules(client, &mut schedules).await;
    let otherwise = match &scheduled {
        // Without PIM there is no other way to hold a role.
        Ok(()) | Err(Trouble::Unlicensed(_)) => Held {
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
    let end = assignments(client, &mut run, seen, &mut definitions, &schedules, otherwise).await;
    run.end(end).await?;

    let mut run = out.begin(Dataset::RoleSchedules);
    let end = match scheduled {
        Ok(()) => eligible(client, &mut run, seen, &definitions).await,
        Err(trouble) => Err(trouble),
    };
    run.end(end).await.map(drop)
}

async fn active_schedules(
    client: &Client,
    schedules: &mut HashMap<AssignmentKey, Held>,
) -> Result<(), Trouble> {
    let mut list = client.list(
        "/v1.0/roleManagement/directory/roleAssignmentScheduleInstances",
        None,
    );
    while let Some(rows) = list
        .page()
        .await
        .map_err(GRAPH_API.refused(permission::ROLES_ACTIVE))?
    {
        for raw in rows {
            // An unreadable row leaves one role's hold at what the others say.
            let Ok(row) = serde_json::from_str::<wire::ScheduleInstance>(raw.get()) else {
                return Err(Trouble::Partial(
                    "some role schedules could not be understood".to_owned(),
                ));
            };
            if schedules.len() >= ROLE_ROWS_MAX {
                return Err(Trouble::Partial(
                    "there are more role schedules than can be remembered".to_owned(),
                ));
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
    otherwise: Held,
) -> Result<(), Trouble> {
    let refused = GRAPH_API.refused(permission::ROLES);
    let query = "$select=id,displayName,templateId";
    let mut list = client.list("/v1.0/roleManagement/directory/roleDefinitions", Some(query));
    while let Some(rows) = list.page().await.map_err(refused)? {
        for raw in rows {
            if let Some(row) = run.row::<wire::RoleDefinition>(&raw)
                && definitions.len() < ROLE_ROWS_MAX
            {
                match normalise::role_definition(&row) {
                    Some((definition, role)) => drop(definitions.insert(definition, role)),
                    None => run.row_error(),
                }
            }
        }
    }
    let mut groups_end = Ok(());
    let mut list = client.list(
        "/v1.0/roleManagement/directory/roleAssignments",
        Some("$expand=principal"),
    );
    while let Some(rows) = list.page().await.map_err(refused)? {
        for raw in rows {
            let Some(row) = run.row::<wire::RoleAssignment>(&raw) else {
                continue;
            };
            let key = (
                row.principal_id.clone(),
                row.role_definition_id.clone(),
                row.directory_scope_id.clone().unwrap_or_default(),
            );
            let held = schedules.get(&key).copied().unwrap_or(otherwise);
            let assignment = Assignment {
                id: &row.id,
                principal: &row.principal_id,
                definition: &row.role_definition_id,
                object: row.principal.as_ref(),
                held,
            };
            note(
                &mut groups_end,
                holders(client, run, seen, definitions, &assignment).await,
            )?;
        }
    }
    groups_end
}

async fn eligible(
    client: &Client,
    run: &mut DatasetRun<'_>,
    seen: &mut Seen,
    definitions: &HashMap<String, RoleName>,
) -> Result<(), Trouble> {
    let path = "/v1.0/roleManagement/directory/roleEligibilityScheduleInstances";
    let mut groups_end = Ok(());
    let mut list = client.list(path, Some("$expand=principal"));
    while let Some(rows) = list
        .page()
        .await
        .map_err(GRAPH_API.refused(permission::ROLES_ELIGIBLE))?
    {
        for raw in rows {
            let Some(row) = run.row::<wire::ScheduleInstance>(&raw) else {
                continue;
            };
            // The group itself has a row too, and its members are looked up there.
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
            note(
                &mut groups_end,
                holders(client, run, seen, definitions, &assignment).await,
            )?;
        }
    }
    groups_end
}

/// Keeps the first thing that went wrong with a group, and goes on; what ends the sync ends it at once.
fn note(first: &mut Result<(), Trouble>, end: Result<(), Trouble>) -> Result<(), Trouble> {
    match end {
        Err(Trouble::Fatal(error)) => Err(Trouble::Fatal(error)),
        Err(trouble) if first.is_ok() => {
            *first = Err(trouble);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// One assignment, active or eligible.
struct Assignment<'a> {
    id: &'a str,
    principal: &'a str,
    definition: &'a str,
    object: Option<&'a wire::DirectoryObject>,
    held: Held,
}

/// Yields a role for its holder, or for each member if that is a group.
async fn holders(
    client: &Client,
    run: &mut DatasetRun<'_>,
    seen: &mut Seen,
    definitions: &HashMap<String, RoleName>,
    assignment: &Assignment<'_>,
) -> Result<(), Trouble> {
    let mut holding = Holding {
        assignment: assignment.id,
        principal: assignment.principal,
        role_definition: assignment.definition,
        via_group: None,
        held: assignment.held,
    };
    let kind = assignment.object.and_then(|object| object.kind.as_deref());
    if kind != Some("#microsoft.graph.group") {
        run.push(normalise::role(&holding, definitions)).await;
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
        run.push(normalise::role(&holding, definitions)).await;
    }
    Ok(())
}

async fn group_members(client: &Client, group: &str, at_most: usize) -> Result<Vec<String>, Trouble> {
    let path = format!("/v1.0/groups/{group}/transitiveMembers");
    let mut list = client.list(&path, Some("$select=id&$top=999"));
    let mut members = Vec::new();
    while let Some(rows) = list
        .page()
        .await
        .map_err(GRAPH_API.refused(permission::GROUP_MEMBER))?
    {
        for raw in rows {
            let Ok(row) = serde_json::from_str::<wire::DirectoryObject>(raw.get()) else {
                return Err(Trouble::Partial(
                    "some members of a group could not be understood".to_owned(),
                ));
            };
            // Groups in the group have their members in this same list.
            let holds = row.kind.as_deref().is_none_or(|kind| {
                matches!(
                    kind,
                    "#microsoft.graph.user" | "#microsoft.graph.servicePrincipal"
                )
            });
            if holds && let Some(member) = row.id.as_deref().and_then(id) {
                if members.len() >= at_most {
                    return Err(Trouble::Partial(
                        "a group that holds a role has too many members".to_owned(),
                    ));
                }
                members.push(member);
            }
        }
    }
    Ok(members)
}
