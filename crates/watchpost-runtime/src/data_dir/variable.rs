//! The environment variables that say where things are.

/// The environment variable that names the folder.
pub const DATA_DIR_VARIABLE: &str = "WATCHPOST_DATA_DIR";
/// The environment variable that names another file with the master key.
pub const MASTER_KEY_VARIABLE: &str = "WATCHPOST_MASTER_KEY_FILE";
