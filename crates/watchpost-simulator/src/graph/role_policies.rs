//! PIM's policies: the requirements for activating or assigning a directory role.

use super::{List, list, missing_object};
use crate::{
    ids::{self, Kind},
    reply::{Context, Reply, Request},
    settings,
    world::{World, merge_patch},
};
use serde_json::{Value, json};

fn policy_id(world: &World, position: u64) -> String {
    let id = ids::guid(world.seed, Kind::RolePolicy, position);
    format!("DirectoryRole_{}_{id}", world.tenant_id())
}

/// Lists which policy applies to which role. Graph requires a filter with the scope. Groups have no policies, since the
/// fixture has no membership through PIM.
pub(super) fn assignments(request: &Request, context: &Context) -> Reply {
    let world = &context.world;
    if request.query("$filter").is_none() {
        return super::error(
            context,
            400,
            "MissingParameters",
            "The required parameters scopeId, scopeType are missing in the filter.",
        );
    }
    let roles = &world.company.roles;
    let about = List {
        context: "policies/roleManagementPolicyAssignments",
        total: roles.len() as u64,
        page: (100, 999),
        gap: false,
        default_fields: None,
    };
    list(request, context, &about, |position| {
        let role = roles.get(position as usize)?;
        let policy = policy_id(world, position);
        let row = json!({ "id": format!("{policy}_{}", role.template_id), "policyId": policy, "scopeId": "/",
            "scopeType": "DirectoryRole", "roleDefinitionId": role.template_id });
        Some(row)
    })
}

/// Lists the policies without their rules.
pub(super) fn policies(request: &Request, context: &Context) -> Reply {
    let world = &context.world;
    let about = List {
        context: "policies/roleManagementPolicies",
        total: world.company.roles.len() as u64,
        page: (100, 999),
        gap: false,
        default_fields: None,
    };
    list(request, context, &about, |position| {
        Some(
            json!({ "id": policy_id(world, position), "displayName": "DirectoryRole",
            "description": "DirectoryRole", "isOrganizationDefault": false, "scopeId": "/",
            "scopeType": "DirectoryRole", "lastModifiedDateTime": null, "lastModifiedBy": null }),
        )
    })
}

/// Lists the rules of one policy: the default ones, with the fixture's changes for the role.
pub(super) fn rules(request: &Request, context: &Context, id: &str) -> Reply {
    let world = &context.world;
    let role = world
        .company
        .roles
        .iter()
        .zip(0..)
        .find(|&(_, position)| policy_id(world, position) == id);
    let Some((role, _)) = role else {
        return missing_object(context, id);
    };
    let mut document = settings::read(world, "roleManagementPolicies").unwrap_or_default();
    let own = document["roles"][&role.template_id].take();
    let mut rules = document["default"].take();
    if own.is_object() {
        merge_patch(&mut rules, &own);
    }
    let beta = request.segments().first() == Some(&"beta");
    let rows: Vec<Value> = rules
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, rule)| {
            let mut row = json!({ "@odata.type": null, "id": name, "target": target(name, beta) });
            merge_patch(&mut row, rule);
            row
        })
        .collect();
    let about = List {
        context: "policies/roleManagementPolicies/rules",
        total: rows.len() as u64,
        page: (100, 999),
        gap: false,
        default_fields: None,
    };
    list(request, context, &about, |at| rows.get(at as usize).cloned())
}

/// Returns the target of a rule. The name of a rule ends in its caller and its level. The beta version spells operations in
/// another way.
fn target(name: &str, beta: bool) -> Value {
    let mut parts = name.rsplit('_');
    let (level, caller) = (parts.next(), parts.next());
    json!({ "caller": caller, "operations": [if beta { "All" } else { "all" }], "level": level, "inheritableSettings": [], "enforcedSettings": [] })
}
