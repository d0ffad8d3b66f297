//! Settings: configuration documents that a scan reads from an integration. Each is read separately, so that a
//! denied or unlicensed one doesn't prevent reading the others.

use crate::{integration::connector::ConnectorError, value::word::CollectionState};
use async_trait::async_trait;
use std::collections::BTreeSet;

/// Maximum size of one document, in bytes.
pub const SETTING_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A request to read settings for a scan.
#[derive(Debug, Clone, Default)]
pub struct CollectRequest {
    /// The paths that the scan's checks use. A connector reads only these.
    pub paths: BTreeSet<String>,
    /// Whether a metered service may be used (Microsoft's configuration snapshots count against a monthly budget).
    pub metered: bool,
}

/// The result of reading one setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingDocument {
    /// The stable path, e.g. `policies/authorizationPolicy`.
    pub path: String,
    /// The state of the collection. Only `complete` and `partial` come with a document.
    pub state: CollectionState,
    /// For `denied`, the missing permission as the vendor names it; otherwise a reason that a person can act on.
    /// Written by Watchpost.
    pub detail: Option<String>,
    /// The API or other source of the document: `graph`, `graph-beta`, `configuration-snapshot`,
    /// `exchange-admin`, `exchange-admin-beta`, `sharepoint-admin`, `power-platform`, `fabric`, `dns`, `derived`
    /// or `import`. Two sources are joined by `+`.
    pub source: &'static str,
    /// The vendor's JSON as text, at most [`SETTING_BYTES_MAX`].
    pub document: Option<String>,
}

/// A collection of settings in progress. Holds at most a few documents in memory.
#[async_trait]
pub trait SettingRun: Send {
    /// Returns the next document; `None` after one document for every requested path.
    ///
    /// # Errors
    /// [`ConnectorError`] ends the collection. Documents that were returned before stay stored.
    async fn next_setting(&mut self) -> Result<Option<SettingDocument>, ConnectorError>;
}
