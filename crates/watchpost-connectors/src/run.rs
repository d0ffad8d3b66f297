//! Syncs as sequential code that yields pages, and the row counts and outcome of each dataset.

use crate::{generator::Generator, text};
use async_trait::async_trait;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::sync::mpsc;
use watchpost_core::{
    integration::{
        connector::{ConnectorError, Page, SyncRun},
        fact::{Collection, Dataset, Fact, FactPage, SettingFacts},
    },
    value::word::CollectionState,
};
use watchpost_outbound::RequestError;

/// The number of facts per page.
const FACTS_PER_PAGE: usize = 500;
/// The maximum size of a setting's document, in bytes.
pub(crate) const DOCUMENT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The number of consecutive datasets without any response after which the vendor counts as unreachable.
const UNREACHABLE_MAX: u32 = 2;

/// A sync in progress.
pub(crate) struct PageGenerator(Generator<Page>);

impl PageGenerator {
    /// Starts a sync. `body` receives the emitter for its pages.
    pub(crate) fn new<F>(body: impl FnOnce(Emitter) -> F) -> Self
    where
        F: Future<Output = Result<(), ConnectorError>> + Send + 'static,
    {
        Self(Generator::new(|pages| {
            body(Emitter {
                pages,
                unreachable: 0,
                answered: false,
            })
        }))
    }
}

#[async_trait]
impl SyncRun for PageGenerator {
    async fn next_page(&mut self) -> Result<Option<Page>, ConnectorError> {
        self.0.next().await
    }
}

/// The reason why a dataset wasn't read completely. The messages are Watchpost's own, never the vendor's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ReadError {
    /// This permission is missing.
    Denied(&'static str),
    /// The tenant's license doesn't include the dataset.
    Unlicensed(&'static str),
    /// Reading failed.
    Failed(String),
    /// Time ran out, or a part of the dataset could not be read.
    Partial(String),
    /// There was no response.
    Unreachable(String),
    /// The whole sync can't continue.
    Fatal(ConnectorError),
}

impl ReadError {
    /// Converts the error for a verification, which fails as a whole.
    pub(crate) fn into_connector_error(self) -> ConnectorError {
        match self {
            Self::Fatal(error) => error,
            Self::Partial(reason) => ConnectorError::RateLimited { reason },
            Self::Failed(reason) | Self::Unreachable(reason) => ConnectorError::Api { reason },
            Self::Denied(what) | Self::Unlicensed(what) => ConnectorError::Api {
                reason: what.to_owned(),
            },
        }
    }
}

/// Describes the error of a request that was part of a sync.
pub(crate) fn reason(error: &RequestError) -> String {
    match error {
        RequestError::OutOfTime { wait } => text::wait_exceeds_sync(wait.as_secs()),
        error => error.to_string(),
    }
}

impl From<RequestError> for ReadError {
    fn from(error: RequestError) -> Self {
        let reason = reason(&error);
        match error {
            RequestError::OutOfTime { .. } => Self::Partial(reason),
            RequestError::Transport { .. } | RequestError::Refused { .. } => Self::Unreachable(reason),
            RequestError::TooLarge { .. }
            | RequestError::Throttled
            | RequestError::Server { .. }
            | RequestError::Echoed => Self::Failed(reason),
        }
    }
}

impl From<ConnectorError> for ReadError {
    fn from(error: ConnectorError) -> Self {
        Self::Fatal(error)
    }
}

/// The channel for the pages of a sync.
pub(crate) struct Emitter {
    pages: mpsc::Sender<Page>,
    /// The number of consecutive datasets without a response.
    unreachable: u32,
    /// Whether any dataset had a response.
    answered: bool,
}

impl Emitter {
    async fn page(&self, page: Page) {
        // Sending can't fail: the receiver is dropped only together with this future.
        let _ = self.pages.send(page).await;
    }

    /// Starts a dataset.
    pub(crate) fn begin(&mut self, dataset: Dataset) -> DatasetRun<'_> {
        DatasetRun {
            out: self,
            dataset,
            rows: 0,
            rows_aside: 0,
            row_errors: 0,
            facts: Vec::new(),
            note: None,
        }
    }

    /// Reports the outcome of a dataset that emits no facts itself, because its `rows` came with another dataset.
    pub(crate) async fn end(
        &mut self,
        dataset: Dataset,
        rows: u64,
        end: Result<(), ReadError>,
    ) -> Result<(), ConnectorError> {
        let mut run = self.begin(dataset);
        run.add_rows(rows);
        run.end(end).await.map(drop)
    }
}

/// A dataset that is being read.
pub(crate) struct DatasetRun<'e> {
    out: &'e mut Emitter,
    dataset: Dataset,
    rows: u64,
    rows_aside: u64,
    row_errors: u64,
    facts: Vec<Fact>,
    /// The detail of the collection if it is complete.
    note: Option<String>,
}

impl DatasetRun<'_> {
    /// Parses one row. A row that can't be parsed is counted as an error.
    pub(crate) fn row<T: DeserializeOwned>(&mut self, row: &RawValue) -> Option<T> {
        self.rows = self.rows.saturating_add(1);
        let read = serde_json::from_str(row.get()).ok();
        if read.is_none() {
            self.row_error();
        }
        read
    }

    /// Parses a row of a second list, which only helps to read the dataset: it doesn't count among the dataset's rows. A row
    /// that can't be parsed is counted as an error.
    pub(crate) fn row_aside<T: DeserializeOwned>(&mut self, row: &RawValue) -> Option<T> {
        self.rows_aside = self.rows_aside.saturating_add(1);
        let read = serde_json::from_str(row.get()).ok();
        if read.is_none() {
            self.row_error();
        }
        read
    }

    /// Returns the number of rows so far.
    pub(crate) const fn rows(&self) -> u64 {
        self.rows
    }

    /// Returns the number of unusable rows so far.
    pub(crate) const fn row_errors(&self) -> u64 {
        self.row_errors
    }

    /// Counts rows that weren't parsed by [`DatasetRun::row`].
    pub(crate) fn add_rows(&mut self, rows: u64) {
        self.rows = self.rows.saturating_add(rows);
    }

    /// Sets the detail of the collection for the case that it is complete.
    pub(crate) fn note(&mut self, note: String) {
        self.note = Some(note);
    }

    /// Counts a row that can't be used.
    pub(crate) fn row_error(&mut self) {
        self.row_errors = self.row_errors.saturating_add(1);
    }

    /// Emits a fact; `None` counts as a row that can't be used.
    pub(crate) async fn push(&mut self, fact: Option<Fact>) {
        let Some(fact) = fact else {
            self.row_error();
            return;
        };
        self.facts.push(fact);
        if self.facts.len() >= FACTS_PER_PAGE {
            self.flush().await;
        }
    }

    /// Emits a setting.
    pub(crate) async fn setting(&mut self, path: &str, document: String) -> Result<(), ReadError> {
        if document.len() > DOCUMENT_BYTES_MAX {
            return Err(ReadError::Failed(text::setting_too_large(path)));
        }
        self.push(Some(Fact::Setting(SettingFacts {
            path: path.to_owned(),
            document,
        })))
        .await;
        // Settings are large, so each is a page of its own.
        self.flush().await;
        Ok(())
    }

    async fn flush(&mut self) {
        if !self.facts.is_empty() {
            let facts = std::mem::take(&mut self.facts);
            self.out
                .page(Page::Facts(FactPage {
                    dataset: self.dataset,
                    facts,
                }))
                .await;
        }
    }

    /// Ends the dataset and reports its outcome. Returns its state.
    ///
    /// # Errors
    /// Returns an error if the whole sync can't continue.
    pub(crate) async fn end(mut self, end: Result<(), ReadError>) -> Result<CollectionState, ConnectorError> {
        self.flush().await;
        let (state, detail) = match end {
            Err(ReadError::Fatal(error)) => return Err(error),
            Err(ReadError::Unreachable(reason)) => {
                self.out.unreachable = self.out.unreachable.saturating_add(1);
                if !self.out.answered || self.out.unreachable >= UNREACHABLE_MAX {
                    return Err(ConnectorError::Api { reason });
                }
                (CollectionState::Failed, Some(reason))
            }
            other => {
                self.out.unreachable = 0;
                self.out.answered = true;
                match other {
                    Ok(()) if self.row_errors == 0 => (CollectionState::Complete, self.note.take()),
                    // An unreadable row may be that of a known entity, so the entities that weren't seen must not be retired.
                    Ok(()) => {
                        let all = self.rows.saturating_add(self.rows_aside);
                        let reason = text::unreadable_rows(self.row_errors, all);
                        (CollectionState::Partial, Some(reason))
                    }
                    Err(ReadError::Denied(permission)) => {
                        (CollectionState::Denied, Some(permission.to_owned()))
                    }
                    Err(ReadError::Unlicensed(license)) => {
                        (CollectionState::Unlicensed, Some(license.to_owned()))
                    }
                    Err(ReadError::Partial(reason)) => (CollectionState::Partial, Some(reason)),
                    Err(ReadError::Failed(reason) | ReadError::Unreachable(reason)) => {
                        (CollectionState::Failed, Some(reason))
                    }
                    Err(ReadError::Fatal(error)) => return Err(error),
                }
            }
        };
        let collection = Collection {
            dataset: self.dataset,
            state,
            rows: self.rows,
            row_errors: self.row_errors,
            detail,
        };
        self.out.page(Page::Collected(collection)).await;
        Ok(state)
    }
}
