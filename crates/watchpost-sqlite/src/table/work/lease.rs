//! Leasing jobs, and ending them.

use crate::{
    base::{
        fault::Res,
        row::{Columns, Word},
        writer::Tx,
    },
    table::{
        jobs::{COLUMNS, Subject, job_row},
        scans,
    },
};
use rusqlite::{Connection, params};
use watchpost_core::{
    job::{ATTEMPTS_MAX, JobEnd, JobKind, JobRow, LEASE_MS, LeaseRow, LeasedJob},
    value::{
        id::WorkspaceId,
        time::Timestamp,
        word::{IntegrationStatus, RunState},
    },
};

const INTERRUPTED: &str = "the processes that did it ended before it was done";

/// Whether any job is due.
pub(crate) fn is_any_due(conn: &Connection, now: Timestamp) -> Res<bool> {
    Ok(!due(conn, now)?.is_empty())
}

/// Leases the oldest job that is due.
pub(crate) fn lease(tx: &Tx<'_>, owner: &str, now: Timestamp) -> Res<Option<LeaseRow>> {
    for job in due(tx.conn, now)? {
        if let Some(leased) = take_up(tx, job, owner, now)? {
            return Ok(Some(leased));
        }
    }
    Ok(None)
}

/// Prolongs a lease. `false`: it is lost.
pub(crate) fn prolong(
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

/// Ends a leased job; a lease that was lost ends nothing.
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
    match ended {
        JobEnd::Completed => end(tx, workspace, job.row(), RunState::Completed, None, now),
        JobEnd::Failed {
            reason,
            retry_at: Some(at),
        } if job.row().attempts < ATTEMPTS_MAX => retry(tx, workspace, job.row(), &reason, at, now),
        JobEnd::Failed { reason, .. } => end(tx, workspace, job.row(), RunState::Failed, Some(&reason), now),
    }
}

/// A job that could be leased.
struct Due {
    workspace: i64,
    workspace_id: WorkspaceId,
    row: JobRow,
    key: Option<[u8; 16]>,
}

fn due(conn: &Connection, now: Timestamp) -> Res<Vec<Due>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS}, j.workspace_id, w.id, j.key_id FROM jobs j JOIN workspaces w USING (workspace_id) \
         WHERE (j.state = 0 AND j.not_before <= ?1) OR (j.state = 1 AND j.lease_until <= ?1) \
         ORDER BY j.queued_at, j.id LIMIT 100"
    ))?;
    let mut rows = statement.query([now.as_millis()])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push(Due {
            row: job_row(row)?,
            workspace: row.get(9)?,
            workspace_id: row.id(10, WorkspaceId::from_bytes)?,
            key: row.get(11)?,
        });
    }
    Ok(out)
}

/// Takes a due job up, unless it must not run (any more).
fn take_up(tx: &Tx<'_>, due: Due, owner: &str, now: Timestamp) -> Res<Option<LeaseRow>> {
    let mut row = due.row;
    let subject = Subject::of(&row).bytes().to_vec();
    if row.state == RunState::InProgress && row.attempts >= ATTEMPTS_MAX {
        end(tx, due.workspace, &row, RunState::Failed, Some(INTERRUPTED), now)?;
        return Ok(None);
    }
    if row.state == RunState::Queued
        && let Some(key) = due.key
    {
        let good: bool = tx.conn.query_row(
            "SELECT EXISTS (SELECT 1 FROM api_keys WHERE workspace_id = ?1 AND id = ?2 AND revoked_at IS NULL \
             AND (expires_at IS NULL OR expires_at > ?3))",
            params![due.workspace, key, now.as_millis()],
            |row| row.get(0),
        )?;
        if !good {
            let reason = "the key that asked for it was revoked or has expired";
            end(tx, due.workspace, &row, RunState::Cancelled, Some(reason), now)?;
            return Ok(None);
        }
    }
    // The same work under way elsewhere: it waits for that to end.
    let busy: bool = tx.conn.query_row(
        "SELECT EXISTS (SELECT 1 FROM jobs WHERE workspace_id = ?1 AND kind = ?2 AND subject = ?3 AND state = 1 \
         AND lease_until > ?4 AND id <> ?5)",
        params![due.workspace, row.kind.position(), subject, now.as_millis(), row.id.as_bytes()],
        |row| row.get(0),
    )?;
    if busy {
        return Ok(None);
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

/// Ends a job for good. A sync that can't end by itself leaves its failure with the integration.
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
        scans::follow_job(tx, workspace, scan, state, reason, now)?;
    }
    if row.kind == JobKind::Sync
        && state == RunState::Failed
        && let Some(integration) = row.integration
    {
        tx.conn.execute(
            "UPDATE integrations SET failure_reason = coalesce(failure_reason, ?3), \
             failure_since = coalesce(failure_since, ?4), \
             status = CASE WHEN status IN (?5, ?6) THEN ?7 ELSE status END \
             WHERE workspace_id = ?1 AND id = ?2",
            params![
                workspace,
                integration.as_bytes(),
                reason.unwrap_or("the sync failed"),
                now.as_millis(),
                IntegrationStatus::Pending.position(),
                IntegrationStatus::Connected.position(),
                IntegrationStatus::Error.position(),
            ],
        )?;
    }
    tx.bump(workspace)
}

/// Puts a failed job back into the queue, unless the same was queued anew meanwhile.
fn retry(tx: &Tx<'_>, workspace: i64, row: &JobRow, reason: &str, at: Timestamp, now: Timestamp) -> Res<()> {
    let again: bool = tx.conn.query_row(
        "SELECT EXISTS (SELECT 1 FROM jobs WHERE workspace_id = ?1 AND kind = ?2 AND subject = ?3 AND state = 0)",
        params![workspace, row.kind.position(), Subject::of(row).bytes()],
        |row| row.get(0),
    )?;
    if again {
        return end(tx, workspace, row, RunState::Failed, Some(reason), now);
    }
    tx.conn.execute(
        "UPDATE jobs SET state = 0, reason = ?3, not_before = ?4, owner = NULL, lease_until = NULL \
         WHERE workspace_id = ?1 AND id = ?2",
        params![workspace, row.id.as_bytes(), reason, at.as_millis()],
    )?;
    tx.bump(workspace)
}
