//! The eight most powerful directory roles: their holders, and the requirements for activating them.

use super::{
    graph::{each, read_list, unreadable_rows},
    table::{DERIVED, privileged},
};
use crate::{
    concurrency::gather,
    m365::{
        client::{Client, GRAPH_API},
        permission,
    },
    run::ReadError,
    settings::{SettingContent, SettingEmitter, SettingError},
    text::m365_settings as text,
    value::id,
    vendor::ApiError,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};
use watchpost_core::integration::connector::ConnectorError;

/// The template ids and names of the roles. The template id of a built-in role is also the id of its definition.
const ROLES: [(&str, &str); 8] = [
    ("62e90394-69f5-4237-9190-012177145e10", "Global Administrator"),
    (
        "e8611ab8-c189-46e8-94e1-60213ab1f814",
        "Privileged Role Administrator",
    ),
    ("fe930be7-5e62-47db-91af-98c3a49a38b1", "User Administrator"),
    ("f28a1f50-f6e7-4571-818b-6a12f2af6b6c", "SharePoint Administrator"),
    ("29232cdf-9323-42fd-ade2-1d097af3e4de", "Exchange Administrator"),
    (
        "8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2",
        "Hybrid Identity Administrator",
    ),
    (
        "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",
        "Application Administrator",
    ),
    (
        "158c047a-c907-4556-b7ef-446551a6b5f7",
        "Cloud Application Administrator",
    ),
];
/// The maximum number of assignments of these roles that are kept in memory.
const ASSIGNMENTS_MAX: usize = 20_000;
/// The maximum number of accounts that hold one of these roles.
const HOLDERS_MAX: usize = 5_000;
/// The number of concurrent requests for accounts.
const AT_ONCE: usize = 4;

/// An active or eligible assignment: an instance of a schedule or, without a start time, an assignment without PIM.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Assignment {
    principal_id: String,
    role_definition_id: String,
    start_date_time: Option<String>,
    end_date_time: Option<String>,
    assignment_type: Option<String>,
    member_type: Option<String>,
    principal: Option<Principal>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Principal {
    #[serde(rename = "@odata.type")]
    kind: Option<String>,
    id: Option<String>,
    display_name: Option<String>,
    app_id: Option<String>,
}

/// The assignments of the eight roles, each with the role's index in [`ROLES`].
#[derive(Default)]
struct Assignments {
    rows: Vec<(usize, Assignment)>,
    unreadable: u64,
    /// Whether the list has assignments of any role.
    any: bool,
    /// Whether the license doesn't include PIM, so that there are no schedules.
    without_pim: bool,
}

/// Reads the pending settings of this module.
pub(super) async fn read(client: &Arc<Client>, out: &mut SettingEmitter) -> Result<(), ConnectorError> {
    let all = [
        privileged::USERS,
        privileged::ROLES,
        privileged::SERVICE_PRINCIPALS,
    ];
    if !all.iter().any(|path| out.is_pending(path)) {
        return Ok(());
    }
    let active = match active(client).await {
        Ok(active) => active,
        Err(error) => {
            for path in all {
                out.emit(path, DERIVED, Err(error.clone())).await?;
            }
            return Ok(());
        }
    };
    if out.is_pending(privileged::ROLES) {
        let result = roles(client, &active).await;
        out.emit(privileged::ROLES, DERIVED, result).await?;
    }
    if !out.is_pending(privileged::USERS) && !out.is_pending(privileged::SERVICE_PRINCIPALS) {
        return Ok(());
    }
    let holders = match holders(client, &active).await {
        Ok(holders) => holders,
        Err(error) => {
            for path in [privileged::USERS, privileged::SERVICE_PRINCIPALS] {
                out.emit(path, DERIVED, Err(error.clone())).await?;
            }
            return Ok(());
        }
    };
    if out.is_pending(privileged::USERS) {
        let result = users(client, &holders).await;
        out.emit(privileged::USERS, DERIVED, result).await?;
    }
    let rows = holders.apps.values().cloned().collect();
    let result = Ok(SettingContent::list(rows).incomplete_because(unreadable_rows(holders.unreadable)));
    out.emit(privileged::SERVICE_PRINCIPALS, DERIVED, result).await
}

/// Reads the active assignments, which are schedule instances only with PIM.
async fn active(client: &Client) -> Result<Assignments, SettingError> {
    let with_pim = "/beta/roleManagement/directory/roleAssignmentScheduleInstances";
    let without_pim = "/v1.0/roleManagement/directory/roleAssignments";
    match assignments(client, with_pim).await {
        Err(ApiError::Unlicensed) => {
            let active = assignments(client, without_pim).await;
            let active = active.map_err(GRAPH_API.read_error_for(permission::ROLES))?;
            Assignments {
                without_pim: true,
                ..active
            }
            .of_some(permission::ROLES)
        }
        result => result
            .map_err(GRAPH_API.read_error_for(permission::ROLES_ACTIVE))?
            .of_some(permission::ROLES_ACTIVE),
    }
}

impl Assignments {
    /// Requires that the list isn't empty: Entra doesn't let the last Global Administrator lose the role.
    fn of_some(self, permission: &'static str) -> Result<Self, SettingError> {
        if self.any || self.unreadable > 0 {
            Ok(self)
        } else {
            Err(SettingError::Denied(permission.to_owned()))
        }
    }
}

/// Reads the assignments of the eight roles from a list.
///
/// # Errors
/// Returns an error if there are too many, because checks can't evaluate a partial list.
async fn assignments(client: &Client, at: &str) -> Result<Assignments, ApiError> {
    let mut found = Assignments::default();
    let mut overflow = false;
    found.unreadable = each(client, at, Some("$expand=principal"), |row: Assignment| {
        found.any = true;
        let role = ROLES
            .iter()
            .position(|(template, _)| row.role_definition_id.eq_ignore_ascii_case(template));
        if let Some(role) = role {
            if found.rows.len() >= ASSIGNMENTS_MAX {
                overflow = true;
            } else {
                found.rows.push((role, row));
            }
        }
        true
    })
    .await?;
    if overflow {
        return Err(ReadError::Failed(text::TOO_MANY_ASSIGNMENTS.to_owned()).into());
    }
    Ok(found)
}

/// Returns each role with its assignments and its activation rules.
async fn roles(client: &Client, active: &Assignments) -> Result<SettingContent, SettingError> {
    let (rules, mut incomplete) = if active.without_pim {
        // Without PIM, roles aren't activated, so there are no rules.
        (Some(HashMap::new()), None)
    } else {
        match all_rules(client).await {
            Ok(rules) => (Some(rules), None),
            Err(SettingError::Denied(permission)) => (None, Some(text::role_rules_unknown(&permission))),
            Err(error) => return Err(error),
        }
    };
    let rows = ROLES.iter().enumerate().map(|(role, (template, name))| {
        let assignments = active
            .rows
            .iter()
            .filter(|(assigned, _)| *assigned == role)
            .map(|(_, row)| {
                json!({"principalId": row.principal_id, "startDateTime": row.start_date_time,
                    "endDateTime": row.end_date_time,
                    "assignmentType": row.assignment_type.as_deref().unwrap_or("Assigned"),
                    "memberType": row.member_type.as_deref().unwrap_or("Direct")})
            })
            .collect::<Vec<_>>();
        let mut fields = Map::new();
        fields.insert("displayName".to_owned(), (*name).into());
        fields.insert("roleTemplateId".to_owned(), (*template).into());
        fields.insert("assignments".to_owned(), assignments.into());
        if let Some(rules) = &rules {
            let of_role = rules.get(template).cloned().unwrap_or_default();
            fields.insert("rules".to_owned(), of_role.into());
        }
        Value::Object(fields)
    });
    let rows = rows.collect();
    incomplete = incomplete.or_else(|| unreadable_rows(active.unreadable));
    Ok(SettingContent::list(rows).incomplete_because(incomplete))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PolicyAssignment {
    policy_id: String,
    role_definition_id: Option<String>,
}

/// Reads the activation rules of the eight roles, by template id.
async fn all_rules(client: &Client) -> Result<HashMap<&'static str, Vec<Value>>, SettingError> {
    let read_error = GRAPH_API.read_error_for(permission::ROLE_POLICIES);
    let filter = "$filter=scopeId%20eq%20'/'%20and%20scopeType%20eq%20'DirectoryRole'";
    let at = "/beta/policies/roleManagementPolicyAssignments";
    let mut policies = Vec::new();
    let unreadable = each(client, at, Some(filter), |row: PolicyAssignment| {
        let definition = row.role_definition_id.as_deref().unwrap_or_default();
        let role = ROLES
            .iter()
            .find(|(template, _)| definition.eq_ignore_ascii_case(template));
        match (role, id(&row.policy_id)) {
            (Some(role), Some(policy)) if policies.len() < ROLES.len() => policies.push((role, policy)),
            (Some(_), None) => return false,
            _ => {}
        }
        true
    })
    .await
    .map_err(read_error)?;
    if unreadable > 0 {
        return Err(SettingError::Failed(text::ROLE_POLICIES_UNREADABLE.to_owned()));
    }
    let mut rules = HashMap::new();
    for ((template, name), policy) in policies {
        let at = format!("/beta/policies/roleManagementPolicies/{policy}/rules");
        let keep = |mut row: Map<String, Value>| {
            row.insert("ruleSource".to_owned(), (*name).into());
            row.insert("ruleSourceType".to_owned(), "Directory Role".into());
            Some(row)
        };
        let found = read_list(client, &at, None, permission::ROLE_POLICIES, keep).await?;
        if found.incomplete.is_some() {
            return Err(SettingError::Failed(text::ROLE_RULES_UNREADABLE.to_owned()));
        }
        let rows = found.document.get("value").and_then(Value::as_array).cloned();
        rules.insert(*template, rows.unwrap_or_default());
    }
    Ok(rules)
}

/// The holders of the roles, with groups expanded.
#[derive(Default)]
struct Holders {
    /// The roles of each account.
    users: BTreeMap<String, BTreeSet<usize>>,
    /// The service principals, as rows of the document.
    apps: BTreeMap<String, Value>,
    unreadable: u64,
}

/// Reads the holders of active and eligible roles.
async fn holders(client: &Client, active: &Assignments) -> Result<Holders, SettingError> {
    let eligible = if active.without_pim {
        Assignments::default()
    } else {
        assignments(
            client,
            "/beta/roleManagement/directory/roleEligibilityScheduleInstances",
        )
        .await
        .map_err(GRAPH_API.read_error_for(permission::ROLES_ELIGIBLE))?
    };
    let mut holders = Holders {
        unreadable: active.unreadable.saturating_add(eligible.unreadable),
        ..Holders::default()
    };
    let mut groups: HashMap<String, Vec<Principal>> = HashMap::new();
    for (role, row) in active.rows.iter().chain(&eligible.rows) {
        let kind = row.principal.as_ref().and_then(|object| object.kind.as_deref());
        if kind != Some("#microsoft.graph.group") {
            add(&mut holders, *role, &row.principal_id, row.principal.as_ref());
            continue;
        }
        let Some(group) = id(&row.principal_id) else {
            holders.unreadable = holders.unreadable.saturating_add(1);
            continue;
        };
        if !groups.contains_key(&group) {
            let members = members(client, &group, &mut holders.unreadable).await?;
            groups.insert(group.clone(), members);
        }
        for member in groups.get(&group).into_iter().flatten() {
            // The members of nested groups are in this list, so the groups themselves are skipped.
            if let Some(holder) = &member.id
                && member.kind.as_deref() != Some("#microsoft.graph.group")
            {
                add(&mut holders, *role, holder, Some(member));
            }
        }
        if holders.users.len().max(holders.apps.len()) > HOLDERS_MAX {
            return Err(SettingError::Failed(text::TOO_MANY_HOLDERS.to_owned()));
        }
    }
    Ok(holders)
}

fn add(holders: &mut Holders, role: usize, holder: &str, object: Option<&Principal>) {
    let Some(holder) = id(holder) else {
        holders.unreadable = holders.unreadable.saturating_add(1);
        return;
    };
    let kind = object.and_then(|object| object.kind.as_deref());
    if kind != Some("#microsoft.graph.servicePrincipal") {
        holders.users.entry(holder).or_default().insert(role);
        return;
    }
    let row = holders.apps.entry(holder.clone()).or_insert_with(|| {
        json!({"id": holder, "displayName": object.and_then(|object| object.display_name.as_deref()),
            "appId": object.and_then(|object| object.app_id.as_deref()), "roles": []})
    });
    let name: Value = ROLES.get(role).map(|(_, name)| *name).into();
    if let Some(roles) = row.get_mut("roles").and_then(Value::as_array_mut)
        && !roles.contains(&name)
    {
        roles.push(name);
    }
}

async fn members(client: &Client, group: &str, unreadable: &mut u64) -> Result<Vec<Principal>, SettingError> {
    let at = format!("/v1.0/groups/{group}/transitiveMembers");
    let mut found = Vec::new();
    let mut overflow = false;
    let query = Some("$select=id,displayName&$top=999");
    let skipped = each(client, &at, query, |row: Principal| {
        if found.len() >= HOLDERS_MAX {
            overflow = true;
        } else {
            found.push(row);
        }
        true
    })
    .await
    .map_err(GRAPH_API.read_error_for(permission::GROUP_MEMBER))?;
    *unreadable = unreadable.saturating_add(skipped);
    if overflow {
        return Err(SettingError::Failed(text::TOO_MANY_GROUP_MEMBERS.to_owned()));
    }
    Ok(found)
}

/// Reads the accounts that hold roles, each with its sync state and its on-premises id.
async fn users(client: &Arc<Client>, holders: &Holders) -> Result<SettingContent, SettingError> {
    let work = holders.users.keys().cloned().map(|user| {
        let client = Arc::clone(client);
        async move {
            let query =
                "$select=id,displayName,userPrincipalName,onPremisesSyncEnabled,onPremisesImmutableId";
            let url = client.url(&format!("/v1.0/users/{user}"), Some(query));
            client.get(url).await
        }
    });
    let responses = gather(work.collect::<Vec<_>>(), AT_ONCE).await;
    let mut rows = Vec::new();
    let mut unreadable = holders.unreadable;
    for (roles, response) in holders.users.values().zip(responses) {
        let response = match response {
            Ok(response) => response,
            // The account has been deleted.
            Err(ApiError::NotFound) => continue,
            Err(error) => return Err(GRAPH_API.read_error(error, permission::USER).into()),
        };
        let Ok(Value::Object(mut fields)) = serde_json::from_slice(&response.body) else {
            unreadable = unreadable.saturating_add(1);
            continue;
        };
        fields.retain(|name, _| {
            matches!(
                name.as_str(),
                "id" | "displayName"
                    | "userPrincipalName"
                    | "onPremisesSyncEnabled"
                    | "onPremisesImmutableId"
            )
        });
        let names = roles
            .iter()
            .filter_map(|role| ROLES.get(*role))
            .map(|(_, name)| *name);
        fields.insert("roles".to_owned(), names.collect());
        rows.push(Value::Object(fields));
    }
    Ok(SettingContent::list(rows).incomplete_because(unreadable_rows(unreadable)))
}
