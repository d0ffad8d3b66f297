//! The [`ImportStore`] port.

use crate::{
    base::lock::lock,
    port::{import_lock, store::SqliteStore},
    table::imports::{self, ImportWriter},
};
use async_trait::async_trait;
use std::sync::{Arc, OnceLock};
use watchpost_core::{
    access::{Audited, AuthorizedWrite, WorkspaceScope},
    error::StoreError,
    import::{
        Batch, BatchPage, BatchQuery, ImportPermit, ImportStore, ImportedPage, ImportedQuery, ImportedRow,
        ImportedVerdict, KeepImport, KeepOutcome,
    },
    value::{
        id::{BatchId, ImportId, IntegrationId},
        time::Timestamp,
    },
};

#[async_trait]
impl ImportStore for SqliteStore {
    async fn begin_import(&self, permit: &ImportPermit, now: Timestamp) -> Result<(), StoreError> {
        let (id, import) = (permit.workspace(), permit.import());
        let workspace = self.number(id).map_err(|fault| fault.into_store("imports"))?;
        self.clear_unfinished(Some(workspace), now).await?;
        import_lock::remove_released(&self.inner.path);
        // Before the row, so that no other process sees the import without its lock. A folder in which no file can be
        // created fails later with a better error.
        if let Ok(acquired) = import_lock::acquire(&self.inner.path, import) {
            lock(&self.inner.imports).insert(import, acquired);
        }
        let begun = self
            .inner
            .writer
            .call("imports", false, move |tx| {
                imports::begin(tx, tx.workspace(id)?, import, now)
            })
            .await;
        if begun.is_err() {
            self.release(import);
        }
        begun
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
        self.release(import);
        self.bulk("imports", id, |tx, workspace| {
            let more = imports::clear_abandoned(tx, workspace)?;
            Ok((!more).then_some(()))
        })
        .await
    }

    async fn keep_import(
        &self,
        write: AuthorizedWrite<KeepImport>,
    ) -> Result<Audited<KeepOutcome>, StoreError> {
        let import = Arc::new(OnceLock::new());
        let set = Arc::clone(&import);
        let kept = self
            .change("imports", write, move |tx, workspace, command, entry| {
                let _ = set.set(command.id);
                let outcome = imports::keep(tx, workspace, &command)?;
                entry.set_outcome(outcome.audit_outcome());
                Ok(outcome)
            })
            .await;
        // After an error the caller discards the import.
        if kept.is_ok()
            && let Some(import) = import.get()
        {
            self.release(*import);
        }
        kept
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
    /// Deletes the rows of imports that were abandoned, whose process has ended, or that haven't been touched for a long
    /// time, in one workspace or in all.
    pub(super) async fn clear_unfinished(
        &self,
        workspace: Option<i64>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let found = self
            .inner
            .pool
            .read_one(imports::unfinished)
            .map_err(|fault| fault.into_store("imports"))?;
        for import in found {
            let (number, id) = (import.workspace, import.id);
            let is_over = import.is_over(now) || import_lock::is_released(&self.inner.path, id);
            if !is_over || workspace.is_some_and(|workspace| workspace != number) {
                continue;
            }
            self.inner
                .writer
                .call("imports", false, move |tx| imports::abandon(tx, number, id))
                .await?;
            import_lock::remove(&self.inner.path, id);
            self.inner
                .writer
                .bulk("imports", move |tx| {
                    let more = imports::clear_abandoned(tx, number)?;
                    Ok((!more).then_some(()))
                })
                .await?;
        }
        Ok(())
    }

    /// Releases the lock of an import and removes its file.
    fn release(&self, import: ImportId) {
        if lock(&self.inner.imports).remove(&import).is_some() {
            import_lock::remove(&self.inner.path, import);
        }
    }
}
