//! Errors inside the adapter, and their translation to the errors of the ports.

use rusqlite::ErrorCode;
use watchpost_core::error::StoreError;

/// A failure inside a transaction, before it is translated to the port's error.
#[derive(Debug)]
pub(crate) enum Fault {
    /// An error from SQLite.
    Sql(rusqlite::Error),
    /// A stored value that can't be what was written: the table, and the problem.
    Damaged(&'static str, String),
    /// As `Damaged`, in the table that was being read.
    Value(String),
    /// A stored word that this version doesn't know, because a newer version wrote it. A list skips the row; a read of
    /// that row alone reports it as damaged.
    Unknown(String),
    /// The audit entry couldn't be stored.
    Audit(Box<Fault>),
    /// An error that is already the port's.
    Store(StoreError),
}

/// The result of code inside a transaction.
pub(crate) type Res<T> = Result<T, Fault>;

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// An error source that consists of a text. It is logged, never shown to a caller.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Reason(pub(crate) String);

/// Returns the error for a store that can't be used right now.
pub(crate) fn unavailable(reason: &str) -> StoreError {
    StoreError::Unavailable(Box::new(Reason(reason.to_owned())))
}

/// Returns the error for a change of which it isn't known whether it was made.
pub(crate) fn outcome_unknown(reason: &str) -> StoreError {
    StoreError::OutcomeUnknown(Box::new(Reason(reason.to_owned())))
}

/// Returns the error for a call that the store doesn't support, which is a bug in the caller.
pub(crate) fn unsupported(reason: &str) -> StoreError {
    StoreError::Backend(Box::new(Reason(reason.to_owned())))
}

impl Fault {
    /// Translates the failure to the port's error; `table` is the table that was being read or written.
    pub(crate) fn into_store(self, table: &'static str) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Damaged(table, problem) => StoreError::Corrupt {
                table,
                source: Box::new(Reason(problem)),
            },
            Self::Value(problem) | Self::Unknown(problem) => StoreError::Corrupt {
                table,
                source: Box::new(Reason(problem)),
            },
            Self::Audit(inner) => match inner.into_store("audit_entries") {
                StoreError::AuditUnavailable(source) | StoreError::Unavailable(source) => {
                    StoreError::AuditUnavailable(source)
                }
                other => StoreError::AuditUnavailable(Box::new(other)),
            },
            Self::Sql(error) => sql_error(error, table),
        }
    }

    /// Whether a failed commit can't have left a complete transaction in the write-ahead log, because writing its pages
    /// failed: the last page completes it.
    pub(crate) fn is_incomplete_commit(&self) -> bool {
        matches!(self, Self::Sql(rusqlite::Error::SqliteFailure(error, _))
            if error.code == ErrorCode::DiskFull
                || error.code == ErrorCode::DatabaseBusy
                || error.extended_code == rusqlite::ffi::SQLITE_IOERR_WRITE)
    }

    /// Whether the whole transaction is lost, including the work of other calls in it.
    pub(crate) fn ends_transaction(&self) -> bool {
        match self {
            Self::Audit(inner) => inner.ends_transaction(),
            Self::Sql(rusqlite::Error::SqliteFailure(error, _)) => matches!(
                error.code,
                ErrorCode::DiskFull
                    | ErrorCode::SystemIoFailure
                    | ErrorCode::OutOfMemory
                    | ErrorCode::DatabaseCorrupt
                    | ErrorCode::NotADatabase
                    | ErrorCode::DatabaseBusy
                    | ErrorCode::ReadOnly
            ),
            _ => false,
        }
    }
}

fn sql_error(error: rusqlite::Error, table: &'static str) -> StoreError {
    use rusqlite::Error as E;
    match &error {
        E::SqliteFailure(failure, _) => match failure.code {
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::DiskFull
            | ErrorCode::ReadOnly
            | ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::PermissionDenied
            | ErrorCode::OutOfMemory
            | ErrorCode::FileLockingProtocolFailed => StoreError::Unavailable(Box::new(error)),
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Corrupt {
                table,
                source: Box::new(error),
            },
            _ => StoreError::Backend(Box::new(error)),
        },
        E::FromSqlConversionFailure(..)
        | E::IntegralValueOutOfRange(..)
        | E::InvalidColumnType(..)
        | E::Utf8Error(..) => StoreError::Corrupt {
            table,
            source: Box::new(error),
        },
        _ => StoreError::Backend(Box::new(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::ffi;

    #[test]
    fn sqlite_errors_map_to_the_errors_a_caller_can_act_on() {
        let check = |code: i32, expected: &str| {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            let found = match Fault::from(error).into_store("t") {
                StoreError::Unavailable(_) => "unavailable",
                StoreError::Corrupt { .. } => "corrupt",
                StoreError::Backend(_) => "backend",
                _ => "other",
            };
            assert_eq!(found, expected, "{code}");
        };
        check(ffi::SQLITE_BUSY, "unavailable");
        check(ffi::SQLITE_LOCKED, "unavailable");
        check(ffi::SQLITE_FULL, "unavailable");
        check(ffi::SQLITE_READONLY, "unavailable");
        check(ffi::SQLITE_IOERR, "unavailable");
        check(ffi::SQLITE_CORRUPT, "corrupt");
        check(ffi::SQLITE_NOTADB, "corrupt");
        check(ffi::SQLITE_ERROR, "backend");
        let full = rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_FULL), None);
        assert!(matches!(
            Fault::Audit(Box::new(full.into())).into_store("t"),
            StoreError::AuditUnavailable(_)
        ));
    }
}
