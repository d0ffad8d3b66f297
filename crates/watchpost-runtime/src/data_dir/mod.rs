//! The data folder: database, master key, settings. Everything in it is for its owner alone.

mod error;
mod master_key;
mod private;
mod variable;

pub use self::{
    error::DataDirError,
    master_key::{MasterKey, Purpose},
    private::{make_folder, write_private},
    variable::{DATA_DIR_VARIABLE, MASTER_KEY_VARIABLE},
};

use self::private::{check_mode, close_to_others, io_error, is_empty};
use std::path::{Path, PathBuf};
use watchpost_core::port::Random;

/// A data folder. Its existence is checked by [`DataDir::open`] and made by [`DataDir::create`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataDir {
    path: PathBuf,
    master_key: PathBuf,
}

impl DataDir {
    /// The folder that was asked for, or the default one: `$XDG_DATA_HOME/watchpost`, else
    /// `~/.local/share/watchpost` (on Windows `%LOCALAPPDATA%\watchpost`). Relative paths count from the working
    /// folder and are made absolute, so that printed snippets work anywhere.
    ///
    /// `variable` looks up the environment.
    ///
    /// # Errors
    /// [`DataDirError::NoHome`], or the working folder can't be read.
    pub fn locate(
        asked: Option<&Path>,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, DataDirError> {
        let set = |name: &str| {
            variable(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let path = match asked {
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

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }
    /// The database's file.
    pub fn database(&self) -> PathBuf {
        self.path.join("watchpost.db")
    }
    /// The settings' file, which may be missing.
    pub fn settings_file(&self) -> PathBuf {
        self.path.join("watchpost.toml")
    }
    /// The master key's file.
    pub fn master_key_file(&self) -> &Path {
        &self.master_key
    }
    /// Whether `init` has run here.
    pub fn is_initialized(&self) -> bool {
        self.database().exists()
    }

    /// Checks the folder and reads its master key.
    ///
    /// # Errors
    /// [`DataDirError`] for each thing that must be put right first.
    pub fn open(&self) -> Result<MasterKey, DataDirError> {
        if !self.is_initialized() {
            return Err(DataDirError::NotInitialized(self.path.clone()));
        }
        self.check_modes()?;
        MasterKey::read(&self.master_key)
    }

    /// Makes what is missing: the folder (mode 0700) and the master key (mode 0600). What exists is checked and kept.
    ///
    /// # Errors
    /// [`DataDirError`]. A database without its master key gets no new one.
    pub fn create(&self, random: &dyn Random) -> Result<MasterKey, DataDirError> {
        if !self.path.exists() {
            make_folder(&self.path)?;
        } else if is_empty(&self.path)? {
            // Made a moment ago by hand: nobody's choice of mode gets lost.
            close_to_others(&self.path)?;
        }
        if !self.master_key.exists() {
            if self.is_initialized() {
                return Err(DataDirError::NoMasterKey(self.master_key.clone()));
            }
            MasterKey::create(&self.master_key, random)?;
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

    fn locate(asked: Option<&str>, environment: &[(&str, &str)]) -> Result<DataDir, DataDirError> {
        let lookup = |name: &str| {
            environment
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        };
        DataDir::locate(asked.map(Path::new), &lookup)
    }

    #[test]
    fn flag_wins_over_variable_over_xdg_over_home() {
        let all = [
            ("WATCHPOST_DATA_DIR", "/v"),
            ("XDG_DATA_HOME", "/x"),
            ("HOME", "/h"),
        ];
        let check = |asked, from: usize, expected: &str| {
            let found = locate(asked, &all[from..]).unwrap();
            assert_eq!(found.path(), Path::new(expected));
        };
        check(Some("/flag"), 0, "/flag");
        check(None, 0, "/v");
        check(None, 1, "/x/watchpost");
        check(None, 2, "/h/.local/share/watchpost");
        assert!(matches!(locate(None, &[]), Err(DataDirError::NoHome)));
        assert!(
            matches!(locate(None, &[("HOME", "")]), Err(DataDirError::NoHome)),
            "empty is unset"
        );
    }

    #[test]
    fn a_second_create_keeps_the_key() {
        let folder = tempfile::tempdir().unwrap();
        let dir = locate(Some(folder.path().join("new").to_str().unwrap()), &[]).unwrap();
        let first = dir.create(&SystemRandom).unwrap();
        let second = dir.create(&SystemRandom).unwrap();
        assert_eq!(first.derive(Purpose::Cursor), second.derive(Purpose::Cursor));
        assert_ne!(first.derive(Purpose::Cursor), first.derive(Purpose::Session));
        assert_eq!(format!("{first:?}"), "MasterKey(…)");
    }

    #[test]
    fn a_database_without_its_key_gets_no_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let dir = locate(Some(folder.path().join("new").to_str().unwrap()), &[]).unwrap();
        dir.create(&SystemRandom).unwrap();
        write_private(&dir.database(), b"").unwrap();
        fs::remove_file(dir.master_key_file()).unwrap();
        assert!(matches!(
            dir.create(&SystemRandom),
            Err(DataDirError::NoMasterKey(_))
        ));
        assert!(matches!(dir.open(), Err(DataDirError::NoMasterKey(_))));
    }

    #[test]
    fn another_key_file_can_be_named() {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("elsewhere.key");
        write_private(&key, &[1; 31]).unwrap();
        let data = folder.path().join("data");
        let dir = locate(
            Some(data.to_str().unwrap()),
            &[("WATCHPOST_MASTER_KEY_FILE", key.to_str().unwrap())],
        )
        .unwrap();
        let error = dir.create(&SystemRandom).unwrap_err().to_string();
        assert!(error.contains("exactly 32 bytes, and holds 31"), "{error}");
        assert!(!data.join("master.key").exists());
    }

    #[cfg(unix)]
    #[test]
    fn files_that_others_can_read_are_refused_with_the_repair() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let dir = locate(Some(folder.path().join("new").to_str().unwrap()), &[]).unwrap();
        dir.create(&SystemRandom).unwrap();
        write_private(&dir.database(), b"").unwrap();
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
    fn an_empty_folder_says_how_to_begin() {
        let folder = tempfile::tempdir().unwrap();
        let dir = locate(Some(folder.path().to_str().unwrap()), &[]).unwrap();
        let error = dir.open().unwrap_err().to_string();
        assert!(error.contains("watchpost init --data-dir"), "{error}");
    }
}
