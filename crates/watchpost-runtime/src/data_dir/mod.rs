//! The data folder, with the database, the master key and the settings. Only its owner can access it.

mod build;
mod error;
mod master_key;
mod private;
mod stage;
mod variable;

pub(crate) use self::{
    build::{AfterStep, Step},
    stage::{Stage, sync_parent},
};
pub use self::{
    error::DataDirError,
    master_key::{MasterKey, Purpose},
    private::{make_folder, write_private},
    variable::{DATA_DIR_VARIABLE, MASTER_KEY_VARIABLE},
};

use self::private::{check_mode, io_error};
use std::path::{Path, PathBuf};

/// A data folder, which may not exist yet: [`DataDir::open`] checks it, and `DataDir::build` creates it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataDir {
    path: PathBuf,
    master_key: PathBuf,
}

impl DataDir {
    /// Locates the data folder: `named`, otherwise `$WATCHPOST_DATA_DIR`, otherwise `$XDG_DATA_HOME/watchpost`, otherwise
    /// `~/.local/share/watchpost` (on Windows `%LOCALAPPDATA%\watchpost`). A relative path is relative to the working
    /// directory and made absolute, so that printed snippets work anywhere.
    ///
    /// `variable` looks up an environment variable.
    ///
    /// # Errors
    /// [`DataDirError::NoHome`], or [`DataDirError::Io`] if the working directory can't be determined.
    pub fn locate(
        named: Option<&Path>,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, DataDirError> {
        let set = |name: &str| {
            variable(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let path = match named {
            Some(path) => path.to_owned(),
            None => set(DATA_DIR_VARIABLE)
                .or_else(|| set("XDG_DATA_HOME").map(|path| path.join("watchpost")))
                .or_else(|| set("HOME").map(|path| path.join(".local/share/watchpost")))
                .or_else(|| set("LOCALAPPDATA").map(|path| path.join("watchpost")))
                .ok_or(DataDirError::NoHome)?,
        };
        let path = std::path::absolute(&path).map_err(|source| io_error("resolve", &path, source))?;
        let master_key = set(MASTER_KEY_VARIABLE).unwrap_or_else(|| path.join("master.key"));
        Ok(Self { path, master_key })
    }

    /// The absolute path of the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }
    /// The path of the database.
    pub fn database(&self) -> PathBuf {
        self.path.join("watchpost.db")
    }
    /// The path of the settings file, which is optional.
    pub fn settings_file(&self) -> PathBuf {
        self.path.join("watchpost.toml")
    }
    /// The path of the master key's file.
    pub fn master_key_file(&self) -> &Path {
        &self.master_key
    }
    /// Whether the folder has been initialized: whether it has a database.
    pub fn is_initialized(&self) -> bool {
        self.database().exists()
    }

    /// Reads the master key if it is there and can be read. For checks of a copy, which work without it.
    pub(crate) fn master_key(&self) -> Option<MasterKey> {
        MasterKey::read(&self.master_key).ok()
    }

    /// Checks the folder and reads its master key.
    ///
    /// # Errors
    /// [`DataDirError`] if the folder isn't initialized, other users can access it, or the master key can't be read.
    pub fn open(&self) -> Result<MasterKey, DataDirError> {
        if !self.is_initialized() {
            return Err(DataDirError::NotInitialized(self.path.clone()));
        }
        self.check_modes()?;
        MasterKey::read(&self.master_key)
    }

    fn check_modes(&self) -> Result<(), DataDirError> {
        check_mode(&self.path, 0o700)?;
        for file in [self.database(), self.master_key.clone()] {
            if file.exists() {
                check_mode(&file, 0o600)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemRandom;
    use std::fs;

    fn locate(named: Option<&str>, environment: &[(&str, &str)]) -> Result<DataDir, DataDirError> {
        let lookup = |name: &str| {
            environment
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        };
        DataDir::locate(named.map(Path::new), &lookup)
    }

    #[test]
    fn the_flag_overrides_the_variables() {
        let all = [
            ("WATCHPOST_DATA_DIR", "/v"),
            ("XDG_DATA_HOME", "/x"),
            ("HOME", "/h"),
        ];
        let check = |named, from: usize, expected: &str| {
            let found = locate(named, &all[from..]).unwrap();
            assert_eq!(found.path(), Path::new(expected));
        };
        check(Some("/flag"), 0, "/flag");
        check(None, 0, "/v");
        check(None, 1, "/x/watchpost");
        check(None, 2, "/h/.local/share/watchpost");
        assert!(matches!(locate(None, &[]), Err(DataDirError::NoHome)));
        assert!(
            matches!(locate(None, &[("HOME", "")]), Err(DataDirError::NoHome)),
            "an empty variable counts as unset"
        );
    }

    /// Builds the folder with an empty file in place of a database.
    fn build(dir: &DataDir) -> Result<MasterKey, DataDirError> {
        let new = dir.build()?;
        let key = match dir.existing_master_key()? {
            Some(key) => key,
            None => MasterKey::generate(&SystemRandom),
        };
        write_private(&new.staged().database(), b"")?;
        new.finish(&key, &|_| Ok(()))?;
        Ok(key)
    }

    #[test]
    fn a_new_folder_is_complete_and_keeps_a_key_that_is_already_there() {
        let folder = tempfile::tempdir().unwrap();
        let dir = locate(Some(folder.path().join("new").to_str().unwrap()), &[]).unwrap();
        let first = build(&dir).unwrap();
        assert!(first.is(&dir.open().unwrap()));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(matches!(build(&dir), Err(DataDirError::InUse(_))));
        // With the key and settings, but without a database.
        fs::remove_file(dir.database()).unwrap();
        write_private(&dir.settings_file(), b"").unwrap();
        let second = build(&dir).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3);
        assert_eq!(first.derive(Purpose::Cursor), second.derive(Purpose::Cursor));
        assert_ne!(first.derive(Purpose::Cursor), first.derive(Purpose::Session));
        assert_eq!(format!("{first:?}"), "MasterKey(…)");
    }

    #[test]
    fn a_key_in_the_place_of_the_new_one_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("elsewhere.key");
        write_private(&key, &[1; 32]).unwrap();
        let dir = locate(
            Some(folder.path().join("new").to_str().unwrap()),
            &[("WATCHPOST_MASTER_KEY_FILE", key.to_str().unwrap())],
        )
        .unwrap();
        let new = dir.build().unwrap();
        let error = new
            .finish(&MasterKey::generate(&SystemRandom), &|_| Ok(()))
            .unwrap_err();
        assert!(matches!(error, DataDirError::OtherMasterKey(_)), "{error}");
        assert_eq!(fs::read(&key).unwrap(), [1; 32]);
        assert!(!dir.path().exists());
    }

    #[test]
    fn a_database_without_its_key_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let dir = locate(Some(folder.path().join("new").to_str().unwrap()), &[]).unwrap();
        build(&dir).unwrap();
        fs::remove_file(dir.master_key_file()).unwrap();
        assert!(matches!(dir.open(), Err(DataDirError::NoMasterKey(_))));
    }

    #[test]
    fn the_master_key_can_have_another_path() {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("elsewhere.key");
        write_private(&key, &[1; 31]).unwrap();
        let data = folder.path().join("data");
        let dir = locate(
            Some(data.to_str().unwrap()),
            &[("WATCHPOST_MASTER_KEY_FILE", key.to_str().unwrap())],
        )
        .unwrap();
        let error = build(&dir).unwrap_err().to_string();
        assert!(error.contains("exactly 32 bytes, but has 31"), "{error}");
        fs::remove_file(&key).unwrap();
        build(&dir).unwrap();
        assert!(key.exists() && !data.join("master.key").exists());
        dir.open().unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn files_that_other_users_can_read_are_rejected_with_the_command_to_fix_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let dir = locate(Some(folder.path().join("new").to_str().unwrap()), &[]).unwrap();
        build(&dir).unwrap();
        assert!(dir.open().is_ok());
        for (path, mode) in [
            (dir.path().to_owned(), 0o750),
            (dir.master_key_file().to_owned(), 0o640),
            (dir.database(), 0o604),
        ] {
            let before = fs::metadata(&path).unwrap().permissions();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = dir.open().unwrap_err().to_string();
            assert!(
                error.contains("chmod") && error.contains(path.to_str().unwrap()),
                "{error}"
            );
            fs::set_permissions(&path, before).unwrap();
        }
        assert!(dir.open().is_ok());
    }

    #[test]
    fn the_error_for_an_empty_folder_names_the_first_command() {
        let folder = tempfile::tempdir().unwrap();
        let dir = locate(Some(folder.path().to_str().unwrap()), &[]).unwrap();
        let error = dir.open().unwrap_err().to_string();
        assert!(error.contains("watchpost init --data-dir"), "{error}");
    }
}
