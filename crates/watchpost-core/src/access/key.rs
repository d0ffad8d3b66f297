//! API keys: their format, storage, expiry and revocation.
//!
//! A key is `wp_`, 30 base62 characters from the system's random generator and 6 check characters. The check
//! rejects typos without a lookup and lets secret scanners find leaked keys (`wp_[0-9A-Za-z]{36}`); it is not a
//! security measure.

use super::scope::{Audited, AuthorizedWrite, Command, KeyScope, Permission, WorkspaceScope};
use crate::{
    audit::{AuditOutcome, AuditTarget},
    error::StoreError,
    port::Random,
    value::{id::KeyId, text::ForeignText, time::Timestamp, word::words},
};
use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// The first characters of every key, which distinguish it from the secrets of other systems.
pub const KEY_MARK: &str = "wp_";
const BODY_CHARS: usize = 30;
const CHECK_CHARS: usize = 6;
/// Length of a whole key, in characters.
const KEY_CHARS: usize = KEY_MARK.len() + BODY_CHARS + CHECK_CHARS;
/// Number of a key's leading characters that are stored in the clear, so that people can recognize it.
pub const KEY_PREFIX_CHARS: usize = 12;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// SHA-256 of a whole key: the only form in which a key is stored.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyHash(pub [u8; 32]);

impl KeyHash {
    /// Hashes a key's characters.
    pub fn of(key: &str) -> Self {
        Self(Sha256::digest(key.as_bytes()).into())
    }
}

impl std::fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyHash(…)")
    }
}

/// Returns whether a text has the format of a key and its check characters match. Needs no lookup.
pub fn key_is_well_formed(text: &str) -> bool {
    if text.len() != KEY_CHARS || !text.is_ascii() {
        return false;
    }
    let (signed, check) = text.split_at(KEY_CHARS - CHECK_CHARS);
    signed.starts_with(KEY_MARK)
        && signed
            .bytes()
            .skip(KEY_MARK.len())
            .all(|b| b.is_ascii_alphanumeric())
        && check.as_bytes() == check_characters(signed)
}

/// CRC-32/ISO-HDLC over the ASCII bytes, in base62, most significant digit first, padded with `0`.
fn check_characters(signed: &str) -> [u8; CHECK_CHARS] {
    let mut rest = crc32fast::hash(signed.as_bytes());
    let mut out = [b'0'; CHECK_CHARS];
    for slot in out.iter_mut().rev() {
        *slot = DIGITS[(rest % 62) as usize];
        rest /= 62;
    }
    out
}

/// A newly generated key: the secret to show once, and the parts to store.
#[derive(Debug)]
pub struct NewKey {
    /// The whole key.
    pub secret: SecretString,
    /// SHA-256 of the whole key.
    pub hash: KeyHash,
    /// The first [`KEY_PREFIX_CHARS`] characters.
    pub prefix: String,
}

impl NewKey {
    /// Generates a key. Every body character is equally likely.
    pub fn generate(random: &dyn Random) -> Self {
        let mut key = String::with_capacity(KEY_CHARS);
        key.push_str(KEY_MARK);
        let mut pool = [0_u8; 64];
        while key.len() < KEY_MARK.len() + BODY_CHARS {
            random.fill(&mut pool);
            for byte in pool {
                // 248 is the largest multiple of 62 below 256: rejecting the rest keeps the distribution uniform.
                if byte < 248 && key.len() < KEY_MARK.len() + BODY_CHARS {
                    key.push(char::from(DIGITS[usize::from(byte % 62)]));
                }
            }
        }
        let check = check_characters(&key);
        key.extend(check.iter().map(|b| char::from(*b)));
        let prefix = key.chars().take(KEY_PREFIX_CHARS).collect();
        Self {
            hash: KeyHash::of(&key),
            prefix,
            secret: SecretString::from(key),
        }
    }
    /// Returns the whole key, to show it once.
    pub fn reveal(&self) -> &str {
        self.secret.expose_secret()
    }
}

/// A stored key.
#[derive(Debug, Clone)]
pub struct KeyRow {
    /// The key's id.
    pub id: KeyId,
    /// The key's workspace.
    pub workspace: crate::value::id::WorkspaceId,
    /// SHA-256 of the whole key.
    pub hash: KeyHash,
    /// The first 12 characters of the key.
    pub prefix: String,
    /// The label that the key's creator chose.
    pub label: ForeignText,
    /// The key's scope.
    pub scope: KeyScope,
    /// The time of creation.
    pub created_at: Timestamp,
    /// The last authenticated use, accurate to a minute; `None` before the first use.
    pub last_used_at: Option<Timestamp>,
    /// The time of expiry; `None` if the key never expires.
    pub expires_at: Option<Timestamp>,
    /// The time of revocation; `None` if the key wasn't revoked.
    pub revoked_at: Option<Timestamp>,
    /// Whether a worker has found the key expired. It stays expired, even if the clock is set back.
    pub lapsed: bool,
}

words! {
    /// The state of a key at a point in time.
    KeyState {
        /// Usable.
        Active = "active",
        /// Past its expiry.
        Expired = "expired",
        /// Revoked by a person.
        Revoked = "revoked",
    }
    /// The lifetime of a new key.
    Expiry {
        /// 90 days.
        Days90 = "90d",
        /// 365 days.
        Year1 = "1y",
        /// Until revoked.
        Never = "never",
    }
}

impl KeyState {
    /// Returns the state at `now` of a key with these times of revocation and expiry. `lapsed` is whether it was found
    /// expired before.
    pub fn at(
        now: Timestamp,
        revoked_at: Option<Timestamp>,
        expires_at: Option<Timestamp>,
        lapsed: bool,
    ) -> Self {
        if revoked_at.is_some() {
            Self::Revoked
        } else if lapsed || expires_at.is_some_and(|end| end <= now) {
            Self::Expired
        } else {
            Self::Active
        }
    }
}

impl KeyRow {
    /// Returns the key's state at a point in time.
    pub fn state(&self, now: Timestamp) -> KeyState {
        KeyState::at(now, self.revoked_at, self.expires_at, self.lapsed)
    }
}

impl Expiry {
    /// Returns the time at which a key created at `now` expires; `None` for never.
    pub fn ends_at(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Days90 => Some(now.plus_days(90)),
            Self::Year1 => Some(now.plus_days(365)),
            Self::Never => None,
        }
    }
}

/// Creates a key. The limit is enforced in the transaction that inserts the key.
#[derive(Debug)]
pub struct CreateKey {
    /// The id of the new key.
    pub id: KeyId,
    /// SHA-256 of the whole key.
    pub hash: KeyHash,
    /// The first 12 characters of the key.
    pub prefix: String,
    /// The key's label.
    pub label: ForeignText,
    /// The key's scope.
    pub scope: KeyScope,
    /// The time of expiry; `None` if the key never expires.
    pub expires_at: Option<Timestamp>,
    /// Maximum number of active keys in the workspace.
    pub active_max: u32,
}

impl Command for CreateKey {
    fn permission(&self) -> Permission {
        Permission::ManageKeys
    }
    fn action(&self) -> &'static str {
        "key.created"
    }
    fn target(&self) -> AuditTarget {
        AuditTarget::new("key", &self.id)
    }
}

/// The outcome of [`CreateKey`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyCreation {
    /// The key was created.
    Created,
    /// The workspace already has the maximum number of active keys.
    LimitReached {
        /// The limit.
        active_max: u32,
    },
}

/// Decides a [`CreateKey`]. `active` is the number of active keys in the workspace.
pub const fn decide_creation(active: u32, active_max: u32) -> KeyCreation {
    if active >= active_max {
        KeyCreation::LimitReached { active_max }
    } else {
        KeyCreation::Created
    }
}

impl KeyCreation {
    /// Returns the outcome for the audit entry.
    pub const fn audit_outcome(&self) -> AuditOutcome {
        match self {
            Self::Created => AuditOutcome::Ok,
            Self::LimitReached { .. } => AuditOutcome::Conflict,
        }
    }
}

/// Revokes a key.
#[derive(Debug)]
pub struct RevokeKey {
    /// The key to revoke.
    pub id: KeyId,
}

impl Command for RevokeKey {
    fn permission(&self) -> Permission {
        Permission::ManageKeys
    }
    fn action(&self) -> &'static str {
        "key.revoked"
    }
    fn target(&self) -> AuditTarget {
        AuditTarget::new("key", &self.id)
    }
}

/// The outcome of [`RevokeKey`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyRevocation {
    /// The key was revoked.
    Revoked,
    /// The key had been revoked before.
    AlreadyRevoked,
    /// The workspace has no such key.
    NotFound,
}

/// Decides a [`RevokeKey`]. `key` is the stored time of revocation of the key, or `None` if there is no such key.
pub const fn decide_revocation(key: Option<Option<Timestamp>>) -> KeyRevocation {
    match key {
        None => KeyRevocation::NotFound,
        Some(Some(_)) => KeyRevocation::AlreadyRevoked,
        Some(None) => KeyRevocation::Revoked,
    }
}

impl KeyRevocation {
    /// Returns the outcome for the audit entry.
    pub const fn audit_outcome(&self) -> AuditOutcome {
        match self {
            Self::Revoked => AuditOutcome::Ok,
            Self::AlreadyRevoked => AuditOutcome::Unchanged,
            Self::NotFound => AuditOutcome::NotFound,
        }
    }
}

/// Storage of a workspace's keys.
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// Returns all keys, newest first, including revoked and expired ones.
    async fn list_keys(&self, scope: &WorkspaceScope) -> Result<Vec<KeyRow>, StoreError>;
    /// Inserts a key unless the limit is reached. Increments the key generation.
    async fn create_key(&self, write: AuthorizedWrite<CreateKey>)
    -> Result<Audited<KeyCreation>, StoreError>;
    /// Revokes a key with full durability. Increments the key generation.
    async fn revoke_key(
        &self,
        write: AuthorizedWrite<RevokeKey>,
    ) -> Result<Audited<KeyRevocation>, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting(std::sync::Mutex<u8>);
    impl Random for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            let mut next = self.0.lock().unwrap();
            for byte in bytes {
                *byte = *next;
                *next = next.wrapping_add(37);
            }
        }
    }

    #[test]
    fn a_key_is_active_until_it_expires_or_is_revoked() {
        let at = Timestamp::from_millis;
        for (revoked, expires, expected) in [
            (None, None, KeyState::Active),
            (None, Some(51), KeyState::Active),
            (None, Some(50), KeyState::Expired),
            (Some(10), Some(49), KeyState::Revoked),
            (Some(99), None, KeyState::Revoked),
        ] {
            let state = KeyState::at(at(50), revoked.map(at), expires.map(at), false);
            assert_eq!(state, expected, "{revoked:?} {expires:?}");
        }
        assert_eq!(decide_creation(9, 10), KeyCreation::Created);
        assert_eq!(
            decide_creation(10, 10),
            KeyCreation::LimitReached { active_max: 10 }
        );
        assert_eq!(decide_revocation(None), KeyRevocation::NotFound);
        assert_eq!(decide_revocation(Some(None)), KeyRevocation::Revoked);
        assert_eq!(
            decide_revocation(Some(Some(at(1)))),
            KeyRevocation::AlreadyRevoked
        );
    }

    #[test]
    fn check_characters_match_the_published_vector() {
        assert!(key_is_well_formed("wp_0123456789abcdefghijABCDEFGHIJ3O07sR"));
    }

    #[test]
    fn every_one_character_edit_is_rejected() {
        let key = NewKey::generate(&Counting(std::sync::Mutex::new(1)));
        let key = key.reveal();
        assert!(key_is_well_formed(key));
        for i in 0..key.len() {
            for digit in DIGITS {
                let mut edited = key.as_bytes().to_vec();
                if edited[i] == *digit {
                    continue;
                }
                edited[i] = *digit;
                assert!(
                    !key_is_well_formed(std::str::from_utf8(&edited).unwrap()),
                    "edit at {i}"
                );
            }
        }
        for wrong in [
            "",
            "wp_",
            "wq_0123456789abcdefghijABCDEFGHIJ3O07sR",
            "wp_0123456789abcdefghijABCDEFGHIJ3O07sR0",
        ] {
            assert!(!key_is_well_formed(wrong));
        }
    }
}
