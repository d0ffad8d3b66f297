//! Syncs: their rows, their end.

use super::{row::number_of, standing::end_sync};
use crate::{
    base::{
        fault::{Fault, Res},
        row::Word,
        writer::Tx,
    },
    table::jobs::{Subject, enqueue},
};
use rusqlite::{Connection, OptionalExtension as _, params};
use watchpost_core::{
    audit::{AuditOutcome, PendingEntry},
    error::StoreError,
    integration::{FinishSync, SYNCS_KEPT, SyncResult},
    job::JobKind,
    value::{
        id::{IntegrationId, SyncId},
        time::Timestamp,
        word::RunState,
    },
};

/// Returns the numbers of a running sync and of its integration. Fails with a conflict if the sync isn't running, so that
/// it can't write facts.
pub(crate) fn running_sync(
    conn: &Connection,
    workspace: i64,
    sync: SyncId,
    integration: IntegrationId,
) -> Res<(i64, i64)> {
    conn.prepare_cached(
        "SELECT s.sync, s.integration FROM syncs s JOIN integrations i USING (workspace_id, integration) \
         WHERE s.workspace_id = ?1 AND s.id = ?2 AND s.state = ?3 AND i.id = ?4 AND i.removed = 0",
    )?
    .query_row(
        params![
            workspace,
            sync.as_bytes(),
            RunState::InProgress.position(),
            integration.as_bytes()
        ],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
    .optional()?
    .ok_or(Fault::Store(StoreError::Conflict))
}

/// Cancels the jobs that sync an integration, whether they are queued or in progress.
pub(crate) fn cancel_jobs(
    tx: &Tx<'_>,
    workspace: i64,
    integration: IntegrationId,
    reason: &str,
    now: Timestamp,
) -> Res<()> {
    tx.conn.execute(
        "UPDATE jobs SET state = ?3, finished_at = ?4, owner = NULL, lease_until = NULL, reason = ?6 \
         WHERE state IN (0, 1) AND workspace_id = ?1 AND kind = ?5 AND subject = ?2",
        params![
            workspace,
            integration.as_bytes(),
            RunState::Cancelled.position(),
            now.as_millis(),
            JobKind::Sync.position(),
            reason,
        ],
    )?;
    Ok(())
}

/// Cancels the running syncs of the integration with the number, so that they write nothing any more.
pub(super) fn end_running(tx: &Tx<'_>, workspace: i64, integration: i64, now: Timestamp) -> Res<()> {
    tx.conn.execute(
        "UPDATE syncs SET state = ?3, finished_at = ?4 WHERE workspace_id = ?1 AND integration = ?2 AND state = ?5",
        params![
            workspace,
            integration,
            RunState::Cancelled.position(),
            now.as_millis(),
            RunState::InProgress.position()
        ],
    )?;
    Ok(())
}

/// Begins a sync and cancels the unfinished ones of the same integration.
pub(crate) fn begin(
    tx: &Tx<'_>,
    workspace: i64,
    sync: SyncId,
    integration: IntegrationId,
    now: Timestamp,
) -> Res<()> {
    let Some(number) = number_of(tx.conn, workspace, integration)? else {
        return Err(Fault::Store(StoreError::Conflict));
    };
    // An earlier attempt that was interrupted must not write any more.
    end_running(tx, workspace, number, now)?;
    let next: i64 = tx.conn.query_row(
        "UPDATE workspaces SET last_sync = last_sync + 1, generation = generation + 1 \
         WHERE workspace_id = ?1 RETURNING last_sync",
        [workspace],
        |row| row.get(0),
    )?;
    tx.conn.execute(
        "INSERT INTO syncs (workspace_id, sync, id, integration, state, started_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            workspace,
            next,
            sync.as_bytes(),
            number,
            RunState::InProgress.position(),
            now.as_millis()
        ],
    )?;
    tx.conn.execute(
        "DELETE FROM syncs WHERE workspace_id = ?1 AND integration = ?2 AND sync <= ( \
           SELECT sync FROM syncs WHERE workspace_id = ?1 AND integration = ?2 \
           ORDER BY sync DESC LIMIT 1 OFFSET ?3)",
        params![workspace, number, SYNCS_KEPT],
    )?;
    tx.conn.execute(
        "UPDATE integrations SET last_started_at = ?3 WHERE workspace_id = ?1 AND integration = ?2",
        params![workspace, number, now.as_millis()],
    )?;
    Ok(())
}

/// Ends a sync, and queues an analysis if it completed.
pub(crate) fn finish_sync(
    tx: &Tx<'_>,
    workspace: i64,
    command: &FinishSync,
    entry: &mut PendingEntry,
) -> Res<()> {
    let found = running_sync(tx.conn, workspace, command.sync, command.integration);
    let (sync, integration) = match found {
        Ok(found) => found,
        // Another attempt has taken over, or the integration was removed: there is nothing to end.
        Err(Fault::Store(StoreError::Conflict)) => {
            entry.set_outcome(AuditOutcome::Conflict);
            return Ok(());
        }
        Err(fault) => return Err(fault),
    };
    tx.conn.execute(
        "UPDATE syncs SET state = ?3, reason = ?4, finished_at = ?5 WHERE workspace_id = ?1 AND sync = ?2",
        params![
            workspace,
            sync,
            command.state.position(),
            command.reason,
            command.now.as_millis()
        ],
    )?;
    match command.state {
        RunState::Completed => {
            end_sync(tx, workspace, integration, SyncResult::Completed, command.now)?;
            let job = (JobKind::Analyse, Subject::None);
            enqueue(tx, workspace, job, command.analysis, None, command.now)?;
        }
        RunState::Failed => {
            entry.set_outcome(AuditOutcome::Error);
            let result = SyncResult::Failed {
                reason: command.reason.as_deref(),
                needs_credential: command.needs_credential,
            };
            end_sync(tx, workspace, integration, result, command.now)?;
        }
        RunState::Queued | RunState::InProgress | RunState::Cancelled => {}
    }
    tx.bump(workspace)
}
