//! Collections of settings as sequential code. Each requested path yields exactly one document, or the reason why there
//! is none.

use crate::{generator::Generator, run::ReadError, text};
use async_trait::async_trait;
use serde_json::Value;
use std::collections::BTreeSet;
use tokio::sync::mpsc;
use watchpost_core::{
    integration::{
        connector::ConnectorError,
        setting::{CollectRequest, SETTING_BYTES_MAX, SettingDocument, SettingRun},
    },
    value::word::CollectionState,
};

/// The number of consecutive paths without any response after which the vendor counts as unreachable.
const UNREACHABLE_MAX: u32 = 2;

/// A collection in progress. It reads only while the next document is being requested.
pub(crate) struct SettingGenerator(Generator<SettingDocument>);

impl SettingGenerator {
    /// Starts a collection. `body` receives the emitter for its documents.
    pub(crate) fn new<F>(request: CollectRequest, body: impl FnOnce(SettingEmitter) -> F) -> Self
    where
        F: Future<Output = Result<(), ConnectorError>> + Send + 'static,
    {
        Self(Generator::new(|documents| {
            body(SettingEmitter {
                documents,
                pending: request.paths,
                unreachable: 0,
            })
        }))
    }
}

#[async_trait]
impl SettingRun for SettingGenerator {
    async fn next_setting(&mut self) -> Result<Option<SettingDocument>, ConnectorError> {
        self.0.next().await
    }
}

/// The content of a setting.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SettingContent {
    /// The document.
    pub(crate) document: Value,
    /// The reason why the document is incomplete; `None` if it is complete.
    pub(crate) incomplete: Option<String>,
}

impl SettingContent {
    /// Creates a complete document.
    pub(crate) const fn complete(document: Value) -> Self {
        Self {
            document,
            incomplete: None,
        }
    }

    /// Creates a complete list, in Microsoft Graph's format for lists.
    pub(crate) fn list(rows: Vec<Value>) -> Self {
        let mut document = serde_json::Map::new();
        document.insert("value".to_owned(), Value::Array(rows));
        Self::complete(Value::Object(document))
    }

    /// Whether this is a complete list without rows, in Microsoft Graph's format for lists.
    pub(crate) fn has_no_rows(&self) -> bool {
        let rows = self.document.get("value").and_then(Value::as_array);
        self.incomplete.is_none() && rows.is_some_and(Vec::is_empty)
    }

    /// Sets the reason why the document is incomplete.
    pub(crate) fn incomplete_because(mut self, reason: Option<String>) -> Self {
        self.incomplete = reason;
        self
    }
}

/// The reason why a path has no document. The messages are Watchpost's own, never the vendor's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SettingError {
    /// A permission is missing. If the text lists several, each of them suffices.
    Denied(String),
    /// The tenant's license doesn't include the setting.
    Unlicensed(String),
    /// Reading failed.
    Failed(String),
    /// There was no response.
    Unreachable(String),
}

impl From<ReadError> for SettingError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Denied(permission) => Self::Denied(permission.to_owned()),
            ReadError::Unlicensed(license) => Self::Unlicensed(license.to_owned()),
            // Checks would evaluate a partial document as if it were complete.
            ReadError::Failed(reason) | ReadError::Partial(reason) => Self::Failed(reason),
            ReadError::Unreachable(reason) => Self::Unreachable(reason),
            // An error that is fatal to a sync ends only one path here, because other services may still respond.
            ReadError::Fatal(error) => Self::Failed(error.to_string()),
        }
    }
}

/// The channel for the documents of a collection.
pub(crate) struct SettingEmitter {
    documents: mpsc::Sender<SettingDocument>,
    pending: BTreeSet<String>,
    unreachable: u32,
}

impl SettingEmitter {
    /// Whether a path was requested and has no result yet.
    pub(crate) fn is_pending(&self, path: &str) -> bool {
        self.pending.contains(path)
    }

    /// Emits the result of a path. The result of a path that isn't pending is dropped.
    ///
    /// # Errors
    /// Returns an error if the vendor is unreachable.
    pub(crate) async fn emit(
        &mut self,
        path: &str,
        source: &'static str,
        result: Result<SettingContent, SettingError>,
    ) -> Result<(), ConnectorError> {
        if !self.pending.remove(path) {
            return Ok(());
        }
        match &result {
            Err(SettingError::Unreachable(reason)) => {
                self.unreachable = self.unreachable.saturating_add(1);
                if self.unreachable >= UNREACHABLE_MAX {
                    return Err(ConnectorError::Api {
                        reason: reason.clone(),
                    });
                }
            }
            _ => self.unreachable = 0,
        }
        // Sending can't fail: the receiver is dropped only together with this future.
        let _ = self.documents.send(document(path, source, result)).await;
        Ok(())
    }

    /// Emits a failure for each path that is still pending: this version can't read it.
    ///
    /// # Errors
    /// Returns an error if the vendor is unreachable.
    pub(crate) async fn finish(&mut self, source: &'static str) -> Result<(), ConnectorError> {
        for path in std::mem::take(&mut self.pending) {
            self.pending.insert(path.clone());
            self.emit(
                &path,
                source,
                Err(SettingError::Failed(text::UNSUPPORTED_SETTING.to_owned())),
            )
            .await?;
        }
        Ok(())
    }
}

/// Converts the result of a path into the port's type.
fn document(
    path: &str,
    source: &'static str,
    result: Result<SettingContent, SettingError>,
) -> SettingDocument {
    let (state, detail, document) = match result {
        Ok(found) => {
            let json = found.document.to_string();
            if json.len() > SETTING_BYTES_MAX {
                let reason = text::SETTING_TOO_LARGE.to_owned();
                (CollectionState::Failed, Some(reason), None)
            } else if found.incomplete.is_some() {
                (CollectionState::Partial, found.incomplete, Some(json))
            } else {
                (CollectionState::Complete, None, Some(json))
            }
        }
        Err(SettingError::Denied(permission)) => (CollectionState::Denied, Some(permission), None),
        Err(SettingError::Unlicensed(license)) => (CollectionState::Unlicensed, Some(license), None),
        Err(SettingError::Failed(reason) | SettingError::Unreachable(reason)) => {
            (CollectionState::Failed, Some(reason), None)
        }
    };
    SettingDocument {
        path: path.to_owned(),
        state,
        detail,
        source,
        document,
    }
}
