//! The settings of SharePoint, Power Platform and Fabric, from the admin APIs of these services.

use super::{
    documents::Documents,
    hosts::{Host, Hosts, ListFormat, ReadRequest, no_special_error},
    table::admin,
};
use crate::{
    form,
    m365::client::Client,
    settings::{SettingContent, SettingEmitter, SettingError},
    text::m365_settings as text,
};
use serde_json::Value;
use watchpost_core::integration::connector::ConnectorError;

/// The application permission of SharePoint's own API, which has no read-only one.
pub(super) const SHAREPOINT_PERMISSION: &str = "Sites.FullControl.All";
/// Power Platform's requirement, which replaces a permission.
pub(super) const MANAGEMENT_APP: &str = text::MANAGEMENT_APP;
/// Fabric's name of the permission to read its settings.
pub(super) const FABRIC_PERMISSION: &str = "Tenant.Read.All";

/// Reads the pending settings of these services.
pub(super) async fn read(
    client: &Client,
    hosts: &Hosts,
    documents: &mut Documents,
    out: &mut SettingEmitter,
) -> Result<(), ConnectorError> {
    if out.is_pending(admin::SHAREPOINT) {
        let result = sharepoint(client, hosts, documents).await;
        out.emit(admin::SHAREPOINT, "sharepoint-admin", result).await?;
    }
    if admin::POWER_PLATFORM.iter().any(|path| out.is_pending(path)) {
        let mut host = hosts.power_platform();
        for path in admin::POWER_PLATFORM {
            if !out.is_pending(path) {
                continue;
            }
            let result = match &mut host {
                Ok(host) => power_platform(client, host, documents, path).await,
                Err(error) => Err(error.clone()),
            };
            out.emit(path, "power-platform", result).await?;
        }
    }
    if out.is_pending(admin::FABRIC) {
        let result = fabric(client, hosts).await;
        out.emit(admin::FABRIC, "fabric", result).await?;
    }
    Ok(())
}

/// Reads SharePoint's settings as one object.
pub(super) async fn sharepoint(
    client: &Client,
    hosts: &Hosts,
    documents: &mut Documents,
) -> Result<SettingContent, SettingError> {
    let mut host = hosts.sharepoint(client, documents).await?;
    let url = host.url("/_api/SPO.Tenant", None);
    let response = host
        .request(client, url, &ReadRequest::Get, |request| {
            request.accepting("application/json;odata=verbose")
        })
        .await?;
    let permission = if client.vendor.has_certificate() {
        SHAREPOINT_PERMISSION.to_owned()
    } else {
        text::with_certificate(SHAREPOINT_PERMISSION)
    };
    let mut fields = host.body(&response, &permission)?;
    // The verbose format wraps the fields.
    if let Some(inner) = fields.remove("d") {
        let Value::Object(inner) = inner else {
            return Err(host.unexpected_response());
        };
        fields = inner;
    }
    fields.retain(|name, value| {
        let link = value.get("__deferred").is_some();
        !link && !name.starts_with("__") && !name.starts_with("odata.") && !name.starts_with('@')
    });
    if !fields.contains_key("SharingCapability") {
        return Err(host.unexpected_response());
    }
    Ok(SettingContent::complete(Value::Object(fields)))
}

/// Reads one of Power Platform's settings.
pub(super) async fn power_platform(
    client: &Client,
    host: &mut Host,
    documents: &mut Documents,
    path: &'static str,
) -> Result<SettingContent, SettingError> {
    let root = "/providers/Microsoft.BusinessAppPlatform";
    let (at, version, request) = match path {
        admin::POWER_SETTINGS => (
            format!("{root}/listTenantSettings"),
            "2023-06-01",
            ReadRequest::Query("{}".to_owned()),
        ),
        admin::POWER_ENVIRONMENTS => (
            format!("{root}/scopes/admin/environments"),
            "2023-06-01",
            ReadRequest::Get,
        ),
        admin::POWER_POLICIES => (
            format!("{root}/scopes/admin/apiPolicies"),
            "2016-11-01",
            ReadRequest::Get,
        ),
        _ => {
            let tenant = documents.tenant_id(client).await;
            (
                format!("/providers/PowerPlatform.Governance/v1/tenants/{tenant}/tenantIsolationPolicy"),
                "2020-06-01",
                ReadRequest::Get,
            )
        }
    };
    let url = host.url(&at, Some(&format!("api-version={version}")));
    if matches!(path, admin::POWER_ENVIRONMENTS | admin::POWER_POLICIES) {
        let format = ListFormat {
            request,
            headers: &[],
            rows: "value",
            next: "nextLink",
            permission: MANAGEMENT_APP,
            special_error: no_special_error,
            keep: Value::is_object,
        };
        let rows = host.list(client, url, &format).await?;
        return Ok(SettingContent::list(match path {
            admin::POWER_POLICIES => rows.into_iter().map(form::power_platform::policy).collect(),
            _ => rows,
        }));
    }
    let response = host.request(client, url, &request, |request| request).await?;
    let fields = host.body(&response, MANAGEMENT_APP)?;
    if fields.is_empty() {
        return Err(host.unexpected_response());
    }
    Ok(SettingContent::complete(Value::Object(fields)))
}

/// Reads Fabric's settings, which include Power BI's.
pub(super) async fn fabric(client: &Client, hosts: &Hosts) -> Result<SettingContent, SettingError> {
    let mut host = hosts.fabric()?;
    let url = host.url("/v1/admin/tenantsettings", None);
    let format = ListFormat {
        request: ReadRequest::Get,
        headers: &[],
        rows: "tenantSettings",
        next: "continuationUri",
        permission: FABRIC_PERMISSION,
        special_error: no_special_error,
        keep: Value::is_object,
    };
    host.list(client, url, &format).await.map(SettingContent::list)
}
