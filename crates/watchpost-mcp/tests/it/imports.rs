//! The fake's import port, which has no imports.

use crate::store::Fake;
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

fn conflict<T>() -> Result<T, StoreError> {
    Err(StoreError::Conflict)
}

#[async_trait]
impl ImportStore for Fake {
    async fn begin_import(&self, _: &ImportPermit, _: Timestamp) -> Result<(), StoreError> {
        conflict()
    }
    async fn stage_rows(
        &self,
        _: &ImportPermit,
        _: u64,
        _: Vec<(usize, ImportedRow)>,
        _: Timestamp,
    ) -> Result<(), StoreError> {
        conflict()
    }
    async fn discard_import(&self, _: &ImportPermit) -> Result<(), StoreError> {
        conflict()
    }
    async fn keep_import(&self, _: AuthorizedWrite<KeepImport>) -> Result<Audited<KeepOutcome>, StoreError> {
        conflict()
    }
    async fn list_batches(&self, _: &WorkspaceScope, _: &BatchQuery) -> Result<BatchPage, StoreError> {
        Ok(BatchPage {
            batches: Vec::new(),
            total: 0,
            more: false,
        })
    }
    async fn batch(&self, _: &WorkspaceScope, _: BatchId) -> Result<Option<Batch>, StoreError> {
        Ok(None)
    }
    async fn imported_results(
        &self,
        _: &WorkspaceScope,
        _: BatchId,
        _: &ImportedQuery,
    ) -> Result<ImportedPage, StoreError> {
        conflict()
    }
    async fn imported_verdicts(
        &self,
        _: &WorkspaceScope,
        _: IntegrationId,
    ) -> Result<Vec<ImportedVerdict>, StoreError> {
        Ok(Vec::new())
    }
}
