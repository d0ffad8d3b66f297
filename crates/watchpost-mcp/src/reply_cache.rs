//! A cache of replies to queries, so that a repeated question costs no lookup while nothing has changed.
//!
//! A reply is valid while the workspace's generation is the one that was read before the reply was made. The generation
//! itself may have been read up to 50 ms ago; this process's own changes invalidate that reading at once. A reply also
//! expires when its text becomes outdated by time alone. The audit entry of a call is not cached: each call has its own.
//!
//! Memory is bounded: replies are in a young or an old half. When the young half is full, the old half is dropped and the
//! young one takes its place. A reply in the old half that is requested again moves to the young half.

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

/// The time for which a generation may be used after it was read, in milliseconds.
const FRESH_MS: u64 = 50;
/// The maximum number of replies in one half.
const HALF_ENTRIES: usize = 2_048;
/// The maximum number of bytes in one half.
const HALF_BYTES: usize = 32 * 1_024 * 1_024;
/// The size of the largest reply that is cached.
const REPLY_BYTES_MAX: usize = 512 * 1_024;
/// The length of the longest arguments whose reply is cached.
const ARGUMENTS_BYTES_MAX: usize = 2_048;
/// The maximum number of workspaces whose generations are cached. At the limit, all are dropped.
const WORKSPACES_MAX: usize = 1_024;

/// The call that a cached reply answers. Arguments are compared as written, so the same question in another spelling
/// is not a hit. The key includes whether the caller may write, so that no answer crosses scopes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct CacheKey {
    workspace: WorkspaceId,
    may_write: bool,
    tool: usize,
    arguments: Box<str>,
}

impl CacheKey {
    /// Returns the key; `None` if the arguments are too long for a cached reply.
    pub(crate) fn new(scope: &WorkspaceScope, may_write: bool, tool: usize, arguments: &str) -> Option<Self> {
        (arguments.len() <= ARGUMENTS_BYTES_MAX).then(|| Self {
            workspace: scope.workspace(),
            may_write,
            tool,
            arguments: arguments.into(),
        })
    }
}

/// A reply, with the contents of its audit entry.
#[derive(Debug)]
pub(crate) struct CachedReply {
    /// The result, for which each call stores its own audit entry first.
    pub(crate) result: Unrecorded<ToolResult>,
    pub(crate) reduced: String,
    pub(crate) target: AuditTarget,
    /// The approximate memory use.
    pub(crate) bytes: usize,
    /// The workspace's generation before the reply was made.
    pub(crate) generation: u64,
    /// The time at which the text becomes outdated by time alone.
    pub(crate) good_until: Option<Timestamp>,
}

impl CachedReply {
    /// Creates a reply from the result of a call.
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
    /// The generation and the time at which it was read, in monotonic milliseconds.
    read: Option<(u64, u64)>,
    /// The number of this process's own changes. A reading that began before a change isn't stored after it.
    changes: u64,
}

#[derive(Default)]
struct GenerationReadings {
    workspaces: HashMap<WorkspaceId, GenerationReading>,
    /// The number of times that all workspaces were dropped, with their counts of changes.
    dropped: u64,
}

impl GenerationReadings {
    /// A value that differs after a change of this process.
    fn changes(&self, workspace: WorkspaceId) -> (u64, u64) {
        let reading = self.workspaces.get(&workspace);
        (self.dropped, reading.map_or(0, |reading| reading.changes))
    }

    fn entry(&mut self, workspace: WorkspaceId) -> &mut GenerationReading {
        if self.workspaces.len() >= WORKSPACES_MAX && !self.workspaces.contains_key(&workspace) {
            self.workspaces.clear();
            self.dropped = self.dropped.wrapping_add(1);
        }
        self.workspaces.entry(workspace).or_default()
    }
}

/// The cached replies of one server.
#[derive(Default)]
pub(crate) struct ReplyCache {
    halves: Mutex<Halves>,
    readings: Mutex<GenerationReadings>,
}

impl ReplyCache {
    /// Returns the workspace's generation, read at most 50 ms ago.
    pub(crate) async fn generation(
        &self,
        watchpost: &Watchpost,
        scope: &WorkspaceScope,
    ) -> Result<u64, StoreError> {
        let now = watchpost.clock().monotonic_ms();
        let workspace = scope.workspace();
        let changes = {
            let readings = lock(&self.readings);
            let reading = readings.workspaces.get(&workspace);
            if let Some((generation, at)) = reading.and_then(|reading| reading.read)
                && now.saturating_sub(at) < FRESH_MS
            {
                return Ok(generation);
            }
            readings.changes(workspace)
        };
        let generation = watchpost.generation(scope).await?;
        let mut readings = lock(&self.readings);
        if readings.changes(workspace) == changes {
            readings.entry(workspace).read = Some((generation, now));
        }
        Ok(generation)
    }

    /// Drops the reading of the generation. Called after the process's own changes, before they are answered.
    pub(crate) fn invalidate(&self, scope: &WorkspaceScope) {
        let mut readings = lock(&self.readings);
        let reading = readings.entry(scope.workspace());
        reading.read = None;
        reading.changes = reading.changes.wrapping_add(1);
    }

    /// Returns the reply if it is still valid.
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

    /// Caches a reply, unless it is too large.
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
    // The data is plain, so it stays usable after a panic while the lock was held.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: usize) -> CacheKey {
        CacheKey {
            workspace: WorkspaceId::from_bytes([1; 16]),
            may_write: false,
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

    /// The numbers of replies and bytes in the cache.
    fn size(cache: &ReplyCache) -> (usize, usize) {
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
    fn memory_is_bounded() {
        let cache = ReplyCache::default();
        for n in 0..3 * HALF_ENTRIES {
            cache.insert(key(n), reply(10));
        }
        let (entries, _) = size(&cache);
        assert!(entries > HALF_ENTRIES && entries <= 2 * HALF_ENTRIES, "{entries}");
        let cache = ReplyCache::default();
        for n in 0..300 {
            cache.insert(key(n), reply(REPLY_BYTES_MAX - 1_024));
        }
        let (_, bytes) = size(&cache);
        assert!(bytes > HALF_BYTES && bytes <= 2 * HALF_BYTES, "{bytes}");
        cache.insert(key(1_000), reply(REPLY_BYTES_MAX));
        assert!(
            cache.get(&key(1_000), 7, Timestamp::from_millis(0)).is_none(),
            "too large"
        );
    }

    #[test]
    fn a_reading_that_began_before_a_change_is_recognized_even_if_the_workspace_was_dropped() {
        let id = |n: usize| {
            let mut bytes = [0; 16];
            bytes[..8].copy_from_slice(&(n as u64).to_le_bytes());
            WorkspaceId::from_bytes(bytes)
        };
        let mut readings = GenerationReadings::default();
        let before = readings.changes(id(0));
        readings.entry(id(0)).changes += 1;
        assert_ne!(readings.changes(id(0)), before);
        for n in 1..=WORKSPACES_MAX {
            readings.entry(id(n));
        }
        assert!(!readings.workspaces.contains_key(&id(0)));
        assert_ne!(readings.changes(id(0)), before);
    }

    #[test]
    fn requested_replies_survive_and_outdated_ones_do_not() {
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
            "outdated"
        );
        assert!(cache.get(&key(1), 7, now).is_none(), "not requested again");
    }
}
