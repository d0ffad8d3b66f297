//! The port to a vendor. Implemented by `watchpost-connectors`, one folder per vendor.

use crate::{
    integration::{
        fact::{Collection, Dataset, FactPage},
        setting::{CollectRequest, SettingRun},
    },
    value::{text::ForeignText, word::Platform},
};
use async_trait::async_trait;
use secrecy::SecretString;
use std::collections::BTreeMap;

/// One value that connecting a platform needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConfigField {
    /// Its name in configuration and on the command line (`org_url`).
    pub name: &'static str,
    /// What to type, in plain words.
    pub title: &'static str,
    /// Whether it is a credential: prompted without echo, sealed at rest, never shown.
    pub secret: bool,
    /// Whether it must be given. Of several ways to authenticate each field is optional; `verify` says what is missing.
    pub required: bool,
    /// What is used if it isn't given.
    pub default: Option<&'static str>,
}

/// The values of one connection.
#[derive(Debug, Default)]
pub struct ConnectorConfig {
    /// Plain values by field name.
    pub values: BTreeMap<String, String>,
    /// Credentials by field name.
    pub secrets: BTreeMap<String, SecretString>,
}

/// A permission that the vendor can grant us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionCheck {
    /// Its name in the vendor's words (`AuditLog.Read.All`).
    pub permission: String,
    /// Whether we have it.
    pub granted: bool,
    /// What a sync can't read without it. Empty: only scans use it.
    pub datasets: Vec<Dataset>,
    /// Paths of the settings that a scan can't read without it.
    pub settings: Vec<&'static str>,
    /// What to do about a missing one, in plain words.
    pub hint: Option<String>,
}

/// What verifying a connection found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// The vendor's stable id of the tenant.
    pub tenant_key: String,
    /// Its displayed name.
    pub tenant_name: ForeignText,
    /// Each permission that the connector can use.
    pub permissions: Vec<PermissionCheck>,
    /// Datasets that the tenant's licence lacks.
    pub unlicensed: Vec<Dataset>,
}

/// What a connector can fail with as a whole; a single dataset that can't be read is a [`Collection`], no error.
/// Texts are our own and never quote an answer's body or a credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectorError {
    /// The vendor refuses the credentials.
    #[error("authentication failed: {reason}")]
    Auth {
        /// What is wrong and what to do.
        reason: String,
    },
    /// A value of the configuration is missing or wrong.
    #[error("`{field}`: {reason}")]
    Config {
        /// The field's name.
        field: &'static str,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// The vendor asks us to come back later than the sync may wait.
    #[error("rate limited by the vendor: {reason}")]
    RateLimited {
        /// For how long, as far as known.
        reason: String,
    },
    /// The vendor can't be reached or doesn't answer sensibly.
    #[error("the vendor's API failed: {reason}")]
    Api {
        /// What happened.
        reason: String,
    },
}

/// What a sync yields, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Page {
    /// Some facts of a dataset. Any number of these per dataset, then its `Collected`.
    Facts(FactPage),
    /// A dataset's end. Every dataset that the connector knows gets exactly one.
    Collected(Collection),
}

/// A sync under way. Holds at most a page in memory.
#[async_trait]
pub trait SyncRun: Send {
    /// The next page; `None` when all datasets have ended.
    ///
    /// # Errors
    /// [`ConnectorError`] ends the sync as failed; what was collected before stays.
    async fn next_page(&mut self) -> Result<Option<Page>, ConnectorError>;
}

/// One vendor.
#[async_trait]
pub trait Connector: Send + Sync {
    /// The platform it connects.
    fn platform(&self) -> Platform;
    /// What connecting needs, in the order in which a person is asked.
    fn fields(&self) -> &'static [ConfigField];
    /// The datasets it reads, in the order in which it reads them.
    fn datasets(&self) -> &'static [Dataset];
    /// Checks credentials and permissions. Reads as little as possible.
    ///
    /// # Errors
    /// [`ConnectorError`].
    async fn verify(&self, config: &ConnectorConfig) -> Result<Verification, ConnectorError>;
    /// Begins a sync.
    ///
    /// # Errors
    /// [`ConnectorError`] if it can't even begin.
    async fn sync(&self, config: &ConnectorConfig) -> Result<Box<dyn SyncRun>, ConnectorError>;
    /// The setting paths that it can read for a scan; empty: it can't be scanned.
    fn setting_paths(&self) -> &'static [&'static str] {
        &[]
    }
    /// Begins to read settings for a scan. It only ever reads.
    ///
    /// # Errors
    /// [`ConnectorError`] if it can't even begin.
    async fn collect(
        &self,
        _config: &ConnectorConfig,
        _request: CollectRequest,
    ) -> Result<Box<dyn SettingRun>, ConnectorError> {
        Err(ConnectorError::Api {
            reason: format!(
                "{} has no settings that this version can scan",
                self.platform().title()
            ),
        })
    }
}
