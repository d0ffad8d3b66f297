//! Import of other scanners' result files.

use std::io::Read;
use watchpost_connectors::import::feed;
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
