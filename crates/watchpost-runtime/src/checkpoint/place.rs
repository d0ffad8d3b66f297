//! The file of the checkpoints: its place, reading and writing.

use super::note::{NoteError, VerifyingKey, read_notes};
use crate::{
    config::AuditSettings,
    data_dir::{DataDirError, make_folder, write_private},
    text,
};
use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};
use watchpost_core::audit::checkpoint::Checkpoint;

/// The value of `audit.checkpoint_file` that turns checkpoints off.
const OFF: &str = "off";
/// Maximum size of a file of checkpoints.
const FILE_BYTES_MAX: u64 = 1_024 * 1_024;
/// Time between two attempts to lock the file, and the number of attempts.
const LOCK_RETRY: (Duration, u32) = (Duration::from_millis(20), 500);

/// Returns the folder for state that belongs to this user and isn't part of the data: `$XDG_STATE_HOME/watchpost`, otherwise
/// `~/.local/state/watchpost` (on Windows `%LOCALAPPDATA%\watchpost-state`). The variable `STATE_DIRECTORY` of a service
/// isn't used: the command line, which runs outside of the service, must find the same file.
///
/// `variable` looks up an environment variable.
pub fn state_dir(variable: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let set = |name: &str| {
        variable(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    set("XDG_STATE_HOME")
        .map(|path| path.join("watchpost"))
        .or_else(|| set("HOME").map(|path| path.join(".local/state/watchpost")))
        .or_else(|| set("LOCALAPPDATA").map(|path| path.join("watchpost-state")))
        .filter(|path| path.is_absolute())
}

/// Returns the file of an instance's checkpoints: the one of the settings, otherwise one in the state folder that is named
/// after the instance, so that several data folders of a user have separate files. `None` if checkpoints are off.
pub(crate) fn checkpoint_file(
    settings: &AuditSettings,
    state_dir: Option<&Path>,
    key: &VerifyingKey,
) -> Option<PathBuf> {
    match settings.checkpoint_file.as_str() {
        OFF => None,
        "" => state_dir.map(|dir| dir.join(format!("{}.checkpoint", key.instance()))),
        named => Some(PathBuf::from(named)),
    }
}

/// The content of a file of checkpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredCheckpoints {
    /// There is no file.
    Missing,
    /// The file can't be read, or holds no valid checkpoint.
    Invalid(String),
    /// The checkpoints of all workspaces, with the key that verified them.
    Valid(Vec<Checkpoint>, VerifyingKey),
}

/// Reads a file of checkpoints and verifies their signatures, with `trusted` or, without it, with the key that the file
/// names. The latter shows only that the file was not damaged: anyone can sign with a key of their own.
pub fn read_checkpoints(file: &Path, trusted: Option<&VerifyingKey>) -> StoredCheckpoints {
    let text = fs::metadata(file).and_then(|meta| {
        if meta.len() > FILE_BYTES_MAX {
            return Err(io::Error::other(text::checkpoint::TOO_LARGE));
        }
        fs::read_to_string(file)
    });
    let notes = match text {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return StoredCheckpoints::Missing,
        Err(error) => return StoredCheckpoints::Invalid(error.to_string()),
        Ok(text) => read_notes(&text, trusted),
    };
    match notes {
        Ok(notes) => match notes.first() {
            Some(first) if notes.iter().all(|note| note.key == first.key) => {
                let key = first.key;
                StoredCheckpoints::Valid(notes.into_iter().map(|note| note.checkpoint).collect(), key)
            }
            _ => StoredCheckpoints::Invalid(NoteError::Signature.to_string()),
        },
        Err(error) => StoredCheckpoints::Invalid(error.to_string()),
    }
}

/// The file beside `file` with another ending.
fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Locks a file of checkpoints against other processes that write it, until the returned file is dropped. Creates the
/// folder.
pub(super) async fn lock(file: &Path) -> Result<fs::File, DataDirError> {
    let failed = |attempt, path: &Path, source| DataDirError::Io {
        attempt,
        path: path.to_owned(),
        source,
    };
    if let Some(folder) = file.parent().filter(|folder| !folder.exists()) {
        make_folder(folder)?;
    }
    let path = beside(file, ".lock");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let locked = options
        .open(&path)
        .map_err(|source| failed("open", &path, source))?;
    let (pause, attempts) = LOCK_RETRY;
    for _ in 0..attempts {
        match locked.try_lock() {
            Ok(()) => return Ok(locked),
            Err(fs::TryLockError::WouldBlock) => tokio::time::sleep(pause).await,
            Err(fs::TryLockError::Error(source)) => return Err(failed("lock", &path, source)),
        }
    }
    Err(failed("lock", &path, io::ErrorKind::TimedOut.into()))
}

/// Writes the notes of all workspaces. The write is atomic and survives a power cut.
pub(super) fn write(file: &Path, notes: &[String]) -> Result<(), DataDirError> {
    write_private(file, notes.join("\n").as_bytes())?;
    #[cfg(unix)]
    if let Some(folder) = file.parent() {
        // Not every file system can sync a folder.
        let _ = fs::File::open(folder).and_then(|folder| folder.sync_all());
    }
    Ok(())
}

/// Keeps a copy of the file under another ending, as evidence.
pub(super) fn keep_copy(file: &Path, ending: &str) -> io::Result<PathBuf> {
    let kept = beside(file, ending);
    fs::copy(file, &kept)?;
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::note::Signer;

    #[test]
    fn each_instance_has_a_file_of_its_own_unless_the_settings_name_one() {
        let (one, two) = (Signer::derive(&[1; 32]), Signer::derive(&[2; 32]));
        let state = Some(Path::new("/state"));
        let settings = |value: &str| AuditSettings {
            checkpoint_file: value.to_owned(),
            syslog: false,
        };
        let default = |signer: &Signer| checkpoint_file(&settings(""), state, signer.key()).unwrap();
        assert!(default(&one).starts_with("/state"));
        assert_ne!(default(&one), default(&two));
        assert_eq!(checkpoint_file(&settings(""), None, one.key()), None);
        assert_eq!(checkpoint_file(&settings("off"), state, one.key()), None);
        assert_eq!(
            checkpoint_file(&settings("/other/file"), None, one.key()),
            Some("/other/file".into())
        );
    }

    #[test]
    fn the_state_folder_is_that_of_the_user() {
        let check = |variables: &[(&str, &str)], expected: Option<&str>| {
            let found = state_dir(&|name| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            });
            assert_eq!(found.as_deref(), expected.map(Path::new));
        };
        check(&[("XDG_STATE_HOME", "/x"), ("HOME", "/h")], Some("/x/watchpost"));
        check(
            &[("XDG_STATE_HOME", ""), ("HOME", "/h")],
            Some("/h/.local/state/watchpost"),
        );
        check(&[("XDG_STATE_HOME", "relative")], None);
        check(&[], None);
    }
}
