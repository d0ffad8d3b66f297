//! Calls that take effect at most once.
//!
//! A caller that doesn't know whether its call arrived repeats it with the same idempotency key. A person's consent is
//! good for one change. Both are the same thing to a store: a token that is spent in the transaction of the change.

use crate::{
    audit::AuditKey,
    value::{
        time::{DAY_MS, Timestamp},
        word::words,
    },
};

/// How long a spent token is remembered, in milliseconds.
pub const ONCE_KEPT_MS: i64 = DAY_MS;
/// Spent tokens that are remembered of one actor at the most; past it calls with a token are refused.
pub const ONCE_KEPT_MAX: u32 = 10_000;

words! {
    /// Where a token comes from. Tokens of different kinds never meet.
    OnceKind {
        /// The caller chose it: `idempotency_key`.
        IdempotencyKey = "idempotency_key",
        /// The server drew it when it asked a person to confirm.
        Confirmation = "confirmation",
    }
}

/// A token with what it was given for, both as HMACs: the caller's text is stored nowhere.
///
/// A call carries them in its [`crate::audit::CallRecord`]. The methods [`crate::finding::FindingStore::change_finding`],
/// [`crate::app::AppStore::set_app_policy`], [`crate::remediation::RemediationStore::request_remediation`] and
/// [`crate::job::JobStore::trigger_sync`] spend them inside the transaction of the change, per workspace, actor and
/// operation:
/// - no token of the call was spent within [`ONCE_KEPT_MS`]: the command is decided, and all its tokens are spent with
///   what it came to, also if that was nothing (not found, not possible);
/// - one was, for the same request: nothing is changed, what the first call came to is given again
///   ([`Made::earlier`] is set), and the entry's outcome is `unchanged`;
/// - one was, for another request: [`crate::error::StoreError::Reused`].
///
/// A transaction that fails spends nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Once {
    kind: OnceKind,
    key: [u8; 32],
    request: [u8; 32],
}

impl Once {
    /// A token for a request. `operation` and `arguments` (canonical text) are what a repeat must have in common
    /// with the first call.
    pub fn new(key: &AuditKey, kind: OnceKind, token: &[u8], operation: &str, arguments: &str) -> Self {
        Self {
            kind,
            key: key.tag(b"wp-once-token-1", &[kind.as_str().as_bytes(), token]),
            request: key.tag(
                b"wp-once-request-1",
                &[operation.as_bytes(), arguments.as_bytes()],
            ),
        }
    }
    /// Where the token comes from.
    pub const fn kind(&self) -> OnceKind {
        self.kind
    }
    /// What stands for the token in a store.
    pub const fn key(&self) -> &[u8; 32] {
        &self.key
    }
    /// What stands for the request that it was given for.
    pub const fn request(&self) -> &[u8; 32] {
        &self.request
    }
}

impl std::fmt::Debug for Once {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Once({})", self.kind)
    }
}

/// How a change was stored: the proof that its entry is. Made only by [`crate::audit::PendingEntry::stored`] and
/// [`crate::audit::PendingEntry::stored_again`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Made {
    /// The number of the call's audit row.
    pub seq: u64,
    /// Set if the call was a repeat: when the first one was made. Nothing was changed now, and the result is what the
    /// first call came to.
    pub earlier: Option<Timestamp>,
}
