//! The [`RemediationStore`] port.

use crate::{port::store::SqliteStore, table::remediations};
use async_trait::async_trait;
use watchpost_core::{
    access::{Audited, AuthorizedWrite, WorkspaceScope},
    error::StoreError,
    remediation::{
        RejectOutcome, RejectRemediation, Remediation, RemediationOutcome, RemediationStore,
        RequestRemediation,
    },
    value::{id::RemediationId, word::RemediationState},
};

#[async_trait]
impl RemediationStore for SqliteStore {
    async fn request_remediation(
        &self,
        write: AuthorizedWrite<RequestRemediation>,
    ) -> Result<Audited<RemediationOutcome>, StoreError> {
        self.change_once("remediations", write, remediations::request)
            .await
    }

    async fn reject_remediation(
        &self,
        write: AuthorizedWrite<RejectRemediation>,
    ) -> Result<Audited<RejectOutcome>, StoreError> {
        self.change("remediations", write, |tx, workspace, command, entry| {
            remediations::reject(tx, workspace, &command, entry)
        })
        .await
    }

    async fn list_remediations(
        &self,
        scope: &WorkspaceScope,
        state: Option<RemediationState>,
        limit: usize,
    ) -> Result<Vec<Remediation>, StoreError> {
        self.read_one(scope, "remediations", |conn, workspace| {
            remediations::list(conn, workspace, state, limit)
        })
    }

    async fn remediation(
        &self,
        scope: &WorkspaceScope,
        id: RemediationId,
    ) -> Result<Option<Remediation>, StoreError> {
        self.read_one(scope, "remediations", |conn, workspace| {
            remediations::by_id(conn, workspace, id)
        })
    }
}
