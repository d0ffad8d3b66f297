//! The [`JobStore`] port: the jobs of a workspace.

use crate::{
    port::store::SqliteStore,
    table::{jobs, work},
};
use async_trait::async_trait;
use watchpost_core::{
    access::{Audited, AuthorizedWrite, WorkspaceScope},
    error::StoreError,
    job::{JobRow, JobStore, TriggerSync, TriggeredSync},
    value::id::JobId,
};

#[async_trait]
impl JobStore for SqliteStore {
    async fn trigger_sync(
        &self,
        write: AuthorizedWrite<TriggerSync>,
    ) -> Result<Audited<Vec<TriggeredSync>>, StoreError> {
        self.change_once("jobs", write, work::trigger).await
    }

    async fn job(&self, scope: &WorkspaceScope, id: JobId) -> Result<Option<JobRow>, StoreError> {
        self.read_one(scope, "jobs", |conn, workspace| jobs::by_id(conn, workspace, id))
    }

    async fn unfinished_jobs(&self, scope: &WorkspaceScope) -> Result<Vec<JobRow>, StoreError> {
        self.read_one(scope, "jobs", jobs::unfinished)
    }
}
