//! Settings: configuration documents that a scan reads from an integration, each by itself: one that is denied or
//! unlicensed doesn't keep the others from being read.

use crate::{integration::connector::ConnectorError, value::word::CollectionState};
use async_trait::async_trait;
use std::collections::BTreeSet;

/// Bytes that one document has at the most.
pub const SETTING_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What a scan wants to read.
#[derive(Debug, Clone, Default)]
pub struct CollectRequest {
    /// The paths that the scan's checks look at. A connector reads these and no others.
    pub paths: BTreeSet<String>,
    /// Whether a metered service may be used (Microsoft's configuration snapshots count against a monthly budget).
    pub metered: bool,
}

/// One document, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingDocument {
    /// The stable path, e.g. `policies/authorizationPolicy`.
    pub path: String,
    /// How reading it ended. Only `complete` and `partial` come with a document.
    pub state: CollectionState,
    /// For `denied`: the missing permission in the vendor's words; else a reason a person can act on. Our own words.
    pub detail: Option<String>,
    /// Where it was read: `graph`, `graph-beta`, `configuration-snapshot`, `exchange-admin`, `exchange-admin-beta`,
    /// `sharepoint-admin`, `power-platform`, `fabric`, `dns`, `derived`, `import`.
    pub source: &'static str,
    /// The vendor's JSON as text, at most [`SETTING_BYTES_MAX`].
    pub document: Option<String>,
}

/// A collection of settings under way. Holds at most a few documents in memory.
#[async_trait]
pub trait SettingRun: Send {
    /// The next document; `None` when every path of the request has had its one.
    ///
    /// # Errors
    /// [`ConnectorError`] ends the collection; what was read before stays.
    async fn next_setting(&mut self) -> Result<Option<SettingDocument>, ConnectorError>;
}
