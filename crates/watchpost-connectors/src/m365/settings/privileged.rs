//! Who holds the eight most powerful directory roles, and what their activation demands.

use super::{
    graph::{each, odd_rows, whole_list},
    table::{DERIVED, privileged},
};
use crate::{
    m365::{
        client::{Client, GRAPH_API},
        permission,
    },
    many::gather,
    run::Trouble,
    settings::{Found, Miss, Outlet},
    value::id,
    vendor::Refusal,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};
use watchpost_core::integration::connector::ConnectorError;

/// Template id (which for built-in roles is also the definition's id) and name.
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
/// Assignments of these roles that are remembered.
const ASSIGNMENTS_MAX: usize = 20_000;
/// Accounts that hold one of them.
const HOLDERS_MAX: usize = 5_000;
/// Accounts that are asked for at the same time.
const AT_ONCE: usize = 4;

/// One assignment, active or eligible, of a schedule or (without a start) a plain one.
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

/// Assignments of the eight roles, with the role's place in [`ROLES`].
#[derive(Default)]
struct Held {
    rows: Vec<(usize, Assignment)>,
    odd: u64,
    /// There are no schedules: the licence has no PIM.
    plain: bool,
}

/// Reads what is wanted of them.
pub(super) async fn read(client: &Arc<Client>, out: &mut Outlet) -> Result<(), ConnectorError> {
    let all = [
        privileged::USERS,
        privileged::ROLES,
        privileged::SERVICE_PRINCIPALS,
    ];
    if !all.iter().any(|path| out.wants(path)) {
        return Ok(());
    }
    let active = match active(client).await {
        Ok(active) => active,
        Err(miss) => {
            for path in all {
                out.give(path, DERIVED, Err(miss.clone())).await?;
            }
            return Ok(());
        }
    };
    if out.wants(privileged::ROLES) {
        let end = roles(client, &active).await;
        out.give(privileged::ROLES, DERIVED, end).await?;
    }
    if !out.wants(privileged::USERS) && !out.wants(privileged::SERVICE_PRINCIPALS) {
        return Ok(());
    }
    let holders = match holders(client, &active).await {
        Ok(holders) => holders,
        Err(miss) => {
            for path in [privileged::USERS, privileged::SERVICE_PRINCIPALS] {
                out.give(path, DERIVED, Err(miss.clone())).await?;
            }
            return Ok(());
        }
    };
    if out.wants(privileged::USERS) {
        let end = users(client, &holders).await;
        out.give(privileged::USERS, DERIVED, end).await?;
    }
    let rows = holders.apps.values().cloned().collect();
    let end = Ok(Found::list(rows).lacking(odd_rows(holders.odd)));
    out.give(privileged::SERVICE_PRINCIPALS, DERIVED, end).await
}

/// Roles that are on. Without PIM there are plain assignments only.
async fn active(client: &Client) -> Result<Held, Miss> {
    let scheduled = "/beta/roleManagement/directory/roleAssignmentScheduleInstances";
    let plain = "/v1.0/roleManagement/directory/roleAssignments";
    match assignments(client, scheduled).await {
        Err(Refusal::Unlicensed) => {
            let held = assignments(client, plain).await;
            let held = held.map_err(GRAPH_API.refused(permission::ROLES))?;
            Ok(Held { plain: true, ..held })
        }
        end => Ok(end.map_err(GRAPH_API.refused(permission::ROLES_ACTIVE))?),
    }
}

/// The eight roles' rows of a list. A list with more than can be remembered is none that could be judged.
async fn assignments(client: &Client, at: &str) -> Result<Held, Refusal> {
    let mut held = Held::default();
    let mut overflow = false;
    held.odd = each(client, at, Some("$expand=principal"), |row: Assignment| {
        let role = ROLES
            .iter()
            .position(|(template, _)| row.role_definition_id.eq_ignore_ascii_case(template));
        if let Some(role) = role {
            if held.rows.len() >= ASSIGNMENTS_MAX {
                overflow = true;
            } else {
                held.rows.push((role, row));
            }
        }
        true
    })
    .await?;
    if overflow {
        return Err(too_many("there are more role assignments than can be judged"));
    }
    Ok(held)
}

fn too_many(reason: &str) -> Refusal {
    Trouble::Failed(reason.to_owned()).into()
}

/// Each role with its assignments, and with its rules as far as there are any.
async fn roles(client: &Client, active: &Held) -> Result<Found, Miss> {
    let (rules, mut lacks) = if active.plain {
        // Without PIM nothing is activated, so there are no rules.
        (Some(HashMap::new()), None)
    } else {
        match all_rules(client).await {
            Ok(rules) => (Some(rules), None),
            Err(Miss::Denied(permission)) => {
                let reason =
                    format!("{permission} is missing, so what activating a role demands isn't known");
                (None, Some(reason))
            }
            Err(miss) => return Err(miss),
        }
    };
    let rows = ROLES.iter().enumerate().map(|(role, (template, name))| {
        let assignments = active
            .rows
            .iter()
            .filter(|(held, _)| *held == role)
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
    lacks = lacks.or_else(|| odd_rows(active.odd));
    Ok(Found::list(rows).lacking(lacks))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PolicyAssignment {
    policy_id: String,
    role_definition_id: Option<String>,
}

/// The rules of each of the eight roles, by template id.
async fn all_rules(client: &Client) -> Result<HashMap<&'static str, Vec<Value>>, Miss> {
    let refused = GRAPH_API.refused(permission::ROLE_POLICIES);
    let filter = "$filter=scopeId%20eq%20'/'%20and%20scopeType%20eq%20'DirectoryRole'";
    let at = "/beta/policies/roleManagementPolicyAssignments";
    let mut policies = Vec::new();
    let odd = each(client, at, Some(filter), |row: PolicyAssignment| {
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
    .map_err(refused)?;
    if odd > 0 {
        return Err(Miss::Failed(
            "the list of role policies could not be understood".to_owned(),
        ));
    }
    let mut rules = HashMap::new();
    for ((template, name), policy) in policies {
        let at = format!("/beta/policies/roleManagementPolicies/{policy}/rules");
        let keep = |mut row: Map<String, Value>| {
            row.insert("ruleSource".to_owned(), (*name).into());
            row.insert("ruleSourceType".to_owned(), "Directory Role".into());
            Some(row)
        };
        let found = whole_list(client, &at, None, permission::ROLE_POLICIES, keep).await?;
        if found.lacks.is_some() {
            return Err(Miss::Failed("a role's rules could not be understood".to_owned()));
        }
        let rows = found.document.get("value").and_then(Value::as_array).cloned();
        rules.insert(*template, rows.unwrap_or_default());
    }
    Ok(rules)
}

/// Who holds the roles, groups expanded.
#[derive(Default)]
struct Holders {
    /// Accounts with their roles.
    users: BTreeMap<String, BTreeSet<usize>>,
    /// Service principals as they are kept.
    apps: BTreeMap<String, Value>,
    odd: u64,
}

/// Whoever has one of the roles on or can switch one on.
async fn holders(client: &Client, active: &Held) -> Result<Holders, Miss> {
    let eligible = if active.plain {
        Held::default()
    } else {
        assignments(
            client,
            "/beta/roleManagement/directory/roleEligibilityScheduleInstances",
        )
        .await
        .map_err(GRAPH_API.refused(permission::ROLES_ELIGIBLE))?
    };
    let mut holders = Holders {
        odd: active.odd.saturating_add(eligible.odd),
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
            holders.odd = holders.odd.saturating_add(1);
            continue;
        };
        if !groups.contains_key(&group) {
            let members = members(client, &group, &mut holders.odd).await?;
            groups.insert(group.clone(), members);
        }
        for member in groups.get(&group).into_iter().flatten() {
            // Groups in the group have their members in this same list.
            if let Some(holder) = &member.id
                && member.kind.as_deref() != Some("#microsoft.graph.group")
            {
                add(&mut holders, *role, holder, Some(member));
            }
        }
        if holders.users.len().max(holders.apps.len()) > HOLDERS_MAX {
            return Err(Miss::Failed(
                "more accounts hold privileged roles than can be judged".to_owned(),
            ));
        }
    }
    Ok(holders)
}

fn add(holders: &mut Holders, role: usize, holder: &str, object: Option<&Principal>) {
    let Some(holder) = id(holder) else {
        holders.odd = holders.odd.saturating_add(1);
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

async fn members(client: &Client, group: &str, odd: &mut u64) -> Result<Vec<Principal>, Miss> {
    let at = format!("/v1.0/groups/{group}/transitiveMembers");
    let mut found = Vec::new();
    let mut overflow = false;
    let query = Some("$select=id,displayName&$top=999");
    let strange = each(client, &at, query, |row: Principal| {
        if found.len() >= HOLDERS_MAX {
            overflow = true;
        } else {
            found.push(row);
        }
        true
    })
    .await
    .map_err(GRAPH_API.refused(permission::GROUP_MEMBER))?;
    *odd = odd.saturating_add(strange);
    if overflow {
        return Err(Miss::Failed(
            "a group that holds a privileged role has more members than can be judged".to_owned(),
        ));
    }
    Ok(found)
}

/// The accounts that hold roles, with where each comes from.
async fn users(client: &Arc<Client>, holders: &Holders) -> Result<Found, Miss> {
    let work = holders.users.keys().cloned().map(|user| {
        let client = Arc::clone(client);
        async move {
            let query = "$select=id,displayName,userPrincipalName,onPremisesImmutableId";
            let url = client.url(&format!("/v1.0/users/{user}"), Some(query));
            client.get(url).await
        }
    });
    let answers = gather(work.collect::<Vec<_>>(), AT_ONCE).await;
    let mut rows = Vec::new();
    let mut odd = holders.odd;
    for (roles, answer) in holders.users.values().zip(answers) {
        let answer = match answer {
            Ok(answer) => answer,
            // Deleted by now.
            Err(Refusal::NotFound) => continue,
            Err(refusal) => return Err(GRAPH_API.trouble(refusal, permission::USER).into()),
        };
        let Ok(Value::Object(mut fields)) = serde_json::from_slice(&answer.body) else {
            odd = odd.saturating_add(1);
            continue;
        };
        fields.retain(|name, _| {
            matches!(
                name.as_str(),
                "id" | "displayName" | "userPrincipalName" | "onPremisesImmutableId"
            )
        });
        let names = roles
            .iter()
            .filter_map(|role| ROLES.get(*role))
            .map(|(_, name)| *name);
        fields.insert("roles".to_owned(), names.collect());
        rows.push(Value::Object(fields));
    }
    Ok(Found::list(rows).lacking(odd_rows(odd)))
}
