//! Errors of a data folder.

use super::variable::{DATA_DIR_VARIABLE, MASTER_KEY_VARIABLE};
use std::{io, path::PathBuf};

/// An error of a data folder. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// No folder was named, and the environment doesn't name a home directory.
    #[error("there is no data folder: name one with `--data-dir` or {DATA_DIR_VARIABLE}")]
    NoHome,
    /// The folder has not been initialized.
    #[error("`{0}` holds no Watchpost data: run `watchpost init --data-dir {0}` first")]
    NotInitialized(PathBuf),
    /// Other users of the machine can read the folder or a file in it.
    #[error("other users can open `{path}` (mode {mode:03o}): run `chmod {required:03o} {path}`")]
    OpenToOthers {
        /// The folder or file.
        path: PathBuf,
        /// The current permission bits.
        mode: u32,
        /// The required permission bits.
        required: u32,
    },
    /// There is a database, but not its master key.
    #[error(
        "the master key `{0}` is missing: restore it from a backup, or set {MASTER_KEY_VARIABLE} to its path; \
         without it the stored credentials can't be decrypted"
    )]
    NoMasterKey(PathBuf),
    /// The master key's file doesn't hold a master key.
    #[error("the master key `{path}` must have exactly 32 bytes, but has {bytes}: restore it from a backup")]
    InvalidMasterKey {
        /// The file.
        path: PathBuf,
        /// The file's size in bytes.
        bytes: usize,
    },
    /// The folder already has a database.
    #[error("`{0}` already holds Watchpost data: name an empty folder with `--data-dir`")]
    InUse(PathBuf),
    /// Another process builds something in this folder.
    #[error("another process is writing `{0}`: wait until it is done, or stop it")]
    Busy(PathBuf),
    /// A folder has the name of one that Watchpost needs for unfinished files.
    #[error("`{0}` is in the way: move it to another place, so that unfinished files can be kept there")]
    NotAStage(PathBuf),
    /// A file with another master key than the right one is in its place.
    #[error("`{0}` is another master key: move it to another place, and repeat the command")]
    OtherMasterKey(PathBuf),
    /// An operation of the file system failed.
    #[error("can't {attempt} `{path}`")]
    Io {
        /// The operation, as a verb.
        attempt: &'static str,
        /// The folder or file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
}
