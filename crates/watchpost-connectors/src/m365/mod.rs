//! Microsoft 365 with Entra ID, read through Microsoft Graph with application permissions.

mod api;
mod client;
mod normalise;
mod settings;
mod sync;
mod wire;

use crate::{
    config::{optional_field, required_field, secret_field},
    dns::{self, DnsSettings},
    run::DrivenRun,
    session::{ReadLimits, Session},
    settings::DrivenSettings,
    vendor::verify,
};
use async_trait::async_trait;
use client::{Client, GRAPH_URL, LOGIN_URL, M365Tenant};
use settings::Hosts;
use std::{sync::Arc, time::Duration};
use watchpost_core::{
    integration::{
        connector::{ConfigField, Connector, ConnectorConfig, ConnectorError, SyncRun, Verification},
        fact::Dataset,
        setting::{CollectRequest, SettingRun},
    },
    value::word::Platform,
};
use watchpost_outbound::Outbound;

/// The names of the application permissions that are used. All of them only read but [`SNAPSHOTS`](permission::SNAPSHOTS):
/// making a configuration snapshot counts as a change, even though it changes no setting.
mod permission {
    pub(super) const APPLICATION: &str = "Application.Read.All";
    pub(super) const AUDIT_LOG: &str = "AuditLog.Read.All";
    pub(super) const DIRECTORY: &str = "Directory.Read.All";
    pub(super) const DOMAIN: &str = "Domain.Read.All";
    pub(super) const GROUP_MEMBER: &str = "GroupMember.Read.All";
    pub(super) const ORGANIZATION: &str = "Organization.Read.All";
    pub(super) const POLICY: &str = "Policy.Read.All";
    pub(super) const ROLES: &str = "RoleManagement.Read.Directory";
    pub(super) const ROLE_POLICIES: &str = "RoleManagementPolicy.Read.Directory";
    pub(super) const ROLES_ACTIVE: &str = "RoleAssignmentSchedule.Read.Directory";
    pub(super) const ROLES_ELIGIBLE: &str = "RoleEligibilitySchedule.Read.Directory";
    pub(super) const SHAREPOINT_SETTINGS: &str = "SharePointTenantSettings.Read.All";
    pub(super) const SNAPSHOTS: &str = "ConfigurationMonitoring.ReadWrite.All";
    pub(super) const USER: &str = "User.Read.All";
}

const FIELDS: &[ConfigField] = &[
    required_field(
        "tenant_id",
        "Directory (tenant) id, from the application's overview in the Entra admin center",
    ),
    required_field("client_id", "Application (client) id, from the same page"),
    secret_field(
        "client_secret",
        "Client secret (its value, not its id); leave empty if you use a certificate",
    ),
    secret_field(
        "client_certificate",
        "Certificate and its private key as PEM, one after the other; leave empty if you use a secret",
    ),
    optional_field(
        "login_url",
        "Sign-in address; another one only for national clouds",
        Some(LOGIN_URL),
    ),
    optional_field(
        "graph_url",
        "Microsoft Graph's address; another one only for national clouds",
        Some(GRAPH_URL),
    ),
    optional_field(
        "exchange_admin_beta",
        "Read Exchange and Purview settings through Exchange's undocumented proxy, too (true or false)",
        Some("false"),
    ),
    optional_field(
        "sharepoint_admin_url",
        "SharePoint's administration address; `auto`: the tenant's usual one",
        Some(settings::KNOWN_ADDRESS),
    ),
    optional_field(
        "exchange_url",
        "Exchange's administration address; `auto`: the cloud's usual one",
        Some(settings::KNOWN_ADDRESS),
    ),
    optional_field(
        "compliance_url",
        "Purview's administration address; `auto`: the cloud's usual one",
        Some(settings::KNOWN_ADDRESS),
    ),
    optional_field(
        "power_platform_url",
        "Power Platform's administration address; `auto`: the cloud's usual one",
        Some(settings::KNOWN_ADDRESS),
    ),
    optional_field(
        "fabric_url",
        "Fabric's administration address; `auto`: the cloud's usual one",
        Some(settings::KNOWN_ADDRESS),
    ),
    dns::SERVER_FIELD,
    dns::SELECTORS_FIELD,
    dns::HOSTS_FIELD,
];

/// The connector for Microsoft 365.
pub(crate) struct M365 {
    outbound: Outbound,
    limits: ReadLimits,
}

impl M365 {
    pub(crate) fn new(outbound: Outbound, limits: ReadLimits) -> Self {
        Self { outbound, limits }
    }

    fn client(&self, config: &ConnectorConfig, budget: Duration) -> Result<Client, ConnectorError> {
        let session = Session::begin(&self.outbound, &self.limits, budget);
        let tenant = M365Tenant::new(&session, config)?;
        Ok(Client::new(session, tenant))
    }
}

#[async_trait]
impl Connector for M365 {
    fn platform(&self) -> Platform {
        Platform::M365
    }

    fn fields(&self) -> &'static [ConfigField] {
        FIELDS
    }

    fn datasets(&self) -> &'static [Dataset] {
        &[
            Dataset::Organization,
            Dataset::Licenses,
            Dataset::Domains,
            Dataset::Users,
            Dataset::SignIn,
            Dataset::Mfa,
            Dataset::Roles,
            Dataset::RoleSchedules,
            Dataset::Apps,
            Dataset::AppOwners,
            Dataset::Grants,
            Dataset::AppGrants,
            Dataset::ConditionalAccess,
            Dataset::SecurityDefaults,
            Dataset::AuthorizationPolicy,
            Dataset::AuthenticationMethods,
            Dataset::AdminConsent,
            Dataset::Locations,
        ]
    }

    async fn verify(&self, config: &ConnectorConfig) -> Result<Verification, ConnectorError> {
        let client = self.client(config, self.limits.verify_budget)?;
        let hosts = Hosts::new(&self.outbound, config, client.vendor.graph_host())?;
        DnsSettings::from_config(config)?;
        let mut verification = verify(&client).await?;
        verification
            .permissions
            .extend(settings::permissions(&client, &hosts).await);
        Ok(verification)
    }

    async fn sync(&self, config: &ConnectorConfig) -> Result<Box<dyn SyncRun>, ConnectorError> {
        let client = self.client(config, self.limits.sync_budget)?;
        client.sign_in().await?;
        let client = Arc::new(client);
        Ok(Box::new(DrivenRun::new(|out| sync::drive(client, out))))
    }

    fn setting_paths(&self) -> &'static [&'static str] {
        &settings::PATHS
    }

    async fn collect(
        &self,
        config: &ConnectorConfig,
        request: CollectRequest,
    ) -> Result<Box<dyn SettingRun>, ConnectorError> {
        let budget = self.limits.sync_budget.min(settings::BUDGET);
        let client = self.client(config, budget)?;
        let hosts = Hosts::new(&self.outbound, config, client.vendor.graph_host())?;
        let dns = DnsSettings::from_config(config)?;
        client.sign_in().await?;
        let client = Arc::new(client);
        let metered = request.metered;
        Ok(Box::new(DrivenSettings::new(request, |out| {
            settings::drive(client, hosts, dns, metered, out)
        })))
    }
}
