//! What a verification says of the permissions that only scans need.

use super::{
    exchange::Admin,
    graph,
    hosts::Hosts,
    seen::Seen,
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
    settings::Miss,
};
use watchpost_core::integration::connector::PermissionCheck;

/// The settings that can't be read without one of Graph's permissions.
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

/// Tries each permission that only scans need. A service whose address isn't known is left out.
pub(in crate::m365) async fn permissions(client: &Client, hosts: &Hosts) -> Vec<PermissionCheck> {
    let mut seen = Seen::default();
    let mut checks = Checks::default();
    graph(client, &mut checks).await;
    exchange(client, hosts, &mut seen, &mut checks).await;
    administration(client, hosts, &mut seen, &mut checks).await;
    checks.0
}

/// What was found out so far.
#[derive(Default)]
struct Checks(Vec<PermissionCheck>);

impl Checks {
    /// Adds a permission. `end` is how the try of it ended, `how` what to do if it is missing.
    fn add<T>(
        &mut self,
        permission: &'static str,
        end: Result<T, Miss>,
        settings: Vec<&'static str>,
        how: &str,
    ) {
        let hint = match end {
            Ok(_) | Err(Miss::Unlicensed(_)) => None,
            Err(Miss::Denied(_)) => Some(how.to_owned()),
            Err(Miss::Failed(reason) | Miss::Unreachable(reason)) => {
                Some(format!("it could not be tried: {reason}"))
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

/// Graph's permissions.
async fn graph(client: &Client, checks: &mut Checks) {
    let filter = "$filter=scopeId%20eq%20'/'%20and%20scopeType%20eq%20'DirectoryRole'&$top=1";
    let url = client.url("/beta/policies/roleManagementPolicyAssignments", Some(filter));
    let end = client.get(url).await;
    let end = end.map_err(|refusal| GRAPH_API.trouble(refusal, permission::ROLE_POLICIES).into());
    checks.add(
        permission::ROLE_POLICIES,
        end,
        vec![privileged::ROLES],
        &graph_hint(permission::ROLE_POLICIES),
    );
    let setting = GRAPH_SETTINGS
        .iter()
        .find(|setting| setting.permission == permission::SHAREPOINT_SETTINGS);
    if let Some(setting) = setting {
        let end = graph::read(client, setting).await;
        let how = graph_hint(setting.permission);
        checks.add(setting.permission, end, settings_of(setting.permission), &how);
    }
    let how = format!(
        "{}; and add the service principal \"Tenant Configuration Management\" to the tenant with the role Global Reader",
        graph_hint(permission::SNAPSHOTS)
    );
    checks.add(
        permission::SNAPSHOTS,
        snapshot::probe(client).await,
        paths(|setting| setting.snapshot),
        &how,
    );
}

/// Exchange's permissions: those of its documented endpoints, and those of its undocumented proxy if it may be used.
async fn exchange(client: &Client, hosts: &Hosts, seen: &mut Seen, checks: &mut Checks) {
    let mut exchange = Admin::new(client, hosts, seen).await;
    if !exchange.knows(Workload::Exchange) {
        return;
    }
    if let Some(setting) = named("exchange/OrganizationConfig")
        && let Some(endpoint) = setting.documented
    {
        checks.add(
            "Exchange.ManageAsAppV2",
            exchange.documented(client, setting, endpoint).await,
            paths(|setting| setting.documented.is_some()),
            "API permissions > Office 365 Exchange Online > Exchange.ManageAsAppV2, and an Exchange role that may view \
             the configuration; only needed without configuration snapshots",
        );
    }
    if let Some(setting) = named("exchange/AdminAuditLogConfig")
        && exchange.may_use_proxy()
    {
        checks.add(
            "Exchange.ManageAsApp",
            exchange.proxy(client, setting).await,
            paths(|setting| setting.workload != Workload::Teams),
            "API permissions > Office 365 Exchange Online > Exchange.ManageAsApp, and the role Global Reader for the \
             application",
        );
    }
}

/// What SharePoint, Power Platform and Fabric want.
async fn administration(client: &Client, hosts: &Hosts, seen: &mut Seen, checks: &mut Checks) {
    if hosts.sharepoint(client, seen).await.is_ok() {
        let how = "API permissions > SharePoint > Sites.FullControl.All (SharePoint has none that only reads), with a \
                   certificate: it takes no client secrets";
        let end = super::admin::sharepoint(client, hosts, seen).await;
        checks.add(
            super::admin::SHAREPOINT_PERMISSION,
            end,
            vec![admin::SHAREPOINT],
            how,
        );
    }
    if let Ok(mut host) = hosts.power_platform() {
        let how = "an administrator of Power Platform registers the application: New-PowerAppManagementApp";
        let end = super::admin::power_platform(client, &mut host, seen, admin::POWER_SETTINGS).await;
        checks.add(
            super::admin::MANAGEMENT_APP,
            end,
            admin::POWER_PLATFORM.to_vec(),
            how,
        );
    }
    if hosts.fabric().is_ok() {
        let how = "Fabric admin portal > Tenant settings > Admin API settings: let service principals use read-only \
                   admin APIs (what Fabric calls Tenant.Read.All), for a group with the application";
        let end = super::admin::fabric(client, hosts).await;
        checks.add(super::admin::FABRIC_PERMISSION, end, vec![admin::FABRIC], how);
    }
}

fn graph_hint(permission: &str) -> String {
    format!(
        "API permissions > Microsoft Graph > Application permissions > {permission}, then Grant admin consent"
    )
}

fn named(path: &str) -> Option<&'static WorkloadSetting> {
    WORKLOAD_SETTINGS.iter().find(|setting| setting.path == path)
}

fn paths(which: impl Fn(&WorkloadSetting) -> bool) -> Vec<&'static str> {
    let settings = WORKLOAD_SETTINGS.iter().filter(|setting| which(setting));
    settings.map(|setting| setting.path).collect()
}
