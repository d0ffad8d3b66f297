//! Findings.

mod check;
mod counts;
mod list;
mod reconcile;
mod row;
mod text;

pub(crate) use check::{observe_check, pass_check};
pub(crate) use counts::{all as all_counts, live as live_counts};
pub(crate) use list::top_live;
pub(crate) use reconcile::{apply_change, move_subject, state_of};
pub(crate) use row::{SUMMARY, summary};

use crate::{
    fault::Res,
    row::{Columns, Word},
    store::SqliteStore,
};
use async_trait::async_trait;
use rusqlite::{Connection, params};
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
        // Only text search may have to look at more than a page's worth of rows.
        if query.text.is_some() {
            let query = query.clone();
            return self
                .long(scope, "findings", move |conn, workspace| {
                    list::page(conn, workspace, &query)
                })
                .await;
        }
        self.read(scope, "findings", |conn, workspace| {
            list::page(conn, workspace, query)
        })
    }

    async fn finding(&self, scope: &WorkspaceScope, id: FindingId) -> Result<Option<Finding>, StoreError> {
        self.read(scope, "findings", |conn, workspace| one(conn, workspace, id))
    }

    async fn finding_counts(&self, scope: &WorkspaceScope) -> Result<Vec<FindingCount>, StoreError> {
        self.read_one(scope, "finding_counts", counts::all)
    }

    async fn change_finding(
        &self,
        write: AuthorizedWrite<FindingCommand>,
    ) -> Result<Audited<FindingOutcome>, StoreError> {
        self.change_once("findings", write, |tx, workspace, command, entry| {
            let outcome = match state_of(tx.conn, workspace, command.finding)? {
                None => FindingOutcome::NotFound,
                Some(state) => decide(&state, &command.act, command.now),
            };
            if let FindingOutcome::Changed { now, .. } = &outcome {
                let note = command.note.as_ref();
                apply_change(tx, workspace, command.finding, now, note, command.now)?;
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
        self.observe(permit, analysis, observations, now).await
    }

    async fn sweep_findings(
        &self,
        permit: &JobPermit,
        analysis: AnalysisId,
        input: &SweepInput,
        now: Timestamp,
    ) -> Result<SweepCounts, StoreError> {
        self.sweep(permit, analysis, input.clone(), now).await
    }

    async fn wake_snoozed(&self, permit: &JobPermit, now: Timestamp) -> Result<u64, StoreError> {
        self.wake(permit, now).await
    }
}

fn one(conn: &Connection, workspace: i64, id: FindingId) -> Res<Option<Finding>> {
    let mut finding = {
        let mut statement = conn.prepare_cached(&format!(
            "SELECT {SUMMARY}, d.evidence, d.last_seen_at, f.status_changed_at, f.snoozed_until, f.dismiss_reason, \
             d.note, f.auto_resolved, f.reopen_count, f.scored \
             FROM findings f JOIN finding_details d ON d.workspace_id = f.workspace_id AND d.finding_id = f.id \
             WHERE f.workspace_id = ?1 AND f.id = ?2"
        ))?;
        let mut rows = statement.query(params![workspace, id.as_bytes()])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let (summary, apps) = summary(row)?;
        let first = row::SUMMARY_COLUMNS;
        let reopen_count: i64 = row.get(first + 7)?;
        (
            Finding {
                summary,
                evidence: row.get(first)?,
                last_seen_at: row.time(first + 1)?,
                status_changed_at: row.time(first + 2)?,
                snoozed_until: row.time_opt(first + 3)?,
                dismiss_reason: row.word_opt(first + 4)?,
                note: row.text_opt(first + 5)?,
                auto_resolved: row.get(first + 6)?,
                reopen_count: u32::try_from(reopen_count).unwrap_or(u32::MAX),
                scored: row.get(first + 8)?,
            },
            apps,
        )
    };
    if finding.1 > 0 {
        finding.0.summary.apps = row::apps(conn, workspace, id)?;
    }
    Ok(Some(finding.0))
}

/// A word's code as SQLite takes it.
fn code(word: impl Word) -> i64 {
    i64::from(word.position())
}
