//! The [`CompletionStore`] port.

use crate::{port::store::SqliteStore, table::completions};
use async_trait::async_trait;
use watchpost_core::{
    access::WorkspaceScope,
    error::StoreError,
    port::completion::{CompletionStore, Completions, StoredCompletion},
};

#[async_trait]
impl CompletionStore for SqliteStore {
    async fn complete(
        &self,
        scope: &WorkspaceScope,
        completion: &StoredCompletion,
    ) -> Result<Completions, StoreError> {
        let table = match completion {
            StoredCompletion::Findings(_) => "findings",
            StoredCompletion::Scans(_) => "scans",
            StoredCompletion::Apps(_) | StoredCompletion::AppNames(_) => "apps",
            StoredCompletion::Addresses(_) => "identity_addresses",
        };
        self.read_one(scope, table, |conn, workspace| {
            completions::complete(conn, workspace, completion)
        })
    }
}
