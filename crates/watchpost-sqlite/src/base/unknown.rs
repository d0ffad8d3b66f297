//! Rows with words that this version doesn't know. Lists skip them; they are counted, and logged once for each list.

use crate::base::fault::{Fault, Res};
use rusqlite::{Row, Rows};
use std::sync::atomic::{AtomicU64, Ordering};

/// The number of unknown words that this process has read.
static UNKNOWN_WORDS: AtomicU64 = AtomicU64::new(0);

/// Counts an unknown word.
pub(crate) fn count() {
    UNKNOWN_WORDS.fetch_add(1, Ordering::Relaxed);
}

/// Returns how many words this process has read, in any store, that this version doesn't know. More than 0 means that a
/// newer version uses the same file and that some of its rows are skipped here.
pub fn unknown_words() -> u64 {
    UNKNOWN_WORDS.load(Ordering::Relaxed)
}

/// Reads rows and skips those with an unknown word. `table` is the name for the log.
pub(crate) fn known_rows<T>(
    rows: &mut Rows<'_>,
    table: &'static str,
    mut read: impl FnMut(&Row<'_>) -> Res<T>,
) -> Res<Vec<T>> {
    let mut out = Vec::new();
    let mut skipped = SkippedRows::new(table);
    while let Some(row) = rows.next()? {
        out.extend(skipped.skip_unknown(read(row))?);
    }
    Ok(out)
}

/// The number of rows of a list that were skipped. It is logged when the value is dropped.
pub(crate) struct SkippedRows {
    table: &'static str,
    rows: u64,
    first: Option<String>,
}

impl SkippedRows {
    pub(crate) const fn new(table: &'static str) -> Self {
        Self {
            table,
            rows: 0,
            first: None,
        }
    }

    /// Returns what was read, or `None` and counts the row if it has an unknown word.
    pub(crate) fn skip_unknown<T>(&mut self, read: Res<T>) -> Res<Option<T>> {
        match read {
            Ok(value) => Ok(Some(value)),
            Err(Fault::Unknown(problem)) => {
                self.rows += 1;
                self.first.get_or_insert(problem);
                Ok(None)
            }
            Err(fault) => Err(fault),
        }
    }
}

impl Drop for SkippedRows {
    fn drop(&mut self) {
        if self.rows > 0 {
            tracing::warn!(
                table = self.table,
                rows = self.rows,
                first = self.first,
                "rows that a newer version wrote were skipped"
            );
        }
    }
}
