//! Microsoft 365 with Entra ID, read through Microsoft Graph with application permissions.

mod api;
mod client;
mod normalise;
mod permission;
mod settings;
mod sync;
mod wire;

use crate::{
    config::{optional_field, required_field, secret_field},
    dns::{self, DnsSettings},
    run::Emitter,
    session::Session,
    settings::Outlet,
    vendor::{Readable, VendorConnector},
};
use client::{Client, GRAPH_URL, LOGIN_URL, M365Tenant};
use settings::Hosts;
use std::sync::Arc;
use watchpost_core::{
    integration::{
        connector::{ConfigField, ConnectorConfig, ConnectorError, PermissionCheck},
        fact::Dataset,
    },
    value::word::Platform,
};

/// The connector for Microsoft 365.
pub(crate) type M365 = VendorConnector<M365Tenant>;

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

impl Readable for M365Tenant {
    const PLATFORM: Platform = Platform::M365;
    const FIELDS: &'static [ConfigField] = FIELDS;
    const DATASETS: &'static [Dataset] = &[
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
    ];

    /// The sister APIs, and how names are looked up.
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

    async fn setting_permissions(client: &Client, (hosts, _): &Self::SettingSources) -> Vec<PermissionCheck> {
        settings::permissions(client, hosts).await
    }

    async fn sync(client: Arc<Client>, out: Emitter) -> Result<(), ConnectorError> {
        sync::drive(client, out).await
    }

    async fn collect(
        client: Arc<Client>,
        (hosts, dns): Self::SettingSources,
        metered: bool,
        out: Outlet,
    ) -> Result<(), ConnectorError> {
        settings::drive(client, hosts, dns, metered, out).await
    }
}
