//! The manifest of a backup: its size and checksum, in a file beside it.

use super::backup::BackupError;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::{
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
};
use watchpost_core::value::time::Timestamp;

/// The ending of a manifest's name, after that of the backup.
const ENDING: &str = ".manifest.json";
/// The version of the format.
const FORMAT: &str = "watchpost-backup-1";
/// Maximum size of a manifest in bytes.
const BYTES_MAX: u64 = 16 * 1_024;
/// Number of bytes per read of a database.
const CHUNK: usize = 256 * 1_024;

/// The size and the SHA-256 of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Checksum {
    bytes: u64,
    /// 64 hexadecimal digits.
    sha256: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    format: String,
    #[serde(flatten)]
    checksum: Checksum,
    watchpost: String,
    taken_at: String,
}

impl Checksum {
    /// Reads a file.
    pub(super) fn of(file: &Path) -> io::Result<Self> {
        Self::copying(fs::File::open(file)?, &mut io::sink())
    }

    /// Copies a file to a new file of mode 0600. Returns the checksum of what was copied.
    pub(super) fn of_copy(from: &Path, to: &Path) -> io::Result<Self> {
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut target = options.open(to)?;
        let checksum = Self::copying(fs::File::open(from)?, &mut target)?;
        target.sync_all()?;
        Ok(checksum)
    }

    fn copying(mut from: fs::File, to: &mut dyn io::Write) -> io::Result<Self> {
        let mut hash = Sha256::new();
        let mut bytes = 0;
        let mut chunk = vec![0; CHUNK];
        loop {
            let read = match from.read(&mut chunk) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => chunk.get(..read?).unwrap_or_default(),
            };
            if read.is_empty() {
                break;
            }
            hash.update(read);
            to.write_all(read)?;
            bytes += read.len() as u64;
        }
        let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { bytes, sha256 })
    }

    /// The text of a manifest with this checksum.
    pub(super) fn to_manifest(&self, taken_at: Timestamp) -> String {
        let manifest = Manifest {
            format: FORMAT.to_owned(),
            checksum: self.clone(),
            watchpost: env!("CARGO_PKG_VERSION").to_owned(),
            taken_at: taken_at.to_string(),
        };
        let text = serde_json::to_string_pretty(&manifest).unwrap_or_default();
        format!("{text}\n")
    }

    /// Reads the manifest of a backup; `None` if there is none, as older versions wrote none.
    pub(super) fn of_manifest(backup: &Path) -> Result<Option<Self>, BackupError> {
        let file = manifest_file(backup);
        let mut text = String::new();
        match fs::File::open(&file).and_then(|file| file.take(BYTES_MAX).read_to_string(&mut text)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() != io::ErrorKind::InvalidData => {
                return Err(BackupError::io("read", &file, error));
            }
            _ => {}
        }
        match serde_json::from_str::<Manifest>(&text) {
            Ok(manifest) if manifest.format == FORMAT => Ok(Some(manifest.checksum)),
            _ => Err(BackupError::InvalidManifest(file)),
        }
    }
}

/// The path of a backup's manifest.
pub(super) fn manifest_file(backup: &Path) -> PathBuf {
    let mut name = backup.as_os_str().to_owned();
    name.push(ENDING);
    PathBuf::from(name)
}
