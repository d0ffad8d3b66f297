//! Building a new data folder: everything is written beside its place and moved there last, the database last of all.

use super::{
    DataDir,
    error::DataDirError,
    master_key::MasterKey,
    private::{check_mode, close_to_others, io_error, is_empty, make_folder, remove_partial},
    stage::{Stage, sync_parent},
};
use std::{fs, io, time::Duration};

/// A step after which building a data folder can be interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The stage exists.
    Started,
    /// The database is written, but not checked.
    Written,
    /// The database is checked.
    Checked,
    /// The master key is in its place.
    KeyWritten,
}

/// Is called after each step. An error ends the work there; in production there is none.
pub(crate) type AfterStep<'a> = &'a (dyn Fn(Step) -> io::Result<()> + Sync);

/// A data folder that is being built. Until [`NewDataDir::finish`] the folder has no database.
#[derive(Debug)]
pub(crate) struct NewDataDir<'a> {
    dir: &'a DataDir,
    stage: Stage,
    /// Whether the stage becomes the folder, because there is none yet. Otherwise its files are moved into the folder,
    /// which may be a mount point or have settings in it.
    is_whole: bool,
}

impl DataDir {
    /// Begins to build the folder, and removes what a killed process left.
    ///
    /// # Errors
    /// [`DataDirError`] if the folder already has a database, or if other users can access it.
    pub(crate) fn build(&self) -> Result<NewDataDir<'_>, DataDirError> {
        if self.is_initialized() {
            return Err(DataDirError::InUse(self.path.clone()));
        }
        let is_whole = !self.path.exists();
        let stage = if is_whole {
            if let Some(parent) = self.path.parent().filter(|parent| !parent.exists()) {
                make_folder(parent)?;
            }
            Stage::beside(&self.path)?
        } else {
            Stage::remove_dead(&self.path)?;
            if is_empty(&self.path)? {
                // The folder is empty, so its mode can be changed without an effect on other data.
                close_to_others(&self.path)?;
            }
            check_mode(&self.path, 0o700)?;
            Stage::beside(&self.path.join("setup"))?
        };
        Ok(NewDataDir {
            dir: self,
            stage,
            is_whole,
        })
    }

    /// Reads the master key if its file exists.
    ///
    /// # Errors
    /// [`DataDirError`] if other users can access it, or if it isn't a master key.
    pub(crate) fn existing_master_key(&self) -> Result<Option<MasterKey>, DataDirError> {
        if !self.master_key.exists() {
            return Ok(None);
        }
        check_mode(&self.master_key, 0o600)?;
        MasterKey::read(&self.master_key).map(Some)
    }
}

impl NewDataDir<'_> {
    /// The folder in which the database is built.
    pub(crate) fn staged(&self) -> DataDir {
        DataDir {
            path: self.stage.path().to_owned(),
            master_key: self.dir.master_key.clone(),
        }
    }

    /// Puts the master key and then the database in their places. The database must be one file that no process uses.
    ///
    /// # Errors
    /// [`DataDirError`]; the folder has no database then.
    pub(crate) fn finish(mut self, master: &MasterKey, after: AfterStep<'_>) -> Result<(), DataDirError> {
        let dir = self.dir;
        match dir.existing_master_key()? {
            Some(existing) if existing.is(master) => {}
            Some(_) => return Err(DataDirError::OtherMasterKey(dir.master_key.clone())),
            None => {
                let target = match dir.master_key.strip_prefix(&dir.path) {
                    Ok(inside) if self.is_whole => self.stage.path().join(inside),
                    _ => dir.master_key.clone(),
                };
                if let Some(parent) = target.parent().filter(|parent| !parent.exists()) {
                    make_folder(parent)?;
                }
                // Only this process builds the folder.
                remove_partial(&target, Duration::ZERO);
                master.write(&target)?;
                sync_parent(&target);
            }
        }
        let interrupted = |source| io_error("write", &dir.path, source);
        after(Step::KeyWritten).map_err(interrupted)?;
        let database = dir.database();
        if database.exists() {
            return Err(DataDirError::InUse(dir.path.clone()));
        }
        if self.is_whole {
            return self.stage.become_folder(&dir.path);
        }
        fs::rename(self.staged().database(), &database)
            .map_err(|source| io_error("create", &database, source))?;
        sync_parent(&database);
        Ok(())
    }
}
