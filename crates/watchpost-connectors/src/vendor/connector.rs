//! The implementation of [`Connector`] that all vendors share.

use super::{client::Client, definition::Vendor, verify::verify};
use crate::{
    rate::{BudgetBook, Budgets},
    run::{Emitter, PageGenerator},
    session::{ReadLimits, Session},
    settings::{SettingEmitter, SettingGenerator},
};
use async_trait::async_trait;
use std::{marker::PhantomData, sync::Arc, time::Duration};
use watchpost_core::{
    integration::{
        DatasetSpec,
        connector::{
            ConfigField, Connector, ConnectorConfig, ConnectorError, PermissionCheck, SyncRun, Verification,
        },
        fact::Dataset,
        reading::Readings,
        setting::{CollectRequest, SettingRun},
    },
    value::word::Platform,
};
use watchpost_outbound::Outbound;

/// The time limit for a collection of settings.
const COLLECT_BUDGET: Duration = Duration::from_secs(20 * 60);

/// A vendor that can be read: the configuration of a connection, and the datasets and settings that are read.
pub(crate) trait ReadableVendor: Vendor + Sized + 'static {
    /// The platform.
    const PLATFORM: Platform;
    /// The fields of a connection's configuration.
    const FIELDS: &'static [ConfigField];
    /// The datasets that a sync reads, in the order in which it completes them, with the meaning of an empty list.
    const DATASETS: &'static [DatasetSpec];

    /// The part of the configuration that only the collection of settings needs, such as the addresses of further services.
    type SettingSources: Send + Sync + 'static;

    /// Returns the paths of the settings that can be read.
    fn setting_paths() -> &'static [&'static str];

    /// Parses the configuration. Sends nothing.
    ///
    /// # Errors
    /// Returns an error if a value is missing or invalid.
    fn open(session: &Session, config: &ConnectorConfig) -> Result<Self, ConnectorError>;

    /// Parses the part of the configuration that only the collection of settings needs.
    ///
    /// # Errors
    /// Returns an error if a value is invalid.
    fn setting_sources(
        client: &Client<Self>,
        config: &ConnectorConfig,
    ) -> Result<Self::SettingSources, ConnectorError>;

    /// Returns the permissions that only the collection of settings needs, each with the paths of the settings.
    fn setting_permission_uses() -> Vec<(&'static str, Vec<&'static str>)>;

    /// Checks the permissions that only the collection of settings needs.
    fn setting_permissions(
        client: &Client<Self>,
        sources: &Self::SettingSources,
    ) -> impl Future<Output = Vec<PermissionCheck>> + Send;

    /// Reads the datasets. `known` is what earlier syncs have read account by account or app by app.
    fn sync(
        client: Arc<Client<Self>>,
        known: Readings,
        out: Emitter,
    ) -> impl Future<Output = Result<(), ConnectorError>> + Send + 'static;

    /// Reads the settings that are pending in `out`. If `metered`, also by requests that count against a quota of the tenant.
    fn collect(
        client: Arc<Client<Self>>,
        sources: Self::SettingSources,
        metered: bool,
        out: SettingEmitter,
    ) -> impl Future<Output = Result<(), ConnectorError>> + Send + 'static;
}

/// A permission or role that a connector can use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionUse {
    /// The name as the vendor writes it.
    pub permission: &'static str,
    /// The datasets of a sync that need it.
    pub datasets: Vec<Dataset>,
    /// The paths of the settings of a scan that can be read with it.
    pub settings: Vec<&'static str>,
}

/// Returns the permissions and roles of a vendor: those that syncs need, then those that only scans need.
pub(crate) fn permission_uses<V: ReadableVendor>() -> Vec<PermissionUse> {
    let mut uses: Vec<PermissionUse> = Vec::new();
    for probe in V::PROBES {
        for permission in std::iter::once(probe.permission).chain(probe.role) {
            match uses.iter_mut().find(|known| known.permission == permission) {
                Some(known) => known.datasets.extend(probe.datasets),
                None => uses.push(PermissionUse {
                    permission,
                    datasets: probe.datasets.to_vec(),
                    settings: V::settings_of(permission),
                }),
            }
        }
    }
    let optional = V::setting_permission_uses().into_iter();
    uses.extend(optional.map(|(permission, settings)| PermissionUse {
        permission,
        datasets: Vec::new(),
        settings,
    }));
    for used in &mut uses {
        used.datasets.sort_unstable();
        used.datasets.dedup();
    }
    uses
}

/// The connector of a vendor.
pub(crate) struct VendorConnector<V> {
    outbound: Outbound,
    limits: ReadLimits,
    budgets: BudgetBook,
    vendor: PhantomData<fn() -> V>,
}

impl<V: ReadableVendor> VendorConnector<V> {
    pub(crate) fn new(outbound: &Outbound, limits: ReadLimits) -> Self {
        Self {
            outbound: outbound.clone(),
            limits,
            budgets: BudgetBook::default(),
            vendor: PhantomData,
        }
    }

    fn client(&self, config: &ConnectorConfig, budget: Duration) -> Result<Client<V>, ConnectorError> {
        let session = Session::begin(&self.outbound, &self.limits, budget);
        for secret in config.secrets.values() {
            session.secrets().configured(secret);
        }
        let vendor = V::open(&session, config)?;
        let address = vendor.url("/", None);
        let metered = self.limits.meters_exempt || !self.outbound.is_exempt(&address);
        let tenant = format!("{address} {}", vendor.tenant_label());
        let budgets = self.budgets.of(tenant, || Budgets::new(metered, V::AT_ONCE));
        Ok(Client::new(session, vendor, budgets))
    }
}

#[async_trait]
impl<V: ReadableVendor> Connector for VendorConnector<V> {
    fn platform(&self) -> Platform {
        V::PLATFORM
    }

    fn fields(&self) -> &'static [ConfigField] {
        V::FIELDS
    }

    fn datasets(&self) -> &'static [DatasetSpec] {
        V::DATASETS
    }

    fn setting_paths(&self) -> &'static [&'static str] {
        V::setting_paths()
    }

    async fn verify(&self, config: &ConnectorConfig) -> Result<Verification, ConnectorError> {
        let client = self.client(config, self.limits.verify_budget)?;
        let sources = V::setting_sources(&client, config)?;
        let mut verification = verify(&client, V::DATASETS).await?;
        verification
            .permissions
            .extend(V::setting_permissions(&client, &sources).await);
        Ok(verification)
    }

    async fn sync(
        &self,
        config: &ConnectorConfig,
        known: Readings,
    ) -> Result<Box<dyn SyncRun>, ConnectorError> {
        let client = self.client(config, self.limits.sync_budget)?;
        client.sign_in().await?;
        let client = Arc::new(client);
        Ok(Box::new(PageGenerator::new(|out| V::sync(client, known, out))))
    }

    async fn collect(
        &self,
        config: &ConnectorConfig,
        request: CollectRequest,
    ) -> Result<Box<dyn SettingRun>, ConnectorError> {
        let client = self.client(config, self.limits.sync_budget.min(COLLECT_BUDGET))?;
        let sources = V::setting_sources(&client, config)?;
        client.sign_in().await?;
        let client = Arc::new(client);
        let metered = request.metered;
        Ok(Box::new(SettingGenerator::new(request, |out| {
            V::collect(client, sources, metered, out)
        })))
    }
}
