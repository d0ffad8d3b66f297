//! Queues the work that is due: syncs, wake-ups and scans. Also deletes old jobs and expired tokens.

use crate::{
    base::{
        fault::Res,
        row::{Columns, Word},
        unknown::known_rows,
        writer::Tx,
    },
    table::{
        findings,
        jobs::{KINDS, Subject, enqueue},
        once, scans,
    },
};
use rusqlite::Connection;
use watchpost_core::{
    integration::takes_part,
    job::{ENDED_KEPT_MS, JobKind, sync_due_at},
    value::{
        id::{IntegrationId, JobId},
        time::Timestamp,
        word::Platform,
    },
};

/// The most expired tokens that a run of the schedules deletes.
const TOKENS_DELETED_PER_RUN: u32 = 500;

/// Whether a sync, wake-up or scan is due.
pub(crate) fn is_any_due(conn: &Connection, every_ms: i64, now: Timestamp) -> Res<bool> {
    Ok(scheduled(conn, every_ms)?
        .iter()
        .any(|row| row.due.is_none_or(|due| due <= now))
        || wake_ups(conn)?.iter().any(|(_, at)| *at <= now)
        || !scans::due_schedules(conn, now)?.is_empty())
}

/// Returns the time at which the next job or schedule is due.
pub(crate) fn next_due(conn: &Connection, every_ms: i64, now: Timestamp) -> Res<Option<Timestamp>> {
    let open: Option<i64> = conn
        .prepare_cached(
            "SELECT min(CASE state WHEN 0 THEN not_before ELSE lease_until END) FROM jobs \
             WHERE state IN (0, 1) AND kind < ?1",
        )?
        .query_row([KINDS], |row| row.get(0))?;
    let mut times: Vec<Timestamp> = open.map(Timestamp::from_millis).into_iter().collect();
    times.extend(
        scheduled(conn, every_ms)?
            .into_iter()
            .map(|row| row.due.unwrap_or(now)),
    );
    times.extend(wake_ups(conn)?.into_iter().map(|(_, at)| at));
    times.extend(scans::next_schedule(conn)?);
    Ok(times.into_iter().min())
}

struct Scheduled {
    workspace: i64,
    id: IntegrationId,
    due: Option<Timestamp>,
}

/// Returns the active integrations that have no sync queued or running, with the time of their next sync.
fn scheduled(conn: &Connection, every_ms: i64) -> Res<Vec<Scheduled>> {
    let mut statement = conn.prepare_cached(
        "SELECT i.workspace_id, i.id, i.last_started_at, i.platform, i.status FROM integrations i \
         WHERE i.removed = 0 AND NOT EXISTS ( \
           SELECT 1 FROM jobs j WHERE j.state IN (0, 1) AND j.workspace_id = i.workspace_id AND j.kind = ?1 \
           AND j.subject = i.id)",
    )?;
    let mut rows = statement.query([JobKind::Sync.position()])?;
    let known = known_rows(&mut rows, "integrations", |row| {
        let (platform, status) = (row.word::<Platform>(3)?, row.word(4)?);
        let id = row.id(1, IntegrationId::from_bytes)?;
        let scheduled = Scheduled {
            workspace: row.get(0)?,
            id,
            due: sync_due_at(id, row.time_opt(2)?, every_ms),
        };
        Ok((platform.is_synced() && takes_part(status)).then_some(scheduled))
    })?;
    Ok(known.into_iter().flatten().collect())
}

/// Returns the earliest end of a snooze for each workspace that has no wake-up queued or running.
fn wake_ups(conn: &Connection) -> Res<Vec<(i64, Timestamp)>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT w.workspace_id, \
           (SELECT min(f.snoozed_until) FROM findings f WHERE f.workspace_id = w.workspace_id AND {}) \
         FROM workspaces w WHERE NOT EXISTS (SELECT 1 FROM jobs j WHERE j.state IN (0, 1) \
           AND j.workspace_id = w.workspace_id AND j.kind = ?1)",
        findings::snoozed_condition(),
    ))?;
    let mut rows = statement.query([JobKind::WakeSnoozed.position()])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        if let Some(at) = row.time_opt(1)? {
            out.push((row.get(0)?, at));
        }
    }
    Ok(out)
}

/// Queues everything that is due. Returns the number of new jobs.
pub(crate) fn enqueue_all(tx: &Tx<'_>, every_ms: i64, now: Timestamp) -> Res<u64> {
    let mut queued = 0_u64;
    let mut add = |workspace, job| -> Res<()> {
        let id = JobId::generate(tx.clock, tx.random);
        let (_, is_new) = enqueue(tx, workspace, job, id, None, now)?;
        queued += u64::from(is_new);
        Ok(())
    };
    for row in scheduled(tx.conn, every_ms)? {
        if row.due.is_none_or(|due| due <= now) {
            add(row.workspace, (JobKind::Sync, Subject::Integration(row.id)))?;
        }
    }
    for (workspace, at) in wake_ups(tx.conn)? {
        if at <= now {
            add(workspace, (JobKind::WakeSnoozed, Subject::None))?;
        }
    }
    for due in scans::due_schedules(tx.conn, now)? {
        queued = queued.saturating_add(scans::start_due_scan(tx, &due, now)?);
    }
    tx.conn.execute(
        "DELETE FROM jobs WHERE state IN (2, 3, 4) AND finished_at < ?1",
        [now.plus_millis(-ENDED_KEPT_MS).as_millis()],
    )?;
    once::delete_expired(tx, now, TOKENS_DELETED_PER_RUN)?;
    Ok(queued)
}
