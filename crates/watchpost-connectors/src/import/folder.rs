//! A folder of result files, packed into an archive that can be imported like any other.

use std::{
    fs, io,
    io::{Cursor, Read, Write},
    path::{Path, PathBuf},
};
use watchpost_core::import::ImportLimits;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// The maximum depth of folders below the one that is imported.
const DEPTH_MAX: usize = 2;

/// Packs the JSON files of a folder and of the folders in it into a zip archive. The archive of the same files is always the
/// same. Links are not followed. Returns `None` if there is no such file.
///
/// # Errors
/// Returns an error if a file can't be read, or if the files exceed the limits on an archive.
pub fn folder(path: &Path, limits: &ImportLimits) -> io::Result<Option<Vec<u8>>> {
    let mut files = Vec::new();
    collect(path, 0, limits, &mut files)?;
    if files.is_empty() {
        return Ok(None);
    }
    files.sort();
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(zip::DateTime::default());
    let mut left = limits.archive_bytes;
    for file in files {
        let name = file.strip_prefix(path).unwrap_or(&file);
        archive.start_file(name.to_string_lossy(), options)?;
        let mut bytes = Vec::new();
        fs::File::open(&file)?
            .take(left.saturating_add(1))
            .read_to_end(&mut bytes)?;
        left = left.checked_sub(bytes.len() as u64).ok_or_else(too_large)?;
        archive.write_all(&bytes)?;
    }
    Ok(Some(archive.finish()?.into_inner()))
}

fn too_large() -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, crate::text::import::FOLDER_TOO_LARGE)
}

fn collect(path: &Path, depth: usize, limits: &ImportLimits, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let (kind, path) = (entry.file_type()?, entry.path());
        let is_json = path.extension().is_some_and(|extension| {
            extension.eq_ignore_ascii_case("json") || extension.eq_ignore_ascii_case("jsonl")
        });
        if kind.is_dir() && depth < DEPTH_MAX {
            collect(&path, depth.saturating_add(1), limits, files)?;
        } else if kind.is_file() && is_json {
            if files.len() >= limits.archive_entries {
                return Err(too_large());
            }
            files.push(path);
        }
    }
    Ok(())
}
