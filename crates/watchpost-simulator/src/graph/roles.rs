//! Directory roles: definitions, assignments, PIM schedules, and groups.

use super::{List, error, list, missing_object, people::upn};
use crate::{
    company::{Group, HeldRole, Hold},
    ids::{self, Kind, mix},
    reply::{Context, Reply, Request},
    when::{DAY_MS, iso},
    world::World,
};
use serde_json::{Value, json};

pub(super) fn definitions(request: &Request, context: &Context) -> Reply {
    let roles = &context.world.company.roles;
    let about = List {
        context: "roleManagement/directory/roleDefinitions",
        total: roles.len() as u64,
        page: (100, 500),
        gap: false,
        default_fields: None,
    };
    list(request, context, &about, |index| {
        let role = roles.get(index as usize)?;
        let row = json!({ "id": role.template_id, "displayName": role.name, "templateId": role.template_id,
            "isBuiltIn": true, "isEnabled": true, "description": "",
            "rolePermissions": [{ "allowedResourceActions": ["microsoft.directory/users/standard/read"], "condition": null }] });
        Some(row)
    })
}

/// The holder of a role, with the description of the principal.
struct Holder<'a> {
    principal_id: String,
    principal: Value,
    /// The kind and position of the holder, which make assignment ids stable.
    salt: u64,
    roles: &'a [HeldRole],
}

/// Returns the number of possible holders: people, then groups, then apps. All lists of assignments use these positions.
fn holders(world: &World) -> u64 {
    world.people() + (world.company.groups.len() + world.m365_apps.len()) as u64
}

/// Calls `row` with the holder at a position.
fn with_holder<T>(world: &World, position: u64, row: impl FnOnce(Holder<'_>) -> Option<T>) -> Option<T> {
    let Some(position) = position.checked_sub(world.people()) else {
        if world.ordinary(position) {
            return None;
        }
        let person = world.person(position)?;
        let account = person.m365.as_ref().filter(|account| !account.roles.is_empty())?;
        let principal_id = world.person_guid(position);
        let principal = json!({ "@odata.type": "#microsoft.graph.user", "id": principal_id,
            "displayName": person.name, "userPrincipalName": upn(&person, account), "mail": person.email });
        return row(Holder {
            principal_id,
            principal,
            salt: position,
            roles: &account.roles,
        });
    };
    let groups = world.company.groups.len() as u64;
    if let Some(group) = world.company.groups.get(position as usize) {
        let principal_id = group_id(world, position);
        let principal = json!({ "@odata.type": "#microsoft.graph.group", "id": principal_id,
            "displayName": group.name, "isAssignableToRole": group.role_assignable });
        return row(Holder {
            principal_id,
            principal,
            salt: 1 << 40 | position,
            roles: &group.roles,
        });
    }
    let position = position.checked_sub(groups)?;
    let app = world
        .m365_apps
        .get(position as usize)
        .filter(|app| world.exists(app.created, app.deleted))?;
    let principal_id = ids::guid(world.seed, Kind::ServicePrincipal, position);
    let principal = json!({ "@odata.type": "#microsoft.graph.servicePrincipal", "id": principal_id,
        "displayName": app.name, "appId": super::apps::app_id(world, position, app) });
    row(Holder {
        principal_id,
        principal,
        salt: 2 << 40 | position,
        roles: &app.roles,
    })
}

/// The most roles that one holder may have in the fixture. A list of assignments has this many positions per holder.
const ROLES_EACH: u64 = 4;

fn assignment_rows(
    request: &Request,
    context: &Context,
    metadata: &'static str,
    mut row: impl FnMut(&World, &Holder<'_>, &HeldRole, &str, u64) -> Option<Value>,
) -> Reply {
    let world = &context.world;
    let expand = request
        .query("$expand")
        .is_some_and(|expand| expand.split(',').any(|name| name == "principal"));
    let about = List {
        context: metadata,
        total: holders(world) * ROLES_EACH,
        page: (100, 500),
        gap: false,
        default_fields: None,
    };
    list(request, context, &about, |position| {
        with_holder(world, position / ROLES_EACH, |holder| {
            let held = world.held(holder.roles).nth((position % ROLES_EACH) as usize)?;
            let definition = world.company.roles.iter().find(|role| role.name == held.role)?;
            let salt = holder.salt * ROLES_EACH + position % ROLES_EACH;
            let mut value = row(world, &holder, held, &definition.template_id, salt)?;
            if let (true, Value::Object(fields)) = (expand, &mut value) {
                fields.insert("principal".to_owned(), holder.principal);
            }
            Some(value)
        })
    })
}

/// Lists the active assignments, permanent or timed.
pub(super) fn assignments(request: &Request, context: &Context) -> Reply {
    assignment_rows(
        request,
        context,
        "roleManagement/directory/roleAssignments",
        |world, holder, held, role_id, salt| {
            if !held.hold.active() {
                return None;
            }
            let row = json!({ "id": ids::guid(world.seed, Kind::RoleAssignment, salt), "principalId": holder.principal_id,
            "roleDefinitionId": role_id, "directoryScopeId": "/", "appScopeId": null });
            Some(row)
        },
    )
}

/// Lists PIM's instances of active or, without `active`, of eligible assignments.
pub(super) fn schedules(request: &Request, context: &Context, active: bool) -> Reply {
    let metadata = if active {
        "roleManagement/directory/roleAssignmentScheduleInstances"
    } else {
        "roleManagement/directory/roleEligibilityScheduleInstances"
    };
    assignment_rows(
        request,
        context,
        metadata,
        |world, holder, held, role_id, salt| {
            if held.hold.active() != active {
                return None;
            }
            let end = (held.hold == Hold::Timed).then(|| iso(world.origin_ms + 90 * DAY_MS));
            let mut row = json!({ "id": ids::guid(world.seed, Kind::Schedule, salt), "principalId": holder.principal_id,
            "roleDefinitionId": role_id, "directoryScopeId": "/", "appScopeId": null,
            "startDateTime": iso(held.since.ms(world.origin_ms)), "endDateTime": end, "memberType": "Direct" });
            if let Value::Object(fields) = &mut row {
                let schedule = format!("{:016x}", mix(world.seed, 303, salt));
                if active {
                    fields.insert("assignmentType".to_owned(), json!("Assigned"));
                    fields.insert(
                        "roleAssignmentOriginId".to_owned(),
                        json!(ids::guid(world.seed, Kind::RoleAssignment, salt)),
                    );
                    fields.insert("roleAssignmentScheduleId".to_owned(), json!(schedule));
                } else {
                    fields.insert("roleEligibilityScheduleId".to_owned(), json!(schedule));
                }
            }
            Some(row)
        },
    )
}

pub(super) fn group_id(world: &World, position: u64) -> String {
    ids::guid(world.seed, Kind::Group, position)
}

fn group_row(world: &World, position: u64, group: &Group) -> Value {
    json!({ "id": group_id(world, position), "displayName": group.name, "securityEnabled": !group.team,
        "mailEnabled": group.team, "groupTypes": if group.team { json!(["Unified"]) } else { json!([]) },
        "visibility": if group.public { "Public" } else { "Private" },
        "resourceProvisioningOptions": if group.team { json!(["Team"]) } else { json!([]) },
        "isAssignableToRole": group.role_assignable.then_some(true) })
}

pub(super) fn groups(request: &Request, context: &Context) -> Reply {
    let world = &context.world;
    let about = List {
        context: "groups",
        total: world.company.groups.len() as u64,
        page: (100, 999),
        gap: false,
        default_fields: None,
    };
    list(request, context, &about, |position| {
        let group = world.company.groups.get(position as usize)?;
        world
            .has_begun(group.created)
            .then(|| group_row(world, position, group))
    })
}

pub(super) fn members(request: &Request, context: &Context, id: &str) -> Reply {
    let world = &context.world;
    let position = ids::guid_index(world.seed, Kind::Group, id);
    let group = position
        .and_then(|position| world.company.groups.get(position as usize))
        .filter(|group| world.has_begun(group.created));
    let Some(group) = group else {
        return missing_object(context, id);
    };
    if request.query("$top").is_some_and(|top| top == "0") {
        return error(
            context,
            400,
            "Request_BadRequest",
            "Invalid page size specified: '0'.",
        );
    }
    let about = List {
        context: "directoryObjects",
        total: group.members.len() as u64,
        page: (100, 999),
        gap: false,
        default_fields: None,
    };
    list(request, context, &about, |position| {
        let index = world.position(group.members.get(position as usize)?)?;
        let person = world.person(index)?;
        let account = person.m365.as_ref()?;
        let row = json!({ "@odata.type": "#microsoft.graph.user", "id": world.person_guid(index),
            "displayName": person.name, "userPrincipalName": upn(&person, account), "mail": person.email });
        Some(row)
    })
}
