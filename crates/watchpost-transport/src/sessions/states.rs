//! Sealed state that travels through modern clients (MCP 2026-07-28, Multi Round-Trip Requests).
//!
//! A token is `v1.` followed by a nonce and a ciphertext in base64url. The caller and the request are
//! associated data, so the token doesn't open for other ones. The time of expiry is part of the ciphertext.

use crate::{
    environment::{Clock, Random},
    gate::Binding,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead as _, KeyInit as _, Payload},
};
use std::{fmt, time::Duration};
use watchpost_protocol::Seal;

/// The lifetime of a token. It includes the time that a user needs to decide.
const LIFETIME: Duration = Duration::from_secs(600);

/// The maximum difference between the clocks of replicas.
const SKEW_SECONDS: u64 = 60;

/// The maximum size of a state, in bytes.
const STATE_BYTES_MAX: usize = 16 << 10;

/// The maximum length of a token, in characters.
const TOKEN_CHARS_MAX: usize = (STATE_BYTES_MAX + 64).div_ceil(3) * 4 + VERSION.len();

const NONCE_BYTES: usize = 24;
const VERSION: &str = "v1.";
const PURPOSE: &[u8] = b"watchpost-request-state-1";

/// The keys that seal request states, newest first. The first key seals, and every key opens, so that keys can
/// be rotated while tokens are in use. They must be the same on all replicas. `Debug` prints `StateKeys(…)`.
#[derive(Clone)]
pub struct StateKeys(Vec<XChaCha20Poly1305>);

impl StateKeys {
    /// Creates a ring with one key. The caller must derive it from its master key for this purpose only.
    pub fn new(newest: [u8; 32]) -> Self {
        Self(vec![XChaCha20Poly1305::new(&newest.into())])
    }

    /// Adds an older key, so that its tokens still open.
    #[must_use]
    pub fn with_older_key(mut self, key: [u8; 32]) -> Self {
        self.0.push(XChaCha20Poly1305::new(&key.into()));
        self
    }

    /// Creates a token that contains `state`, valid for ten minutes from `now` (in Unix seconds). It opens only
    /// for the caller with this `binding` and the request that `context` identifies. Returns `None` if the
    /// state is larger than 16 KiB.
    pub fn seal(
        &self,
        binding: &Binding,
        context: &[u8],
        state: &[u8],
        now: u64,
        random: &dyn Random,
    ) -> Option<String> {
        if state.len() > STATE_BYTES_MAX {
            return None;
        }
        let mut nonce = [0; NONCE_BYTES];
        random.fill(&mut nonce);
        let mut plain = now.saturating_add(LIFETIME.as_secs()).to_le_bytes().to_vec();
        plain.extend_from_slice(state);
        let payload = Payload {
            msg: &plain,
            aad: &associated(binding, context),
        };
        let sealed = self.0.first()?.encrypt(&XNonce::from(nonce), payload).ok()?;
        let mut token = nonce.to_vec();
        token.extend_from_slice(&sealed);
        Some(format!("{VERSION}{}", URL_SAFE_NO_PAD.encode(token)))
    }

    /// Opens a token. Returns `None` if it wasn't issued by this server, belongs to another caller or request,
    /// or is expired. These cases aren't told apart.
    pub fn open(&self, binding: &Binding, context: &[u8], token: &str, now: u64) -> Option<Vec<u8>> {
        if token.len() > TOKEN_CHARS_MAX {
            return None;
        }
        let raw = URL_SAFE_NO_PAD.decode(token.strip_prefix(VERSION)?).ok()?;
        let (nonce, sealed) = raw.split_first_chunk::<NONCE_BYTES>()?;
        let aad = associated(binding, context);
        let plain = self.0.iter().find_map(|key| {
            let payload = Payload {
                msg: sealed,
                aad: &aad,
            };
            key.decrypt(&XNonce::from(*nonce), payload).ok()
        })?;
        let (expires, state) = plain.split_first_chunk::<8>()?;
        let expires = u64::from_le_bytes(*expires);
        let latest = now
            .saturating_add(LIFETIME.as_secs())
            .saturating_add(SKEW_SECONDS);
        let is_valid = now < expires && expires <= latest;
        is_valid.then(|| state.to_vec())
    }
}

impl fmt::Debug for StateKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StateKeys(…)")
    }
}

fn associated(binding: &Binding, context: &[u8]) -> Vec<u8> {
    let binding = binding.as_bytes();
    let mut out = PURPOSE.to_vec();
    out.extend_from_slice(&(binding.len() as u64).to_le_bytes());
    out.extend_from_slice(binding);
    out.extend_from_slice(context);
    out
}

/// The keys for one principal.
pub(crate) struct Sealing<'a> {
    pub(crate) keys: &'a StateKeys,
    pub(crate) binding: Binding,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) random: &'a dyn Random,
}

impl Seal for Sealing<'_> {
    fn seal(&self, context: &[u8], state: &[u8]) -> Option<String> {
        let now = self.clock.unix_seconds();
        self.keys.seal(&self.binding, context, state, now, self.random)
    }

    fn open(&self, context: &[u8], sealed: &str) -> Option<Vec<u8>> {
        self.keys
            .open(&self.binding, context, sealed, self.clock.unix_seconds())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;

    impl Random for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(9);
        }
    }

    const NOW: u64 = 1_800_000_000;

    fn binding(name: &str) -> Binding {
        Binding::new(name.as_bytes()).unwrap()
    }

    fn token() -> String {
        let keys = StateKeys::new([1; 32]);
        keys.seal(&binding("key-1"), b"request", b"state", NOW, &Fixed)
            .unwrap()
    }

    #[test]
    fn a_state_opens_for_its_caller_and_request_until_it_expires() {
        let keys = StateKeys::new([1; 32]);
        let check = |caller: &str, context: &[u8], now: u64, opens: bool| {
            let opened = keys.open(&binding(caller), context, &token(), now);
            assert_eq!(
                opened.as_deref(),
                opens.then_some(b"state".as_slice()),
                "{caller} {now}"
            );
        };
        check("key-1", b"request", NOW, true);
        check("key-1", b"request", NOW + 599, true);
        check("key-1", b"request", NOW + 600, false);
        check("key-1", b"request", NOW - 61, false);
        check("key-2", b"request", NOW, false);
        check("key-1", b"requesu", NOW, false);
        // Bytes can't move from the context into the binding.
        check("key-1r", b"equest", NOW, false);
    }

    #[test]
    fn an_altered_or_truncated_state_does_not_open() {
        let keys = StateKeys::new([1; 32]);
        let token = token();
        for at in 0..token.len() {
            let mut altered = token.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            assert_eq!(
                keys.open(&binding("key-1"), b"request", &altered, NOW),
                None,
                "{at}"
            );
            assert_eq!(keys.open(&binding("key-1"), b"request", &token[..at], NOW), None);
        }
        let longer = format!("{token}-TAMPERED");
        assert_eq!(keys.open(&binding("key-1"), b"request", &longer, NOW), None);
    }

    #[test]
    fn tokens_of_an_older_key_open_while_the_key_is_in_the_ring() {
        let opened = |keys: StateKeys| keys.open(&binding("key-1"), b"request", &token(), NOW).is_some();
        assert!(opened(StateKeys::new([2; 32]).with_older_key([1; 32])));
        assert!(!opened(StateKeys::new([2; 32])));
    }

    #[test]
    fn a_state_over_the_limit_is_not_sealed() {
        let keys = StateKeys::new([1; 32]);
        let seal = |bytes: usize| keys.seal(&binding("k"), b"", &vec![0; bytes], NOW, &Fixed);
        let full = seal(STATE_BYTES_MAX).unwrap();
        assert!(keys.open(&binding("k"), b"", &full, NOW).is_some());
        assert_eq!(seal(STATE_BYTES_MAX + 1), None);
    }
}
