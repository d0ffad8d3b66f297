//! From a presented key to a [`WorkspaceScope`].

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

/// For how long a key may be used after its generation row was last read, in milliseconds.
const FRESH_MS: u64 = 50;
/// How many keys are remembered; past it the memory starts anew.
const REMEMBERED_MAX: usize = 4_096;
/// `last used` is written at most this often, in milliseconds.
const LAST_USED_EVERY_MS: i64 = 60_000;

/// A use of a key, to be written as its `last used`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyUse {
    /// The key's workspace.
    pub workspace: WorkspaceId,
    /// The key.
    pub key: KeyId,
    /// When.
    pub at: Timestamp,
}

/// What the gate needs to know of keys. One of the two ports without a scope: only `core::access` calls it.
#[async_trait]
pub trait KeyDirectory: Send + Sync {
    /// The key with this hash, whatever its state.
    async fn find_key(&self, hash: &KeyHash) -> Result<Option<KeyRow>, StoreError>;
    /// The workspace's key generation: bumped by each creation and revocation, never by a use.
    async fn key_generation(&self, workspace: WorkspaceId) -> Result<u64, StoreError>;
    /// Writes uses. Off the request path; a lost one does no harm.
    async fn record_key_uses(&self, uses: &[KeyUse]) -> Result<(), StoreError>;
}

/// Why a credential was refused.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// Unknown, revoked, expired or not a key at all: the caller isn't told which.
    #[error("Invalid API key")]
    Invalid,
    /// The keys can't be read right now.
    #[error("keys can't be checked right now")]
    Unavailable(#[source] StoreError),
}

struct Remembered {
    row: KeyRow,
    scope: Arc<WorkspaceScope>,
    generation: u64,
    read_at_ms: u64,
    used_at: Option<Timestamp>,
}

/// Turns presented keys into scopes. Made by [`super::Access::open`].
pub struct AccessGate {
    directory: Arc<dyn KeyDirectory>,
    clock: Arc<dyn Clock>,
    remembered: Mutex<HashMap<KeyHash, Remembered>>,
    uses: Mutex<Vec<KeyUse>>,
}

impl std::fmt::Debug for AccessGate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccessGate")
    }
}

impl AccessGate {
    /// A gate over a directory of keys.
    pub(super) fn new(directory: Arc<dyn KeyDirectory>, clock: Arc<dyn Clock>) -> Self {
        Self {
            directory,
            clock,
            remembered: Mutex::default(),
            uses: Mutex::default(),
        }
    }

    /// The scope that a presented key gives.
    ///
    /// A remembered key is good for 50 ms after its generation row was last read; then the row is read again, and
    /// the key only if the generation moved. Unknown, revoked and expired keys take the same path and answer alike.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn authenticate(&self, presented: &str) -> Result<Arc<WorkspaceScope>, AuthError> {
        if !key_is_well_formed(presented) {
            return Err(AuthError::Invalid);
        }
        let hash = KeyHash::of(presented);
        let now_ms = self.clock.monotonic_ms();
        let now = self.clock.now();
        let mut known = None;
        if let Some(entry) = lock(&self.remembered).get_mut(&hash) {
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
                && let Some(entry) = lock(&self.remembered).get_mut(&hash)
                && entry.generation == generation
            {
                entry.read_at_ms = now_ms;
                return self.admit(entry, now);
            }
        }
        self.look_up(hash, now_ms, now).await
    }

    /// Reads a key that isn't remembered, or whose workspace's keys changed since.
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
        // A missing key costs one generation read too, so that it takes as long as a revoked one.
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
            lock(&self.remembered).remove(&hash);
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
        let mut entry = Remembered {
            row,
            scope,
            generation,
            read_at_ms: now_ms,
            used_at,
        };
        let admitted = self.admit(&mut entry, now);
        let mut remembered = lock(&self.remembered);
        if remembered.len() >= REMEMBERED_MAX {
            remembered.clear();
        }
        remembered.insert(hash, entry);
        admitted
    }

    fn admit(&self, entry: &mut Remembered, now: Timestamp) -> Result<Arc<WorkspaceScope>, AuthError> {
        // Expiry is decided by the wall clock at each request, not when the key was remembered.
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

    /// Whether the key behind a scope is still good: for open streams.
    ///
    /// # Errors
    /// [`AuthError::Unavailable`] if the keys can't be read.
    pub async fn still_valid(&self, scope: &WorkspaceScope) -> Result<bool, AuthError> {
        let Actor::Key { id, .. } = scope.actor() else {
            return Ok(true);
        };
        let found = lock(&self.remembered)
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
                return Ok(lock(&self.remembered)
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
                    if let Some(entry) = lock(&self.remembered).get_mut(&hash) {
                        entry.row = row;
                        entry.generation = current;
                        entry.read_at_ms = self.clock.monotonic_ms();
                    }
                    Ok(true)
                }
                _ => {
                    lock(&self.remembered).remove(&hash);
                    Ok(false)
                }
            };
        }
        // Forgotten here (the memory started anew): the stream closes and its client comes back with its key.
        Ok(false)
    }

    /// Writes the uses noted since the last call. The runtime calls it about once a second, off the request path.
    ///
    /// # Errors
    /// The store's.
    pub async fn flush_uses(&self) -> Result<(), StoreError> {
        let uses = std::mem::take(&mut *lock(&self.uses));
        if uses.is_empty() {
            Ok(())
        } else {
            self.directory.record_key_uses(&uses).await
        }
    }

    /// Drops everything remembered: called after own writes to keys.
    pub fn forget(&self) {
        lock(&self.remembered).clear();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic while the lock was held leaves plain data: usable.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
