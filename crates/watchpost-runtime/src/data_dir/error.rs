//! What can be wrong with a data folder.

use super::variable::{DATA_DIR_VARIABLE, MASTER_KEY_VARIABLE};
use std::{io, path::PathBuf};

/// What is wrong with the folder. Each text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// No folder was named and the system names no home.
    #[error("no data folder: give `--data-dir`, or set {DATA_DIR_VARIABLE}")]
    NoHome,
    /// `init` hasn't run there.
    #[error("`{0}` holds no Watchpost data: run `watchpost init --data-dir {0}` first")]
    NotInitialized(PathBuf),
    /// Others may read it.
    #[error("`{path}` can be opened by others (mode {mode:03o}): run `chmod {wanted:03o} {path}`")]
    OpenToOthers {
        /// The folder or file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// What they must be.
        wanted: u32,
    },
    /// The master key's file is gone though the database is there.
    #[error(
        "the master key `{0}` is missing: restore it from a backup, or point {MASTER_KEY_VARIABLE} at it; \
         without it the stored credentials can't be opened"
    )]
    NoMasterKey(PathBuf),
    /// The master key's file holds something else.
    #[error("the master key `{path}` must hold exactly 32 bytes, and holds {bytes}")]
    InvalidMasterKey {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: usize,
    },
    /// The system refused.
    #[error("can't {attempt} `{path}`")]
    Io {
        /// What was tried, as a verb.
        attempt: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}
