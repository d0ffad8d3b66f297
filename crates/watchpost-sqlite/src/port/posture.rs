//! The [`PostureStore`] port: the workspace's numbers.

use crate::{
    port::store::SqliteStore,
    table::{coverage::coverage, posture},
};
use async_trait::async_trait;
use watchpost_core::{
    access::{Audited, AuthorizedWrite, WorkspaceScope},
    error::StoreError,
    posture::{CoverageNumbers, Freshness, PostureStore, RecordAnalysis, RiskFacts, Snapshot},
    value::time::Timestamp,
};

#[async_trait]
impl PostureStore for SqliteStore {
    async fn risk_facts(&self, scope: &WorkspaceScope) -> Result<RiskFacts, StoreError> {
        self.read(scope, "findings", posture::risk_facts)
    }

    async fn freshness(&self, scope: &WorkspaceScope) -> Result<Freshness, StoreError> {
        self.read(scope, "integrations", posture::freshness)
    }

    async fn measure_coverage(
        &self,
        scope: &WorkspaceScope,
        now: Timestamp,
    ) -> Result<CoverageNumbers, StoreError> {
        self.long(scope, "accounts", move |conn, workspace| {
            coverage(conn, workspace, now)
        })
        .await
    }

    async fn snapshots(&self, scope: &WorkspaceScope, since: Timestamp) -> Result<Vec<Snapshot>, StoreError> {
        self.read_one(scope, "snapshots", |conn, workspace| {
            posture::since(conn, workspace, since)
        })
    }

    async fn generation(&self, scope: &WorkspaceScope) -> Result<u64, StoreError> {
        Ok(self.generations(scope)?.data)
    }

    async fn record_analysis(
        &self,
        write: AuthorizedWrite<RecordAnalysis>,
    ) -> Result<Audited<Snapshot>, StoreError> {
        self.change("snapshots", write, |tx, workspace, command, _| {
            posture::record(tx, workspace, &command)
        })
        .await
    }
}
