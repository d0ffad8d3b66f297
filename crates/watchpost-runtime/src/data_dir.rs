//! The data folder: database, master key, settings. Everything in it is for its owner alone.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use watchpost_core::port::Random;
use zeroize::Zeroizing;

/// The environment variable that names the folder.
pub const DATA_DIR_VARIABLE: &str = "WATCHPOST_DATA_DIR";
/// The environment variable that names another file with the master key.
pub const MASTER_KEY_VARIABLE: &str = "WATCHPOST_MASTER_KEY_FILE";

/// Bytes of a master key.
const KEY_BYTES: usize = 32;

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
    Open {
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
    WrongMasterKey {
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
        self.read_master_key()
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
            let mut key = Zeroizing::new([0; KEY_BYTES]);
            random.fill(key.as_mut_slice());
            write_private(&self.master_key, key.as_slice())?;
        }
        self.check_modes()?;
        self.read_master_key()
    }

    fn read_master_key(&self) -> Result<MasterKey, DataDirError> {
        let path = &self.master_key;
        let bytes = match fs::read(path) {
            Ok(bytes) => Zeroizing::new(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(DataDirError::NoMasterKey(path.clone()));
            }
            Err(source) => return Err(io_error("read", path, source)),
        };
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        if bytes.len() != KEY_BYTES {
            return Err(DataDirError::WrongMasterKey {
                path: path.clone(),
                bytes: bytes.len(),
            });
        }
        key.copy_from_slice(&bytes);
        Ok(MasterKey(key))
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

/// What a derived key is for. Each has its own, so that none of them says anything about another. The store derives
/// its own for sealing credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Authenticates cursors of lists.
    Cursor,
    /// Seals session ids.
    Session,
    /// Digests audited argument values.
    Audit,
    /// Seals what travels through clients between two calls.
    RequestState,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Cursor => b"watchpost cursor 1",
            Self::Session => b"watchpost session 1",
            Self::Audit => b"watchpost audit digest 1",
            Self::RequestState => b"watchpost request state 1",
        }
    }
}

/// The secret that all others of this instance come from. Prints as `MasterKey(…)` and is wiped when dropped.
pub struct MasterKey(Zeroizing<[u8; KEY_BYTES]>);

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

impl MasterKey {
    /// As the store takes it.
    pub(crate) fn for_store(&self) -> watchpost_sqlite::MasterKey {
        watchpost_sqlite::MasterKey::new(*self.0)
    }
    /// HMAC-SHA-256 of the purpose under the master key.
    pub fn derive(&self, purpose: Purpose) -> Zeroizing<[u8; 32]> {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(self.0.as_slice())
            .expect("HMAC takes keys of any length");
        mac.update(purpose.label());
        Zeroizing::new(mac.finalize().into_bytes().into())
    }
}

fn io_error(attempt: &'static str, path: &Path, source: io::Error) -> DataDirError {
    DataDirError::Io {
        attempt,
        path: path.to_owned(),
        source,
    }
}

/// Makes a folder, and what leads to it, for the owner alone.
///
/// # Errors
/// [`DataDirError::Io`].
pub fn make_folder(path: &Path) -> Result<(), DataDirError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(path)
        .map_err(|source| io_error("create", path, source))
}

/// Writes a file that only its owner can read, in one step: a reader sees the old file or the whole new one.
///
/// # Errors
/// [`DataDirError::Io`].
pub fn write_private(path: &Path, content: &[u8]) -> Result<(), DataDirError> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(format!(".{}.part", std::process::id()));
    let partial = PathBuf::from(partial);
    let failed = |source| io_error("write", path, source);
    // A file left by a killed process with our number would keep its mode.
    match fs::remove_file(&partial) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&partial).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()
    });
    written
        .and_then(|()| fs::rename(&partial, path))
        .map_err(|source| {
            let _ = fs::remove_file(&partial);
            failed(source)
        })
}

#[cfg(unix)]
fn check_mode(path: &Path, wanted: u32) -> Result<(), DataDirError> {
    use std::os::unix::fs::PermissionsExt as _;
    let meta = fs::metadata(path).map_err(|source| io_error("read", path, source))?;
    let mode = meta.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(DataDirError::Open {
            path: path.to_owned(),
            mode,
            wanted,
        });
    }
    Ok(())
}

#[cfg(unix)]
fn close_to_others(path: &Path) -> Result<(), DataDirError> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))
        .map_err(|source| io_error("change the mode of", path, source))
}

#[cfg(not(unix))]
fn close_to_others(_path: &Path) -> Result<(), DataDirError> {
    Ok(())
}

fn is_empty(path: &Path) -> Result<bool, DataDirError> {
    let mut entries = fs::read_dir(path).map_err(|source| io_error("read", path, source))?;
    Ok(entries.next().is_none())
}

#[cfg(not(unix))]
fn check_mode(_path: &Path, _wanted: u32) -> Result<(), DataDirError> {
    // Access lists of the profile folder keep others out.
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemRandom;

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
    fn derived_keys_do_not_change_between_releases() {
        let key = MasterKey(Zeroizing::new([7; 32]));
        let hex = |purpose| {
            key.derive(purpose)[..4]
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        };
        let all = [Purpose::Cursor, Purpose::Session, Purpose::Audit].map(hex);
        assert_eq!(all, ["72dd922a", "344c37fe", "aa065e21"]);
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
