//! Turns presented API keys into [`WorkspaceScope`]s.

use super::{
    key::{KeyHash, KeyRow, KeyState, key_is_well_formed},
    scope::{Actor, WorkspaceScope},
};
use crate::{
    error::StoreError,
    port::Clock,
    value::{
        id::{KeyId, WorkspaceId},
        time::Timestamp,
    },
};
use async_trait::async_trait;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};
use subtle::ConstantTimeEq;

/// The time for which a key may be used after its generation row was last read, in milliseconds.
const FRESH_MS: u64 = 50;
/// Maximum number of cached keys; the cache is cleared when it is full.
const CACHED_KEYS_MAX: usize = 4_096;
/// Minimum time between two writes of a key's `last_used_at`, in milliseconds.
const LAST_USED_EVERY_MS: i64 = 60_000;

/// A use of a key, to be stored as the time of its last use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyUse {
    /// The key's workspace.
    pub workspace: WorkspaceId,
    /// The key.
    pub key: KeyId,
    /// The time of the use.
    pub at: Timestamp,
}

/// A key, and the generation of the keys of its workspace.
#[derive(Debug, Clone)]
pub struct FoundKey {
    /// The key.
    pub row: KeyRow,
    /// The key generation of the key's workspace, in the same state of the store as the row.
    pub generation: u64,
}

/// The key lookups that the gate needs. One of the two ports without a scope: only `core::access` calls it.
#[async_trait]
pub trait KeyDirectory: Send + Sync {
    /// Returns the key with this hash, whatever its state, together with the key generation of its workspace.
    ///
    /// Both must be of one state of the store. A generation that is newer than the row would let the gate take a key
    /// for active that was revoked between the two.
    async fn find_key(&self, hash: &KeyHash) -> Result<Option<FoundKey>, StoreError>;
    /// Returns the workspace's key generation. Each creation and revocation of a key increments it; a use never
    /// does.
    async fn key_generation(&self, workspace: WorkspaceId) -> Result<u64, StoreError>;
    /// Marks the keys that have expired at `now`, so that they stay expired if the clock is set back. Counts as a change of
    /// keys. Called off the request path.
    async fn mark_expired_keys(&self, now: Timestamp) -> Result<(), StoreError>;
    /// Stores uses of keys. Called off the request path; losing one does no harm.
    async fn record_key_uses(&self, uses: &[KeyUse]) -> Result<(), StoreError>;
}

/// The reason why a credential was rejected.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The key is unknown, revoked, expired or malformed. The caller isn't told which.
    #[error("Invalid API key")]
    Invalid,
    /// The keys can't be read right now.
    #[error("keys can't be checked right now")]
    Unavailable(#[source] StoreError),
    /// All keys are suspended. See [`AccessGate::suspend`].
    #[error("all keys are suspended")]
    Suspended,
}

struct CachedKey {
    row: KeyRow,
    scope: Arc<WorkspaceScope>,
    generation: u64,
    read_at_ms: u64,
    used_at: Option<Timestamp>,
}

/// Turns presented keys into scopes. Created by [`super::Access::open`].
pub struct AccessGate {
    directory: Arc<dyn KeyDirectory>,
    clock: Arc<dyn Clock>,
    cache: Mutex<HashMap<KeyHash, CachedKey>>,
    uses: Mutex<Vec<KeyUse>>,
    /// The reason for which all keys are suspended.
    suspended: OnceLock<String>,
}

impl std::fmt::Debug for AccessGate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccessGate")
    }
}

impl AccessGate {
    /// Creates a gate over a directory of keys.
    pub(super) fn new(directory: Arc<dyn KeyDirectory>, clock: Arc<dyn Clock>) -> Self {
        Self {
            directory,
            clock,
            cache: Mutex::default(),
            uses: Mutex::default(),
            suspended: OnceLock::new(),
        }
    }

    /// Rejects all keys from now on, for as long as this gate exists. For a store whose keys can't be trusted, for example
    /// because an older database was put in its place, in which a revoked key is active.
    pub fn suspend(&self, reason: String) {
        // The first reason stays.
        let _ = self.suspended.set(reason);
        self.forget();
    }

    /// Returns the reason for which all keys are suspended, if they are.
    pub fn suspension(&self) -> Option<&str> {
        self.suspended.get().map(String::as_str)
    }

    /// Returns the clock by which keys expire.
    pub fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    /// Returns the scope of a presented key.
    ///
    /// A cached key is valid for 50 ms after its generation row was last read. After that the generation row is
    /// read again, and the key itself only if the generation has changed. Unknown, revoked and expired keys take
    /// the same path and get the same answer.
    ///
    /// # Errors
    /// [`AuthError::Invalid`] if the key isn't active, [`AuthError::Unavailable`] if the keys can't be read,
    /// [`AuthError::Suspended`] if all keys are suspended.
    pub async fn authenticate(&self, presented: &str) -> Result<Arc<WorkspaceScope>, AuthError> {
        if self.suspension().is_some() {
            return Err(AuthError::Suspended);
        }
        if !key_is_well_formed(presented) {
            return Err(AuthError::Invalid);
        }
        let hash = KeyHash::of(presented);
        let now_ms = self.clock.monotonic_ms();
        let now = self.clock.now();
        let mut known = None;
        {
            let mut cache = lock(&self.cache);
            if let Some(entry) = cache.get_mut(&hash) {
                if now_ms.saturating_sub(entry.read_at_ms) < FRESH_MS {
                    let admitted = self.admit(entry, now);
                    // What the store knows about an expired key holds if the clock is set back.
                    if admitted.is_err() {
                        cache.remove(&hash);
                    }
                    return admitted;
                }
                known = Some((entry.row.workspace, entry.generation));
            }
        }
        if let Some((workspace, generation)) = known {
            let current = self
                .directory
                .key_generation(workspace)
                .await
                .map_err(AuthError::Unavailable)?;
            let mut cache = lock(&self.cache);
            if current == generation
                && let Some(entry) = cache.get_mut(&hash)
                && entry.generation == generation
            {
                entry.read_at_ms = now_ms;
                let admitted = self.admit(entry, now);
                if admitted.is_err() {
                    cache.remove(&hash);
                }
                return admitted;
            }
        }
        self.look_up(hash, now_ms, now).await
    }

    /// Reads a key that isn't cached, or whose workspace's key generation has changed. `now_ms` is the time before the
    /// reading.
    async fn look_up(
        &self,
        hash: KeyHash,
        now_ms: u64,
        now: Timestamp,
    ) -> Result<Arc<WorkspaceScope>, AuthError> {
        let found = self
            .directory
            .find_key(&hash)
            .await
            .map_err(AuthError::Unavailable)?;
        let Some(FoundKey { row, generation }) = found else {
            return Err(AuthError::Invalid);
        };
        if !bool::from(row.hash.0.ct_eq(&hash.0)) || row.state(now) != KeyState::Active {
            lock(&self.cache).remove(&hash);
            return Err(AuthError::Invalid);
        }
        let scope = Arc::new(WorkspaceScope::new(
            row.workspace,
            Actor::Key {
                id: row.id,
                scope: row.scope,
            },
        ));
        let used_at = row.last_used_at;
        let mut entry = CachedKey {
            row,
            scope,
            generation,
            read_at_ms: now_ms,
            used_at,
        };
        let admitted = self.admit(&mut entry, now);
        let mut cache = lock(&self.cache);
        if cache.len() >= CACHED_KEYS_MAX {
            cache.clear();
        }
        // A slower reading of an older state doesn't replace a newer one.
        if cache
            .get(&hash)
            .is_none_or(|known| known.generation <= generation)
        {
            cache.insert(hash, entry);
        }
        admitted
    }

    fn admit(&self, entry: &mut CachedKey, now: Timestamp) -> Result<Arc<WorkspaceScope>, AuthError> {
        // Expiry is checked against the wall clock at each request, not when the key was cached.
        if entry.row.state(now) != KeyState::Active {
            return Err(AuthError::Invalid);
        }
        if entry
            .used_at
            .is_none_or(|last| now.millis_since(last) >= LAST_USED_EVERY_MS)
        {
            entry.used_at = Some(now);
            lock(&self.uses).push(KeyUse {
                workspace: entry.row.workspace,
                key: entry.row.id,
                at: now,
            });
        }
        Ok(Arc::clone(&entry.scope))
    }

    /// Returns whether the key behind a scope is still valid. Used by open streams.
    ///
    /// # Errors
    /// [`AuthError::Unavailable`] if the keys can't be read.
    pub async fn still_valid(&self, scope: &WorkspaceScope) -> Result<bool, AuthError> {
        if self.suspension().is_some() {
            return Ok(false);
        }
        let Actor::Key { id, .. } = scope.actor() else {
            return Ok(true);
        };
        // Taken before the readings: a key may be used for a time after the state that was read, not after the answer.
        let now_ms = self.clock.monotonic_ms();
        let now = self.clock.now();
        let known = lock(&self.cache)
            .values()
            .find(|entry| entry.row.id == *id)
            .map(|entry| (entry.row.clone(), entry.generation));
        if let Some((row, generation)) = known {
            let current = self
                .directory
                .key_generation(scope.workspace())
                .await
                .map_err(AuthError::Unavailable)?;
            if current == generation {
                return Ok(row.state(now) == KeyState::Active);
            }
            let hash = row.hash;
            let found = self
                .directory
                .find_key(&hash)
                .await
                .map_err(AuthError::Unavailable)?;
            let mut cache = lock(&self.cache);
            return match found {
                Some(found) if found.row.state(now) == KeyState::Active => {
                    if let Some(entry) = cache.get_mut(&hash)
                        && entry.generation <= found.generation
                    {
                        entry.row = found.row;
                        entry.generation = found.generation;
                        entry.read_at_ms = now_ms;
                    }
                    Ok(true)
                }
                _ => {
                    cache.remove(&hash);
                    Ok(false)
                }
            };
        }
        // The key was evicted from the cache. The stream closes, and its client reconnects with its key.
        Ok(false)
    }

    /// Stores the uses collected since the last call. The runtime calls this about once a second, off the request
    /// path.
    ///
    /// # Errors
    /// Returns the store's error.
    pub async fn flush_uses(&self) -> Result<(), StoreError> {
        let uses = std::mem::take(&mut *lock(&self.uses));
        if uses.is_empty() {
            Ok(())
        } else {
            self.directory.record_key_uses(&uses).await
        }
    }

    /// Marks the keys that have expired. The runtime calls this about twice a second, off the request path.
    ///
    /// # Errors
    /// Returns the store's error.
    pub async fn mark_expired(&self) -> Result<(), StoreError> {
        self.directory.mark_expired_keys(self.clock.now()).await
    }

    /// Clears the cache. Called after this process changes keys.
    pub fn forget(&self) {
        lock(&self.cache).clear();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic while the lock was held leaves plain data behind, which is still usable.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Access, KeyScope};
    use crate::value::text::ForeignText;
    use std::{
        future::Future,
        pin::pin,
        sync::atomic::{AtomicU64, Ordering::SeqCst},
        task::{Context, Poll, Waker},
    };

    const KEY: &str = "wp_0123456789abcdefghijABCDEFGHIJ3O07sR";
    /// The time that the reading during which the key is revoked takes.
    const SLOW_MS: u64 = 1_000;

    #[derive(Default)]
    struct TestClock(AtomicU64);

    impl Clock for TestClock {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(1_000_000)
        }
        fn monotonic_ms(&self) -> u64 {
            self.0.load(SeqCst)
        }
    }

    /// A directory with one key, which is revoked right after a reading: the reading returns the state before, and its
    /// answer takes [`SLOW_MS`].
    struct Revoking {
        row: Mutex<KeyRow>,
        generation: AtomicU64,
        clock: Arc<TestClock>,
        readings: AtomicU64,
        revoked_after: u64,
    }

    impl Revoking {
        fn new(revoked_after: u64) -> Self {
            let row = KeyRow {
                id: KeyId::from_bytes([1; 16]),
                workspace: WorkspaceId::from_bytes([2; 16]),
                hash: KeyHash::of(KEY),
                prefix: KEY.get(..12).unwrap().to_owned(),
                label: ForeignText::name("test"),
                scope: KeyScope::Read,
                created_at: Timestamp::from_millis(0),
                last_used_at: None,
                expires_at: None,
                revoked_at: None,
                lapsed: false,
            };
            Self {
                row: Mutex::new(row),
                generation: AtomicU64::new(1),
                clock: Arc::default(),
                readings: AtomicU64::new(0),
                revoked_after,
            }
        }
        fn is_revoked(&self) -> bool {
            lock(&self.row).revoked_at.is_some()
        }
        fn end_reading(&self) {
            if self.readings.fetch_add(1, SeqCst) + 1 == self.revoked_after {
                lock(&self.row).revoked_at = Some(self.clock.now());
                self.generation.fetch_add(1, SeqCst);
                self.clock.0.fetch_add(SLOW_MS, SeqCst);
            }
        }
    }

    #[async_trait]
    impl KeyDirectory for Revoking {
        async fn find_key(&self, hash: &KeyHash) -> Result<Option<FoundKey>, StoreError> {
            let found = FoundKey {
                row: lock(&self.row).clone(),
                generation: self.generation.load(SeqCst),
            };
            self.end_reading();
            Ok(Some(found).filter(|found| found.row.hash == *hash))
        }
        async fn key_generation(&self, _: WorkspaceId) -> Result<u64, StoreError> {
            let generation = self.generation.load(SeqCst);
            self.end_reading();
            Ok(generation)
        }
        async fn mark_expired_keys(&self, _: Timestamp) -> Result<(), StoreError> {
            Ok(())
        }
        async fn record_key_uses(&self, _: &[KeyUse]) -> Result<(), StoreError> {
            Ok(())
        }
    }

    /// The result of a future that never waits.
    fn done<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("the future waits"),
        }
    }

    /// Uses the key in every way that reads the directory. Returns the number of readings.
    fn use_key(revoked_after: u64) -> u64 {
        let directory = Arc::new(Revoking::new(revoked_after));
        let clock = Arc::clone(&directory.clock);
        let gate = Access::open(
            Arc::clone(&directory) as Arc<dyn KeyDirectory>,
            Arc::clone(&clock) as Arc<dyn Clock>,
        )
        .gate;
        let scope = WorkspaceScope::new(
            WorkspaceId::from_bytes([2; 16]),
            Actor::Key {
                id: KeyId::from_bytes([1; 16]),
                scope: KeyScope::Read,
            },
        );
        let authenticates = || done(gate.authenticate(KEY)).is_ok();
        let steps: [(&str, &dyn Fn()); 6] = [
            ("first use", &|| assert!(authenticates())),
            ("the generation is read", &|| {
                clock.0.fetch_add(FRESH_MS, SeqCst);
                authenticates();
            }),
            ("another key has changed", &|| {
                directory.generation.fetch_add(1, SeqCst);
                clock.0.fetch_add(FRESH_MS, SeqCst);
                authenticates();
            }),
            ("a stream is checked", &|| {
                let _ = done(gate.still_valid(&scope));
            }),
            ("a stream is checked after another key has changed", &|| {
                directory.generation.fetch_add(1, SeqCst);
                let _ = done(gate.still_valid(&scope));
            }),
            ("a cached key", &|| {
                authenticates();
            }),
        ];
        for (step, run) in steps {
            run();
            if directory.is_revoked() {
                // Two kinds of requests that begin after the revocation, at once and long after it.
                for wait_ms in [0, FRESH_MS, 60_000] {
                    clock.0.fetch_add(wait_ms, SeqCst);
                    assert!(!authenticates(), "{step}, {wait_ms} ms later");
                    assert!(
                        !done(gate.still_valid(&scope)).unwrap(),
                        "{step}, {wait_ms} ms later"
                    );
                }
                break;
            }
        }
        directory.readings.load(SeqCst)
    }

    #[test]
    fn a_suspended_gate_accepts_no_key_and_ends_streams_without_a_reading() {
        let directory = Arc::new(Revoking::new(u64::MAX));
        let clock = Arc::clone(&directory.clock);
        let gate = Access::open(Arc::clone(&directory) as Arc<dyn KeyDirectory>, clock).gate;
        let scope = done(gate.authenticate(KEY)).unwrap();
        let readings = directory.readings.load(SeqCst);
        gate.suspend("the database was replaced".into());
        assert!(matches!(done(gate.authenticate(KEY)), Err(AuthError::Suspended)));
        assert!(!done(gate.still_valid(&scope)).unwrap());
        assert_eq!(directory.readings.load(SeqCst), readings);
        assert_eq!(gate.suspension(), Some("the database was replaced"));
    }

    #[test]
    fn a_key_that_is_revoked_during_any_reading_is_not_accepted_afterwards() {
        let readings = use_key(u64::MAX);
        // One for an unknown key, one to see that nothing has changed, two if something has, none within 50 ms.
        assert_eq!(readings, 1 + 1 + 2 + 1 + 2);
        for revoked_after in 1..=readings {
            use_key(revoked_after);
        }
    }
}
