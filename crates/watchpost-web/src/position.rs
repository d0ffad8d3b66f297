//! Positions in lists: where a page ended, with a MAC over workspace, list and filters, so that a position is valid only for
//! the list it was made for. The server stores nothing.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use watchpost_core::access::WorkspaceScope;

const MAC_BYTES: usize = 16;

/// The key of positions: 32 bytes derived from the master key for this purpose alone, the same in all processes on one
/// store.
#[derive(Clone)]
pub struct PositionKey([u8; 32]);

impl std::fmt::Debug for PositionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PositionKey(…)")
    }
}

impl PositionKey {
    /// Creates the key from the derived bytes.
    pub const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// Returns the text of a position. `list` names the list, and `selection` is the canonical text of its filters.
    pub(crate) fn seal(&self, scope: &WorkspaceScope, list: &str, selection: &str, position: &str) -> String {
        let mut bytes = position.as_bytes().to_vec();
        bytes.extend_from_slice(&self.mac(scope, [list, selection, position]));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Returns the position in a text of this workspace, list and selection; `None` for any other text.
    pub(crate) fn open(
        &self,
        scope: &WorkspaceScope,
        list: &str,
        selection: &str,
        text: &str,
    ) -> Option<String> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (position, mac) = bytes.split_at_checked(bytes.len().checked_sub(MAC_BYTES)?)?;
        let position = std::str::from_utf8(position).ok()?;
        bool::from(self.mac(scope, [list, selection, position]).ct_eq(mac)).then(|| position.to_owned())
    }

    fn mac(&self, scope: &WorkspaceScope, parts: [&str; 3]) -> [u8; MAC_BYTES] {
        let mut out = [0_u8; MAC_BYTES];
        let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.0) else {
            return out; // HMAC accepts keys of any length.
        };
        mac.update(b"wp-rest-position-1");
        mac.update(scope.workspace().as_bytes());
        for part in parts {
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            mac.update(part.as_bytes());
        }
        for (to, from) in out.iter_mut().zip(mac.finalize().into_bytes()) {
            *to = from;
        }
        out
    }
}
