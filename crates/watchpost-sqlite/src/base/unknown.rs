//! Rows with words that this version doesn't know: passed over, counted, and logged once for each list.

use crate::base::fault::{Fault, Res};
use rusqlite::{Row, Rows};
use std::sync::atomic::{AtomicU64, Ordering};

/// Unknown words that this process has met.
static MET: AtomicU64 = AtomicU64::new(0);

/// Counts an unknown word.
pub(crate) fn count() {
    MET.fetch_add(1, Ordering::Relaxed);
}

/// How many words this process has read, in any store, that this version doesn't know: more than none means that a newer
/// version works on the same file, and that some of its rows are passed over here.
pub fn unknown_words() -> u64 {
    MET.load(Ordering::Relaxed)
}

/// Reads rows and passes over those that a newer version wrote. `table`: for the log.
pub(crate) fn known_rows<T>(
    rows: &mut Rows<'_>,
    table: &'static str,
    mut read: impl FnMut(&Row<'_>) -> Res<T>,
) -> Res<Vec<T>> {
    let mut out = Vec::new();
    let mut passed_over = PassedOver::of(table);
    while let Some(row) = rows.next()? {
        out.extend(passed_over.unless(read(row))?);
    }
    Ok(out)
}

/// How many rows of a list were passed over; logged when the list is done.
pub(crate) struct PassedOver {
    table: &'static str,
    rows: u64,
}

impl PassedOver {
    pub(crate) const fn of(table: &'static str) -> Self {
        Self { table, rows: 0 }
    }

    /// What was read; `None` if a newer version wrote it.
    pub(crate) fn unless<T>(&mut self, read: Res<T>) -> Res<Option<T>> {
        match read {
            Ok(value) => Ok(Some(value)),
            Err(Fault::Unknown(_)) => {
                self.rows += 1;
                Ok(None)
            }
            Err(fault) => Err(fault),
        }
    }
}

impl Drop for PassedOver {
    fn drop(&mut self) {
        if self.rows > 0 {
            tracing::warn!(
                table = self.table,
                rows = self.rows,
                "rows of a newer version were passed over"
            );
        }
    }
}
