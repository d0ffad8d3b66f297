//! The ports of API keys: [`KeyDirectory`] for authentication, [`KeyStore`] for the keys of a workspace.

use crate::{
    port::store::SqliteStore,
    table::{keys, workspaces},
};
use async_trait::async_trait;
use watchpost_core::{
    access::{
        Audited, AuthorizedWrite, CreateKey, FoundKey, KeyCreation, KeyDirectory, KeyHash, KeyRevocation,
        KeyRow, KeyStore, KeyUse, RevokeKey, WorkspaceScope,
    },
    error::StoreError,
    value::{id::WorkspaceId, time::Timestamp},
};

#[async_trait]
impl KeyDirectory for SqliteStore {
    async fn find_key(&self, hash: &KeyHash) -> Result<Option<FoundKey>, StoreError> {
        self.inner
            .pool
            .read_one(|conn| keys::by_hash(conn, hash))
            .map_err(|fault| fault.into_store("api_keys"))
    }

    async fn key_generation(&self, workspace: WorkspaceId) -> Result<u64, StoreError> {
        self.inner
            .pool
            .read_one(|conn| Ok(workspaces::generations(conn, workspace)?.1))
            .map_err(|fault| fault.into_store("workspaces"))
    }

    async fn mark_expired_keys(&self, now: Timestamp) -> Result<(), StoreError> {
        let found = self
            .inner
            .pool
            .read(|conn| keys::has_expired(conn, now))
            .map_err(|fault| fault.into_store("api_keys"))?;
        if !found {
            return Ok(());
        }
        self.inner
            .writer
            .call("api_keys", true, move |tx| keys::mark_expired(tx, now))
            .await
    }

    async fn record_key_uses(&self, uses: &[KeyUse]) -> Result<(), StoreError> {
        let uses = uses.to_vec();
        self.inner
            .writer
            .call("api_keys", false, move |tx| keys::record_uses(tx, &uses))
            .await
    }
}

#[async_trait]
impl KeyStore for SqliteStore {
    async fn list_keys(&self, scope: &WorkspaceScope) -> Result<Vec<KeyRow>, StoreError> {
        self.read_one(scope, "api_keys", keys::all)
    }

    async fn create_key(
        &self,
        write: AuthorizedWrite<CreateKey>,
    ) -> Result<Audited<KeyCreation>, StoreError> {
        self.change("api_keys", write, |tx, workspace, key, entry| {
            keys::create(tx, workspace, &key, entry)
        })
        .await
    }

    async fn revoke_key(
        &self,
        write: AuthorizedWrite<RevokeKey>,
    ) -> Result<Audited<KeyRevocation>, StoreError> {
        self.change("api_keys", write, |tx, workspace, command, entry| {
            keys::revoke(tx, workspace, &command, entry)
        })
        .await
    }
}
