//! Session ids that every replica, and a restarted process, can open.
//!
//! An id is a nonce and a ciphertext in base64url. It isn't a credential: the binding of the principal is
//! associated data, so the id doesn't open for another key and looks like an unknown one.

use crate::{config::SessionKey, environment::Random, gate::Binding};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead as _, KeyInit as _, Payload},
};
use std::time::Duration;

/// The maximum size of a session's state, in bytes.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 2048;

const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;
const ISSUED_BYTES: usize = 8;
const PURPOSE: &[u8] = b"watchpost-session-1";

/// The maximum length of an id, in characters.
const ID_CHARS_MAX: usize = (NONCE_BYTES + ISSUED_BYTES + PAYLOAD_BYTES_MAX + TAG_BYTES).div_ceil(3) * 4;

/// The maximum time by which a session id may seem to be issued in the future, because the clocks of replicas
/// differ.
const SKEW_SECONDS: u64 = 300;

/// The name of a session in this and other processes: the nonce of its id.
pub(crate) type SessionName = [u8; NONCE_BYTES];

/// Creates and opens session ids.
pub(crate) struct Sealer {
    cipher: XChaCha20Poly1305,
    life_seconds: u64,
}

/// The content of an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) name: SessionName,
    /// The time of expiry, in Unix seconds.
    pub(crate) expires: u64,
    pub(crate) payload: Vec<u8>,
}

impl Sealer {
    pub(crate) fn new(key: &SessionKey, life: Duration) -> Self {
        Self {
            cipher: XChaCha20Poly1305::new(key.bytes().into()),
            life_seconds: life.as_secs(),
        }
    }

    /// Creates a new id. Returns `None` if the payload is larger than [`PAYLOAD_BYTES_MAX`].
    pub(crate) fn seal(
        &self,
        payload: &[u8],
        binding: &Binding,
        now: u64,
        random: &dyn Random,
    ) -> Option<String> {
        if payload.len() > PAYLOAD_BYTES_MAX {
            return None;
        }
        let mut nonce = [0; NONCE_BYTES];
        random.fill(&mut nonce);
        let mut plain = Vec::with_capacity(ISSUED_BYTES + payload.len());
        plain.extend_from_slice(&now.to_le_bytes());
        plain.extend_from_slice(payload);
        let aad = associated(binding);
        let sealed = self
            .cipher
            .encrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: &plain,
                    aad: &aad,
                },
            )
            .ok()?;
        let mut id = nonce.to_vec();
        id.extend_from_slice(&sealed);
        Some(URL_SAFE_NO_PAD.encode(id))
    }

    /// Opens an id. Returns `None` if it wasn't issued by this server, is bound to another key, or is expired.
    /// These cases aren't told apart.
    pub(crate) fn open(&self, id: &[u8], binding: &Binding, now: u64) -> Option<Opened> {
        if id.len() > ID_CHARS_MAX {
            return None;
        }
        let raw = URL_SAFE_NO_PAD.decode(id).ok()?;
        let (nonce, sealed) = raw.split_first_chunk::<NONCE_BYTES>()?;
        let aad = associated(binding);
        let plain = self
            .cipher
            .decrypt(
                &XNonce::from(*nonce),
                Payload {
                    msg: sealed,
                    aad: &aad,
                },
            )
            .ok()?;
        let (issued, payload) = plain.split_first_chunk::<ISSUED_BYTES>()?;
        let issued = u64::from_le_bytes(*issued);
        let expires = issued.saturating_add(self.life_seconds);
        if now >= expires || issued > now.saturating_add(SKEW_SECONDS) {
            return None;
        }
        Some(Opened {
            name: *nonce,
            expires,
            payload: payload.to_vec(),
        })
    }
}

fn associated(binding: &Binding) -> Vec<u8> {
    [PURPOSE, binding.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting(std::sync::atomic::AtomicU8);

    impl Random for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        }
    }

    const NOW: u64 = 1_800_000_000;

    fn sealer() -> Sealer {
        Sealer::new(&SessionKey::new([7; 32]), Duration::from_secs(86_400))
    }

    fn id_of(payload: &[u8]) -> String {
        sealer()
            .seal(
                payload,
                &Binding::new(b"key-1").unwrap(),
                NOW,
                &Counting(0.into()),
            )
            .unwrap()
    }

    #[test]
    fn an_id_opens_for_its_key_until_it_expires() {
        let id = id_of(b"content");
        assert!(id.bytes().all(|byte| (0x21..=0x7e).contains(&byte)));
        let binding = Binding::new(b"key-1").unwrap();
        let check = |now: u64, opens: bool| {
            let opened = sealer().open(id.as_bytes(), &binding, now);
            assert_eq!(opened.is_some(), opens, "{now}");
            if let Some(opened) = opened {
                assert_eq!(opened.payload, b"content");
                assert_eq!(opened.expires, NOW + 86_400);
            }
        };
        check(NOW, true);
        check(NOW + 86_399, true);
        check(NOW + 86_400, false);
        check(NOW - 300, true);
        check(NOW - 301, false);
    }

    #[test]
    fn an_id_does_not_open_for_another_key_or_instance() {
        let id = id_of(b"content");
        assert!(
            sealer()
                .open(id.as_bytes(), &Binding::new(b"key-2").unwrap(), NOW)
                .is_none()
        );
        let elsewhere = Sealer::new(&SessionKey::new([8; 32]), Duration::from_secs(86_400));
        assert!(
            elsewhere
                .open(id.as_bytes(), &Binding::new(b"key-1").unwrap(), NOW)
                .is_none()
        );
    }

    #[test]
    fn an_altered_or_truncated_id_does_not_open() {
        let id = id_of(b"content");
        let binding = Binding::new(b"key-1").unwrap();
        for at in 0..id.len() {
            let mut altered = id.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            assert!(
                sealer().open(&altered, &binding, NOW).is_none(),
                "altered at {at}"
            );
            assert!(
                sealer().open(&id.as_bytes()[..at], &binding, NOW).is_none(),
                "cut at {at}"
            );
        }
        assert!(sealer().open(&[b'A'; 1 << 20], &binding, NOW).is_none());
        assert!(sealer().open(b"\xff\x00", &binding, NOW).is_none());
    }

    #[test]
    fn a_payload_over_the_limit_is_not_sealed() {
        let binding = Binding::new(b"key-1").unwrap();
        let random = Counting(0.into());
        let full = sealer()
            .seal(&[1; PAYLOAD_BYTES_MAX], &binding, NOW, &random)
            .unwrap();
        assert!(sealer().open(full.as_bytes(), &binding, NOW).is_some());
        assert!(
            sealer()
                .seal(&[1; PAYLOAD_BYTES_MAX + 1], &binding, NOW, &random)
                .is_none()
        );
    }
}
