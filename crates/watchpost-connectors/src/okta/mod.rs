//! Okta, read as a service app with a key of its own or with an administrator's API token.

mod api;
mod client;
mod normalise;
mod scope;
mod settings;
mod sync;
mod wire;

use crate::{
    config::{optional_field, required_field, secret_field},
    run::Emitter,
    session::Session,
    settings::Outlet,
    vendor::{Readable, VendorConnector},
};
use client::{Client, OktaOrg};
use std::sync::Arc;
use watchpost_core::{
    integration::{
        connector::{ConfigField, ConnectorConfig, ConnectorError, PermissionCheck},
        fact::Dataset,
    },
    value::word::Platform,
};

/// The connector for Okta.
pub(crate) type Okta = VendorConnector<OktaOrg>;

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
        Some(scope::DEFAULT),
    ),
    secret_field(
        "api_token",
        "API token of a read-only administrator; leave empty if you use a service app",
    ),
];

impl Readable for OktaOrg {
    const PLATFORM: Platform = Platform::Okta;
    const FIELDS: &'static [ConfigField] = FIELDS;
    const DATASETS: &'static [Dataset] = &[
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
    ];

    type SettingSources = ();

    fn setting_paths() -> &'static [&'static str] {
        &settings::PATHS
    }

    fn open(session: &Session, config: &ConnectorConfig) -> Result<Self, ConnectorError> {
        Self::new(session, config)
    }

    fn setting_sources(_: &Client, _: &ConnectorConfig) -> Result<(), ConnectorError> {
        Ok(())
    }

    /// Settings need no scope that a sync doesn't need.
    async fn setting_permissions(_: &Client, (): &()) -> Vec<PermissionCheck> {
        Vec::new()
    }

    async fn sync(client: Arc<Client>, out: Emitter) -> Result<(), ConnectorError> {
        sync::drive(client, out).await
    }

    async fn collect(client: Arc<Client>, (): (), _: bool, out: Outlet) -> Result<(), ConnectorError> {
        settings::drive(client, out).await
    }
}
