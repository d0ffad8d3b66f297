//! Microsoft 365 with Entra ID, read through Microsoft Graph with application permissions.

mod client;
mod normalise;
mod settings;
mod sync;
mod wire;

use crate::{
    dns::{self, DnsSettings},
    run::DrivenRun,
    session::{ReadLimits, Session},
    settings::DrivenSettings,
};
use async_trait::async_trait;
use client::{Client, GRAPH_URL, LOGIN_URL, Refusal};
use settings::Hosts;
use std::{sync::Arc, time::Duration};
use watchpost_core::{
    integration::{
        connector::{
            ConfigField, Connector, ConnectorConfig, ConnectorError, PermissionCheck, SyncRun, Verification,
        },
        fact::Dataset,
        setting::{CollectRequest, SettingRun},
    },
    value::{text::ForeignText, word::Platform},
};
use watchpost_outbound::Outbound;

/// The names of the application permissions that are used, all of them read-only.
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

/// How a permission is tried out, and what it serves.
struct Probe {
    permission: &'static str,
    path: &'static str,
    query: Option<&'static str>,
    datasets: &'static [Dataset],
}

const PROBES: &[Probe] = &[
    Probe {
        permission: permission::ORGANIZATION,
        path: "/v1.0/organization",
        query: Some("$select=id,displayName"),
        datasets: &[Dataset::Organization, Dataset::Licenses],
    },
    Probe {
        permission: permission::USER,
        path: "/v1.0/users",
        query: Some("$select=id&$top=1"),
        datasets: &[Dataset::Users, Dataset::SignIn, Dataset::Mfa],
    },
    Probe {
        permission: permission::AUDIT_LOG,
        path: "/v1.0/reports/authenticationMethods/userRegistrationDetails",
        query: Some("$top=1"),
        datasets: &[Dataset::SignIn, Dataset::Mfa],
    },
    Probe {
        permission: permission::DOMAIN,
        path: "/v1.0/domains",
        query: None,
        datasets: &[Dataset::Domains],
    },
    Probe {
        permission: permission::ROLES,
        path: "/v1.0/roleManagement/directory/roleDefinitions",
        query: Some("$select=id&$top=1"),
        datasets: &[Dataset::Roles, Dataset::RoleSchedules],
    },
    Probe {
        permission: permission::ROLES_ACTIVE,
        path: "/v1.0/roleManagement/directory/roleAssignmentScheduleInstances",
        query: Some("$top=1"),
        datasets: &[Dataset::RoleSchedules],
    },
    Probe {
        permission: permission::ROLES_ELIGIBLE,
        path: "/v1.0/roleManagement/directory/roleEligibilityScheduleInstances",
        query: Some("$top=1"),
        datasets: &[Dataset::RoleSchedules],
    },
    Probe {
        permission: permission::GROUP_MEMBER,
        path: "/v1.0/groups",
        query: Some("$select=id&$top=1"),
        datasets: &[Dataset::Roles],
    },
    Probe {
        permission: permission::APPLICATION,
        path: "/v1.0/servicePrincipals",
        query: Some("$select=id&$top=1"),
        datasets: &[Dataset::Apps, Dataset::AppOwners, Dataset::AppGrants],
    },
    Probe {
        permission: permission::DIRECTORY,
        path: "/v1.0/oauth2PermissionGrants",
        query: Some("$top=1"),
        datasets: &[Dataset::Grants],
    },
    Probe {
        permission: permission::POLICY,
        path: "/v1.0/policies/authorizationPolicy",
        query: None,
        datasets: &[
            Dataset::ConditionalAccess,
            Dataset::SecurityDefaults,
            Dataset::AuthorizationPolicy,
            Dataset::AuthenticationMethods,
            Dataset::AdminConsent,
            Dataset::Locations,
        ],
    },
];

const FIELDS: &[ConfigField] = &[
    ConfigField {
        name: "tenant_id",
        title: "Directory (tenant) id, from the application's overview in the Entra admin center",
        secret: false,
        required: true,
        default: None,
    },
    ConfigField {
        name: "client_id",
        title: "Application (client) id, from the same page",
        secret: false,
        required: true,
        default: None,
    },
    ConfigField {
        name: "client_secret",
        title: "Client secret (its value, not its id); leave empty if you use a certificate",
        secret: true,
        required: false,
        default: None,
    },
    ConfigField {
        name: "client_certificate",
        title: "Certificate and its private key as PEM, one after the other; leave empty if you use a secret",
        secret: true,
        required: false,
        default: None,
    },
    ConfigField {
        name: "login_url",
        title: "Sign-in address; another one only for national clouds",
        secret: false,
        required: false,
        default: Some(LOGIN_URL),
    },
    ConfigField {
        name: "graph_url",
        title: "Microsoft Graph's address; another one only for national clouds",
        secret: false,
        required: false,
        default: Some(GRAPH_URL),
    },
    ConfigField {
        name: "exchange_admin_beta",
        title: "Read Exchange and Purview settings through Exchange's undocumented proxy, too (true or false)",
        secret: false,
        required: false,
        default: Some("false"),
    },
    ConfigField {
        name: "sharepoint_admin_url",
        title: "SharePoint's administration address; `auto`: the tenant's usual one",
        secret: false,
        required: false,
        default: Some(settings::KNOWN_ADDRESS),
    },
    ConfigField {
        name: "exchange_url",
        title: "Exchange's administration address; `auto`: the cloud's usual one",
        secret: false,
        required: false,
        default: Some(settings::KNOWN_ADDRESS),
    },
    ConfigField {
        name: "compliance_url",
        title: "Purview's administration address; `auto`: the cloud's usual one",
        secret: false,
        required: false,
        default: Some(settings::KNOWN_ADDRESS),
    },
    ConfigField {
        name: "power_platform_url",
        title: "Power Platform's administration address; `auto`: the cloud's usual one",
        secret: false,
        required: false,
        default: Some(settings::KNOWN_ADDRESS),
    },
    ConfigField {
        name: "fabric_url",
        title: "Fabric's administration address; `auto`: the cloud's usual one",
        secret: false,
        required: false,
        default: Some(settings::KNOWN_ADDRESS),
    },
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
        Client::new(Session::begin(&self.outbound, &self.limits, budget), config)
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
        let hosts = Hosts::new(&self.outbound, config, client.graph_host())?;
        DnsSettings::from_config(config)?;
        client.sign_in().await?;
        let mut tenant = None;
        let mut permissions = Vec::with_capacity(PROBES.len());
        let mut unlicensed: Vec<Dataset> = Vec::new();
        for probe in PROBES {
            // A token's list of permissions wouldn't do: larger permissions include smaller ones.
            let granted = match client.get(client.url(probe.path, probe.query)).await {
                Ok(answer) => {
                    if probe.permission == permission::ORGANIZATION {
                        tenant = Some(sync::tenant(&answer.body).ok_or_else(stranger)?);
                    }
                    true
                }
                Err(Refusal::Denied) => false,
                Err(Refusal::Unlicensed) => {
                    for dataset in probe.datasets {
                        if !unlicensed.contains(dataset) {
                            unlicensed.push(*dataset);
                        }
                    }
                    true
                }
                Err(Refusal::NotFound | Refusal::Malformed(_) | Refusal::Status(_))
                    if probe.permission == permission::ORGANIZATION =>
                {
                    return Err(stranger());
                }
                // It wasn't refused for lack of a permission, so that isn't what is missing.
                Err(Refusal::NotFound | Refusal::Malformed(_) | Refusal::Status(_)) => true,
                Err(Refusal::Trouble(trouble)) => return Err(trouble.give_up()),
            };
            permissions.push(PermissionCheck {
                permission: probe.permission.to_owned(),
                granted,
                datasets: probe.datasets.to_vec(),
                settings: settings::cost(probe.permission),
                hint: (!granted).then(|| {
                    format!(
                        "Entra admin center > App registrations > your application > API permissions > Add a \
                         permission > Microsoft Graph > Application permissions > {}, then Grant admin consent",
                        probe.permission
                    )
                }),
            });
        }
        permissions.extend(settings::permissions(&client, &hosts).await);
        let (tenant_key, tenant_name) =
            tenant.unwrap_or_else(|| (client.tenant.clone(), ForeignText::name(&client.tenant)));
        Ok(Verification {
            tenant_key,
            tenant_name,
            permissions,
            unlicensed,
        })
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
        let hosts = Hosts::new(&self.outbound, config, client.graph_host())?;
        let dns = DnsSettings::from_config(config)?;
        client.sign_in().await?;
        let client = Arc::new(client);
        let metered = request.metered;
        Ok(Box::new(DrivenSettings::new(request, |out| {
            settings::drive(client, hosts, dns, metered, out)
        })))
    }
}

/// Whoever answers is not whom we look for.
fn stranger() -> ConnectorError {
    ConnectorError::Api {
        reason: "the address does not answer like Microsoft Graph; check `graph_url`".to_owned(),
    }
}
