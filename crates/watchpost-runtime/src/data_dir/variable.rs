//! The environment variables with the locations of the data folder and the master key.

/// The environment variable with the path of the data folder.
pub const DATA_DIR_VARIABLE: &str = "WATCHPOST_DATA_DIR";
/// The environment variable with the path of the master key, if that is not in the data folder.
pub const MASTER_KEY_VARIABLE: &str = "WATCHPOST_MASTER_KEY_FILE";
