//! Settings of SharePoint, Power Platform and Fabric, from their own administration APIs.

use super::{
    hosts::{Host, Hosts, ListShape, Question, as_usual},
    seen::Seen,
    table::admin,
};
use crate::{
    m365::client::Client,
    settings::{Found, Miss, Outlet},
};
use serde_json::Value;
use watchpost_core::integration::connector::ConnectorError;

/// The application permission of SharePoint's own API; there is none that only reads.
pub(super) const SHAREPOINT_PERMISSION: &str = "Sites.FullControl.All";
/// What an administrator does instead of granting a permission.
pub(super) const MANAGEMENT_APP: &str = "registration as a Power Platform management application";
/// What Fabric calls the right to read its settings.
pub(super) const FABRIC_PERMISSION: &str = "Tenant.Read.All";

/// Reads what is wanted of them.
pub(super) async fn read(
    client: &Client,
    hosts: &Hosts,
    seen: &mut Seen,
    out: &mut Outlet,
) -> Result<(), ConnectorError> {
    if out.wants(admin::SHAREPOINT) {
        let end = sharepoint(client, hosts, seen).await;
        out.give(admin::SHAREPOINT, "sharepoint-admin", end).await?;
    }
    if admin::POWER_PLATFORM.iter().any(|path| out.wants(path)) {
        let mut host = hosts.power_platform();
        for path in admin::POWER_PLATFORM {
            if !out.wants(path) {
                continue;
            }
            let end = match &mut host {
                Ok(host) => power_platform(client, host, seen, path).await,
                Err(miss) => Err(miss.clone()),
            };
            out.give(path, "power-platform", end).await?;
        }
    }
    if out.wants(admin::FABRIC) {
        let end = fabric(client, hosts).await;
        out.give(admin::FABRIC, "fabric", end).await?;
    }
    Ok(())
}

/// The tenant's settings as one object.
pub(super) async fn sharepoint(client: &Client, hosts: &Hosts, seen: &mut Seen) -> Result<Found, Miss> {
    let mut host = hosts.sharepoint(client, seen).await?;
    let url = host.url("/_api/SPO.Tenant", None);
    let answer = host
        .ask(client, url, &Question::Get, |request| {
            request.accepting("application/json;odata=verbose")
        })
        .await?;
    let permission = if client.vendor.has_certificate() {
        SHAREPOINT_PERMISSION.to_owned()
    } else {
        format!("{SHAREPOINT_PERMISSION}, and a certificate instead of a client secret")
    };
    let mut fields = host.judge(&answer, &permission)?;
    // The verbose form wraps them.
    if let Some(inner) = fields.remove("d") {
        let Value::Object(inner) = inner else {
            return Err(host.not_understood());
        };
        fields = inner;
    }
    fields.retain(|name, value| {
        let link = value.get("__deferred").is_some();
        !link && !name.starts_with("__") && !name.starts_with("odata.") && !name.starts_with('@')
    });
    if !fields.contains_key("SharingCapability") {
        return Err(host.not_understood());
    }
    Ok(Found::whole(Value::Object(fields)))
}

/// One of Power Platform's settings.
pub(super) async fn power_platform(
    client: &Client,
    host: &mut Host,
    seen: &mut Seen,
    path: &'static str,
) -> Result<Found, Miss> {
    let root = "/providers/Microsoft.BusinessAppPlatform";
    let (at, version, question) = match path {
        admin::POWER_SETTINGS => (
            format!("{root}/listTenantSettings"),
            "2023-06-01",
            Question::Query("{}".to_owned()),
        ),
        admin::POWER_ENVIRONMENTS => (
            format!("{root}/scopes/admin/environments"),
            "2023-06-01",
            Question::Get,
        ),
        admin::POWER_POLICIES => (
            format!("{root}/scopes/admin/apiPolicies"),
            "2016-11-01",
            Question::Get,
        ),
        _ => {
            let tenant = seen.tenant_id(client).await;
            (
                format!("/providers/PowerPlatform.Governance/v1/tenants/{tenant}/tenantIsolationPolicy"),
                "2020-06-01",
                Question::Get,
            )
        }
    };
    let url = host.url(&at, Some(&format!("api-version={version}")));
    if matches!(path, admin::POWER_ENVIRONMENTS | admin::POWER_POLICIES) {
        let shape = ListShape {
            question,
            headers: &[],
            rows: "value",
            next: "nextLink",
            permission: MANAGEMENT_APP,
            refused: as_usual,
            keep: Value::is_object,
        };
        return host.list(client, url, &shape).await.map(Found::list);
    }
    let answer = host.ask(client, url, &question, |request| request).await?;
    let fields = host.judge(&answer, MANAGEMENT_APP)?;
    if fields.is_empty() {
        return Err(host.not_understood());
    }
    Ok(Found::whole(Value::Object(fields)))
}

/// Fabric's settings, which hold Power BI's.
pub(super) async fn fabric(client: &Client, hosts: &Hosts) -> Result<Found, Miss> {
    let mut host = hosts.fabric()?;
    let url = host.url("/v1/admin/tenantsettings", None);
    let shape = ListShape {
        question: Question::Get,
        headers: &[],
        rows: "tenantSettings",
        next: "continuationUri",
        permission: FABRIC_PERMISSION,
        refused: as_usual,
        keep: Value::is_object,
    };
    host.list(client, url, &shape).await.map(Found::list)
}
