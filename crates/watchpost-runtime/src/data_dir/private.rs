//! Folders and files that only their owner can access.

use super::error::DataDirError;
use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
    time::Duration,
};

/// Makes the error of a failed operation of the file system.
pub(super) fn io_error(attempt: &'static str, path: &Path, source: io::Error) -> DataDirError {
    DataDirError::Io {
        attempt,
        path: path.to_owned(),
        source,
    }
}

/// Creates a folder and its missing parents. Only the owner can access them.
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

/// The ending of a file that isn't complete.
const PARTIAL: &str = ".part";
/// The age after which an incomplete file belongs to a process that was killed.
const DEAD_AFTER: Duration = Duration::from_secs(60);

/// Removes the incomplete versions of a file that killed processes left, if they are older than `age`.
pub(super) fn remove_partial(path: &Path, age: Duration) {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return;
    };
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.filter_map(Result::ok) {
        let found = entry.file_name();
        let is_partial = found
            .to_string_lossy()
            .strip_prefix(&*name.to_string_lossy())
            .and_then(|rest| rest.strip_prefix('.')?.strip_suffix(PARTIAL))
            .is_some_and(|process| process.parse::<u32>().is_ok());
        let is_dead = || {
            let modified = entry.metadata().and_then(|meta| meta.modified());
            modified.is_ok_and(|at| at.elapsed().is_ok_and(|since| since >= age))
        };
        if is_partial && is_dead() {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Writes a file that only its owner can read. The write is atomic: a reader sees either the old file or the whole new
/// one.
///
/// # Errors
/// [`DataDirError::Io`].
pub fn write_private(path: &Path, content: &[u8]) -> Result<(), DataDirError> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(format!(".{}{PARTIAL}", std::process::id()));
    let partial = PathBuf::from(partial);
    remove_partial(path, DEAD_AFTER);
    let failed = |source| io_error("write", path, source);
    // A file left by a killed process with the same process id would keep its mode.
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
pub(super) fn check_mode(path: &Path, required: u32) -> Result<(), DataDirError> {
    use std::os::unix::fs::PermissionsExt as _;
    let meta = fs::metadata(path).map_err(|source| io_error("read", path, source))?;
    let mode = meta.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(DataDirError::OpenToOthers {
            path: path.to_owned(),
            mode,
            required,
        });
    }
    Ok(())
}

#[cfg(unix)]
pub(super) fn close_to_others(path: &Path) -> Result<(), DataDirError> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))
        .map_err(|source| io_error("restrict access to", path, source))
}

#[cfg(not(unix))]
pub(super) fn close_to_others(_path: &Path) -> Result<(), DataDirError> {
    Ok(())
}

pub(super) fn is_empty(path: &Path) -> Result<bool, DataDirError> {
    let mut entries = fs::read_dir(path).map_err(|source| io_error("read", path, source))?;
    Ok(entries.next().is_none())
}

#[cfg(not(unix))]
pub(super) fn check_mode(_path: &Path, _required: u32) -> Result<(), DataDirError> {
    // The access control list of the user's profile folder denies other users.
    Ok(())
}
