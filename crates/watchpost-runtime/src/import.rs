//! Import of other scanners' result files.

use std::{io, io::Read, path::Path};
use watchpost_connectors::import::{feed, folder};
use watchpost_core::{
    import::{ImportError, ImportFeed, ImportLimits},
    service::Watchpost,
};

/// Starts to read a result file, with the limits for files on this machine.
///
/// # Errors
/// [`ImportError::Read`] if no thread can be started.
pub fn read_file(
    source: Box<dyn Read + Send>,
    watchpost: &Watchpost,
) -> Result<impl ImportFeed + use<>, ImportError> {
    feed(source, ImportLimits::FILE, watchpost.checks().checks().to_vec())
}

/// Packs the result files of a folder into one archive, with the limits for files on this machine. Returns `None` if the folder
/// has none.
///
/// # Errors
/// Returns an error if a file can't be read, or if there are too many.
pub fn read_folder(path: &Path) -> io::Result<Option<Vec<u8>>> {
    folder(path, &ImportLimits::FILE)
}
