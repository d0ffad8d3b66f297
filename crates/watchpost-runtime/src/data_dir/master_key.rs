//! The master key, and the keys derived from it.

use super::{
    error::DataDirError,
    private::{io_error, write_private},
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::{fs, io, path::Path};
use watchpost_core::port::Random;
use zeroize::Zeroizing;

/// Size of a master key in bytes.
const KEY_BYTES: usize = 32;

/// The purpose of a derived key. Each purpose has a separate key, so that none of them reveals another. The store
/// derives its own key to encrypt credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Authenticates the cursors of lists.
    Cursor,
    /// Seals session ids.
    Session,
    /// Digests argument values in the audit trail.
    Audit,
    /// Seals the state that clients carry from one call to the next.
    RequestState,
    /// Authenticates the positions in lists of the REST API.
    Position,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Cursor => b"watchpost cursor 1",
            Self::Session => b"watchpost session 1",
            Self::Audit => b"watchpost audit digest 1",
            Self::RequestState => b"watchpost request state 1",
            Self::Position => b"watchpost position 1",
        }
    }
}

/// The secret from which the other secrets of an instance are derived. Its `Debug` output is `MasterKey(…)`, and it is
/// overwritten when dropped.
pub struct MasterKey(Zeroizing<[u8; KEY_BYTES]>);

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

impl MasterKey {
    /// Reads a master key from its file.
    ///
    /// # Errors
    /// [`DataDirError`] if the file is missing, can't be read, or has another size.
    pub(crate) fn read(path: &Path) -> Result<Self, DataDirError> {
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

    /// Generates a master key.
    pub(crate) fn generate(random: &dyn Random) -> Self {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        random.fill(key.as_mut_slice());
        Self(key)
    }

    /// Writes the master key to a file that only its owner can read.
    ///
    /// # Errors
    /// [`DataDirError::Io`].
    pub(super) fn write(&self, path: &Path) -> Result<(), DataDirError> {
        write_private(path, self.0.as_slice())
    }

    /// Whether the other key is the same.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    /// The master key in the type of the store.
    pub(crate) fn for_store(&self) -> watchpost_sqlite::MasterKey {
        watchpost_sqlite::MasterKey::new(*self.0)
    }
    /// The secret bytes, from which checkpoints derive their own key.
    pub(crate) fn secret(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }
    /// Derives the key for a purpose: the HMAC-SHA-256 of the purpose's label under the master key.
    pub fn derive(&self, purpose: Purpose) -> Zeroizing<[u8; 32]> {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(self.0.as_slice())
            .expect("HMAC accepts keys of any length");
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
