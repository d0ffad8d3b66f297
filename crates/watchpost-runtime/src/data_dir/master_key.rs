//! The master key, and the keys that are derived from it.

use super::{
    error::DataDirError,
    private::{io_error, write_private},
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::{fs, io, path::Path};
use watchpost_core::port::Random;
use zeroize::Zeroizing;

/// Bytes of a master key.
const KEY_BYTES: usize = 32;

/// What a derived key is for. Each has its own, so that none of them says anything about another. The store derives
/// its own for sealing credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Authenticates cursors of lists.
    Cursor,
    /// Seals session ids.
    Session,
    /// Digests audited argument values.
    Audit,
    /// Seals what travels through clients between two calls.
    RequestState,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Cursor => b"watchpost cursor 1",
            Self::Session => b"watchpost session 1",
            Self::Audit => b"watchpost audit digest 1",
            Self::RequestState => b"watchpost request state 1",
        }
    }
}

/// The secret that all others of this instance come from. Prints as `MasterKey(…)` and is wiped when dropped.
pub struct MasterKey(Zeroizing<[u8; KEY_BYTES]>);

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

impl MasterKey {
    /// Reads a master key's file.
    ///
    /// # Errors
    /// [`DataDirError`] if the file is missing, can't be read, or holds something else.
    pub(super) fn read(path: &Path) -> Result<Self, DataDirError> {
        let bytes = match fs::read(path) {
            Ok(bytes) => Zeroizing::new(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(DataDirError::NoMasterKey(path.to_owned()));
            }
            Err(source) => return Err(io_error("read", path, source)),
        };
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        if bytes.len() != KEY_BYTES {
            return Err(DataDirError::InvalidMasterKey {
                path: path.to_owned(),
                bytes: bytes.len(),
            });
        }
        key.copy_from_slice(&bytes);
        Ok(Self(key))
    }

    /// Makes a master key and writes it to a file that only its owner can read.
    ///
    /// # Errors
    /// [`DataDirError::Io`].
    pub(super) fn create(path: &Path, random: &dyn Random) -> Result<(), DataDirError> {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        random.fill(key.as_mut_slice());
        write_private(path, key.as_slice())
    }

    /// As the store takes it.
    pub(crate) fn for_store(&self) -> watchpost_sqlite::MasterKey {
        watchpost_sqlite::MasterKey::new(*self.0)
    }
    /// HMAC-SHA-256 of the purpose under the master key.
    pub fn derive(&self, purpose: Purpose) -> Zeroizing<[u8; 32]> {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(self.0.as_slice())
            .expect("HMAC takes keys of any length");
        mac.update(purpose.label());
        Zeroizing::new(mac.finalize().into_bytes().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_keys_do_not_change_between_releases() {
        let key = MasterKey(Zeroizing::new([7; 32]));
        let hex = |purpose| {
            key.derive(purpose)[..4]
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        };
        let all = [Purpose::Cursor, Purpose::Session, Purpose::Audit].map(hex);
        assert_eq!(all, ["72dd922a", "344c37fe", "aa065e21"]);
    }
}
