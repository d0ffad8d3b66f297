//! Cached replies of queries, so that the same question asked again costs no look-up while nothing has changed.
//!
//! A reply is good while the workspace's generation is the one that was read before it was made, where the generation
//! itself may have been read up to 50 ms ago; own changes drop that reading at once. A reply also ends when its text
//! goes stale by time alone. The audit entry of a call is not cached: each call has its own.
//!
//! Memory is bounded: replies live in a young and an old half. When the young half is full it becomes the old one and
//! the old one is dropped; what is asked for again moves back to the young one.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use watchpost_core::{
    access::WorkspaceScope,
    audit::AuditTarget,
    error::StoreError,
    service::{Unrecorded, Watchpost},
    value::{id::WorkspaceId, time::Timestamp},
};
use watchpost_protocol::ToolResult;

/// For how long a generation may be used after it was read, in milliseconds.
const FRESH_MS: u64 = 50;
/// Replies in one half.
const HALF_ENTRIES: usize = 2_048;
/// Bytes in one half.
const HALF_BYTES: usize = 32 * 1_024 * 1_024;
/// A larger reply isn't cached.
const REPLY_BYTES_MAX: usize = 512 * 1_024;
/// A call with longer arguments isn't cached.
const ARGUMENTS_BYTES_MAX: usize = 2_048;
/// Workspaces whose generation is remembered; past it the memory starts anew.
const WORKSPACES_MAX: usize = 1_024;

/// What a cached reply answers. Arguments are compared as they were written: another spelling of the same
/// question is only asked anew. Whether the caller may act is part of it, so that no answer crosses scopes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct CacheKey {
    workspace: WorkspaceId,
    may_act: bool,
    tool: usize,
    arguments: Box<str>,
}

impl CacheKey {
    /// The key, if replies to calls of this size are cached.
    pub(crate) fn new(scope: &WorkspaceScope, may_act: bool, tool: usize, arguments: &str) -> Option<Self> {
        (arguments.len() <= ARGUMENTS_BYTES_MAX).then(|| Self {
            workspace: scope.workspace(),
            may_act,
            tool,
            arguments: arguments.into(),
        })
    }
}

/// A reply with what its audit entry needs.
#[derive(Debug)]
pub(crate) struct CachedReply {
    /// Each call that it answers stores an entry of its own first.
    pub(crate) result: Unrecorded<ToolResult>,
    pub(crate) reduced: String,
    pub(crate) target: AuditTarget,
    /// About how much memory it takes.
    pub(crate) bytes: usize,
    /// The generation before it was made.
    pub(crate) generation: u64,
    /// When its text goes stale by time alone.
    pub(crate) good_until: Option<Timestamp>,
}

impl CachedReply {
    /// A result that was answered, to be answered again.
    pub(crate) fn new(
        result: ToolResult,
        reduced: String,
        target: AuditTarget,
        generation: u64,
        good_until: Option<Timestamp>,
    ) -> Self {
        let structured = result.structured.as_ref().map_or(0, |bytes| bytes.len());
        Self {
            bytes: result.content.len() + structured + reduced.len() + 512,
            result: Unrecorded::new(result),
            reduced,
            target,
            generation,
            good_until,
        }
    }
}

#[derive(Default)]
struct Halves {
    young: HashMap<CacheKey, Arc<CachedReply>>,
    young_bytes: usize,
    old: HashMap<CacheKey, Arc<CachedReply>>,
}

impl Halves {
    fn insert(&mut self, key: CacheKey, reply: Arc<CachedReply>) {
        let bytes = reply.bytes + key.arguments.len();
        if self.young.len() >= HALF_ENTRIES || self.young_bytes.saturating_add(bytes) > HALF_BYTES {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        self.old.remove(&key);
        let arguments = key.arguments.len();
        if let Some(before) = self.young.insert(key, reply) {
            self.young_bytes = self.young_bytes.saturating_sub(before.bytes + arguments);
        }
        self.young_bytes = self.young_bytes.saturating_add(bytes);
    }
}

#[derive(Default)]
struct GenerationReading {
    /// The generation and when it was read (monotonic milliseconds).
    read: Option<(u64, u64)>,
    /// Counts own changes: a reading that began before one isn't remembered after it.
    changes: u64,
}

/// The cached replies of one server.
#[derive(Default)]
pub(crate) struct ReplyCache {
    halves: Mutex<Halves>,
    readings: Mutex<HashMap<WorkspaceId, GenerationReading>>,
}

impl ReplyCache {
    /// The workspace's generation, read at most 50 ms ago.
    pub(crate) async fn generation(
        &self,
        watchpost: &Watchpost,
        scope: &WorkspaceScope,
    ) -> Result<u64, StoreError> {
        let now = watchpost.clock().monotonic_ms();
        let changes = {
            let readings = lock(&self.readings);
            let reading = readings.get(&scope.workspace());
            if let Some((generation, at)) = reading.and_then(|reading| reading.read)
                && now.saturating_sub(at) < FRESH_MS
            {
                return Ok(generation);
            }
            reading.map_or(0, |reading| reading.changes)
        };
        let generation = watchpost.generation(scope).await?;
        let mut readings = lock(&self.readings);
        if readings.len() >= WORKSPACES_MAX && !readings.contains_key(&scope.workspace()) {
            readings.clear();
        }
        let reading = readings.entry(scope.workspace()).or_default();
        if reading.changes == changes {
            reading.read = Some((generation, now));
        }
        Ok(generation)
    }

    /// Drops the reading of the generation: called after own changes, before they are answered.
    pub(crate) fn invalidate(&self, scope: &WorkspaceScope) {
        let mut readings = lock(&self.readings);
        let reading = readings.entry(scope.workspace()).or_default();
        reading.read = None;
        reading.changes = reading.changes.wrapping_add(1);
    }

    /// A reply that is still good.
    pub(crate) fn get(&self, key: &CacheKey, generation: u64, now: Timestamp) -> Option<Arc<CachedReply>> {
        let mut halves = lock(&self.halves);
        let (reply, is_old) = match halves.young.get(key) {
            Some(reply) => (Arc::clone(reply), false),
            None => (Arc::clone(halves.old.get(key)?), true),
        };
        if reply.generation != generation || reply.good_until.is_some_and(|until| now >= until) {
            return None;
        }
        if is_old {
            halves.insert(key.clone(), Arc::clone(&reply));
        }
        Some(reply)
    }

    /// Caches a reply.
    pub(crate) fn insert(&self, key: CacheKey, reply: Arc<CachedReply>) {
        if reply.bytes <= REPLY_BYTES_MAX {
            lock(&self.halves).insert(key, reply);
        }
    }
}

impl std::fmt::Debug for ReplyCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ReplyCache")
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic while the lock was held leaves plain data: usable.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: usize) -> CacheKey {
        CacheKey {
            workspace: WorkspaceId::from_bytes([1; 16]),
            may_act: false,
            tool: 0,
            arguments: n.to_string().into(),
        }
    }

    fn reply(bytes: usize) -> Arc<CachedReply> {
        let result = ToolResult {
            content: vec![b'x'; bytes].into(),
            more: Vec::new(),
            structured: None,
            is_error: false,
        };
        let good_until = Some(Timestamp::from_millis(10));
        Arc::new(CachedReply::new(
            result,
            String::new(),
            AuditTarget::default(),
            7,
            good_until,
        ))
    }

    fn held(cache: &ReplyCache) -> (usize, usize) {
        let halves = lock(&cache.halves);
        let bytes = |half: &HashMap<CacheKey, Arc<CachedReply>>| {
            half.values().map(|reply| reply.bytes).sum::<usize>()
        };
        (
            halves.young.len() + halves.old.len(),
            bytes(&halves.young) + bytes(&halves.old),
        )
    }

    #[test]
    fn memory_is_bounded_whatever_is_asked() {
        let cache = ReplyCache::default();
        for n in 0..3 * HALF_ENTRIES {
            cache.insert(key(n), reply(10));
        }
        let (entries, _) = held(&cache);
        assert!(entries > HALF_ENTRIES && entries <= 2 * HALF_ENTRIES, "{entries}");
        let cache = ReplyCache::default();
        for n in 0..300 {
            cache.insert(key(n), reply(REPLY_BYTES_MAX - 1_024));
        }
        let (_, bytes) = held(&cache);
        assert!(bytes > HALF_BYTES && bytes <= 2 * HALF_BYTES, "{bytes}");
        cache.insert(key(1_000), reply(REPLY_BYTES_MAX));
        assert!(
            cache.get(&key(1_000), 7, Timestamp::from_millis(0)).is_none(),
            "too large"
        );
    }

    #[test]
    fn what_is_asked_again_survives_and_what_is_stale_does_not() {
        let cache = ReplyCache::default();
        let now = Timestamp::from_millis(0);
        cache.insert(key(0), reply(10));
        for n in 1..3 * HALF_ENTRIES {
            cache.insert(key(n), reply(10));
            assert!(n % 512 != 0 || cache.get(&key(0), 7, now).is_some(), "{n}");
        }
        assert!(cache.get(&key(0), 7, now).is_some());
        assert!(cache.get(&key(0), 8, now).is_none(), "another generation");
        assert!(
            cache.get(&key(0), 7, Timestamp::from_millis(10)).is_none(),
            "its time is over"
        );
        assert!(cache.get(&key(1), 7, now).is_none(), "long not asked");
    }
}
