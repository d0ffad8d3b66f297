//! Cache hints on results for modern clients.

use crate::json::push_integer;

/// Whether a cache may share a result between callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheScope {
    /// The result is the same for every caller.
    Public,
    /// The result is for this caller only. Use it for anything filtered by the caller's permissions.
    Private,
}

/// The time and scope for which a modern client may cache a result (MCP 2026-07-28, Caching). Legacy clients
/// don't receive this hint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheHint {
    /// The time to live in milliseconds. 0 means that the result is already stale.
    pub ttl_ms: u32,
    /// The callers that may share the cached result.
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
