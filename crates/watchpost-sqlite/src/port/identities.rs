//! The [`IdentityStore`] port.

use crate::{
    port::store::SqliteStore,
    table::{documents, identities, names},
};
use async_trait::async_trait;
use std::sync::Arc;
use watchpost_core::{
    access::{Audited, AuthorizedWrite, WorkspaceScope},
    error::StoreError,
    identity::{Identity, IdentityStore, NamedIdentities, TagBreakGlass, TagOutcome, normalize_address},
    rule::document::IdentityDocument,
    value::id::IdentityId,
};

#[async_trait]
impl IdentityStore for SqliteStore {
    async fn identity_by_email(
        &self,
        scope: &WorkspaceScope,
        email: &str,
    ) -> Result<Option<Identity>, StoreError> {
        let Some(address) = normalize_address(email) else {
            return Ok(None);
        };
        self.read(scope, "identities", |conn, workspace| {
            identities::by_address(conn, workspace, &address)
        })
    }

    async fn identities_named(
        &self,
        scope: &WorkspaceScope,
        name: &str,
        limit: usize,
    ) -> Result<NamedIdentities, StoreError> {
        self.read(scope, "identities", |conn, workspace| {
            names::find(conn, workspace, name, limit)
        })
    }

    async fn identity(&self, scope: &WorkspaceScope, id: IdentityId) -> Result<Option<Identity>, StoreError> {
        self.read(scope, "identities", |conn, workspace| {
            identities::load(conn, workspace, id)
        })
    }

    async fn count_identities(&self, scope: &WorkspaceScope) -> Result<u64, StoreError> {
        self.read_one(scope, "workspaces", identities::count)
    }

    async fn identity_documents(
        &self,
        scope: &WorkspaceScope,
        after: Option<IdentityId>,
        limit: usize,
    ) -> Result<Vec<IdentityDocument>, StoreError> {
        let contexts = Arc::clone(&self.inner.contexts);
        self.long(scope, "identities", move |conn, workspace| {
            documents::identities(conn, workspace, &contexts, after, limit)
        })
        .await
    }

    async fn tag_break_glass(
        &self,
        write: AuthorizedWrite<TagBreakGlass>,
    ) -> Result<Audited<TagOutcome>, StoreError> {
        self.change("identities", write, |tx, workspace, command, entry| {
            identities::tag(tx, workspace, &command, entry)
        })
        .await
    }
}
