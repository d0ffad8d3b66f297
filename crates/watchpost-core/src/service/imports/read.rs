//! Queries of imported batches and results.

use crate::{
    access::WorkspaceScope,
    error::{Error, NextStep},
    import::{Batch, BatchPage, BatchQuery, ImportedPage, ImportedQuery},
    service::{Unrecorded, Watchpost},
    value::id::BatchId,
};

impl Watchpost {
    /// Returns a page of batches, newest import first.
    ///
    /// # Errors
    /// Returns the store's error.
    pub async fn import_batches(
        &self,
        scope: &WorkspaceScope,
        query: &BatchQuery,
    ) -> Unrecorded<Result<BatchPage, Error>> {
        Unrecorded::of(async { Ok(self.store().list_batches(scope, query).await?) }).await
    }

    /// Returns a page of a batch's results.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the store's error.
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
