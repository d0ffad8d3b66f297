//! API keys: their form, their storage, their life.
//!
//! `wp_` + 30 base62 characters from the system's generator + 6 check characters. The check refuses typos without
//! a look-up and lets secret scanners find leaked keys (`wp_[0-9A-Za-z]{36}`); it is no security.

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

const PREFIX: &str = "wp_";
const BODY_CHARS: usize = 30;
const CHECK_CHARS: usize = 6;
/// Length of a whole key in characters.
const KEY_CHARS: usize = PREFIX.len() + BODY_CHARS + CHECK_CHARS;
/// How many characters of a key are stored in the clear, for recognition.
pub const KEY_PREFIX_CHARS: usize = 12;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// SHA-256 of a whole key: the only form in which a key is stored.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyHash(pub [u8; 32]);

impl KeyHash {
    /// The hash of a key's characters.
    pub fn of(key: &str) -> Self {
        Self(Sha256::digest(key.as_bytes()).into())
    }
}

impl std::fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyHash(…)")
    }
}

/// Whether the text has the form of a key and its check characters fit. Needs no look-up.
pub fn key_is_well_formed(text: &str) -> bool {
    if text.len() != KEY_CHARS || !text.is_ascii() {
        return false;
    }
    let (signed, check) = text.split_at(KEY_CHARS - CHECK_CHARS);
    signed.starts_with(PREFIX)
        && signed
            .bytes()
            .skip(PREFIX.len())
            .all(|b| b.is_ascii_alphanumeric())
        && check.as_bytes() == check_characters(signed)
}

/// CRC-32/ISO-HDLC over the ASCII bytes in base62, most significant first, padded with `0`.
fn check_characters(signed: &str) -> [u8; CHECK_CHARS] {
    let mut rest = crc32fast::hash(signed.as_bytes());
    let mut out = [b'0'; CHECK_CHARS];
    for slot in out.iter_mut().rev() {
        *slot = DIGITS[(rest % 62) as usize];
        rest /= 62;
    }
    out
}

/// A fresh key: the secret to show once, and what is stored of it.
#[derive(Debug)]
pub struct NewKey {
    /// The whole key.
    pub secret: SecretString,
    /// Its hash.
    pub hash: KeyHash,
    /// Its first characters.
    pub prefix: String,
}

impl NewKey {
    /// Draws a key. Every body character is equally likely.
    pub fn generate(random: &dyn Random) -> Self {
        let mut key = String::with_capacity(KEY_CHARS);
        key.push_str(PREFIX);
        let mut pool = [0_u8; 64];
        while key.len() < PREFIX.len() + BODY_CHARS {
            random.fill(&mut pool);
            for byte in pool {
                // 248 is the largest multiple of 62 below 256: rejecting the rest keeps the draw even.
                if byte < 248 && key.len() < PREFIX.len() + BODY_CHARS {
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
    /// The characters, for the one time they are shown.
    pub fn reveal(&self) -> &str {
        self.secret.expose_secret()
    }
}

/// What is stored of a key.
#[derive(Debug, Clone)]
pub struct KeyRow {
    /// Its id.
    pub id: KeyId,
    /// Its workspace.
    pub workspace: crate::value::id::WorkspaceId,
    /// SHA-256 of the whole key.
    pub hash: KeyHash,
    /// First 12 characters.
    pub prefix: String,
    /// What its maker called it.
    pub label: ForeignText,
    /// Its scope.
    pub scope: KeyScope,
    /// When it was made.
    pub created_at: Timestamp,
    /// The last authenticated use, at most a minute old; `None` before the first.
    pub last_used_at: Option<Timestamp>,
    /// When it ends; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

words! {
    /// What a key is good for at a moment.
    KeyState {
        /// Usable.
        Active = "active",
        /// Past its end.
        Expired = "expired",
        /// Taken back.
        Revoked = "revoked",
    }
    /// How long a new key lives.
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
    /// The state at a time of a key that was revoked or ends at these.
    pub fn at(now: Timestamp, revoked_at: Option<Timestamp>, expires_at: Option<Timestamp>) -> Self {
        if revoked_at.is_some() {
            Self::Revoked
        } else if expires_at.is_some_and(|end| end <= now) {
            Self::Expired
        } else {
            Self::Active
        }
    }
}

impl KeyRow {
    /// The key's state at a time.
    pub fn state(&self, now: Timestamp) -> KeyState {
        KeyState::at(now, self.revoked_at, self.expires_at)
    }
}

impl Expiry {
    /// When a key made now ends.
    pub fn ends_at(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Days90 => Some(now.plus_days(90)),
            Self::Year1 => Some(now.plus_days(365)),
            Self::Never => None,
        }
    }
}

/// Make a key. The limit is enforced in the transaction that inserts.
#[derive(Debug)]
pub struct CreateKey {
    /// The id it gets.
    pub id: KeyId,
    /// SHA-256 of the whole key.
    pub hash: KeyHash,
    /// First 12 characters.
    pub prefix: String,
    /// Its label.
    pub label: ForeignText,
    /// Its scope.
    pub scope: KeyScope,
    /// Its end.
    pub expires_at: Option<Timestamp>,
    /// How many active keys the workspace may have.
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

/// What came of making a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyCreation {
    /// It exists.
    Created,
    /// The workspace has its limit of active keys.
    LimitReached {
        /// The limit.
        active_max: u32,
    },
}

/// Decides a request for a key. `active`: active keys of the workspace.
pub const fn decide_creation(active: u32, active_max: u32) -> KeyCreation {
    if active >= active_max {
        KeyCreation::LimitReached { active_max }
    } else {
        KeyCreation::Created
    }
}

impl KeyCreation {
    /// How the audit entry ends.
    pub const fn audit_outcome(&self) -> AuditOutcome {
        match self {
            Self::Created => AuditOutcome::Ok,
            Self::LimitReached { .. } => AuditOutcome::Conflict,
        }
    }
}

/// Take a key back.
#[derive(Debug)]
pub struct RevokeKey {
    /// Which.
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

/// What came of taking a key back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyRevocation {
    /// It is revoked now.
    Revoked,
    /// It was revoked before.
    AlreadyRevoked,
    /// There is no such key in this workspace.
    NotFound,
}

/// Decides taking a key back. `key`: when it was revoked, of a key that there is.
pub const fn decide_revocation(key: Option<Option<Timestamp>>) -> KeyRevocation {
    match key {
        None => KeyRevocation::NotFound,
        Some(Some(_)) => KeyRevocation::AlreadyRevoked,
        Some(None) => KeyRevocation::Revoked,
    }
}

impl KeyRevocation {
    /// How the audit entry ends.
    pub const fn audit_outcome(&self) -> AuditOutcome {
        match self {
            Self::Revoked => AuditOutcome::Ok,
            Self::AlreadyRevoked => AuditOutcome::Unchanged,
            Self::NotFound => AuditOutcome::NotFound,
        }
    }
}

/// Keys of a workspace.
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// All keys, newest first, revoked and expired ones too.
    async fn list_keys(&self, scope: &WorkspaceScope) -> Result<Vec<KeyRow>, StoreError>;
    /// Inserts a key unless the limit is reached. Bumps the key generation.
    async fn create_key(&self, write: AuthorizedWrite<CreateKey>)
    -> Result<Audited<KeyCreation>, StoreError>;
    /// Revokes a key with full durability. Bumps the key generation.
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
    fn a_key_is_active_until_it_ends_or_is_taken_back() {
        let at = Timestamp::from_millis;
        for (revoked, expires, expected) in [
            (None, None, KeyState::Active),
            (None, Some(51), KeyState::Active),
            (None, Some(50), KeyState::Expired),
            (Some(10), Some(49), KeyState::Revoked),
            (Some(99), None, KeyState::Revoked),
        ] {
            let state = KeyState::at(at(50), revoked.map(at), expires.map(at));
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
    fn check_characters_fit_the_published_vector() {
        assert!(key_is_well_formed("wp_0123456789abcdefghijABCDEFGHIJ3O07sR"));
    }

    #[test]
    fn every_one_character_edit_is_refused() {
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
