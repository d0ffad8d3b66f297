//! A locked file for each import in progress. The system releases the lock when the process ends, however it ends, so other
//! processes recognize an import that will never be finished.

use std::{
    fs, io,
    path::{Path, PathBuf},
};
use watchpost_core::value::id::ImportId;

fn lock_file(database: &Path, id: ImportId) -> PathBuf {
    database.with_extension(format!("import-{id}.lock"))
}

/// Creates and locks the file of an import. The lock is held until the returned file is closed; the file stays, as it does
/// when the process is killed. Never waits: without a lock there is no file either, and the import is recognized as
/// abandoned only by its age.
pub(super) fn acquire(database: &Path, id: ImportId) -> io::Result<fs::File> {
    let path = lock_file(database, id);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&path)?;
    if file.try_lock().is_err() {
        let _ = fs::remove_file(&path);
        return Err(io::ErrorKind::WouldBlock.into());
    }
    Ok(file)
}

/// Whether the process that wrote an import has ended. `false` without a file, as for imports of older versions.
pub(super) fn is_released(database: &Path, id: ImportId) -> bool {
    fs::OpenOptions::new()
        .write(true)
        .open(lock_file(database, id))
        .is_ok_and(|file| file.try_lock().is_ok())
}

/// Removes the files that killed processes left, of imports without a row or with kept rows. Those that are locked stay.
///
/// An import that another process has created the file for, but not locked yet, loses it. It is then one without a lock.
pub(super) fn remove_released(database: &Path) {
    let (Some(folder), Some(stem)) = (database.parent(), database.file_stem()) else {
        return;
    };
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    let prefix = format!("{}.import-", stem.to_string_lossy());
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name();
        let id = name
            .to_str()
            .and_then(|name| name.strip_prefix(&prefix)?.strip_suffix(".lock"))
            .and_then(|id| id.parse().ok());
        if let Some(id) = id
            && is_released(database, id)
        {
            remove(database, id);
        }
    }
}

/// Removes the file of an import that has ended.
pub(super) fn remove(database: &Path, id: ImportId) {
    let _ = fs::remove_file(lock_file(database, id));
}
