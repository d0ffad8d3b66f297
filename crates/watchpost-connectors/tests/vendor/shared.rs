//! The vendors' own descriptions of their APIs. They aren't part of the repository: they are in `SHARED_DIR`, by default
//! `../shared`.

use std::{io::Read, path::PathBuf};

/// Returns a description, unpacked. If it doesn't exist, prints a line and returns `None`, or fails in continuous
/// integration.
pub(crate) fn description(name: &str) -> Option<String> {
    let shared = std::env::var_os("SHARED_DIR").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let file = shared.join("data/vendor").join(name);
    let Ok(packed) = std::fs::read(&file) else {
        assert!(
            std::env::var_os("CI").is_none(),
            "no shared data: {}",
            file.display()
        );
        eprintln!("skipped: no shared data: {}", file.display());
        return None;
    };
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed.as_slice())
        .read_to_string(&mut text)
        .unwrap();
    Some(text)
}
