//! What was imported.

use crate::{
    access::WorkspaceScope,
    error::Error,
    import::{Batch, BatchPage, BatchQuery, ImportedPage, ImportedQuery},
    service::Watchpost,
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
    ) -> Result<BatchPage, Error> {
        Ok(self.store().list_batches(scope, query).await?)
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
    ) -> Result<(Batch, ImportedPage), Error> {
        let batch = self
            .store()
            .batch(scope, batch)
            .await?
            .ok_or_else(|| Error::NotFound {
                what: "import batch",
                next: "`watchpost imports list` shows the ids".into(),
            })?;
        let page = self.store().imported_results(scope, batch.id, query).await?;
        Ok((batch, page))
    }
}
