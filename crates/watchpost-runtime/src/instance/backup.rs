//! Backups: written from a store that is in use, and restored into a new data folder. Both are built beside their place,
//! checked, and moved there last.

use super::{
    Instance,
    manifest::{Checksum, manifest_file},
};
use crate::data_dir::{AfterStep, DataDir, DataDirError, MasterKey, Stage, Step, sync_parent, write_private};
use std::{
    error::Error as _,
    fs, io,
    path::{Path, PathBuf},
};
use watchpost_core::error::StoreError;
use watchpost_sqlite::{OpenError, check_copy};

/// The reason why a backup can't be written or restored. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file for the backup exists.
    #[error("`{0}` already exists: name another file")]
    FileExists(PathBuf),
    /// There is no such backup.
    #[error("`{0}` is not a file")]
    NotAFile(PathBuf),
    /// The database is damaged, so that a copy would be of no use.
    #[error(
        "the database is damaged ({reason}): no backup was written; keep the older backups, and restore the newest of \
         them with `watchpost restore`"
    )]
    DamagedStore {
        /// The problem that was found.
        reason: String,
    },
    /// The backup is damaged, or isn't one.
    #[error("`{file}` is damaged or is not a backup ({reason}): restore another backup")]
    Damaged {
        /// The backup.
        file: PathBuf,
        /// The problem that was found.
        reason: String,
    },
    /// The backup isn't the file that was written.
    #[error(
        "`{0}` has changed since it was written: its checksum is not that of its manifest; copy both files again, or \
         restore another backup"
    )]
    Changed(PathBuf),
    /// The manifest can't be read.
    #[error(
        "`{0}` is not a manifest that this version can read: copy it again, or move it away to restore the backup without \
         a checksum"
    )]
    InvalidManifest(PathBuf),
    /// No master key was named, and there is none in its place.
    #[error(
        "the backup's master key is missing: name its file with `--master-key`, or copy it to `{0}` first"
    )]
    NoMasterKey(PathBuf),
    /// The backup belongs to another master key.
    #[error(
        "`{key}` is not the master key of `{file}`: use the `master.key` that was created with the database"
    )]
    WrongMasterKey {
        /// The file of the key.
        key: PathBuf,
        /// The backup.
        file: PathBuf,
    },
    /// The data folder, or a file, can't be used.
    #[error(transparent)]
    Folder(#[from] DataDirError),
    /// The copy can't be opened.
    #[error(transparent)]
    Open(OpenError),
    /// The store can't be read, or the copy can't be written.
    #[error(transparent)]
    Store(StoreError),
}

impl BackupError {
    pub(super) fn io(attempt: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        Self::Folder(DataDirError::Io {
            attempt,
            path,
            source,
        })
    }
}

/// Result of [`restore`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restored {
    /// Whether the backup had a manifest, so that every byte was checked.
    pub has_manifest: bool,
}

impl Instance {
    /// Writes a backup of the store, which stays in use, and its manifest. The copy is checked before it appears.
    ///
    /// # Errors
    /// [`BackupError`]; there is no backup then.
    pub async fn backup(&self, to: &Path) -> Result<(), BackupError> {
        if to.exists() {
            return Err(BackupError::FileExists(to.to_owned()));
        }
        if let Some(folder) = to.parent() {
            Stage::remove_all_dead(folder);
        }
        let stage = Stage::beside(to)?;
        let copy = stage.path().join("watchpost.db");
        self.store.backup(&copy).await.map_err(|error| match error {
            StoreError::Corrupt { .. } => BackupError::DamagedStore {
                reason: error
                    .source()
                    .map_or_else(|| error.to_string(), ToString::to_string),
            },
            other => BackupError::Store(other),
        })?;
        let checksum = Checksum::of(&copy).map_err(|error| BackupError::io("read", &copy, error))?;
        let staged = manifest_file(&copy);
        let manifest = checksum.to_manifest(self.environment.clock.now());
        write_private(&staged, manifest.as_bytes())?;
        if to.exists() {
            return Err(BackupError::FileExists(to.to_owned()));
        }
        // The manifest first: a backup that exists has one.
        let manifest = manifest_file(to);
        fs::rename(&staged, &manifest).map_err(|error| BackupError::io("create", &manifest, error))?;
        fs::rename(&copy, to).map_err(|error| {
            let _ = fs::remove_file(&manifest);
            BackupError::io("create", to, error)
        })?;
        sync_parent(to);
        Ok(())
    }
}

/// Restores a backup into a data folder that has no database. With `master_key`, copies the backup's master key from there;
/// otherwise it must be in its place. Everything is checked before it is put there: the checksum, the structure of the
/// database, the audit trails, and whether the master key opens the sealed credentials. The folder is then complete; after an
/// error, or if the process is killed, it has no database.
///
/// # Errors
/// [`BackupError`].
pub fn restore(dir: &DataDir, backup: &Path, master_key: Option<&Path>) -> Result<Restored, BackupError> {
    restore_in_steps(dir, backup, master_key, &|_| Ok(()))
}

fn restore_in_steps(
    dir: &DataDir,
    backup: &Path,
    master_key: Option<&Path>,
    after: AfterStep<'_>,
) -> Result<Restored, BackupError> {
    if !backup.is_file() {
        return Err(BackupError::NotAFile(backup.to_owned()));
    }
    let manifest = Checksum::of_manifest(backup)?;
    let given = master_key.map(MasterKey::read).transpose()?;
    let new = dir.build()?;
    let master = match (given, dir.existing_master_key()?) {
        (Some(given), Some(existing)) if !given.is(&existing) => {
            return Err(DataDirError::OtherMasterKey(dir.master_key_file().to_owned()).into());
        }
        (Some(key), _) | (None, Some(key)) => key,
        (None, None) => return Err(BackupError::NoMasterKey(dir.master_key_file().to_owned())),
    };
    let step = |step| after(step).map_err(|error| BackupError::io("write", dir.path(), error));
    step(Step::Started)?;
    let copy = new.staged().database();
    let failed = |error| BackupError::io("copy", backup, error);
    let checksum = Checksum::of_copy(backup, &copy).map_err(failed)?;
    step(Step::Written)?;
    match &manifest {
        Some(manifest) if *manifest != checksum => return Err(BackupError::Changed(backup.to_owned())),
        Some(_) => {}
        None => copy_log(backup, &copy).map_err(failed)?,
    }
    check_copy(&copy, &master.for_store()).map_err(|error| {
        let file = backup.to_owned();
        match error {
            OpenError::WrongMasterKey { .. } => BackupError::WrongMasterKey {
                key: master_key.unwrap_or_else(|| dir.master_key_file()).to_owned(),
                file,
            },
            OpenError::InvalidFile { reason, .. } => BackupError::Damaged { file, reason },
            OpenError::Newer { found, known, .. } => BackupError::Open(OpenError::Newer {
                path: file,
                found,
                known,
            }),
            other => BackupError::Open(other),
        }
    })?;
    step(Step::Checked)?;
    new.finish(&master, after)?;
    Ok(Restored {
        has_manifest: manifest.is_some(),
    })
}

/// Copies the write-ahead log of a database that was copied without `watchpost backup`.
fn copy_log(backup: &Path, copy: &Path) -> io::Result<()> {
    let log = |file: &Path| {
        let mut name = file.as_os_str().to_owned();
        name.push("-wal");
        PathBuf::from(name)
    };
    if log(backup).is_file() {
        Checksum::of_copy(&log(backup), &log(copy))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
