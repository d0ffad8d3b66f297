//! The texts of this crate. Most of them are sources of a `StoreError`, which are logged; the others are parts of an
//! [`OpenError`](crate::OpenError) or lines of the integrity check, which an administrator reads.

use rusqlite::types::Type;
use std::fmt::Display;

pub(crate) const STORE_CLOSED: &str = "the store is closed";
pub(crate) const STORE_ONLY_READ: &str = "the file can't be written, so it is only read";
pub(crate) const TOO_MANY_READS: &str = "too many long reads are waiting";
pub(crate) const TOO_MANY_WRITES: &str = "too many writes are waiting";
pub(crate) const NO_SUCH_WORKSPACE: &str = "the store has no such workspace";
pub(crate) const CHANGE_NOT_MADE: &str = "the change was not made";
pub(crate) const CHANGE_PANICKED: &str = "a change panicked";
pub(crate) const BULK_PANICKED: &str = "bulk work panicked";
pub(crate) const WORK_NOT_DONE: &str = "the work was not done";
pub(crate) const ENTRY_NOT_STORED: &str = "the entry was not stored";
pub(crate) const POLLED_AFTER_COMPLETION: &str = "the future was polled after it had completed";
pub(crate) const ONCE_NOT_SUPPORTED: &str = "this change can't be made at most once";

pub(crate) const NOT_A_FILE: &str = "it is not a file";
pub(crate) const FOREIGN_DATABASE: &str = "it is the database of another application";

/// Reasons of cancelled jobs.
pub(crate) const INTEGRATION_STOPPED: &str = "the integration was paused or removed";
pub(crate) const CREDENTIAL_REPLACED: &str = "the credential was replaced, and the sync started again";

pub(crate) const GENESIS_MISSING: &str = "the genesis entry is missing";
pub(crate) const CREDENTIAL_NOT_SEALED: &str = "a credential can't be sealed";
pub(crate) const CREDENTIAL_NOT_OPENED: &str =
    "a credential can't be opened: it was moved, changed, or sealed with another key";
pub(crate) const CREDENTIAL_NOT_UTF8: &str = "a credential is not valid UTF-8";
pub(crate) const MALFORMED_APPS: &str = "the list of apps is malformed";
pub(crate) const MALFORMED_COUNTS: &str = "the counts are malformed";
pub(crate) const MALFORMED_GROUPED_COUNTS: &str = "the grouped counts are malformed";
pub(crate) const MALFORMED_MARKS: &str = "the marks are malformed";
pub(crate) const MARKS_OF_UNKNOWN_DATASET: &str = "the marks name an unknown dataset";
pub(crate) const OUTCOME_UNREADABLE: &str = "an outcome can't be read";

pub(crate) fn copy_before_migration_failed(reason: &str) -> String {
    format!("the copy before the migration failed: {reason}")
}

/// A line of the integrity check.
pub(crate) fn dangling_reference(table: &str) -> String {
    format!("a row of {table} refers to a row that doesn't exist")
}

/// The audit trail of a workspace is broken; `seq` is the number of the row.
pub(crate) fn broken_chain(workspace: &str, seq: u64, problem: &str) -> String {
    format!("the audit trail of the workspace `{workspace}` is broken at row {seq}: {problem}")
}

pub(crate) fn id_of_wrong_length(bytes: usize) -> String {
    format!("an id has {bytes} bytes")
}

pub(crate) fn id_of_wrong_type(found: Type) -> String {
    format!("an id has the type {found}")
}

pub(crate) fn negative_count(value: i64) -> String {
    format!("a count is {value}")
}

/// A problem with the value of a column. `id`: a column with an id, and the id, if the row has one.
pub(crate) fn in_row(problem: &str, column: &str, id: Option<(&str, String)>) -> String {
    match id {
        Some((name, id)) => format!("column `{column}` of the row with the {name} {id}: {problem}"),
        None => format!("column `{column}`: {problem}"),
    }
}

/// A word that this version doesn't know; `row` is the primary key of the first row with it.
pub(crate) fn unknown_word(table: &str, column: &str, code: i64, row: &str) -> String {
    format!("column `{column}` of `{table}`: no word has the code {code} (first in the row with {row})")
}

/// A credential of an integration can't be read.
pub(crate) fn credential_of(field: &str, id: &impl Display, problem: &str) -> String {
    format!(
        "`{field}` of the integration {id}: {problem}; `watchpost integrations set-credential {id}` sets it again"
    )
}

pub(crate) fn unknown_code(code: i64) -> String {
    format!("no word has the code {code}")
}

pub(crate) fn unknown_recurrence(error: &impl Display) -> String {
    format!("a schedule's recurrence can't be read: {error}")
}

/// An audit entry is damaged; `seq` is its sequence number.
pub(crate) fn unreadable_entry(seq: u64, reason: &str) -> String {
    format!("row {seq} can't be read: {reason}")
}
