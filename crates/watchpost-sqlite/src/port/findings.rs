//! The [`FindingStore`] port.

use crate::{
    port::store::SqliteStore,
    table::findings::{self, ObservationWriter, Sweep},
};
use async_trait::async_trait;
use watchpost_core::{
    access::{Audited, AuthorizedWrite, JobPermit, WorkspaceScope},
    error::StoreError,
    finding::{
        Finding, FindingCommand, FindingCount, FindingOutcome, FindingPage, FindingQuery, FindingStore,
        Observation, ObserveCounts, SweepCounts, SweepInput, decide,
    },
    value::{
        id::{AnalysisId, FindingId},
        time::Timestamp,
    },
};

#[async_trait]
impl FindingStore for SqliteStore {
    async fn list_findings(
        &self,
        scope: &WorkspaceScope,
        query: &FindingQuery,
    ) -> Result<FindingPage, StoreError> {
        // Only a text search may have to read more rows than a page has.
        if query.text.is_some() {
            let query = query.clone();
            return self
                .long(scope, "findings", move |conn, workspace| {
                    findings::page(conn, workspace, &query)
                })
                .await;
        }
        self.read(scope, "findings", |conn, workspace| {
            findings::page(conn, workspace, query)
        })
    }

    async fn finding(&self, scope: &WorkspaceScope, id: FindingId) -> Result<Option<Finding>, StoreError> {
        self.read(scope, "findings", |conn, workspace| {
            findings::one(conn, workspace, id)
        })
    }

    async fn finding_counts(&self, scope: &WorkspaceScope) -> Result<Vec<FindingCount>, StoreError> {
        self.read_one(scope, "finding_counts", findings::all_counts)
    }

    async fn change_finding(
        &self,
        write: AuthorizedWrite<FindingCommand>,
    ) -> Result<Audited<FindingOutcome>, StoreError> {
        self.change_once("findings", write, |tx, workspace, command, entry| {
            let outcome = match findings::state_of(tx.conn, workspace, command.finding)? {
                None => FindingOutcome::NotFound,
                Some(state) => decide(&state, &command.action, command.now),
            };
            if let FindingOutcome::Changed { now, .. } = &outcome {
                let note = command.note.as_ref();
                findings::apply_change(tx, workspace, command.finding, now, note, command.now)?;
            }
            entry.set_outcome(outcome.audit_outcome());
            Ok(outcome)
        })
        .await
    }

    async fn observe_findings(
        &self,
        permit: &JobPermit,
        analysis: AnalysisId,
        observations: Vec<Observation>,
        now: Timestamp,
    ) -> Result<ObserveCounts, StoreError> {
        let mut writer = ObservationWriter::new(analysis, observations, now);
        self.bulk("findings", permit.scope().workspace(), move |tx, workspace| {
            writer.slice(tx, workspace)
        })
        .await
    }

    async fn sweep_findings(
        &self,
        permit: &JobPermit,
        analysis: AnalysisId,
        input: &SweepInput,
        now: Timestamp,
    ) -> Result<SweepCounts, StoreError> {
        let mut sweep = Sweep::new(analysis, input.clone(), now);
        self.bulk("findings", permit.scope().workspace(), move |tx, workspace| {
            sweep.slice(tx, workspace)
        })
        .await
    }

    async fn wake_snoozed(&self, permit: &JobPermit, now: Timestamp) -> Result<u64, StoreError> {
        let mut woken = 0;
        self.bulk("findings", permit.scope().workspace(), move |tx, workspace| {
            let some = findings::wake_some(tx, workspace, now)?;
            woken += some;
            Ok((some == 0).then_some(woken))
        })
        .await
    }
}
