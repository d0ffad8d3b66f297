//! A file while it is read, as the use case sees it: the reader brings its own thread, and waits while nobody asks.

use super::{ImportBatchHeader, ImportError, ImportReport, ImportedRow};
use crate::check::CheckDocument;
use async_trait::async_trait;

/// What reading a file gives next.
#[derive(Debug)]
pub enum ImportStep {
    /// A batch begins. They are numbered from 0 in this order.
    Begin(Box<ImportBatchHeader>),
    /// Some rows, at most a thousand, in the order of the file, each with its batch's number.
    Rows(Vec<(usize, ImportedRow)>),
    /// A tenant's settings.
    Settings {
        /// The batch's number.
        batch: usize,
        /// The settings.
        document: Box<CheckDocument>,
    },
    /// The whole file was read. Nothing follows.
    Done(ImportReport),
}

/// A result file being read. Dropping it ends the reading.
#[async_trait]
pub trait ImportFeed: Send {
    /// The next step.
    ///
    /// # Errors
    /// [`ImportError`] ends the reading; what was given until then must not be kept.
    async fn next(&mut self) -> Result<ImportStep, ImportError>;
}
