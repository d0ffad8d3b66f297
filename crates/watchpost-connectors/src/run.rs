//! A sync as straight-line code that yields pages, and the bookkeeping of one dataset.

use crate::driven::Driven;
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

/// Facts of one page.
const FACTS_PER_PAGE: usize = 500;
/// Bytes of one setting's document.
pub(crate) const DOCUMENT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Datasets in a row without any answer after which the vendor counts as gone.
const UNREACHABLE_MAX: u32 = 2;

/// A sync under way.
pub(crate) struct DrivenRun(Driven<Page>);

impl DrivenRun {
    /// `drive` gets the way to yield pages.
    pub(crate) fn new<F>(drive: impl FnOnce(Emitter) -> F) -> Self
    where
        F: Future<Output = Result<(), ConnectorError>> + Send + 'static,
    {
        Self(Driven::new(|pages| {
            drive(Emitter {
                pages,
                unreachable: 0,
                answered: false,
            })
        }))
    }
}

#[async_trait]
impl SyncRun for DrivenRun {
    async fn next_page(&mut self) -> Result<Option<Page>, ConnectorError> {
        self.0.next().await
    }
}

/// Why a dataset wasn't read to its end. Texts are our own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// This permission is missing.
    Denied(&'static str),
    /// The tenant's licence lacks it.
    Unlicensed(&'static str),
    /// Reading failed.
    Failed(String),
    /// Time ran out, or a part could not be read.
    Partial(String),
    /// There was no answer at all.
    Unreachable(String),
    /// The whole sync can't go on.
    Fatal(ConnectorError),
}

impl Trouble {
    /// What it means where there are no datasets that could end one by one: for a verification.
    pub(crate) fn give_up(self) -> ConnectorError {
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

/// A request's failure, told to whoever waits for a sync.
pub(crate) fn reason(error: &RequestError) -> String {
    match error {
        RequestError::OutOfTime { wait } => format!(
            "the vendor asked to wait {} s, longer than this sync may still take",
            wait.as_secs()
        ),
        error => error.to_string(),
    }
}

impl From<RequestError> for Trouble {
    fn from(error: RequestError) -> Self {
        let reason = reason(&error);
        match error {
            RequestError::OutOfTime { .. } => Self::Partial(reason),
            RequestError::Transport { .. } | RequestError::Refused { .. } => Self::Unreachable(reason),
            RequestError::TooLarge { .. } | RequestError::Throttled | RequestError::Server { .. } => {
                Self::Failed(reason)
            }
        }
    }
}

impl From<ConnectorError> for Trouble {
    fn from(error: ConnectorError) -> Self {
        Self::Fatal(error)
    }
}

/// Where pages go.
pub(crate) struct Emitter {
    pages: mpsc::Sender<Page>,
    /// Datasets in a row that had no answer.
    unreachable: u32,
    /// Whether any dataset had an answer.
    answered: bool,
}

impl Emitter {
    async fn page(&self, page: Page) {
        // The receiver goes only together with this future: there is nobody left to tell.
        let _ = self.pages.send(page).await;
    }

    /// Begins a dataset.
    pub(crate) fn begin(&mut self, dataset: Dataset) -> DatasetRun<'_> {
        DatasetRun {
            out: self,
            dataset,
            rows: 0,
            row_errors: 0,
            facts: Vec::new(),
        }
    }

    /// Ends a dataset that has no facts of its own, since its `rows` came with another's.
    pub(crate) async fn end(
        &mut self,
        dataset: Dataset,
        rows: u64,
        end: Result<(), Trouble>,
    ) -> Result<(), ConnectorError> {
        let mut run = self.begin(dataset);
        run.add_rows(rows);
        run.end(end).await.map(drop)
    }
}

/// One dataset being read.
pub(crate) struct DatasetRun<'e> {
    out: &'e mut Emitter,
    dataset: Dataset,
    rows: u64,
    row_errors: u64,
    facts: Vec<Fact>,
}

impl DatasetRun<'_> {
    /// Reads one row; an unusable one is counted.
    pub(crate) fn row<T: DeserializeOwned>(&mut self, row: &RawValue) -> Option<T> {
        self.rows = self.rows.saturating_add(1);
        let read = serde_json::from_str(row.get()).ok();
        if read.is_none() {
            self.row_error();
        }
        read
    }

    /// Rows so far.
    pub(crate) const fn rows(&self) -> u64 {
        self.rows
    }

    /// Counts rows that weren't read by [`DatasetRun::row`].
    pub(crate) fn add_rows(&mut self, rows: u64) {
        self.rows = self.rows.saturating_add(rows);
    }

    /// Counts an unusable row.
    pub(crate) fn row_error(&mut self) {
        self.row_errors = self.row_errors.saturating_add(1);
    }

    /// Yields a fact, or counts the row whose fact could not be made.
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

    /// Yields a setting.
    pub(crate) async fn setting(&mut self, path: &str, document: String) -> Result<(), Trouble> {
        if document.len() > DOCUMENT_BYTES_MAX {
            return Err(Trouble::Failed(format!("`{path}` is larger than 4 MiB")));
        }
        self.push(Some(Fact::Setting(SettingFacts {
            path: path.to_owned(),
            document,
        })))
        .await;
        // Settings are large: a page holds few of them.
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

    /// Ends the dataset. Says how, unless the whole sync can't go on.
    pub(crate) async fn end(mut self, end: Result<(), Trouble>) -> Result<CollectionState, ConnectorError> {
        self.flush().await;
        let (state, detail) = match end {
            Err(Trouble::Fatal(error)) => return Err(error),
            Err(Trouble::Unreachable(reason)) => {
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
                    Ok(()) if self.row_errors == 0 => (CollectionState::Complete, None),
                    // A row that can't be read may be one that we know: what is missing must not count as gone.
                    Ok(()) => {
                        let reason = format!(
                            "{} of {} rows could not be understood",
                            self.row_errors, self.rows
                        );
                        (CollectionState::Partial, Some(reason))
                    }
                    Err(Trouble::Denied(permission)) => {
                        (CollectionState::Denied, Some(permission.to_owned()))
                    }
                    Err(Trouble::Unlicensed(licence)) => {
                        (CollectionState::Unlicensed, Some(licence.to_owned()))
                    }
                    Err(Trouble::Partial(reason)) => (CollectionState::Partial, Some(reason)),
                    Err(Trouble::Failed(reason) | Trouble::Unreachable(reason)) => {
                        (CollectionState::Failed, Some(reason))
                    }
                    Err(Trouble::Fatal(error)) => return Err(error),
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
