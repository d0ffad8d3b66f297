//! Okta, read as a service app with a private key, or with an administrator's API token.

mod api;
mod client;
mod normalize;
mod role;
mod scope;
mod settings;
mod sync;
mod wire;

use crate::{
    config::{optional_field, required_field, secret_field},
    run::Emitter,
    session::Session,
    settings::SettingEmitter,
    text::{NO_APP_SEEN, okta as text},
    vendor::{ReadableVendor, VendorConnector},
};
use client::Client;
pub(crate) use client::OktaOrg;
use std::sync::Arc;
use watchpost_core::{
    integration::{
        DatasetSpec,
        connector::{ConfigField, ConnectorConfig, ConnectorError, PermissionCheck},
        fact::Dataset,
        reading::Readings,
    },
    value::word::Platform,
};

/// The connector for Okta.
pub(crate) type Okta = VendorConnector<OktaOrg>;

const FIELDS: &[ConfigField] = &[
    required_field("org_url", text::ORG_URL_TITLE),
    optional_field("client_id", text::CLIENT_ID_TITLE, None),
    secret_field("private_key", text::PRIVATE_KEY_TITLE),
    optional_field("key_id", text::KEY_ID_TITLE, None),
    optional_field("scopes", text::SCOPES_TITLE, Some(scope::DEFAULT)),
    secret_field("api_token", text::API_TOKEN_TITLE),
];

/// The datasets. Okta answers a service app or token without an administrator role with empty lists.
const DATASETS: &[DatasetSpec] = &[
    DatasetSpec::new(Dataset::Organization),
    // An org has at least the administrator who created it.
    DatasetSpec::new(Dataset::Users).denied_if_empty(role::ANY),
    DatasetSpec::new(Dataset::SignIn).following(Dataset::Users),
    // Okta doesn't let the last super administrator lose the role.
    DatasetSpec::new(Dataset::Roles).denied_if_empty(role::VIEW_ROLES),
    // Every org has Okta's own apps, such as its dashboard and its admin console. Not every role may view them.
    DatasetSpec::new(Dataset::Apps).partial_if_empty(NO_APP_SEEN),
    DatasetSpec::new(Dataset::AppAssignments).following(Dataset::Apps),
    // An org may have no API token.
    DatasetSpec::new(Dataset::Tokens),
    // Every org has default policies that can't be deleted.
    DatasetSpec::new(Dataset::SignInPolicies).denied_if_empty(role::ANY),
    // The password is an authenticator of every org.
    DatasetSpec::new(Dataset::AuthenticationMethods).denied_if_empty(role::ANY),
    DatasetSpec::new(Dataset::Locations),
    DatasetSpec::new(Dataset::ThreatDetection),
    DatasetSpec::new(Dataset::SupportAccess),
    DatasetSpec::new(Dataset::Mfa).following(Dataset::Users),
];

impl ReadableVendor for OktaOrg {
    const PLATFORM: Platform = Platform::Okta;
    const FIELDS: &'static [ConfigField] = FIELDS;
    const DATASETS: &'static [DatasetSpec] = DATASETS;

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

    fn setting_permission_uses() -> Vec<(&'static str, Vec<&'static str>)> {
        Vec::new()
    }

    /// Returns nothing: settings need no scopes beyond those of a sync.
    async fn setting_permissions(_: &Client, (): &()) -> Vec<PermissionCheck> {
        Vec::new()
    }

    async fn sync(client: Arc<Client>, known: Readings, out: Emitter) -> Result<(), ConnectorError> {
        sync::read_all(client, known, out).await
    }

    async fn collect(
        client: Arc<Client>,
        (): (),
        _: bool,
        out: SettingEmitter,
    ) -> Result<(), ConnectorError> {
        settings::collect(client, out).await
    }
}
