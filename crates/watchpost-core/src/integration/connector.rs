//! The port to a vendor's API. Implemented by `watchpost-connectors`, one directory per vendor.

use crate::{
    integration::{
        DatasetSpec,
        fact::{Collection, Dataset, FactPage},
        reading::Readings,
        setting::{CollectRequest, SettingRun},
    },
    text,
    value::{
        text::ForeignText,
        word::{CollectionState, Platform},
    },
};
use async_trait::async_trait;
use secrecy::SecretString;
use std::collections::BTreeMap;

/// A configuration value for connecting a platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConfigField {
    /// The name in the configuration and on the command line (`org_url`).
    pub name: &'static str,
    /// The prompt for the value, in plain words.
    pub title: &'static str,
    /// Whether the value is a credential: prompted without echo, sealed at rest, never shown.
    pub secret: bool,
    /// Whether a value is required. If there are several ways to authenticate, each field is optional, and
    /// `verify` reports missing ones.
    pub required: bool,
    /// The default value.
    pub default: Option<&'static str>,
}

/// The configuration of one integration.
#[derive(Debug, Default)]
pub struct ConnectorConfig {
    /// Plain values by field name.
    pub values: BTreeMap<String, String>,
    /// Credentials by field name.
    pub secrets: BTreeMap<String, SecretString>,
}

/// A permission that the vendor can grant to Watchpost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionCheck {
    /// The name of the permission or role as the vendor writes it (`AuditLog.Read.All`).
    pub permission: String,
    /// Whether the permission is granted.
    pub granted: bool,
    /// The datasets that a sync can't read without the permission. Empty if only scans use it.
    pub datasets: Vec<Dataset>,
    /// The paths of the settings that a scan can't read without the permission.
    pub settings: Vec<&'static str>,
    /// The steps to take if the permission is missing, in plain words.
    pub hint: Option<String>,
}

/// The result of verifying a dataset with the smallest requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetCheck {
    /// The dataset.
    pub dataset: Dataset,
    /// The state that a sync would report. `complete` means that the requests were answered, not that all rows were
    /// read.
    pub state: CollectionState,
    /// For `denied`, the missing permission as the vendor names it; otherwise a reason that a person can act on.
    pub detail: Option<String>,
}

/// The result of verifying an integration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// The vendor's stable id of the tenant; if the credentials may not read it, the same as `tenant_label`.
    pub tenant_key: String,
    /// The tenant as the configuration names it.
    pub tenant_label: String,
    /// The tenant's display name.
    pub tenant_name: ForeignText,
    /// All permissions that the connector can use.
    pub permissions: Vec<PermissionCheck>,
    /// The datasets that a sync reads, in the order in which it reads them.
    pub datasets: Vec<DatasetCheck>,
    /// Datasets that the tenant's license doesn't include.
    pub unlicensed: Vec<Dataset>,
}

/// The errors of a connector as a whole. A single dataset that can't be read is a [`Collection`], not an error.
/// Texts are written by Watchpost and never quote a response body or a credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectorError {
    /// The vendor rejects the credentials.
    #[error("authentication failed: {reason}")]
    Auth {
        /// The problem, and what to do about it.
        reason: String,
    },
    /// A configuration value is missing or invalid.
    #[error("`{field}`: {reason}")]
    Config {
        /// The name of the field.
        field: &'static str,
        /// The problem, and what a valid value is.
        reason: String,
    },
    /// The vendor asks for a longer delay than a sync may wait.
    #[error("rate limited by the vendor: {reason}")]
    RateLimited {
        /// The delay, if known.
        reason: String,
    },
    /// The vendor can't be reached or returns an invalid response.
    #[error("the vendor's API failed: {reason}")]
    Api {
        /// The failure.
        reason: String,
    },
}

impl ConnectorError {
    /// Returns whether new credentials can end the failure: the vendor rejects the current ones, or they are missing or
    /// unusable.
    pub const fn needs_credential(&self) -> bool {
        matches!(self, Self::Auth { .. } | Self::Config { .. })
    }
}

/// The items that a sync yields, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Page {
    /// Some facts of a dataset. Any number of these per dataset, then its `Collected`.
    Facts(FactPage),
    /// The end of a dataset. Every dataset that the connector reads gets exactly one.
    Collected(Collection),
}

/// A sync in progress. Holds at most one page in memory.
#[async_trait]
pub trait SyncRun: Send {
    /// Returns the next page; `None` after the end of all datasets.
    ///
    /// # Errors
    /// [`ConnectorError`] ends the sync as failed. Facts that were returned before stay stored.
    async fn next_page(&mut self) -> Result<Option<Page>, ConnectorError>;
}

/// A connector to one vendor.
#[async_trait]
pub trait Connector: Send + Sync {
    /// Returns the platform that this connector reads.
    fn platform(&self) -> Platform;
    /// Returns the configuration fields, in the order in which a person is prompted for them.
    fn fields(&self) -> &'static [ConfigField];
    /// Returns the datasets that this connector reads, in the order in which it completes them, each with what is
    /// known about its rows.
    fn datasets(&self) -> &'static [DatasetSpec];
    /// Checks the credentials and permissions. Reads as little as possible.
    ///
    /// # Errors
    /// [`ConnectorError`] if the configuration or the credentials are invalid, or the vendor can't be reached.
    async fn verify(&self, config: &ConnectorConfig) -> Result<Verification, ConnectorError>;
    /// Starts a sync. `known` is what earlier syncs have read account by account or app by app.
    ///
    /// # Errors
    /// [`ConnectorError`] if the sync can't start.
    async fn sync(
        &self,
        config: &ConnectorConfig,
        known: Readings,
    ) -> Result<Box<dyn SyncRun>, ConnectorError>;
    /// Returns the setting paths that this connector can read for a scan. If there are none, the platform can't
    /// be scanned.
    fn setting_paths(&self) -> &'static [&'static str] {
        &[]
    }
    /// Starts to read settings for a scan. Never writes to the vendor.
    ///
    /// # Errors
    /// [`ConnectorError`] if reading can't start.
    async fn collect(
        &self,
        _config: &ConnectorConfig,
        _request: CollectRequest,
    ) -> Result<Box<dyn SettingRun>, ConnectorError> {
        Err(ConnectorError::Api {
            reason: text::integration::platform_without_settings(self.platform().title()),
        })
    }
}
