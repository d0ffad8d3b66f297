//! The connector that every vendor has, over what is the vendor's own.

use super::{client::Client, own::Vendor, verify::verify};
use crate::{
    run::{DrivenRun, Emitter},
    session::{ReadLimits, Session},
    settings::{DrivenSettings, Outlet},
};
use async_trait::async_trait;
use std::{marker::PhantomData, sync::Arc, time::Duration};
use watchpost_core::{
    integration::{
        connector::{
            ConfigField, Connector, ConnectorConfig, ConnectorError, PermissionCheck, SyncRun, Verification,
        },
        fact::Dataset,
        setting::{CollectRequest, SettingRun},
    },
    value::word::Platform,
};
use watchpost_outbound::Outbound;

/// How long a collection of settings may take.
const COLLECT_BUDGET: Duration = Duration::from_secs(20 * 60);

/// A vendor that is read: what a connection asks for, and what is read of it.
pub(crate) trait Readable: Vendor + Sized + 'static {
    /// The platform.
    const PLATFORM: Platform;
    /// What a connection is configured with.
    const FIELDS: &'static [ConfigField];
    /// What a sync reads, in the order in which it ends them.
    const DATASETS: &'static [Dataset];

    /// What a configuration says of where settings are read, besides the vendor's main address.
    type SettingSources: Send + Sync + 'static;

    /// The paths of the settings that can be read.
    fn setting_paths() -> &'static [&'static str];

    /// Reads the configuration; speaks to nobody yet.
    ///
    /// # Errors
    /// If a value is missing or can't be what it should be.
    fn open(session: &Session, config: &ConnectorConfig) -> Result<Self, ConnectorError>;

    /// Reads the rest of the configuration.
    ///
    /// # Errors
    /// If a value can't be what it should be.
    fn setting_sources(
        client: &Client<Self>,
        config: &ConnectorConfig,
    ) -> Result<Self::SettingSources, ConnectorError>;

    /// Tries out the permissions that only the reading of settings needs.
    fn setting_permissions(
        client: &Client<Self>,
        sources: &Self::SettingSources,
    ) -> impl Future<Output = Vec<PermissionCheck>> + Send;

    /// Reads the datasets.
    fn sync(
        client: Arc<Client<Self>>,
        out: Emitter,
    ) -> impl Future<Output = Result<(), ConnectorError>> + Send + 'static;

    /// Reads the settings that `out` wants; `metered`: also in ways that use up a quota of the tenant's.
    fn collect(
        client: Arc<Client<Self>>,
        sources: Self::SettingSources,
        metered: bool,
        out: Outlet,
    ) -> impl Future<Output = Result<(), ConnectorError>> + Send + 'static;
}

/// The connector of a vendor.
pub(crate) struct VendorConnector<V> {
    outbound: Outbound,
    limits: ReadLimits,
    vendor: PhantomData<fn() -> V>,
}

impl<V: Readable> VendorConnector<V> {
    pub(crate) fn new(outbound: &Outbound, limits: ReadLimits) -> Self {
        Self {
            outbound: outbound.clone(),
            limits,
            vendor: PhantomData,
        }
    }

    fn client(&self, config: &ConnectorConfig, budget: Duration) -> Result<Client<V>, ConnectorError> {
        let session = Session::begin(&self.outbound, &self.limits, budget);
        let vendor = V::open(&session, config)?;
        Ok(Client::new(session, vendor))
    }
}

#[async_trait]
impl<V: Readable> Connector for VendorConnector<V> {
    fn platform(&self) -> Platform {
        V::PLATFORM
    }

    fn fields(&self) -> &'static [ConfigField] {
        V::FIELDS
    }

    fn datasets(&self) -> &'static [Dataset] {
        V::DATASETS
    }

    fn setting_paths(&self) -> &'static [&'static str] {
        V::setting_paths()
    }

    async fn verify(&self, config: &ConnectorConfig) -> Result<Verification, ConnectorError> {
        let client = self.client(config, self.limits.verify_budget)?;
        let sources = V::setting_sources(&client, config)?;
        let mut verification = verify(&client).await?;
        verification
            .permissions
            .extend(V::setting_permissions(&client, &sources).await);
        Ok(verification)
    }

    async fn sync(&self, config: &ConnectorConfig) -> Result<Box<dyn SyncRun>, ConnectorError> {
        let client = self.client(config, self.limits.sync_budget)?;
        client.sign_in().await?;
        let client = Arc::new(client);
        Ok(Box::new(DrivenRun::new(|out| V::sync(client, out))))
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
        Ok(Box::new(DrivenSettings::new(request, |out| {
            V::collect(client, sources, metered, out)
        })))
    }
}
