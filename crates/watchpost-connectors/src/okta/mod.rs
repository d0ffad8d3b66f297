//! Okta, read as a service app with a key of its own or with an administrator's API token.

mod client;
mod normalise;
mod settings;
mod sync;
mod wire;

use crate::{
    run::DrivenRun,
    session::{ReadLimits, Session},
    settings::DrivenSettings,
};
use async_trait::async_trait;
use client::{Client, Refusal};
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

/// The names of the scopes that are used, all of them read-only.
mod scope {
    pub(super) const API_TOKENS: &str = "okta.apiTokens.read";
    pub(super) const APPS: &str = "okta.apps.read";
    pub(super) const AUTHENTICATORS: &str = "okta.authenticators.read";
    pub(super) const NETWORK_ZONES: &str = "okta.networkZones.read";
    pub(super) const ORGS: &str = "okta.orgs.read";
    pub(super) const POLICIES: &str = "okta.policies.read";
    pub(super) const ROLES: &str = "okta.roles.read";
    pub(super) const THREAT_INSIGHTS: &str = "okta.threatInsights.read";
    pub(super) const USERS: &str = "okta.users.read";
}

/// What is asked for unless the configuration says otherwise.
const DEFAULT_SCOPES: &str = "okta.orgs.read okta.users.read okta.roles.read okta.apps.read okta.apiTokens.read \
    okta.policies.read okta.authenticators.read okta.networkZones.read okta.threatInsights.read";

/// How a scope is tried out, and what it serves.
struct Probe {
    scope: &'static str,
    path: &'static str,
    query: Option<&'static str>,
    datasets: &'static [Dataset],
}

const PROBES: &[Probe] = &[
    Probe {
        scope: scope::ORGS,
        path: "/api/v1/org",
        query: None,
        datasets: &[Dataset::Organization, Dataset::SupportAccess],
    },
    Probe {
        scope: scope::USERS,
        path: "/api/v1/users",
        query: Some("limit=1"),
        datasets: &[Dataset::Users, Dataset::SignIn, Dataset::Mfa],
    },
    Probe {
        scope: scope::ROLES,
        path: "/api/v1/iam/assignees/users",
        query: Some("limit=1"),
        datasets: &[Dataset::Roles],
    },
    Probe {
        scope: scope::APPS,
        path: "/api/v1/apps",
        query: Some("limit=1"),
        datasets: &[Dataset::Apps, Dataset::AppAssignments],
    },
    Probe {
        scope: scope::API_TOKENS,
        path: "/api/v1/api-tokens",
        query: Some("limit=1"),
        datasets: &[Dataset::Tokens],
    },
    Probe {
        scope: scope::POLICIES,
        path: "/api/v1/policies",
        query: Some("type=OKTA_SIGN_ON"),
        datasets: &[Dataset::SignInPolicies],
    },
    Probe {
        scope: scope::AUTHENTICATORS,
        path: "/api/v1/authenticators",
        query: None,
        datasets: &[Dataset::AuthenticationMethods],
    },
    Probe {
        scope: scope::NETWORK_ZONES,
        path: "/api/v1/zones",
        query: Some("limit=1"),
        datasets: &[Dataset::Locations],
    },
    Probe {
        scope: scope::THREAT_INSIGHTS,
        path: "/api/v1/threats/configuration",
        query: None,
        datasets: &[Dataset::ThreatDetection],
    },
];

const FIELDS: &[ConfigField] = &[
    ConfigField {
        name: "org_url",
        title: "Address of your Okta org, like https://company.okta.com (without -admin)",
        secret: false,
        required: true,
        default: None,
    },
    ConfigField {
        name: "client_id",
        title: "Client id of the API service app; leave empty if you use an API token",
        secret: false,
        required: false,
        default: None,
    },
    ConfigField {
        name: "private_key",
        title: "Private key of the service app, as PEM or JWK; leave empty if you use an API token",
        secret: true,
        required: false,
        default: None,
    },
    ConfigField {
        name: "key_id",
        title: "Key id (kid) that Okta shows for the key; only needed with several keys as PEM",
        secret: false,
        required: false,
        default: None,
    },
    ConfigField {
        name: "scopes",
        title: "Scopes to ask for, separated by blanks",
        secret: false,
        required: false,
        default: Some(DEFAULT_SCOPES),
    },
    ConfigField {
        name: "api_token",
        title: "API token of a read-only administrator; leave empty if you use a service app",
        secret: true,
        required: false,
        default: None,
    },
];

/// The connector for Okta.
pub(crate) struct Okta {
    outbound: Outbound,
    limits: ReadLimits,
}

impl Okta {
    pub(crate) fn new(outbound: Outbound, limits: ReadLimits) -> Self {
        Self { outbound, limits }
    }

    fn client(&self, config: &ConnectorConfig, budget: Duration) -> Result<Client, ConnectorError> {
        Client::new(Session::begin(&self.outbound, &self.limits, budget), config)
    }
}

#[async_trait]
impl Connector for Okta {
    fn platform(&self) -> Platform {
        Platform::Okta
    }

    fn fields(&self) -> &'static [ConfigField] {
        FIELDS
    }

    fn datasets(&self) -> &'static [Dataset] {
        &[
            Dataset::Organization,
            Dataset::Users,
            Dataset::SignIn,
            Dataset::Roles,
            Dataset::Apps,
            Dataset::AppAssignments,
            Dataset::Tokens,
            Dataset::SignInPolicies,
            Dataset::AuthenticationMethods,
            Dataset::Locations,
            Dataset::ThreatDetection,
            Dataset::SupportAccess,
            // One request per account: last, so that nothing else waits for it.
            Dataset::Mfa,
        ]
    }

    async fn verify(&self, config: &ConnectorConfig) -> Result<Verification, ConnectorError> {
        let client = self.client(config, self.limits.verify_budget)?;
        client.sign_in().await?;
        let mut tenant = None;
        let mut permissions = Vec::with_capacity(PROBES.len());
        let mut unlicensed = Vec::new();
        for probe in PROBES {
            let granted = match client.get(client.url(probe.path, probe.query), 1).await {
                Ok(answer) => {
                    if probe.scope == scope::ORGS {
                        tenant = Some(sync::tenant(&answer.body).ok_or_else(stranger)?);
                    }
                    true
                }
                Err(Refusal::Denied) => false,
                Err(Refusal::Unlicensed) => {
                    unlicensed.extend_from_slice(probe.datasets);
                    true
                }
                Err(Refusal::NotFound | Refusal::Status(_)) if probe.scope == scope::ORGS => {
                    return Err(stranger());
                }
                // It wasn't refused for lack of a permission, so that isn't what is missing.
                Err(Refusal::NotFound | Refusal::Status(_)) => true,
                Err(Refusal::Trouble(trouble)) => return Err(trouble.give_up()),
            };
            permissions.push(PermissionCheck {
                permission: probe.scope.to_owned(),
                granted,
                datasets: probe.datasets.to_vec(),
                settings: settings::cost(probe.scope),
                hint: (!granted).then(|| hint(probe.scope, client.uses_api_token())),
            });
        }
        let (tenant_key, tenant_name) =
            tenant.unwrap_or_else(|| (client.host().to_owned(), ForeignText::name(client.host())));
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
        client.sign_in().await?;
        let client = Arc::new(client);
        Ok(Box::new(DrivenSettings::new(request, |out| {
            settings::drive(client, out)
        })))
    }
}

/// What to do about a missing scope.
fn hint(scope: &str, api_token: bool) -> String {
    if api_token {
        format!(
            "the API token's owner may not read this ({scope}): give the owner the Read-only Administrator role (for \
             administrators' roles: a custom role that may view roles), or use a service app"
        )
    } else {
        format!(
            "Okta admin console > Applications > your service app > Okta API Scopes > grant {scope}; and under Admin \
             roles the app needs a role that may read this, such as Read-only Administrator"
        )
    }
}

/// Whoever answers is not whom we look for.
fn stranger() -> ConnectorError {
    ConnectorError::Api {
        reason: "the address does not answer like Okta; check `org_url`".to_owned(),
    }
}
