//! A collection of settings as straight-line code: each requested path gets exactly one document, or the reason why
//! there is none.

use crate::{driven::Driven, run::Trouble};
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

/// Paths in a row that had no answer, after which the vendor counts as gone.
const UNREACHABLE_MAX: u32 = 2;

/// Runs a collection only while somebody waits for the next document.
pub(crate) struct DrivenSettings(Driven<SettingDocument>);

impl DrivenSettings {
    /// `drive` gets the way to yield documents. What it leaves out is yielded as failed.
    pub(crate) fn new<F>(request: CollectRequest, drive: impl FnOnce(Outlet) -> F) -> Self
    where
        F: Future<Output = Result<(), ConnectorError>> + Send + 'static,
    {
        Self(Driven::new(|documents| {
            drive(Outlet {
                documents,
                due: request.paths,
                unreachable: 0,
            })
        }))
    }
}

#[async_trait]
impl SettingRun for DrivenSettings {
    async fn next_setting(&mut self) -> Result<Option<SettingDocument>, ConnectorError> {
        self.0.next().await
    }
}

/// What was read of a path.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    /// The document.
    pub(crate) document: Value,
    /// Why it isn't everything, if it isn't.
    pub(crate) lacks: Option<String>,
}

impl Found {
    /// Everything.
    pub(crate) const fn whole(document: Value) -> Self {
        Self {
            document,
            lacks: None,
        }
    }

    /// A list, in the shape in which Graph sends lists.
    pub(crate) fn list(rows: Vec<Value>) -> Self {
        let mut document = serde_json::Map::new();
        document.insert("value".to_owned(), Value::Array(rows));
        Self::whole(Value::Object(document))
    }

    /// Not everything, for this reason.
    pub(crate) fn lacking(mut self, reason: Option<String>) -> Self {
        self.lacks = reason;
        self
    }
}

/// Why a path has no document. Texts are our own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Miss {
    /// These permissions are missing; any of them, if there are several.
    Denied(String),
    /// The tenant's licence lacks it.
    Unlicensed(String),
    /// Reading failed.
    Failed(String),
    /// There was no answer at all.
    Unreachable(String),
}

impl From<Trouble> for Miss {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Denied(permission) => Self::Denied(permission.to_owned()),
            Trouble::Unlicensed(licence) => Self::Unlicensed(licence.to_owned()),
            // A part of a document would be judged as if it were the whole.
            Trouble::Failed(reason) | Trouble::Partial(reason) => Self::Failed(reason),
            Trouble::Unreachable(reason) => Self::Unreachable(reason),
            // What ends a sync ends one path here: another service may still answer.
            Trouble::Fatal(error) => Self::Failed(error.to_string()),
        }
    }
}

/// Where documents go.
pub(crate) struct Outlet {
    documents: mpsc::Sender<SettingDocument>,
    due: BTreeSet<String>,
    unreachable: u32,
}

impl Outlet {
    /// Whether a path was asked for and had nothing yet.
    pub(crate) fn wants(&self, path: &str) -> bool {
        self.due.contains(path)
    }

    /// Ends a path. One that nobody waits for is dropped.
    ///
    /// # Errors
    /// If the vendor is gone altogether.
    pub(crate) async fn give(
        &mut self,
        path: &str,
        source: &'static str,
        end: Result<Found, Miss>,
    ) -> Result<(), ConnectorError> {
        if !self.due.remove(path) {
            return Ok(());
        }
        match &end {
            Err(Miss::Unreachable(reason)) => {
                self.unreachable = self.unreachable.saturating_add(1);
                if self.unreachable >= UNREACHABLE_MAX {
                    return Err(ConnectorError::Api {
                        reason: reason.clone(),
                    });
                }
            }
            _ => self.unreachable = 0,
        }
        // The receiver goes only together with this future: there is nobody left to tell.
        let _ = self.documents.send(document(path, source, end)).await;
        Ok(())
    }

    /// Ends what is left: paths that this version can't read.
    ///
    /// # Errors
    /// If the vendor is gone altogether.
    pub(crate) async fn finish(&mut self, source: &'static str) -> Result<(), ConnectorError> {
        for path in std::mem::take(&mut self.due) {
            self.due.insert(path.clone());
            let reason =
                "this version knows no way to read it from the vendor; an imported export may have it";
            self.give(&path, source, Err(Miss::Failed(reason.to_owned())))
                .await?;
        }
        Ok(())
    }
}

/// A path's end in the port's words.
fn document(path: &str, source: &'static str, end: Result<Found, Miss>) -> SettingDocument {
    let (state, detail, text) = match end {
        Ok(found) => {
            let text = found.document.to_string();
            if text.len() > SETTING_BYTES_MAX {
                let reason = "it is larger than 4 MiB".to_owned();
                (CollectionState::Failed, Some(reason), None)
            } else if found.lacks.is_some() {
                (CollectionState::Partial, found.lacks, Some(text))
            } else {
                (CollectionState::Complete, None, Some(text))
            }
        }
        Err(Miss::Denied(permission)) => (CollectionState::Denied, Some(permission), None),
        Err(Miss::Unlicensed(licence)) => (CollectionState::Unlicensed, Some(licence), None),
        Err(Miss::Failed(reason) | Miss::Unreachable(reason)) => {
            (CollectionState::Failed, Some(reason), None)
        }
    };
    SettingDocument {
        path: path.to_owned(),
        state,
        detail,
        source,
        document: text,
    }
}
