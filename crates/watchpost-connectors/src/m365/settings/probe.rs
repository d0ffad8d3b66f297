//! The verification of the permissions that only scans need.

use super::{
    documents::Documents,
    exchange::Admin,
    graph,
    hosts::Hosts,
    snapshot,
    table::{
        DERIVED_PERMISSIONS, GRAPH_SETTINGS, WORKLOAD_SETTINGS, Workload, WorkloadSetting, admin, privileged,
    },
};
use crate::{
    m365::{
        client::{Client, GRAPH_API},
        permission,
    },
    settings::SettingError,
    text::m365_settings as text,
};
use watchpost_core::integration::connector::PermissionCheck;

/// Returns the paths of the settings that require a permission of Graph.
pub(in crate::m365) fn settings_of(permission: &str) -> Vec<&'static str> {
    let plain = GRAPH_SETTINGS
        .iter()
        .filter(|setting| setting.permission == permission)
        .map(|setting| setting.path);
    let derived = DERIVED_PERMISSIONS
        .iter()
        .filter(|(_, needs)| needs.contains(&permission))
        .map(|(path, _)| *path);
    plain.chain(derived).collect()
}

/// The name of the permission for Exchange's documented endpoints.
const EXCHANGE_V2: &str = "Exchange.ManageAsAppV2";
/// The name of the permission for Exchange's undocumented proxy.
const EXCHANGE: &str = "Exchange.ManageAsApp";

/// Returns the permissions that only scans need, each with the paths of the settings that can be read with it.
pub(in crate::m365) fn optional_permissions() -> Vec<(&'static str, Vec<&'static str>)> {
    vec![
        (permission::ROLE_POLICIES, vec![privileged::ROLES]),
        (
            permission::SHAREPOINT_SETTINGS,
            settings_of(permission::SHAREPOINT_SETTINGS),
        ),
        (
            permission::SNAPSHOTS,
            paths(|setting| setting.resource_type().is_some()),
        ),
        (EXCHANGE_V2, paths(|setting| setting.documented.is_some())),
        (EXCHANGE, paths(|setting| setting.workload != Workload::Teams)),
        (super::admin::SHAREPOINT_PERMISSION, vec![admin::SHAREPOINT]),
        (super::admin::MANAGEMENT_APP, admin::POWER_PLATFORM.to_vec()),
        (super::admin::FABRIC_PERMISSION, vec![admin::FABRIC]),
    ]
}

/// Checks each permission that only scans need. A service without a known address is skipped.
pub(in crate::m365) async fn permissions(client: &Client, hosts: &Hosts) -> Vec<PermissionCheck> {
    let mut documents = Documents::default();
    let mut checks = Checks::default();
    graph(client, &mut checks).await;
    exchange(client, hosts, &mut documents, &mut checks).await;
    admin_apis(client, hosts, &mut documents, &mut checks).await;
    checks.0
}

/// The results so far.
#[derive(Default)]
struct Checks(Vec<PermissionCheck>);

impl Checks {
    /// Adds a permission. `result` is that of a request that needs the permission; `advice` tells how to grant it.
    fn add<T>(&mut self, permission: &'static str, result: Result<T, SettingError>, advice: &str) {
        let settings = optional_permissions()
            .into_iter()
            .find(|(name, _)| *name == permission)
            .map(|(_, settings)| settings)
            .unwrap_or_default();
        let hint = match result {
            Ok(_) | Err(SettingError::Unlicensed(_)) => None,
            Err(SettingError::Denied(_)) => Some(advice.to_owned()),
            Err(SettingError::Failed(reason) | SettingError::Unreachable(reason)) => {
                Some(text::permission_not_checked(&reason))
            }
        };
        self.0.push(PermissionCheck {
            permission: permission.to_owned(),
            granted: hint.is_none(),
            datasets: Vec::new(),
            settings,
            hint,
        });
    }
}

/// Checks the permissions of Graph.
async fn graph(client: &Client, checks: &mut Checks) {
    let filter = "$filter=scopeId%20eq%20'/'%20and%20scopeType%20eq%20'DirectoryRole'&$top=1";
    let url = client.url("/beta/policies/roleManagementPolicyAssignments", Some(filter));
    let result = client.get(url).await;
    let result = result.map_err(|error| GRAPH_API.read_error(error, permission::ROLE_POLICIES).into());
    checks.add(
        permission::ROLE_POLICIES,
        result,
        &text::grant_graph_permission(permission::ROLE_POLICIES),
    );
    let setting = GRAPH_SETTINGS
        .iter()
        .find(|setting| setting.permission == permission::SHAREPOINT_SETTINGS);
    if let Some(setting) = setting {
        let result = graph::read(client, setting).await;
        let advice = text::grant_graph_permission(setting.permission);
        checks.add(setting.permission, result, &advice);
    }
    checks.add(
        permission::SNAPSHOTS,
        snapshot::probe(client).await,
        &text::grant_snapshots(permission::SNAPSHOTS),
    );
}

/// Checks the permissions of Exchange: those for its documented endpoints and, if it is enabled, for its undocumented
/// proxy.
async fn exchange(client: &Client, hosts: &Hosts, documents: &mut Documents, checks: &mut Checks) {
    let mut exchange = Admin::new(client, hosts, documents).await;
    if !exchange.has_address(Workload::Exchange) {
        return;
    }
    if let Some(setting) = workload_setting("exchange/OrganizationConfig")
        && let Some(endpoint) = setting.documented
    {
        checks.add(
            EXCHANGE_V2,
            exchange.documented(client, setting, endpoint).await,
            text::GRANT_EXCHANGE_V2,
        );
    }
    if let Some(setting) = workload_setting("exchange/AdminAuditLogConfig")
        && exchange.may_use_proxy()
    {
        checks.add(
            EXCHANGE,
            exchange.proxy(client, setting).await,
            text::GRANT_EXCHANGE,
        );
    }
}

/// Checks the permissions of SharePoint, Power Platform and Fabric.
async fn admin_apis(client: &Client, hosts: &Hosts, documents: &mut Documents, checks: &mut Checks) {
    if hosts.sharepoint(client, documents).await.is_ok() {
        let result = super::admin::sharepoint(client, hosts, documents).await;
        checks.add(
            super::admin::SHAREPOINT_PERMISSION,
            result,
            text::GRANT_SHAREPOINT,
        );
    }
    if let Ok(mut host) = hosts.power_platform() {
        let result = super::admin::power_platform(client, &mut host, documents, admin::POWER_SETTINGS).await;
        checks.add(
            super::admin::MANAGEMENT_APP,
            result,
            text::REGISTER_MANAGEMENT_APP,
        );
    }
    if hosts.fabric().is_ok() {
        let result = super::admin::fabric(client, hosts).await;
        checks.add(super::admin::FABRIC_PERMISSION, result, text::GRANT_FABRIC);
    }
}

fn workload_setting(path: &str) -> Option<&'static WorkloadSetting> {
    WORKLOAD_SETTINGS.iter().find(|setting| setting.path == path)
}

fn paths(which: impl Fn(&WorkloadSetting) -> bool) -> Vec<&'static str> {
    let settings = WORKLOAD_SETTINGS.iter().filter(|setting| which(setting));
    settings.map(|setting| setting.path).collect()
}
