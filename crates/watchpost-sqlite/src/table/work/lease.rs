//! Leases and ends jobs.

use crate::{
    base::{
        fault::Res,
        row::{Columns, Word},
        unknown::known_rows,
        writer::Tx,
    },
    table::{
        integrations,
        jobs::{COLUMNS, KINDS, Subject, job_row},
        keys, scans,
    },
};
use rusqlite::{Connection, params};
use watchpost_core::{
    integration::SyncResult,
    job::{
        AttemptEnd, DueJob, JobEnd, JobKind, JobRow, LEASE_MS, LeaseDecision, LeaseRow, LeasedJob,
        decide_end, decide_lease,
    },
    value::{
        id::{KeyId, WorkspaceId},
        time::Timestamp,
        word::RunState,
    },
};

/// Whether any job is due.
pub(crate) fn is_any_due(conn: &Connection, now: Timestamp) -> Res<bool> {
    Ok(!due(conn, now)?.is_empty())
}

/// Leases the oldest job that is due and can run.
pub(crate) fn lease(tx: &Tx<'_>, owner: &str, now: Timestamp) -> Res<Option<LeaseRow>> {
    for job in due(tx.conn, now)? {
        if let Some(leased) = try_lease(tx, job, owner, now)? {
            return Ok(Some(leased));
        }
    }
    Ok(None)
}

/// Extends a lease. Returns `false` if the lease is lost.
pub(crate) fn extend(
    tx: &Tx<'_>,
    job: &LeasedJob,
    owner: &str,
    progress: Option<&str>,
    now: Timestamp,
) -> Res<bool> {
    let workspace = tx.workspace(job.workspace())?;
    let kept = tx
        .conn
        .prepare_cached(
            "UPDATE jobs SET lease_until = ?5, progress = coalesce(?6, progress) \
             WHERE workspace_id = ?1 AND id = ?2 AND state = 1 AND owner = ?3 AND attempts = ?4",
        )?
        .execute(params![
            workspace,
            job.id().as_bytes(),
            owner,
            job.row().attempts,
            now.plus_millis(LEASE_MS).as_millis(),
            progress,
        ])?;
    Ok(kept == 1)
}

/// Ends a leased job. Does nothing if the lease is lost.
pub(crate) fn finish(tx: &Tx<'_>, job: &LeasedJob, owner: &str, ended: JobEnd, now: Timestamp) -> Res<()> {
    let workspace = tx.workspace(job.workspace())?;
    let held: bool = tx.conn.query_row(
        "SELECT EXISTS (SELECT 1 FROM jobs WHERE workspace_id = ?1 AND id = ?2 AND state = 1 \
         AND owner = ?3 AND attempts = ?4)",
        params![workspace, job.id().as_bytes(), owner, job.row().attempts],
        |row| row.get(0),
    )?;
    if !held {
        return Ok(());
    }
    let row = job.row();
    let same_queued = same_is_queued(tx, workspace, row)?;
    match decide_end(ended, row.attempts, same_queued) {
        AttemptEnd::Final { state, reason } => end(tx, workspace, row, state, reason.as_deref(), now),
        AttemptEnd::Retry { reason, not_before } => retry(tx, workspace, row, &reason, not_before),
    }
}

/// A job that may be leased.
struct Due {
    workspace: i64,
    workspace_id: WorkspaceId,
    row: JobRow,
    key: Option<KeyId>,
}

/// Returns the jobs that are due, oldest first, at most 100. The statement excludes kinds that this version doesn't know, so
/// that they can't fill the list.
fn due(conn: &Connection, now: Timestamp) -> Res<Vec<Due>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS}, j.workspace_id, w.id, j.key_id FROM jobs j JOIN workspaces w USING (workspace_id) \
         WHERE ((j.state = 0 AND j.not_before <= ?1) OR (j.state = 1 AND j.lease_until <= ?1)) AND j.kind < ?2 \
         ORDER BY j.queued_at, j.id LIMIT 100"
    ))?;
    let mut rows = statement.query([now.as_millis(), KINDS])?;
    known_rows(&mut rows, "jobs", |row| {
        Ok(Due {
            row: job_row(row)?,
            workspace: row.get(9)?,
            workspace_id: row.id(10, WorkspaceId::from_bytes)?,
            key: row.get::<_, Option<[u8; 16]>>(11)?.map(KeyId::from_bytes),
        })
    })
}

/// Leases, skips, cancels or fails a due job, as [`decide_lease`] decides.
fn try_lease(tx: &Tx<'_>, due: Due, owner: &str, now: Timestamp) -> Res<Option<LeaseRow>> {
    let mut row = due.row;
    let key = match due.key {
        Some(key) => Some(keys::state(tx.conn, due.workspace, key, now)?),
        None => None,
    };
    let job = DueJob {
        state: row.state,
        attempts: row.attempts,
        key,
        same_in_progress: same_is_under_way(tx, due.workspace, &row, now)?,
    };
    match decide_lease(job) {
        LeaseDecision::Lease => {}
        LeaseDecision::Wait => return Ok(None),
        LeaseDecision::Cancel(reason) => {
            end(tx, due.workspace, &row, RunState::Cancelled, Some(reason), now)?;
            return Ok(None);
        }
        LeaseDecision::Fail(reason) => {
            end(tx, due.workspace, &row, RunState::Failed, Some(reason), now)?;
            return Ok(None);
        }
    }
    row.state = RunState::InProgress;
    row.attempts = row.attempts.saturating_add(1);
    row.progress = None;
    tx.conn.execute(
        "UPDATE jobs SET state = 1, owner = ?3, lease_until = ?4, attempts = ?5, progress = NULL, reason = NULL \
         WHERE workspace_id = ?1 AND id = ?2",
        params![
            due.workspace,
            row.id.as_bytes(),
            owner,
            now.plus_millis(LEASE_MS).as_millis(),
            row.attempts
        ],
    )?;
    tx.bump(due.workspace)?;
    Ok(Some(LeaseRow {
        workspace: due.workspace_id,
        job: row,
    }))
}

/// Whether another job of the same kind and subject is running under a valid lease.
fn same_is_under_way(tx: &Tx<'_>, workspace: i64, row: &JobRow, now: Timestamp) -> Res<bool> {
    Ok(tx.conn.query_row(
        "SELECT EXISTS (SELECT 1 FROM jobs WHERE workspace_id = ?1 AND kind = ?2 AND subject = ?3 AND state = 1 \
         AND lease_until > ?4 AND id <> ?5)",
        params![
            workspace,
            row.kind.position(),
            Subject::of(row).bytes(),
            now.as_millis(),
            row.id.as_bytes()
        ],
        |row| row.get(0),
    )?)
}

/// Whether a job of the same kind and subject is queued.
fn same_is_queued(tx: &Tx<'_>, workspace: i64, row: &JobRow) -> Res<bool> {
    Ok(tx.conn.query_row(
        "SELECT EXISTS (SELECT 1 FROM jobs WHERE workspace_id = ?1 AND kind = ?2 AND subject = ?3 AND state = 0)",
        params![workspace, row.kind.position(), Subject::of(row).bytes()],
        |row| row.get(0),
    )?)
}

/// Ends a job for good, with its scan. If a sync failed, its failure is recorded with the integration.
fn end(
    tx: &Tx<'_>,
    workspace: i64,
    row: &JobRow,
    state: RunState,
    reason: Option<&str>,
    now: Timestamp,
) -> Res<()> {
    tx.conn.execute(
        "UPDATE jobs SET state = ?3, reason = ?4, finished_at = ?5, owner = NULL, lease_until = NULL \
         WHERE workspace_id = ?1 AND id = ?2",
        params![
            workspace,
            row.id.as_bytes(),
            state.position(),
            reason,
            now.as_millis()
        ],
    )?;
    if let Some(scan) = row.scan {
        scans::end_with_job(tx, workspace, scan, state, reason, now)?;
    }
    if row.kind == JobKind::Sync
        && state == RunState::Failed
        && let Some(id) = row.integration
        && let Some(integration) = integrations::number_of(tx.conn, workspace, id)?
    {
        integrations::end_sync(tx, workspace, integration, SyncResult::Lost(reason), now)?;
    }
    tx.bump(workspace)
}

/// Puts a failed job back into the queue.
fn retry(tx: &Tx<'_>, workspace: i64, row: &JobRow, reason: &str, not_before: Timestamp) -> Res<()> {
    tx.conn.execute(
        "UPDATE jobs SET state = 0, reason = ?3, not_before = ?4, owner = NULL, lease_until = NULL \
         WHERE workspace_id = ?1 AND id = ?2",
        params![workspace, row.id.as_bytes(), reason, not_before.as_millis()],
    )?;
    tx.bump(workspace)
}
