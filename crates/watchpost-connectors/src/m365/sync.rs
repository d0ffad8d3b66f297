//! Reading one tenant from front to back. Later datasets use what earlier ones showed.

use super::{
    client::{Client, Refusal, not_understood},
    normalise::{self, Held, Holding, MailboxPlans, Registered, RoleName},
    permission, wire,
};
use crate::{
    many::gather,
    run::{DOCUMENT_BYTES_MAX, DatasetRun, Emitter, Trouble},
    value::id,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};
use watchpost_core::{
    connector::ConnectorError,
    fact::Dataset,
    text::ForeignText,
    word::{CollectionState, RoleHold},
};

/// What is asked of users besides the last sign-in.
const USER_FIELDS: &str = "id,userPrincipalName,mail,proxyAddresses,displayName,userType,accountEnabled,\
    createdDateTime,externalUserState,onPremisesSyncEnabled,onPremisesImmutableId,passwordPolicies,\
    lastPasswordChangeDateTime,department,jobTitle,assignedLicenses";

/// Role definitions and PIM instances of one tenant.
const ROLE_ROWS_MAX: usize = 100_000;
/// Members of role-holding groups that are remembered.
const GROUP_MEMBERS_MAX: usize = 200_000;
/// Own app registrations that are remembered.
const REGISTRATIONS_MAX: usize = 50_000;
/// Permissions offered by resources that are remembered.
const APP_ROLES_MAX: usize = 100_000;
/// Requests for owners at a time.
const OWNERS_AT_ONCE: usize = 4;
/// Apps whose owners are asked for before their facts go out.
const OWNERS_BATCH: usize = 64;

/// What later datasets need of earlier ones.
#[derive(Default)]
struct Seen {
    tenant_id: Option<String>,
    mailboxes: Option<MailboxPlans>,
    /// Own registrations (application id) with their service principal.
    own_apps: Vec<(String, String)>,
    /// Resources (service principal id) with the permissions that they offer to apps.
    resources: Vec<(String, HashMap<String, String>)>,
    /// Members of groups that hold roles.
    groups: HashMap<String, Vec<String>>,
    group_members: usize,
}

/// One document, or list of documents, that is kept as a setting.
struct Document {
    dataset: Dataset,
    /// Below `/v1.0/`; it is also the setting's path.
    path: &'static str,
    list: bool,
    permission: &'static str,
}

const DOCUMENTS: &[Document] = &[
    Document {
        dataset: Dataset::ConditionalAccess,
        path: "identity/conditionalAccess/policies",
        list: true,
        permission: permission::POLICY,
    },
    Document {
        dataset: Dataset::SecurityDefaults,
        path: "policies/identitySecurityDefaultsEnforcementPolicy",
        list: false,
        permission: permission::POLICY,
    },
    Document {
        dataset: Dataset::AuthorizationPolicy,
        path: "policies/authorizationPolicy",
        list: false,
        permission: permission::POLICY,
    },
    Document {
        dataset: Dataset::AuthenticationMethods,
        path: "policies/authenticationMethodsPolicy",
        list: false,
        permission: permission::POLICY,
    },
    Document {
        dataset: Dataset::AdminConsent,
        path: "policies/adminConsentRequestPolicy",
        list: false,
        permission: permission::POLICY,
    },
    Document {
        dataset: Dataset::Locations,
        path: "identity/conditionalAccess/namedLocations",
        list: true,
        permission: permission::POLICY,
    },
];

/// Reads everything.
pub(super) async fn drive(client: Arc<Client>, mut out: Emitter) -> Result<(), ConnectorError> {
    let mut seen = Seen::default();

    let mut run = out.begin(Dataset::Organization);
    let end = organization(&client, &mut run, &mut seen).await;
    run.end(end).await?;

    let mut run = out.begin(Dataset::Licenses);
    let end = licenses(&client, &mut run, &mut seen).await;
    run.end(end).await?;

    let mut run = out.begin(Dataset::Domains);
    let end = list_setting(&client, &mut run, "domains", permission::DOMAIN)
        .await
        .map(drop);
    run.end(end).await?;

    users(&client, &mut out, &seen).await?;

    let mut run = out.begin(Dataset::Mfa);
    let end = registrations(&client, &mut run).await;
    run.end(end).await?;

    roles(&client, &mut out, &mut seen).await?;

    let mut run = out.begin(Dataset::Apps);
    let end = apps(&client, &mut run, &mut seen).await;
    let apps_end = end.clone();
    run.end(end).await?;

    let mut run = out.begin(Dataset::AppOwners);
    let end = owners(&client, &mut run, &seen)
        .await
        .and_then(|()| after_apps(&apps_end));
    run.end(end).await?;

    let mut run = out.begin(Dataset::Grants);
    let end = grants(&client, &mut run).await;
    run.end(end).await?;

    let mut run = out.begin(Dataset::AppGrants);
    let end = app_grants(&client, &mut run, &seen)
        .await
        .and_then(|()| after_apps(&apps_end));
    run.end(end).await?;

    for document in DOCUMENTS {
        let mut run = out.begin(document.dataset);
        let end = if document.list {
            list_setting(&client, &mut run, document.path, document.permission)
                .await
                .map(drop)
        } else {
            one_setting(&client, &mut run, document).await
        };
        run.end(end).await?;
    }
    Ok(())
}

/// What is read app by app can't be whole if the apps aren't.
fn after_apps(apps: &Result<(), Trouble>) -> Result<(), Trouble> {
    match apps {
        Ok(()) => Ok(()),
        Err(Trouble::Denied(permission)) => Err(Trouble::Denied(permission)),
        Err(_) => Err(Trouble::Partial("not all apps could be read".to_owned())),
    }
}

/// The tenant's id and name in an answer about the organisation.
pub(super) fn tenant(body: &[u8]) -> Option<(String, ForeignText)> {
    let page: wire::ListPage = serde_json::from_slice(body).ok()?;
    tenant_of(page.value.first()?.get())
}

fn tenant_of(row: &str) -> Option<(String, ForeignText)> {
    let row: wire::Organization = serde_json::from_str(row).ok()?;
    let tenant = id(&row.id)?;
    let name = ForeignText::name(row.display_name.as_deref().unwrap_or(&tenant));
    Some((tenant, name))
}

async fn organization(client: &Client, run: &mut DatasetRun<'_>, seen: &mut Seen) -> Result<(), Trouble> {
    let rows = list_setting(client, run, "organization", permission::ORGANIZATION).await?;
    let first = rows.as_array().and_then(|rows| rows.first());
    seen.tenant_id = first
        .and_then(|row| tenant_of(&row.to_string()))
        .map(|(tenant, _)| tenant);
    Ok(())
}

async fn licenses(client: &Client, run: &mut DatasetRun<'_>, seen: &mut Seen) -> Result<(), Trouble> {
    let rows = list_setting(client, run, "subscribedSkus", permission::ORGANIZATION).await?;
    let mut plans = MailboxPlans::default();
    for row in rows.as_array().into_iter().flatten() {
        match serde_json::from_value(row.clone()) {
            Ok(sku) => plans.add(&sku),
            Err(_) => run.row_error(),
        }
    }
    seen.mailboxes = Some(plans);
    Ok(())
}

/// Keeps a list as one document in the shape in which Graph sends lists, without its links. Gives the rows back.
async fn list_setting(
    client: &Client,
    run: &mut DatasetRun<'_>,
    path: &'static str,
    permission: &'static str,
) -> Result<Value, Trouble> {
    let mut list = client.list(&format!("/v1.0/{path}"), None);
    let mut rows = Vec::new();
    let mut bytes = 0_usize;
    while let Some(page) = list.page().await.map_err(|refusal| refusal.of(permission))? {
        for raw in page {
            bytes = bytes.saturating_add(raw.get().len());
            if bytes > DOCUMENT_BYTES_MAX {
                return Err(Trouble::Failed(format!("`{path}` is larger than 4 MiB")));
            }
            if let Some(row) = run.row::<Value>(&raw) {
                rows.push(row);
            }
        }
    }
    let rows = Value::Array(rows);
    let mut document = serde_json::Map::new();
    document.insert("value".to_owned(), rows.clone());
    run.setting(path, Value::Object(document).to_string()).await?;
    Ok(rows)
}

/// Keeps one document as it is, without Graph's notes about it.
async fn one_setting(client: &Client, run: &mut DatasetRun<'_>, document: &Document) -> Result<(), Trouble> {
    let url = client.url(&format!("/v1.0/{}", document.path), None);
    let answer = client
        .get(url)
        .await
        .map_err(|refusal| refusal.of(document.permission))?;
    let Ok(Value::Object(mut fields)) = serde_json::from_slice(&answer.body) else {
        return Err(not_understood().of(document.permission));
    };
    fields.retain(|name, _| !name.starts_with("@odata."));
    run.add_rows(1);
    run.setting(document.path, Value::Object(fields).to_string())
        .await
}

/// Accounts, and with them when they were last used: two datasets from one list.
async fn users(client: &Client, out: &mut Emitter, seen: &Seen) -> Result<(), ConnectorError> {
    let mut run = out.begin(Dataset::Users);
    let mut sign_in = Ok(());
    let end = user_pages(client, &mut run, seen, &mut sign_in).await;
    let users_end = end.clone();
    let state = run.end(end).await?;
    let sign_in_end = match (users_end, sign_in) {
        (_, Err(trouble)) => Err(trouble),
        (Err(trouble), Ok(())) => Err(trouble),
        (Ok(()), Ok(())) if state == CollectionState::Complete => Ok(()),
        (Ok(()), Ok(())) => Err(Trouble::Partial(
            "not all accounts could be understood".to_owned(),
        )),
    };
    out.end(Dataset::SignIn, sign_in_end).await
}

async fn user_pages(
    client: &Client,
    run: &mut DatasetRun<'_>,
    seen: &Seen,
    sign_in: &mut Result<(), Trouble>,
) -> Result<(), Trouble> {
    let with = format!("$select={USER_FIELDS},signInActivity&$top=500");
    let mut list = client.list("/v1.0/users", Some(&with));
    let first = match list.page().await {
        // Either the licence or the permission for sign-ins is missing; without that column both don't matter.
        Err(refusal @ (Refusal::Denied | Refusal::Unlicensed)) => {
            *sign_in = Err(refusal.of(permission::AUDIT_LOG));
            let without = format!("$select={USER_FIELDS}&$top=999");
            list = client.list("/v1.0/users", Some(&without));
            list.page().await
        }
        other => other,
    };
    let mut page = match first {
        // It was the list itself that is denied.
        Err(Refusal::Denied) => {
            *sign_in = Err(Trouble::Denied(permission::USER));
            return Err(Trouble::Denied(permission::USER));
        }
        other => other.map_err(|refusal| refusal.of(permission::USER))?,
    };
    while let Some(rows) = page {
        for raw in rows {
            if let Some(user) = run.row::<wire::User>(&raw) {
                run.push(normalise::account(
                    &user,
                    sign_in.is_ok(),
                    seen.mailboxes.as_ref(),
                ))
                .await;
            }
        }
        page = list
            .page()
            .await
            .map_err(|refusal| refusal.of(permission::USER))?;
    }
    Ok(())
}

async fn registrations(client: &Client, run: &mut DatasetRun<'_>) -> Result<(), Trouble> {
    let path = "/v1.0/reports/authenticationMethods/userRegistrationDetails";
    let mut list = client.list(path, Some("$top=500"));
    while let Some(rows) = list
        .page()
        .await
        .map_err(|refusal| refusal.of(permission::AUDIT_LOG))?
    {
        for raw in rows {
            if let Some(row) = run.row::<wire::Registration>(&raw) {
                run.push(normalise::registration(&row)).await;
            }
        }
    }
    Ok(())
}

/// Principal, role definition, scope.
type Place = (String, String, String);

/// Roles that are on, and roles that can be switched on. How an active role is held is known from PIM's schedules,
/// which are therefore read first.
async fn roles(client: &Client, out: &mut Emitter, seen: &mut Seen) -> Result<(), ConnectorError> {
    let mut schedules: HashMap<Place, Held> = HashMap::new();
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

async fn active_schedules(client: &Client, schedules: &mut HashMap<Place, Held>) -> Result<(), Trouble> {
    let mut list = client.list(
        "/v1.0/roleManagement/directory/roleAssignmentScheduleInstances",
        None,
    );
    while let Some(rows) = list
        .page()
        .await
        .map_err(|refusal| refusal.of(permission::ROLES_ACTIVE))?
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
            let place = (
                row.principal_id,
                row.role_definition_id,
                row.directory_scope_id.unwrap_or_default(),
            );
            schedules.insert(place, held);
        }
    }
    Ok(())
}

async fn assignments(
    client: &Client,
    run: &mut DatasetRun<'_>,
    seen: &mut Seen,
    definitions: &mut HashMap<String, RoleName>,
    schedules: &HashMap<Place, Held>,
    otherwise: Held,
) -> Result<(), Trouble> {
    let refused = |refusal: Refusal| refusal.of(permission::ROLES);
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
            let place = (
                row.principal_id.clone(),
                row.role_definition_id.clone(),
                row.directory_scope_id.clone().unwrap_or_default(),
            );
            let held = schedules.get(&place).copied().unwrap_or(otherwise);
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
        .map_err(|refusal| refusal.of(permission::ROLES_ELIGIBLE))?
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
        .map_err(|refusal| refusal.of(permission::GROUP_MEMBER))?
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

async fn apps(client: &Client, run: &mut DatasetRun<'_>, seen: &mut Seen) -> Result<(), Trouble> {
    let refused = |refusal: Refusal| refusal.of(permission::APPLICATION);
    let mut own: HashMap<String, Registered> = HashMap::new();
    let mut overflow = false;
    let query = "$select=id,appId,passwordCredentials,keyCredentials&$top=999";
    let mut list = client.list("/v1.0/applications", Some(query));
    while let Some(rows) = list.page().await.map_err(refused)? {
        for raw in rows {
            let Some(row) = run.row::<wire::Application>(&raw) else {
                continue;
            };
            match normalise::registered(&row) {
                Some(_) if own.len() >= REGISTRATIONS_MAX => overflow = true,
                Some((client_id, registered)) => drop(own.insert(client_id, registered)),
                None => run.row_error(),
            }
        }
    }
    let query = "$select=id,appId,displayName,appOwnerOrganizationId,accountEnabled,verifiedPublisher,\
        passwordCredentials,keyCredentials,appRoles,createdDateTime&$top=999";
    let mut list = client.list("/v1.0/servicePrincipals", Some(query));
    let mut app_roles = 0_usize;
    while let Some(rows) = list.page().await.map_err(refused)? {
        for raw in rows {
            let Some(row) = run.row::<wire::ServicePrincipal>(&raw) else {
                continue;
            };
            let registered = row.app_id.as_ref().and_then(|client_id| own.get(client_id));
            let fact = normalise::app(&row, registered, seen.tenant_id.as_deref());
            if fact.is_some() {
                if let Some(registered) = registered {
                    seen.own_apps
                        .push((registered.application_id.clone(), row.id.clone()));
                }
                let offers = normalise::app_roles(&row);
                app_roles = app_roles.saturating_add(offers.len());
                if app_roles > APP_ROLES_MAX {
                    overflow = true;
                } else if !offers.is_empty() {
                    seen.resources.push((row.id.clone(), offers));
                }
            }
            run.push(fact).await;
        }
    }
    if overflow {
        return Err(Trouble::Partial(
            "there are more app registrations or app roles than can be remembered".to_owned(),
        ));
    }
    Ok(())
}

async fn owners(client: &Arc<Client>, run: &mut DatasetRun<'_>, seen: &Seen) -> Result<(), Trouble> {
    for batch in seen.own_apps.chunks(OWNERS_BATCH) {
        let work = batch.iter().map(|(application, _)| {
            let (client, application) = (Arc::clone(client), application.clone());
            async move { owners_of(&client, &application).await }
        });
        let lists = gather(work.collect::<Vec<_>>(), OWNERS_AT_ONCE).await;
        for ((_, app), list) in batch.iter().zip(lists) {
            for raw in list? {
                if let Some(row) = run.row::<wire::DirectoryObject>(&raw) {
                    // Apps can own apps; owners here are accounts.
                    if row
                        .kind
                        .as_deref()
                        .is_none_or(|kind| kind == "#microsoft.graph.user")
                    {
                        run.push(normalise::owner(app, &row)).await;
                    }
                }
            }
        }
    }
    Ok(())
}

/// The owners of one application; none if it is gone by now. A vendor allows 100.
async fn owners_of(
    client: &Client,
    application: &str,
) -> Result<Vec<Box<serde_json::value::RawValue>>, Trouble> {
    let mut list = client.list(
        &format!("/v1.0/applications/{application}/owners"),
        Some("$select=id"),
    );
    let mut owners = Vec::new();
    loop {
        match list.page().await {
            Ok(Some(rows)) => owners.extend(rows),
            Ok(None) | Err(Refusal::NotFound) => return Ok(owners),
            Err(refusal) => return Err(refusal.of(permission::APPLICATION)),
        }
        if owners.len() > 1_000 {
            return Err(Trouble::Failed("an app's list of owners did not end".to_owned()));
        }
    }
}

async fn grants(client: &Client, run: &mut DatasetRun<'_>) -> Result<(), Trouble> {
    let mut list = client.list("/v1.0/oauth2PermissionGrants", Some("$top=999"));
    while let Some(rows) = list
        .page()
        .await
        .map_err(|refusal| refusal.of(permission::DIRECTORY))?
    {
        for raw in rows {
            if let Some(row) = run.row::<wire::PermissionGrant>(&raw) {
                run.push(normalise::grant(&row)).await;
            }
        }
    }
    Ok(())
}

async fn app_grants(client: &Client, run: &mut DatasetRun<'_>, seen: &Seen) -> Result<(), Trouble> {
    // In a fixed order, so that two syncs of the same tenant ask the same.
    let resources: BTreeMap<&str, &HashMap<String, String>> = seen
        .resources
        .iter()
        .map(|(resource, offers)| (resource.as_str(), offers))
        .collect();
    for (resource, offers) in resources {
        let path = format!("/v1.0/servicePrincipals/{resource}/appRoleAssignedTo");
        let mut list = client.list(&path, Some("$top=999"));
        loop {
            let rows = match list.page().await {
                Ok(Some(rows)) => rows,
                // The resource is gone by now.
                Ok(None) | Err(Refusal::NotFound) => break,
                Err(refusal) => return Err(refusal.of(permission::APPLICATION)),
            };
            for raw in rows {
                if let Some(row) = run.row::<wire::AppRoleAssignment>(&raw) {
                    match normalise::app_grant(&row, offers) {
                        Some(Some(fact)) => run.push(Some(fact)).await,
                        Some(None) => {}
                        None => run.row_error(),
                    }
                }
            }
        }
    }
    Ok(())
}
