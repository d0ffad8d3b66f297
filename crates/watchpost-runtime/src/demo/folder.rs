//! The temporary data folder of a demo.

use crate::{clock::SystemRandom, data_dir::make_folder};
use std::{
    fs::{self, File, Metadata},
    io,
    path::{Path, PathBuf},
};
use watchpost_core::port::Random as _;

/// The beginning of the folders' names. A number of 16 hexadecimal digits follows.
const PREFIX: &str = "watchpost-demo-";
/// The file in the folder that the demo keeps locked as long as it runs.
const LOCK: &str = "demo.lock";

/// A data folder that is removed when it is dropped.
#[derive(Debug)]
pub(super) struct TemporaryFolder {
    path: PathBuf,
    /// The locked file. The system unlocks it when the process ends, in whatever way.
    _lock: File,
}

impl TemporaryFolder {
    /// Creates a folder in the system's directory for temporary files, and removes those of demos that were killed.
    pub(super) fn create() -> anyhow::Result<Self> {
        Self::create_in(&std::env::temp_dir())
    }

    fn create_in(parent: &Path) -> anyhow::Result<Self> {
        let mut name = [0; 8];
        SystemRandom.fill(&mut name);
        let path = parent.join(format!("{PREFIX}{:016x}", u64::from_le_bytes(name)));
        make_folder(&path)?;
        let lock = lock(&path)?;
        remove_abandoned(parent, &path);
        Ok(Self { path, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Creates the locked file of a folder. It gets its name after it is locked, so that no other demo finds it unlocked.
fn lock(folder: &Path) -> io::Result<File> {
    let unnamed = folder.join(format!("{LOCK}.part"));
    let file = File::create_new(&unnamed)?;
    file.lock()?;
    fs::rename(&unnamed, folder.join(LOCK))?;
    Ok(file)
}

/// Removes the folders of demos whose process has ended. Leaves everything of which that isn't certain.
fn remove_abandoned(parent: &Path, own: &Path) {
    let (Ok(entries), Ok(like)) = (fs::read_dir(parent), fs::symlink_metadata(own)) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let is_abandoned =
            path != own && is_demo(&entry.file_name().to_string_lossy()) && is_abandoned(&path, &like);
        if is_abandoned && let Err(error) = fs::remove_dir_all(&path) {
            tracing::debug!(%error, "the folder of a demo that was killed can't be removed");
        }
    }
}

fn is_demo(name: &str) -> bool {
    name.strip_prefix(PREFIX)
        .is_some_and(|number| number.len() == 16 && number.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Whether a path is a folder of the same owner as `like`, to which only the owner has access, and its file isn't locked.
fn is_abandoned(path: &Path, like: &Metadata) -> bool {
    let Ok(found) = fs::symlink_metadata(path) else {
        return false;
    };
    found.is_dir()
        && is_of_same_owner(&found, like)
        && fs::symlink_metadata(path.join(LOCK)).is_ok_and(|file| file.is_file())
        && File::open(path.join(LOCK)).is_ok_and(|file| file.try_lock().is_ok())
}

#[cfg(unix)]
fn is_of_same_owner(found: &Metadata, like: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    found.uid() == like.uid() && found.mode() & 0o077 == 0
}

#[cfg(not(unix))]
fn is_of_same_owner(_: &Metadata, _: &Metadata) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_a_killed_demo_is_removed_by_the_next_one_and_no_other() {
        let parent = tempfile::tempdir().unwrap();
        let folder = |name: &str, locked: bool| {
            let path = parent.path().join(name);
            make_folder(&path).unwrap();
            fs::write(path.join("watchpost.db"), "data").unwrap();
            if locked {
                drop(lock(&path).unwrap());
            }
            path
        };
        let running = TemporaryFolder::create_in(parent.path()).unwrap();
        // A process that is killed leaves its folder, without the lock.
        let killed = folder("watchpost-demo-0123456789abcdef", true);
        let foreign = [
            folder("watchpost-demo-0123456789abcdee", false),
            folder("watchpost-demo-of-somebody", true),
            folder("watchpost-data", true),
        ];
        let target = folder("target", true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::{PermissionsExt as _, symlink};
            symlink(&target, parent.path().join("watchpost-demo-0123456789abcded")).unwrap();
            let open = folder("watchpost-demo-0123456789abcdec", true);
            fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
            let next = TemporaryFolder::create_in(parent.path()).unwrap();
            assert!(open.exists() && next.path().exists());
        }
        #[cfg(not(unix))]
        drop(TemporaryFolder::create_in(parent.path()).unwrap());
        assert!(!killed.exists());
        assert!(running.path().exists());
        for kept in foreign.iter().chain([&target]) {
            assert!(kept.join("watchpost.db").exists(), "{}", kept.display());
        }
        let path = running.path().to_owned();
        drop(running);
        assert!(!path.exists());
    }
}
