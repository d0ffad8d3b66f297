//! Errors of opening and restoring the file.

use rusqlite::ErrorCode;
use std::path::{Path, PathBuf};

/// The error when a store can't be opened or restored. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file doesn't exist, and creating it wasn't asked for.
    #[error(
        "there is no store at `{path}`: run `watchpost init`, or name the data directory with `--data-dir`"
    )]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// Other users of the machine can read or change the file or directory.
    #[error(
        "other users of this machine can access `{path}` (mode {mode:03o}): run `chmod {wanted:03o} {path}`"
    )]
    Permissions {
        /// The file or directory.
        path: PathBuf,
        /// The mode that it has.
        mode: u32,
        /// The mode with the most permissions that is accepted.
        wanted: u32,
    },
    /// The file can't be written, and is perhaps read.
    #[error(
        "`{path}` can't be written ({reason}): free space on its disk, or make its file system and its folder writable"
    )]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// The message of SQLite.
        reason: String,
    },
    /// The file can't be read where it is, because its folder can't be written either.
    #[error(
        "`{path}` can't be read where it is ({reason}): free space on its disk, or copy the data folder to another disk and name the copy with `--data-dir`"
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The message of SQLite.
        reason: String,
    },
    /// The file can't be used at all.
    #[error("`{path}` can't be used: {reason}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The operating system's message, or what is wrong.
        reason: String,
    },
    /// The file exists but is empty: its content was lost, or `init` was interrupted.
    #[error(
        "`{path}` is empty: restore a backup with `watchpost restore`, or start over with `watchpost init`"
    )]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The file is not a store, or is a damaged one.
    #[error(
        "`{path}` is not a Watchpost store or is damaged ({reason}): restore a backup with `watchpost restore`"
    )]
    InvalidFile {
        /// The file.
        path: PathBuf,
        /// The problem that was found.
        reason: String,
    },
    /// A newer version of Watchpost wrote the file.
    #[error(
        "`{path}` was written by a newer version of Watchpost (schema {found}, this version supports up to {known}): use that version, or restore an older backup"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The file's schema version.
        found: i64,
        /// The newest schema version that this binary supports.
        known: i64,
    },
    /// An older version of Watchpost wrote the file, which can't be migrated because it is only read.
    #[error(
        "`{path}` was written by an older version of Watchpost and can't be upgraded where it is: use that version, or make the folder writable and free space on its disk"
    )]
    Older {
        /// The file.
        path: PathBuf,
    },
    /// Another process has locked the file.
    #[error("`{path}` is locked by another process: stop that process, or wait until it is done")]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The master key is not the one that the store was created with.
    #[error("the master key doesn't belong to `{path}`: use the `master.key` that was created with it")]
    WrongMasterKey {
        /// The file.
        path: PathBuf,
    },
    /// The migration to this version's schema failed; the file is unchanged.
    #[error(
        "`{path}` can't be migrated to this version's schema: {reason}; the previous version can still use it"
    )]
    Migration {
        /// The file.
        path: PathBuf,
        /// The reason for the failure.
        reason: String,
    },
}

/// Translates an error of SQLite.
pub(super) fn open_error(path: &Path, error: &rusqlite::Error) -> OpenError {
    let path = path.to_path_buf();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => OpenError::Locked { path },
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => OpenError::InvalidFile {
            path,
            reason: error.to_string(),
        },
        _ if needs_space(error) => OpenError::Unwritable {
            path,
            reason: error.to_string(),
        },
        _ => OpenError::Io {
            path,
            reason: error.to_string(),
        },
    }
}

/// Whether an error of SQLite says that the file is damaged, or no database.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt)
    )
}

/// Translates an error of SQLite about a file that is only read.
pub(super) fn read_error(path: &Path, error: &rusqlite::Error) -> OpenError {
    match open_error(path, error) {
        OpenError::Unwritable { path, reason } => OpenError::Unreadable { path, reason },
        other => other,
    }
}

/// Whether an error of SQLite may be that of a disk that is full or read-only.
pub(super) fn needs_space(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::PermissionDenied
        )
    )
}

/// Translates an error of the file system.
pub(super) fn io_error(path: &Path, error: &std::io::Error) -> OpenError {
    OpenError::Io {
        path: path.to_path_buf(),
        reason: error.to_string(),
    }
}
