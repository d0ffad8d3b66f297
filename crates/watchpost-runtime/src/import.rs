//! Reading other scanners' result files.

use std::io::Read;
use watchpost_connectors::import::feed;
use watchpost_core::{
    import::{ImportError, ImportFeed, ImportLimits},
    service::Watchpost,
};

/// Starts reading a result file that the person at the machine gave, with their limits.
///
/// # Errors
/// [`ImportError::Read`] if no thread can be started for it.
pub fn read_file(
    source: Box<dyn Read + Send>,
    watchpost: &Watchpost,
) -> Result<impl ImportFeed + use<>, ImportError> {
    feed(source, ImportLimits::FILE, watchpost.checks().checks().to_vec())
}
