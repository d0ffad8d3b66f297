//! Apps, their owners, and their permissions.

use super::Seen;
use crate::{
    concurrency::gather,
    m365::{
        client::{Client, GRAPH_API},
        normalize::{self, AppRegistration},
        permission, wire,
    },
    run::{DatasetRun, ReadError},
    text::{ONLY_OWN_CLIENT_SEEN, m365 as text},
    vendor::ApiError,
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// The maximum number of the tenant's own app registrations that are kept in memory.
const REGISTRATIONS_MAX: usize = 50_000;
/// The maximum number of the resources' permissions that are kept in memory.
const APP_ROLES_MAX: usize = 100_000;
/// The maximum number of apps with possible assignments that are kept in memory. Fewer are read.
const ASSIGNABLE_MAX: usize = 50_000;
/// The number of concurrent requests for owners.
const OWNERS_AT_ONCE: usize = 4;
/// The number of apps whose owners are read before the facts are emitted.
const OWNERS_BATCH: usize = 64;

pub(super) async fn apps(
    client: &Client,
    run: &mut DatasetRun<'_>,
    seen: &mut Seen,
) -> Result<(), ReadError> {
    let read_error = GRAPH_API.read_error_for(permission::APPLICATION);
    let mut own: HashMap<String, AppRegistration> = HashMap::new();
    let mut overflow = false;
    let query = "$select=id,appId,passwordCredentials,keyCredentials&$top=999";
    let mut list = client.list("/v1.0/applications", Some(query));
    while let Some(rows) = list.page().await.map_err(read_error)? {
        for raw in rows {
            let Some(row) = run.row_aside::<wire::Application>(&raw) else {
                continue;
            };
            match normalize::app_registration(&row) {
                Some(_) if own.len() >= REGISTRATIONS_MAX => overflow = true,
                Some((client_id, registered)) => drop(own.insert(client_id, registered)),
                None => run.row_error(),
            }
        }
    }
    let query = "$select=id,appId,displayName,appOwnerOrganizationId,accountEnabled,verifiedPublisher,\
        passwordCredentials,keyCredentials,appRoles,createdDateTime,servicePrincipalType&$top=999";
    let mut list = client.list("/v1.0/servicePrincipals", Some(query));
    let mut app_roles = 0_usize;
    let (mut own_client, mut others) = (false, false);
    while let Some(rows) = list.page().await.map_err(read_error)? {
        for raw in rows {
            let Some(row) = run.row::<wire::ServicePrincipal>(&raw) else {
                continue;
            };
            let is_own_client = row.app_id.as_deref() == Some(client.vendor.client_id());
            own_client |= is_own_client;
            others |= !is_own_client;
            let registered = row.app_id.as_ref().and_then(|client_id| own.get(client_id));
            let fact = normalize::app(&row, registered, seen.tenant_id.as_deref());
            if fact.is_some() {
                if normalize::is_assignable(&row) && seen.assignable.len() < ASSIGNABLE_MAX {
                    seen.assignable.push((row.id.clone(), registered.is_some()));
                }
                if let Some(registered) = registered {
                    seen.own_apps
                        .push((registered.application_id.clone(), row.id.clone()));
                }
                let offers = normalize::app_roles(&row);
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
        return Err(ReadError::Partial(text::TOO_MANY_APPS.to_owned()));
    }
    // Every tenant has apps of Microsoft besides the one that reads it.
    if own_client && !others {
        return Err(ReadError::Partial(ONLY_OWN_CLIENT_SEEN.to_owned()));
    }
    Ok(())
}

pub(super) async fn owners(
    client: &Arc<Client>,
    run: &mut DatasetRun<'_>,
    seen: &Seen,
) -> Result<(), ReadError> {
    for batch in seen.own_apps.chunks(OWNERS_BATCH) {
        let work = batch.iter().map(|(application, _)| {
            let (client, application) = (Arc::clone(client), application.clone());
            async move { owners_of(&client, &application).await }
        });
        let lists = gather(work.collect::<Vec<_>>(), OWNERS_AT_ONCE).await;
        for ((_, app), list) in batch.iter().zip(lists) {
            for raw in list? {
                if let Some(row) = run.row::<wire::DirectoryObject>(&raw) {
                    // An app can own an app, but only accounts count as owners here.
                    if row
                        .kind
                        .as_deref()
                        .is_none_or(|kind| kind == "#microsoft.graph.user")
                    {
                        run.push(normalize::owner(app, &row)).await;
                    }
                }
            }
        }
    }
    Ok(())
}

/// Reads the owners of one application; none if it no longer exists. Entra allows at most 100.
async fn owners_of(
    client: &Client,
    application: &str,
) -> Result<Vec<Box<serde_json::value::RawValue>>, ReadError> {
    let mut list = client.list(
        &format!("/v1.0/applications/{application}/owners"),
        Some("$select=id"),
    );
    let mut owners = Vec::new();
    loop {
        match list.page().await {
            Ok(Some(rows)) => owners.extend(rows),
            Ok(None) | Err(ApiError::NotFound) => return Ok(owners),
            Err(error) => return Err(GRAPH_API.read_error(error, permission::APPLICATION)),
        }
        if owners.len() > 1_000 {
            return Err(ReadError::Failed(text::ENDLESS_OWNERS.to_owned()));
        }
    }
}

pub(super) async fn grants(client: &Client, run: &mut DatasetRun<'_>) -> Result<(), ReadError> {
    let mut list = client.list("/v1.0/oauth2PermissionGrants", Some("$top=999"));
    while let Some(rows) = list
        .page()
        .await
        .map_err(GRAPH_API.read_error_for(permission::DIRECTORY))?
    {
        for raw in rows {
            if let Some(row) = run.row::<wire::PermissionGrant>(&raw) {
                run.push(normalize::grant(&row)).await;
            }
        }
    }
    Ok(())
}

pub(super) async fn app_grants(
    client: &Client,
    run: &mut DatasetRun<'_>,
    seen: &Seen,
) -> Result<(), ReadError> {
    // The order is fixed, so that two syncs of the same tenant send the same requests.
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
                // The resource no longer exists.
                Ok(None) | Err(ApiError::NotFound) => break,
                Err(error) => return Err(GRAPH_API.read_error(error, permission::APPLICATION)),
            };
            for raw in rows {
                if let Some(row) = run.row::<wire::AppRoleAssignment>(&raw) {
                    match normalize::app_grant(&row, offers) {
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
