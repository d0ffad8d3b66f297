//! Starts and cancels scans, and ends them with their job.

use super::read::by_id;
use crate::{
    base::{
        fault::Res,
        row::{Columns as _, Word as _},
        writer::Tx,
    },
    table::{
        integrations,
        jobs::{Subject, acting_key, enqueue},
    },
};
use rusqlite::{OptionalExtension as _, params};
use watchpost_core::{
    audit::{AuditTarget, PendingEntry},
    job::JobKind,
    scan::{
        CancelOutcome, CancelScan, CompletedScan, ENDED_WITH_JOB, ScanStart, ScanTrigger, ScannedBefore,
        StartScan, decide_cancel, decide_start, ended_with_job,
    },
    value::{
        id::{JobId, KeyId, ScanId},
        time::Timestamp,
        word::RunState,
    },
};

/// The values of a new scan's row.
pub(super) struct NewScan {
    pub(super) id: ScanId,
    pub(super) integration: i64,
    pub(super) scan_type: u8,
    pub(super) trigger: ScanTrigger,
    pub(super) fresh: bool,
    pub(super) job: JobId,
    pub(super) key: Option<KeyId>,
    pub(super) now: Timestamp,
}

/// Returns the scan of an integration that is queued or running.
pub(super) fn unfinished(tx: &Tx<'_>, workspace: i64, integration: i64) -> Res<Option<ScanId>> {
    let found: Option<[u8; 16]> = tx
        .conn
        .prepare_cached(
            "SELECT id FROM scans WHERE workspace_id = ?1 AND integration = ?2 AND state IN (0, 1)",
        )?
        .query_row([workspace, integration], |row| row.get(0))
        .optional()?;
    Ok(found.map(ScanId::from_bytes))
}

/// Returns the latest completed scan of an integration with the type and the source of settings of a request.
fn completed(
    tx: &Tx<'_>,
    workspace: i64,
    integration: i64,
    command: &StartScan,
) -> Res<Option<CompletedScan>> {
    let mut statement = tx.conn.prepare_cached(
        "SELECT id, queued_at, completed_at FROM scans WHERE workspace_id = ?1 AND integration = ?2 \
         AND scan_type = ?3 AND state = ?4 AND fresh = ?5 AND trigger <> ?6 ORDER BY id DESC LIMIT 1",
    )?;
    let mut rows = statement.query(params![
        workspace,
        integration,
        command.scan_type.position(),
        RunState::Completed.position(),
        command.fresh,
        ScanTrigger::Import.position(),
    ])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    Ok(Some(CompletedScan {
        id: row.id(0, ScanId::from_bytes)?,
        queued_at: row.time(1)?,
        completed_at: row.time(2)?,
    }))
}

/// Returns the time at which the workspace's newest exemption was created.
fn exempted_at(tx: &Tx<'_>, workspace: i64) -> Res<Option<Timestamp>> {
    let newest: Option<i64> = tx
        .conn
        .prepare_cached("SELECT max(created_at) FROM exemptions WHERE workspace_id = ?1")?
        .query_row([workspace], |row| row.get(0))?;
    Ok(newest.map(Timestamp::from_millis))
}

/// Inserts a scan and queues its job.
pub(super) fn insert(tx: &Tx<'_>, workspace: i64, new: &NewScan) -> Res<()> {
    let subject = (JobKind::Scan, Subject::Scan(new.id));
    let (job, _) = enqueue(tx, workspace, subject, new.job, new.key, new.now)?;
    tx.conn.execute(
        "INSERT INTO scans (workspace_id, id, integration, scan_type, state, trigger, fresh, queued_at, job) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            workspace,
            new.id.as_bytes(),
            new.integration,
            new.scan_type,
            RunState::Queued.position(),
            new.trigger.position(),
            new.fresh,
            new.now.as_millis(),
            job.as_bytes(),
        ],
    )?;
    tx.bump(workspace)
}

/// Starts a scan unless the integration isn't active or has an unfinished one.
pub(crate) fn start(
    tx: &Tx<'_>,
    workspace: i64,
    command: &StartScan,
    entry: &mut PendingEntry,
) -> Res<ScanStart> {
    let active = integrations::all(tx.conn, workspace)?
        .iter()
        .any(|row| row.id == command.integration && row.is_active());
    let number = integrations::number_of(tx.conn, workspace, command.integration)?;
    let integration = number.filter(|_| active);
    let running = match integration {
        Some(integration) => unfinished(tx, workspace, integration)?,
        None => None,
    };
    let latest = match integration {
        Some(integration) => completed(tx, workspace, integration, command)?,
        None => None,
    };
    let before = ScannedBefore {
        takes_part: integration.is_some(),
        running,
        latest,
        exempted_at: exempted_at(tx, workspace)?,
    };
    let outcome = decide_start(command, &before);
    entry.set_outcome(outcome.audit_outcome());
    if let ScanStart::AlreadyRunning(id) | ScanStart::JustCompleted(id) = &outcome {
        entry.set_target(AuditTarget::new("scan", id));
    }
    let (Some(integration), ScanStart::Started) = (integration, &outcome) else {
        return Ok(outcome);
    };
    let new = NewScan {
        id: command.id,
        integration,
        scan_type: command.scan_type.position(),
        trigger: ScanTrigger::Manual,
        fresh: command.fresh,
        job: command.job,
        key: acting_key(entry),
        now: command.now,
    };
    insert(tx, workspace, &new)?;
    Ok(outcome)
}

pub(crate) fn cancel(
    tx: &Tx<'_>,
    workspace: i64,
    command: &CancelScan,
    entry: &mut PendingEntry,
) -> Res<CancelOutcome> {
    let current = by_id(tx.conn, workspace, command.id)?.map(|scan| scan.state);
    let outcome = decide_cancel(current);
    entry.set_outcome(outcome.audit_outcome());
    if outcome == CancelOutcome::Cancelled {
        cancel_unfinished(tx, workspace, command.id, command.now)?;
        tx.bump(workspace)?;
    }
    Ok(outcome)
}

/// Cancels a scan and its job.
pub(crate) fn cancel_unfinished(tx: &Tx<'_>, workspace: i64, id: ScanId, now: Timestamp) -> Res<()> {
    let cancelled = RunState::Cancelled.position();
    tx.conn.execute(
        "UPDATE scans SET state = ?3, completed_at = ?4 WHERE workspace_id = ?1 AND id = ?2",
        params![workspace, id.as_bytes(), cancelled, now.as_millis()],
    )?;
    tx.conn.execute(
        "UPDATE jobs SET state = ?3, finished_at = ?4, owner = NULL, lease_until = NULL, reason = 'cancelled' \
         WHERE workspace_id = ?1 AND subject = ?2 AND kind = ?5 AND state IN (0, 1)",
        params![
            workspace,
            id.as_bytes(),
            cancelled,
            now.as_millis(),
            JobKind::Scan.position()
        ],
    )?;
    Ok(())
}

/// Marks a scan as running and deletes the settings of an earlier attempt. Returns `false` if the scan has ended.
pub(crate) fn begin(tx: &Tx<'_>, workspace: i64, id: ScanId, now: Timestamp) -> Res<bool> {
    let begun = tx.conn.execute(
        "UPDATE scans SET state = ?3, started_at = coalesce(started_at, ?4), settings_read = 0, settings_unread = 0 \
         WHERE workspace_id = ?1 AND id = ?2 AND state IN (0, 1)",
        params![workspace, id.as_bytes(), RunState::InProgress.position(), now.as_millis()],
    )?;
    if begun == 0 {
        return Ok(false);
    }
    tx.conn.execute(
        "DELETE FROM scan_settings WHERE workspace_id = ?1 AND scan_id = ?2",
        params![workspace, id.as_bytes()],
    )?;
    tx.bump(workspace)?;
    Ok(true)
}

/// Ends the scan of a job that ended for good, unless the scan has ended already.
pub(crate) fn end_with_job(
    tx: &Tx<'_>,
    workspace: i64,
    id: ScanId,
    state: RunState,
    reason: Option<&str>,
    now: Timestamp,
) -> Res<()> {
    let state = ended_with_job(state);
    tx.conn.execute(
        "UPDATE scans SET state = ?3, reason = coalesce(reason, ?4), completed_at = ?5 \
         WHERE workspace_id = ?1 AND id = ?2 AND state IN (0, 1)",
        params![
            workspace,
            id.as_bytes(),
            state.position(),
            reason.unwrap_or(ENDED_WITH_JOB),
            now.as_millis()
        ],
    )?;
    Ok(())
}
