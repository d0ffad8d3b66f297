//! The temporary data folder of a demo.

use crate::{clock::SystemRandom, data_dir::make_folder};
use std::path::{Path, PathBuf};
use watchpost_core::port::Random as _;

/// A data folder that is removed when it is dropped.
#[derive(Debug)]
pub(super) struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    /// Creates a folder in the system's directory for temporary files.
    pub(super) fn create() -> anyhow::Result<Self> {
        let mut name = [0; 8];
        SystemRandom.fill(&mut name);
        let path = std::env::temp_dir().join(format!("watchpost-demo-{:016x}", u64::from_le_bytes(name)));
        make_folder(&path)?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
