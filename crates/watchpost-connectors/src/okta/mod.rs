//! Okta, read as a service app with a key of its own or with an administrator's API token.

mod api;
mod client;
mod normalise;
mod settings;
mod sync;
mod wire;

use crate::{
    config::{optional_field, required_field, secret_field},
    run::DrivenRun,
    session::{ReadLimits, Session},
    settings::DrivenSettings,
    vendor::verify,
};
use async_trait::async_trait;
use client::{Client, OktaOrg};
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

const FIELDS: &[ConfigField] = &[
    required_field(
        "org_url",
        "Address of your Okta org, like https://company.okta.com (without -admin)",
    ),
    optional_field(
        "client_id",
        "Client id of the API service app; leave empty if you use an API token",
        None,
    ),
    secret_field(
        "private_key",
        "Private key of the service app, as PEM or JWK; leave empty if you use an API token",
    ),
    optional_field(
        "key_id",
        "Key id (kid) that Okta shows for the key; only needed with several keys as PEM",
        None,
    ),
    optional_field(
        "scopes",
        "Scopes to ask for, separated by blanks",
        Some(DEFAULT_SCOPES),
    ),
    secret_field(
        "api_token",
        "API token of a read-only administrator; leave empty if you use a service app",
    ),
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
        let session = Session::begin(&self.outbound, &self.limits, budget);
        let org = OktaOrg::new(&session, config)?;
        Ok(Client::new(session, org))
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
        verify(&client).await
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
