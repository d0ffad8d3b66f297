//! A folder in which files are built before they are moved to their place, and what a killed process left in one.

use super::{
    error::DataDirError,
    private::{close_to_others, io_error, is_empty, make_folder},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The file that marks a stage. It is locked while a process uses the stage, so that a stage that nobody uses is recognized.
const MARKER: &str = "unfinished.lock";
/// The ending of a stage's name.
const ENDING: &str = ".part";
/// The number of attempts to lock a stage that other processes remove at the same time.
const ATTEMPTS: u32 = 5;

/// A folder in which files are built. Dropping it removes it with everything in it. What a killed process left in a stage is
/// deleted when the stage is opened again.
#[derive(Debug)]
pub(crate) struct Stage {
    path: PathBuf,
    lock: Option<fs::File>,
}

impl Stage {
    /// Opens the stage beside `target`: the folder with the same name and the ending `.part`.
    ///
    /// # Errors
    /// [`DataDirError`]: another process uses the stage, a folder that isn't a stage has its name, or it can't be created.
    pub(crate) fn beside(target: &Path) -> Result<Self, DataDirError> {
        let mut path = target.as_os_str().to_owned();
        path.push(ENDING);
        Self::open(PathBuf::from(path))
    }

    fn open(path: PathBuf) -> Result<Self, DataDirError> {
        let marker = path.join(MARKER);
        for _ in 0..ATTEMPTS {
            make_folder(&path)?;
            // Never deletes files of a folder that has the name by chance.
            if !marker.exists() && !is_empty(&path)? {
                return Err(DataDirError::NotAStage(path));
            }
            let mut options = fs::OpenOptions::new();
            options.write(true).create(true).truncate(false);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let lock = match options.open(&marker) {
                Ok(lock) => lock,
                // Another process has just removed the stage.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(source) => return Err(io_error("open", &marker, source)),
            };
            match lock.try_lock() {
                Ok(()) => {}
                Err(fs::TryLockError::WouldBlock) => return Err(DataDirError::Busy(path)),
                Err(fs::TryLockError::Error(source)) => return Err(io_error("lock", &marker, source)),
            }
            if is_same_file(&lock, &marker) {
                let stage = Self {
                    path,
                    lock: Some(lock),
                };
                close_to_others(&stage.path)?;
                stage.clear()?;
                return Ok(stage);
            }
        }
        Err(DataDirError::Busy(path))
    }

    /// Removes the stage beside `target` if a killed process left it.
    ///
    /// # Errors
    /// [`DataDirError::Busy`] if a process uses it.
    pub(super) fn remove_dead(target: &Path) -> Result<(), DataDirError> {
        let mut path = target.as_os_str().to_owned();
        path.push(ENDING);
        if Path::new(&path).join(MARKER).is_file() {
            drop(Self::open(PathBuf::from(path))?);
        }
        Ok(())
    }

    /// Removes the stages in a folder that killed processes left.
    pub(crate) fn remove_all_dead(folder: &Path) {
        let Ok(entries) = fs::read_dir(folder) else {
            return;
        };
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
            let is_stage = path.to_string_lossy().ends_with(ENDING) && path.join(MARKER).is_file();
            if is_stage {
                // Those that are in use stay.
                let _ = Self::open(path);
            }
        }
    }

    /// The path of the folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Moves the whole stage to `target`, which must not exist or be an empty folder. Dropping the stage keeps it.
    ///
    /// # Errors
    /// [`DataDirError::Io`].
    pub(super) fn become_folder(&mut self, target: &Path) -> Result<(), DataDirError> {
        // An open file keeps Windows from renaming its folder.
        #[cfg(not(unix))]
        {
            self.lock = None;
        }
        fs::rename(&self.path, target).map_err(|source| io_error("create", target, source))?;
        self.path = PathBuf::new();
        self.lock = None;
        sync_parent(target);
        let _ = fs::remove_file(target.join(MARKER));
        Ok(())
    }

    /// Deletes everything in the stage but its marker.
    fn clear(&self) -> Result<(), DataDirError> {
        let failed = |source| io_error("clear", &self.path, source);
        for entry in fs::read_dir(&self.path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.file_name() == MARKER {
                continue;
            }
            if entry.file_type().map_err(failed)?.is_dir() {
                fs::remove_dir_all(entry.path()).map_err(failed)?;
            } else {
                fs::remove_file(entry.path()).map_err(failed)?;
            }
        }
        Ok(())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if self.path.as_os_str().is_empty() {
            return;
        }
        // The marker is removed last: what is left without it would not be recognized as a stage.
        if self.clear().is_ok() {
            let _ = fs::remove_file(self.path.join(MARKER));
            let _ = fs::remove_dir(&self.path);
        }
    }
}

/// Makes a rename in the parent of `path` durable, on file systems that can.
pub(crate) fn sync_parent(path: &Path) {
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        let _ = fs::File::open(folder).and_then(|folder| folder.sync_all());
    }
    #[cfg(not(unix))]
    let _ = path;
}

#[cfg(unix)]
fn is_same_file(open: &fs::File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (open.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_same_file(_open: &fs::File, path: &Path) -> bool {
    path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_is_cleared_and_other_folders_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("data");
        let path = folder.path().join("data.part");
        // As a killed process leaves it: the marker is there, and nobody has locked it.
        fs::create_dir_all(path.join("deep")).unwrap();
        fs::write(path.join(MARKER), b"").unwrap();
        fs::write(path.join("half"), b"x").unwrap();
        let stage = Stage::beside(&target).unwrap();
        assert_eq!(fs::read_dir(&path).unwrap().count(), 1);
        assert!(matches!(Stage::beside(&target), Err(DataDirError::Busy(_))));
        fs::write(stage.path().join("file"), b"x").unwrap();
        Stage::remove_all_dead(folder.path());
        assert!(path.join("file").exists(), "a stage in use stays");
        drop(stage);
        assert!(!path.exists());

        fs::create_dir(&path).unwrap();
        fs::write(path.join("mine"), b"x").unwrap();
        assert!(matches!(Stage::beside(&target), Err(DataDirError::NotAStage(_))));
        Stage::remove_all_dead(folder.path());
        assert!(path.join("mine").exists());

        fs::write(path.join(MARKER), b"").unwrap();
        Stage::remove_all_dead(folder.path());
        assert!(!path.exists());
    }
}
