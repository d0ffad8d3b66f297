//! The [`ImportStore`] port.

use crate::{
    port::store::SqliteStore,
    table::imports::{self, ImportWriter},
};
use async_trait::async_trait;
use watchpost_core::{
    access::{Audited, AuthorizedWrite, WorkspaceScope},
    error::StoreError,
    import::{
        Batch, BatchPage, BatchQuery, ImportPermit, ImportStore, ImportedPage, ImportedQuery, ImportedRow,
        ImportedVerdict, KeepImport, KeepOutcome,
    },
    value::{
        id::{BatchId, IntegrationId},
        time::Timestamp,
    },
};

#[async_trait]
impl ImportStore for SqliteStore {
    async fn begin_import(&self, permit: &ImportPermit, now: Timestamp) -> Result<(), StoreError> {
        let import = permit.import();
        self.inner
            .writer
            .call("imports", false, {
                let id = permit.workspace();
                move |tx| imports::begin(tx, tx.workspace(id)?, import, now)
            })
            .await?;
        self.clear_imports(permit).await
    }

    async fn stage_rows(
        &self,
        permit: &ImportPermit,
        first: u64,
        rows: Vec<(usize, ImportedRow)>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut writer = ImportWriter::new(permit.import(), first, rows, now);
        self.bulk("imports", permit.workspace(), move |tx, workspace| {
            Ok(writer.slice(tx, workspace)?.then_some(()))
        })
        .await
    }

    async fn discard_import(&self, permit: &ImportPermit) -> Result<(), StoreError> {
        let (id, import) = (permit.workspace(), permit.import());
        self.inner
            .writer
            .call("imports", false, move |tx| {
                imports::abandon(tx, tx.workspace(id)?, import)
            })
            .await?;
        self.clear_imports(permit).await
    }

    async fn keep_import(
        &self,
        write: AuthorizedWrite<KeepImport>,
    ) -> Result<Audited<KeepOutcome>, StoreError> {
        self.change("imports", write, |tx, workspace, command, entry| {
            let outcome = imports::keep(tx, workspace, &command)?;
            entry.set_outcome(outcome.audit_outcome());
            Ok(outcome)
        })
        .await
    }

    async fn list_batches(
        &self,
        scope: &WorkspaceScope,
        query: &BatchQuery,
    ) -> Result<BatchPage, StoreError> {
        self.read(scope, "imports", |conn, workspace| {
            imports::page(conn, workspace, query)
        })
    }

    async fn batch(&self, scope: &WorkspaceScope, id: BatchId) -> Result<Option<Batch>, StoreError> {
        self.read_one(scope, "imports", |conn, workspace| {
            imports::by_id(conn, workspace, id)
        })
    }

    async fn imported_results(
        &self,
        scope: &WorkspaceScope,
        batch: BatchId,
        query: &ImportedQuery,
    ) -> Result<ImportedPage, StoreError> {
        let query = query.clone();
        // A filter that few rows match reads the whole batch.
        self.long(scope, "imports", move |conn, workspace| {
            imports::results(conn, workspace, batch, &query)
        })
        .await
    }

    async fn imported_verdicts(
        &self,
        scope: &WorkspaceScope,
        integration: IntegrationId,
    ) -> Result<Vec<ImportedVerdict>, StoreError> {
        self.read(scope, "imports", |conn, workspace| {
            imports::verdicts(conn, workspace, integration)
        })
    }
}

impl SqliteStore {
    /// Deletes the rows of abandoned imports, in slices.
    async fn clear_imports(&self, permit: &ImportPermit) -> Result<(), StoreError> {
        self.bulk("imports", permit.workspace(), |tx, workspace| {
            let more = imports::clear_abandoned(tx, workspace)?;
            Ok((!more).then_some(()))
        })
        .await
    }
}
