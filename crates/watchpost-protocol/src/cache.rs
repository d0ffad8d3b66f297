//! How long clients may keep what they got.

use crate::json::push_integer;

/// Whether caches may share a list between callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheScope {
    /// The same for everyone, whoever asks.
    Public,
    /// For this caller alone: anything filtered by what the caller may do or see.
    Private,
}

/// How long a modern client may keep a list. Legacy clients don't see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheHint {
    /// Milliseconds; 0 means that it's already stale.
    pub ttl_ms: u32,
    /// Who may keep it.
    pub scope: CacheScope,
}

impl CacheHint {
    pub(crate) fn push(self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\"ttlMs\":");
        push_integer(out, i64::from(self.ttl_ms));
        out.extend_from_slice(match self.scope {
            CacheScope::Public => b",\"cacheScope\":\"public\"".as_slice(),
            CacheScope::Private => b",\"cacheScope\":\"private\"",
        });
    }
}
