//! Service principals, app registrations, and the permissions that apps hold.

use super::{List, list, missing_object};
use crate::{
    company::{Credential, Grant, M365App, Ownership},
    ids::{self, Kind, mix},
    reply::{Context, Reply, Request},
    when::iso,
    world::World,
};
use serde_json::{Value, json};

/// The tenant that owns Microsoft's own apps.
const MICROSOFT_TENANT: &str = "f8cdef31-a31e-4b4a-93e4-5f571e91255a";

/// Returns the client id of an app.
pub(super) fn app_id(world: &World, position: u64, app: &M365App) -> String {
    app.app_id
        .clone()
        .unwrap_or_else(|| ids::guid(world.seed, Kind::Client, position))
}

fn principal_id(world: &World, position: u64) -> String {
    ids::guid(world.seed, Kind::ServicePrincipal, position)
}

/// Returns the id of a permission, which is the same for every resource that offers the permission.
fn permission_id(world: &World, value: &str) -> String {
    let tag = value.bytes().fold(0, |tag, byte| mix(tag, 2, u64::from(byte))) >> 16;
    ids::guid(world.seed, Kind::AppRole, tag)
}

fn credentials(world: &World, salt: u64, credentials: &[Credential], secret: bool) -> Value {
    let row = |(credential, nth): (&Credential, u64)| {
        let id = ids::guid(
            world.seed,
            Kind::Credential,
            salt * 16 + nth + if secret { 0 } else { 8 },
        );
        let (start, end) = (
            iso(credential.start.ms(world.origin_ms)),
            iso(credential.end.ms(world.origin_ms)),
        );
        if secret {
            json!({ "keyId": id, "displayName": format!("secret {}", nth + 1), "startDateTime": start,
                "endDateTime": end, "hint": "sim", "secretText": null, "customKeyIdentifier": null })
        } else {
            json!({ "keyId": id, "displayName": format!("CN=certificate {}", nth + 1), "startDateTime": start,
                "endDateTime": end, "type": "AsymmetricX509Cert", "usage": "Verify", "key": null,
                "customKeyIdentifier": null })
        }
    };
    credentials
        .iter()
        .filter(|credential| world.has_begun(Some(credential.start)))
        .zip(0..)
        .map(row)
        .collect()
}

pub(super) fn service_principals(request: &Request, context: &Context) -> Reply {
    let world = &context.world;
    let about = List {
        context: "servicePrincipals",
        total: world.m365_apps.len() as u64,
        page: (100, 999),
        gap: false,
        default_fields: None,
    };
    list(request, context, &about, |position| {
        let app = world
            .m365_apps
            .get(position as usize)
            .filter(|app| world.exists(app.created, app.deleted))?;
        let owner = match app.owner {
            Ownership::Own => world.tenant_id(),
            Ownership::Foreign => ids::guid(world.seed, Kind::Tenant, 100 + position),
            Ownership::Microsoft => MICROSOFT_TENANT.to_owned(),
        };
        let verified = (app.owner == Ownership::Foreign && app.verified).then(|| {
            json!({ "displayName": format!("{} publisher", app.name), "verifiedPublisherId": (7_000_000 + position).to_string(),
                "addedDateTime": iso(app.created.ms(world.origin_ms)) })
        });
        let nobody = json!({ "displayName": null, "verifiedPublisherId": null, "addedDateTime": null });
        let offers = app.offers.iter().map(|value| {
            json!({ "id": permission_id(world, value), "value": value, "displayName": value,
                "description": value, "isEnabled": true, "allowedMemberTypes": ["Application"], "origin": "Application" })
        });
        let row = json!({
            "id": principal_id(world, position),
            "appId": app_id(world, position, app),
            "displayName": app.name,
            "appDisplayName": app.name,
            "appOwnerOrganizationId": owner,
            "servicePrincipalType": "Application",
            "accountEnabled": true,
            "signInAudience": if app.owner == Ownership::Own { audience(app) } else { "AzureADMultipleOrgs" },
            "verifiedPublisher": verified.unwrap_or(nobody),
            "tags": if app.owner == Ownership::Microsoft { json!([]) } else { json!(["WindowsAzureActiveDirectoryIntegratedApp"]) },
            "appRoleAssignmentRequired": app.assigned_only,
            "passwordCredentials": [],
            "keyCredentials": [],
            "appRoles": offers.collect::<Vec<_>>(),
            "oauth2PermissionScopes": [],
            "createdDateTime": iso(app.created.ms(world.origin_ms)),
        });
        Some(row)
    })
}

pub(super) fn applications(request: &Request, context: &Context) -> Reply {
    let world = &context.world;
    let expand = request
        .query("$expand")
        .is_some_and(|expand| expand.contains("federatedIdentityCredentials"));
    let about = List {
        context: "applications",
        total: world.m365_apps.len() as u64,
        page: (100, 999),
        gap: false,
        default_fields: None,
    };
    list(request, context, &about, |position| {
        let app = own(world, position)?;
        let mut row = json!({
            "id": ids::guid(world.seed, Kind::Registration, position),
            "appId": app_id(world, position, app),
            "displayName": app.name,
            "signInAudience": audience(app),
            "createdDateTime": iso(app.created.ms(world.origin_ms)),
            "publisherDomain": world.company.profile.domain,
            "passwordCredentials": credentials(world, position, &app.secrets, true),
            "keyCredentials": credentials(world, position, &app.certificates, false),
            "requiredResourceAccess": [],
            "web": { "redirectUris": app.redirects, "implicitGrantSettings": { "enableIdTokenIssuance": false, "enableAccessTokenIssuance": false } },
        });
        if expand {
            row["federatedIdentityCredentials"] =
                federated_rows(world, position, app, is_beta(request)).into();
        }
        Some(row)
    })
}

/// Returns the sign-in audience of one of the company's own apps.
fn audience(app: &M365App) -> &str {
    app.audience.as_deref().unwrap_or("AzureADMyOrg")
}

/// Returns the object id of Microsoft Graph's service principal in the tenant.
pub(super) fn graph_principal(world: &World) -> String {
    let position = world
        .m365_app("Microsoft Graph")
        .map_or(0, |(position, _)| position);
    principal_id(world, position)
}

fn is_beta(request: &Request) -> bool {
    request.segments().first() == Some(&"beta")
}

/// Returns the federated credentials of an app. Only the beta version has expressions.
fn federated_rows(world: &World, position: u64, app: &M365App, beta: bool) -> Vec<Value> {
    let row = |(credential, nth): (&crate::company::Federated, u64)| {
        let mut row = json!({ "id": ids::guid(world.seed, Kind::Federated, position * 16 + nth), "name": credential.name,
            "issuer": credential.issuer, "subject": credential.subject, "description": null,
            "audiences": ["api://AzureADTokenExchange"] });
        if beta {
            row["claimsMatchingExpression"] = credential
                .expression
                .as_ref()
                .map_or(Value::Null, |text| json!({ "languageVersion": 1, "value": text }));
        }
        row
    };
    app.federated
        .iter()
        .filter(|credential| world.has_begun(Some(credential.since)))
        .zip(0..)
        .map(row)
        .collect()
}

/// Lists the external workloads that may act as one app.
pub(super) fn federated(request: &Request, context: &Context, id: &str) -> Reply {
    let world = &context.world;
    let position = ids::guid_index(world.seed, Kind::Registration, id);
    let Some((position, app)) = position.and_then(|position| Some((position, own(world, position)?))) else {
        return missing_object(context, id);
    };
    let rows = federated_rows(world, position, app, is_beta(request));
    let about = List {
        context: "applications/federatedIdentityCredentials",
        total: rows.len() as u64,
        page: (100, 999),
        gap: false,
        default_fields: None,
    };
    list(request, context, &about, |at| rows.get(at as usize).cloned())
}

fn own(world: &World, position: u64) -> Option<&M365App> {
    let app = world.m365_apps.get(position as usize)?;
    (app.owner == Ownership::Own && world.exists(app.created, app.deleted)).then_some(app)
}

pub(super) fn owners(request: &Request, context: &Context, id: &str) -> Reply {
    let world = &context.world;
    let position = ids::guid_index(world.seed, Kind::Registration, id);
    let Some(app) = position.and_then(|position| own(world, position)) else {
        return missing_object(context, id);
    };
    let about = List {
        context: "directoryObjects",
        total: app.owners.len() as u64,
        page: (100, 999),
        gap: false,
        default_fields: None,
    };
    list(request, context, &about, |nth| {
        let index = world.position(app.owners.get(nth as usize)?)?;
        let person = world.person(index)?;
        let account = person.m365.as_ref()?;
        let row = json!({ "@odata.type": "#microsoft.graph.user", "id": world.person_guid(index),
            "displayName": person.name, "userPrincipalName": super::people::upn(&person, account),
            "mail": person.email });
        Some(row)
    })
}

/// Lists what is assigned to one app: the application permissions that other apps hold on it, and the people and groups who
/// may sign in to it.
pub(super) fn app_role_assigned_to(request: &Request, context: &Context, id: &str) -> Reply {
    let world = &context.world;
    let found = ids::guid_index(world.seed, Kind::ServicePrincipal, id).and_then(|position| {
        let app = world.m365_apps.get(position as usize)?;
        world.exists(app.created, app.deleted).then_some((position, app))
    });
    let Some((position, app)) = found else {
        return missing_object(context, id);
    };
    let mut rows = permission_rows(world, app);
    rows.extend(assignment_rows(world, position, app));
    for row in &mut rows {
        row["resourceId"] = id.into();
        row["resourceDisplayName"] = app.name.as_str().into();
        row["deletedDateTime"] = Value::Null;
    }
    let about = List {
        context: "appRoleAssignments",
        total: rows.len() as u64,
        page: (100, 999),
        gap: false,
        default_fields: None,
    };
    list(request, context, &about, |nth| rows.get(nth as usize).cloned())
}

/// Returns the application permissions that are granted on a resource.
fn permission_rows(world: &World, resource: &M365App) -> Vec<Value> {
    let held = world
        .grants
        .iter()
        .zip(0..)
        .filter(|(grant, _)| grant.application && grant.resource == resource.name && in_force(world, grant))
        .flat_map(|(grant, at): (&Grant, u64)| {
            grant
                .scopes
                .split_whitespace()
                .map(move |scope| (at, grant, scope))
        });
    held.zip(0..)
        .filter_map(|((at, grant, scope), nth): (_, u64)| {
            let (position, app) = world.m365_app(&grant.app)?;
            let since = grant.since.unwrap_or(app.created).ms(world.origin_ms);
            Some(json!({ "id": ids::guid(world.seed, Kind::Grant, at * 64 + nth),
                "principalId": principal_id(world, position), "principalType": "ServicePrincipal",
                "principalDisplayName": app.name, "appRoleId": permission_id(world, scope),
                "createdDateTime": iso(since) }))
        })
        .collect()
}

/// The role of an assignment to an app that offers none to people.
const DEFAULT_ROLE: &str = "00000000-0000-0000-0000-000000000000";

/// Returns the people and groups who may sign in to an app.
fn assignment_rows(world: &World, position: u64, app: &M365App) -> Vec<Value> {
    let people = app.assigned.iter().filter_map(|key| {
        let index = world.position(key)?;
        let person = world.person(index)?;
        person.m365.as_ref()?;
        Some((
            world.person_guid(index),
            "User",
            person.name.clone(),
            person.created,
        ))
    });
    let groups = app.assigned_groups.iter().filter_map(|name| {
        let (group, at) = world
            .company
            .groups
            .iter()
            .zip(0..)
            .find(|(group, _)| group.name == *name && world.has_begun(group.created))?;
        let since = group.created.unwrap_or(app.created);
        Some((
            super::roles::group_id(world, at),
            "Group",
            group.name.clone(),
            since,
        ))
    });
    people
        .chain(groups)
        .zip(0..)
        .map(|((principal, kind, name, since), nth): (_, u64)| {
            let since_ms = since.ms(world.origin_ms).max(app.created.ms(world.origin_ms));
            json!({ "id": ids::guid(world.seed, Kind::Assignment, position << 16 | nth), "principalId": principal,
                "principalType": kind, "principalDisplayName": name, "appRoleId": DEFAULT_ROLE,
                "createdDateTime": iso(since_ms) })
        })
        .collect()
}

fn in_force(world: &World, grant: &Grant) -> bool {
    world.has_begun(grant.since)
        && !grant
            .revoked
            .is_some_and(|revoked| world.has_begun(Some(revoked)))
}

/// Lists the delegated permissions: first those of named people and of everybody, then those of ordinary people.
pub(super) fn grants(request: &Request, context: &Context) -> Reply {
    let world = &context.world;
    let delegated: Vec<(u64, &Grant)> = world
        .grants
        .iter()
        .zip(0..)
        .filter(|(grant, _)| !grant.application && in_force(world, grant))
        .map(|(grant, at)| (at, grant))
        .collect();
    let (shares, single): (Vec<_>, Vec<_>) = delegated
        .into_iter()
        .partition(|(_, grant)| grant.every.is_some());
    let people = world.people();
    let total = single.len() as u64 + shares.len() as u64 * people;
    let about = List {
        context: "oauth2PermissionGrants",
        total,
        page: (100, 999),
        gap: false,
        default_fields: None,
    };
    list(request, context, &about, |position| {
        let (at, grant, index) = match position.checked_sub(single.len() as u64) {
            None => {
                let (at, grant) = single.get(position as usize)?;
                let index = match &grant.person {
                    Some(key) => Some(world.position(key)?),
                    None => None,
                };
                (*at, *grant, index)
            }
            Some(rest) => {
                let (at, grant) = shares.get((rest / people.max(1)) as usize)?;
                let index = rest % people.max(1);
                if !world.in_share(index, grant.every?, *at) {
                    return None;
                }
                (*at, *grant, Some(index))
            }
        };
        let principal = match index {
            None => None,
            Some(index) => {
                world.person(index)?.m365.as_ref()?;
                Some(world.person_guid(index))
            }
        };
        let (client, _) = world.m365_app(&grant.app)?;
        let (resource, _) = world.m365_app(&grant.resource)?;
        // The low bits hold the position of the person, the high bits that of the grant, so that the id is unique.
        let id = ids::guid(
            world.seed,
            Kind::Grant,
            (at + 1) << 32 | index.map_or(0, |index| index + 1),
        );
        Some(json!({ "id": id, "clientId": principal_id(world, client),
            "consentType": if principal.is_some() { "Principal" } else { "AllPrincipals" },
            "principalId": principal, "resourceId": principal_id(world, resource),
            // In real responses the scope often starts with a space.
            "scope": format!(" {}", grant.scopes) }))
    })
}
