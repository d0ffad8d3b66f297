//! The port for reading a result file step by step. The implementation brings its own thread, which waits until
//! the next step is requested.

use super::{ImportBatchHeader, ImportError, ImportReport, ImportedRow};
use crate::check::CheckDocument;
use async_trait::async_trait;

/// The next step in reading a file.
#[derive(Debug)]
pub enum ImportStep {
    /// A batch begins. Batches are numbered from 0 in this order.
    Begin(Box<ImportBatchHeader>),
    /// Rows in the order of the file, each with the number of its batch; at most 1,000.
    Rows(Vec<(usize, ImportedRow)>),
    /// A tenant's settings.
    Settings {
        /// The number of the batch.
        batch: usize,
        /// The settings.
        document: Box<CheckDocument>,
    },
    /// The whole file was read. There are no further steps.
    Done(ImportReport),
}

/// A result file that is being read. Dropping it stops reading.
#[async_trait]
pub trait ImportFeed: Send {
    /// Returns the next step.
    ///
    /// # Errors
    /// [`ImportError`] ends reading. Everything that was returned before must be discarded.
    async fn next(&mut self) -> Result<ImportStep, ImportError>;
}
