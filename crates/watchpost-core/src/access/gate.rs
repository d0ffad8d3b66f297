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
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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

/// The key lookups that the gate needs. One of the two ports without a scope: only `core::access` calls it.
#[async_trait]
pub trait KeyDirectory: Send + Sync {
    /// Returns the key with this hash, whatever its state.
    async fn find_key(&self, hash: &KeyHash) -> Result<Option<KeyRow>, StoreError>;
    /// Returns the workspace's key generation. Each creation and revocation of a key increments it; a use never
    /// does.
    async fn key_generation(&self, workspace: WorkspaceId) -> Result<u64, StoreError>;
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
        }
    }

    /// Returns the scope of a presented key.
    ///
    /// A cached key is valid for 50 ms after its generation row was last read. After that the generation row is
    /// read again, and the key itself only if the generation has changed. Unknown, revoked and expired keys take
    /// the same path and get the same answer.
    ///
    /// # Errors
    /// [`AuthError::Invalid`] if the key isn't active, [`AuthError::Unavailable`] if the keys can't be read.
    pub async fn authenticate(&self, presented: &str) -> Result<Arc<WorkspaceScope>, AuthError> {
        if !key_is_well_formed(presented) {
            return Err(AuthError::Invalid);
        }
        let hash = KeyHash::of(presented);
        let now_ms = self.clock.monotonic_ms();
        let now = self.clock.now();
        let mut known = None;
        if let Some(entry) = lock(&self.cache).get_mut(&hash) {
            if now_ms.saturating_sub(entry.read_at_ms) < FRESH_MS {
                return self.admit(entry, now);
            }
            known = Some((entry.row.workspace, entry.generation));
        }
        if let Some((workspace, generation)) = known {
            let current = self
                .directory
                .key_generation(workspace)
                .await
                .map_err(AuthError::Unavailable)?;
            if current == generation
                && let Some(entry) = lock(&self.cache).get_mut(&hash)
                && entry.generation == generation
            {
                entry.read_at_ms = now_ms;
                return self.admit(entry, now);
            }
        }
        self.look_up(hash, now_ms, now).await
    }

    /// Reads a key that isn't cached, or whose workspace's key generation has changed.
    async fn look_up(
        &self,
        hash: KeyHash,
        now_ms: u64,
        now: Timestamp,
    ) -> Result<Arc<WorkspaceScope>, AuthError> {
        let row = self
            .directory
            .find_key(&hash)
            .await
            .map_err(AuthError::Unavailable)?;
        // An unknown key also costs one generation read, so that it takes as long as a revoked one.
        let workspace = row
            .as_ref()
            .map_or(WorkspaceId::from_bytes([0; 16]), |row| row.workspace);
        let generation = self
            .directory
            .key_generation(workspace)
            .await
            .map_err(AuthError::Unavailable)?;
        let Some(row) = row else {
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
        cache.insert(hash, entry);
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
        let Actor::Key { id, .. } = scope.actor() else {
            return Ok(true);
        };
        let found = lock(&self.cache)
            .values()
            .find(|entry| entry.row.id == *id)
            .map(|entry| (entry.row.hash, entry.generation));
        let now = self.clock.now();
        if let Some((hash, generation)) = found {
            let current = self
                .directory
                .key_generation(scope.workspace())
                .await
                .map_err(AuthError::Unavailable)?;
            if current == generation {
                return Ok(lock(&self.cache)
                    .get(&hash)
                    .is_some_and(|entry| entry.row.state(now) == KeyState::Active));
            }
            let row = self
                .directory
                .find_key(&hash)
                .await
                .map_err(AuthError::Unavailable)?;
            return match row {
                Some(row) if row.state(now) == KeyState::Active => {
                    if let Some(entry) = lock(&self.cache).get_mut(&hash) {
                        entry.row = row;
                        entry.generation = current;
                        entry.read_at_ms = self.clock.monotonic_ms();
                    }
                    Ok(true)
                }
                _ => {
                    lock(&self.cache).remove(&hash);
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

    /// Clears the cache. Called after this process changes keys.
    pub fn forget(&self) {
        lock(&self.cache).clear();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic while the lock was held leaves plain data behind, which is still usable.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
