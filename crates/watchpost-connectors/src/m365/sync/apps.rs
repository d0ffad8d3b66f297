//! Apps, who owns them, and what they may do.

use super::Seen;
use crate::{
    m365::{
        client::{Client, GRAPH_API},
        normalise::{self, Registered},
        permission, wire,
    },
    many::gather,
    run::{DatasetRun, Trouble},
    vendor::Refusal,
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// Own app registrations that are remembered.
const REGISTRATIONS_MAX: usize = 50_000;
/// Permissions offered by resources that are remembered.
const APP_ROLES_MAX: usize = 100_000;
/// Requests for owners at a time.
const OWNERS_AT_ONCE: usize = 4;
/// Apps whose owners are asked for before their facts go out.
const OWNERS_BATCH: usize = 64;

pub(super) async fn apps(client: &Client, run: &mut DatasetRun<'_>, seen: &mut Seen) -> Result<(), Trouble> {
    let refused = GRAPH_API.refused(permission::APPLICATION);
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

pub(super) async fn owners(
    client: &Arc<Client>,
    run: &mut DatasetRun<'_>,
    seen: &Seen,
) -> Result<(), Trouble> {
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
            Err(refusal) => return Err(GRAPH_API.trouble(refusal, permission::APPLICATION)),
        }
        if owners.len() > 1_000 {
            return Err(Trouble::Failed("an app's list of owners did not end".to_owned()));
        }
    }
}

pub(super) async fn grants(client: &Client, run: &mut DatasetRun<'_>) -> Result<(), Trouble> {
    let mut list = client.list("/v1.0/oauth2PermissionGrants", Some("$top=999"));
    while let Some(rows) = list
        .page()
        .await
        .map_err(GRAPH_API.refused(permission::DIRECTORY))?
    {
        for raw in rows {
            if let Some(row) = run.row::<wire::PermissionGrant>(&raw) {
                run.push(normalise::grant(&row)).await;
            }
        }
    }
    Ok(())
}

pub(super) async fn app_grants(
    client: &Client,
    run: &mut DatasetRun<'_>,
    seen: &Seen,
) -> Result<(), Trouble> {
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
                Err(refusal) => return Err(GRAPH_API.trouble(refusal, permission::APPLICATION)),
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
