//! The [`AuditStore`] port: the audit log.

use crate::{port::store::SqliteStore, table::audit};
use async_trait::async_trait;
use watchpost_core::{
    access::{Audited, WorkspaceScope},
    audit::{AuditQuery, AuditRow, AuditStore, PendingEntry},
    error::StoreError,
};

#[async_trait]
impl AuditStore for SqliteStore {
    async fn append(&self, entry: PendingEntry) -> Result<Audited<()>, StoreError> {
        self.inner.writer.append(entry)?.await
    }
    async fn list_entries(
        &self,
        scope: &WorkspaceScope,
        query: &AuditQuery,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let query = query.clone();
        self.long(scope, "audit_entries", move |conn, workspace| {
            audit::list(conn, workspace, &query)
        })
        .await
    }
    async fn audit_page(
        &self,
        scope: &WorkspaceScope,
        after_seq: u64,
        limit: usize,
    ) -> Result<Vec<AuditRow>, StoreError> {
        self.long(scope, "audit_entries", move |conn, workspace| {
            audit::page(conn, workspace, after_seq, limit)
        })
        .await
    }
}
