//! What was imported.

use crate::{
    access::WorkspaceScope,
    error::{Error, NextStep},
    import::{Batch, BatchPage, BatchQuery, ImportedPage, ImportedQuery},
    service::{Unrecorded, Watchpost},
    value::id::BatchId,
};

impl Watchpost {
    /// Batches, newest import first.
    ///
    /// # Errors
    /// The store's.
    pub async fn import_batches(
        &self,
        scope: &WorkspaceScope,
        query: &BatchQuery,
    ) -> Unrecorded<Result<BatchPage, Error>> {
        Unrecorded::of(async { Ok(self.store().list_batches(scope, query).await?) }).await
    }

    /// Results of a batch.
    ///
    /// # Errors
    /// [`Error::NotFound`]; the store's.
    pub async fn imported_results(
        &self,
        scope: &WorkspaceScope,
        batch: BatchId,
        query: &ImportedQuery,
    ) -> Unrecorded<Result<(Batch, ImportedPage), Error>> {
        Unrecorded::of(async {
            let batch = self
                .store()
                .batch(scope, batch)
                .await?
                .ok_or_else(|| Error::not_found("import batch", NextStep::ListImports))?;
            let page = self.store().imported_results(scope, batch.id, query).await?;
            Ok((batch, page))
        })
        .await
    }
}
