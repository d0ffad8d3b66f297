//! Microsoft 365 with Entra ID, read through Microsoft Graph with application permissions.

mod api;
mod client;
mod normalize;
mod permission;
mod settings;
mod sync;
mod wire;

use crate::{
    config::{optional_field, required_field, secret_field},
    dns::{self, DnsSettings},
    run::Emitter,
    session::Session,
    settings::SettingEmitter,
    text::m365 as text,
    vendor::{ReadableVendor, VendorConnector},
};
pub(crate) use client::M365Tenant;
use client::{Client, GRAPH_URL, LOGIN_URL};
use settings::Hosts;
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

/// The connector for Microsoft 365.
pub(crate) type M365 = VendorConnector<M365Tenant>;

const FIELDS: &[ConfigField] = &[
    required_field("tenant_id", text::TENANT_ID_TITLE),
    required_field("client_id", text::CLIENT_ID_TITLE),
    secret_field("client_secret", text::CLIENT_SECRET_TITLE),
    secret_field("client_certificate", text::CLIENT_CERTIFICATE_TITLE),
    optional_field("login_url", text::LOGIN_URL_TITLE, Some(LOGIN_URL)),
    optional_field("graph_url", text::GRAPH_URL_TITLE, Some(GRAPH_URL)),
    optional_field(
        "exchange_admin_beta",
        text::EXCHANGE_ADMIN_BETA_TITLE,
        Some("false"),
    ),
    optional_field(
        "sharepoint_admin_url",
        text::SHAREPOINT_ADMIN_URL_TITLE,
        Some(settings::KNOWN_ADDRESS),
    ),
    optional_field(
        "exchange_url",
        text::EXCHANGE_URL_TITLE,
        Some(settings::KNOWN_ADDRESS),
    ),
    optional_field(
        "compliance_url",
        text::COMPLIANCE_URL_TITLE,
        Some(settings::KNOWN_ADDRESS),
    ),
    optional_field(
        "power_platform_url",
        text::POWER_PLATFORM_URL_TITLE,
        Some(settings::KNOWN_ADDRESS),
    ),
    optional_field(
        "fabric_url",
        text::FABRIC_URL_TITLE,
        Some(settings::KNOWN_ADDRESS),
    ),
    dns::SERVER_FIELD,
    dns::SELECTORS_FIELD,
    dns::HOSTS_FIELD,
];

const DATASETS: &[DatasetSpec] = &[
    // The tenant is the only row.
    DatasetSpec::new(Dataset::Organization).denied_if_empty(permission::ORGANIZATION),
    // A tenant without subscriptions has none.
    DatasetSpec::new(Dataset::Licenses),
    // Every tenant has its initial domain.
    DatasetSpec::new(Dataset::Domains).denied_if_empty(permission::DOMAIN),
    // Every tenant has the user who created it.
    DatasetSpec::new(Dataset::Users).denied_if_empty(permission::USER),
    DatasetSpec::new(Dataset::SignIn).following(Dataset::Users),
    // Every member is in the report, which may be hours behind in a new tenant.
    DatasetSpec::new(Dataset::Mfa).partial_if_empty(text::REPORT_EMPTY),
    // Entra doesn't let the last Global Administrator lose the role.
    DatasetSpec::new(Dataset::Roles).denied_if_empty(permission::ROLES),
    DatasetSpec::new(Dataset::RoleSchedules),
    // Every tenant has the service principals of Microsoft's services and that of this connection.
    DatasetSpec::new(Dataset::Apps).denied_if_empty(permission::APPLICATION),
    DatasetSpec::new(Dataset::AppOwners).following(Dataset::Apps),
    DatasetSpec::new(Dataset::Grants),
    DatasetSpec::new(Dataset::AppGrants).following(Dataset::Apps),
    DatasetSpec::new(Dataset::AppAssignments).following(Dataset::Apps),
    // A tenant may have no policies and no named locations.
    DatasetSpec::new(Dataset::ConditionalAccess),
    DatasetSpec::new(Dataset::SecurityDefaults),
    DatasetSpec::new(Dataset::AuthorizationPolicy),
    DatasetSpec::new(Dataset::AuthenticationMethods),
    DatasetSpec::new(Dataset::AdminConsent),
    DatasetSpec::new(Dataset::Locations),
];

impl ReadableVendor for M365Tenant {
    const PLATFORM: Platform = Platform::M365;
    const FIELDS: &'static [ConfigField] = FIELDS;
    const DATASETS: &'static [DatasetSpec] = DATASETS;

    /// The hosts of the other APIs, and the configuration for looking up domains.
    type SettingSources = (Hosts, DnsSettings);

    fn setting_paths() -> &'static [&'static str] {
        &settings::PATHS
    }

    fn open(session: &Session, config: &ConnectorConfig) -> Result<Self, ConnectorError> {
        Self::new(session, config)
    }

    fn setting_sources(
        client: &Client,
        config: &ConnectorConfig,
    ) -> Result<Self::SettingSources, ConnectorError> {
        let outbound = client.session.outbound();
        let hosts = Hosts::new(outbound, config, client.vendor.graph_host())?;
        Ok((hosts, DnsSettings::from_config(config)?))
    }

    fn setting_permission_uses() -> Vec<(&'static str, Vec<&'static str>)> {
        settings::optional_permissions()
    }

    async fn setting_permissions(client: &Client, (hosts, _): &Self::SettingSources) -> Vec<PermissionCheck> {
        settings::permissions(client, hosts).await
    }

    /// No dataset needs the earlier readings: the per-app requests of a large tenant take seconds of Graph's budget.
    async fn sync(client: Arc<Client>, _: Readings, out: Emitter) -> Result<(), ConnectorError> {
        sync::read_all(client, out).await
    }

    async fn collect(
        client: Arc<Client>,
        (hosts, dns): Self::SettingSources,
        metered: bool,
        out: SettingEmitter,
    ) -> Result<(), ConnectorError> {
        settings::collect(client, hosts, dns, metered, out).await
    }
}
