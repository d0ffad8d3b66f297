//! Schedules of scans.

use super::start::{NewScan, insert, unfinished};
use crate::{
    base::{
        fault::{Fault, Res},
        row::{Columns, Word, str_of},
        writer::Tx,
    },
    table::integrations,
};
use rusqlite::{Connection, params};
use watchpost_core::{
    audit::{AuditOutcome, PendingEntry},
    check::ScanType,
    scan::{ChangeSchedule, ScanTrigger, Schedule, ScheduleChange, next_after},
    value::{
        id::{IntegrationId, JobId, ScanId, ScheduleId},
        time::Timestamp,
    },
};

/// Schedules of a workspace.
const SCHEDULES_MAX: i64 = 100;

fn bits_of(types: &[ScanType]) -> i64 {
    types.iter().fold(0, |bits, kind| bits | (1 << kind.position()))
}

fn types_of(bits: i64) -> Vec<ScanType> {
    ScanType::ALL
        .iter()
        .copied()
        .filter(|kind| bits & (1 << kind.position()) != 0)
        .collect()
}

pub(crate) fn schedules(conn: &Connection, workspace: i64) -> Res<Vec<Schedule>> {
    let mut statement = conn.prepare_cached(
        "SELECT c.id, c.name, i.id, c.scan_types, c.recurrence, c.zone, c.enabled, c.last_triggered_at, c.next_at \
         FROM schedules c JOIN integrations i ON i.workspace_id = c.workspace_id AND i.integration = c.integration \
         WHERE c.workspace_id = ?1 ORDER BY c.name, c.id",
    )?;
    let mut rows = statement.query([workspace])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        let recurrence = serde_json::from_str(str_of(row.get_ref(4)?)?)
            .map_err(|error| Fault::Damaged("schedules", error.to_string()))?;
        out.push(Schedule {
            id: row.id(0, ScheduleId::from_bytes)?,
            name: row.text(1)?,
            integration: row.id(2, IntegrationId::from_bytes)?,
            scan_types: types_of(row.get(3)?),
            recurrence,
            zone: row.get(5)?,
            enabled: row.get(6)?,
            last_triggered_at: row.time_opt(7)?,
            next_at: row.time_opt(8)?,
        });
    }
    Ok(out)
}

pub(crate) fn add_schedule(
    tx: &Tx<'_>,
    workspace: i64,
    schedule: &Schedule,
    entry: &mut PendingEntry,
) -> Res<bool> {
    let number = integrations::number_of(tx.conn, workspace, schedule.integration)?;
    let all: i64 = tx.conn.query_row(
        "SELECT count(*) FROM schedules WHERE workspace_id = ?1",
        [workspace],
        |row| row.get(0),
    )?;
    let Some(integration) = number.filter(|_| all < SCHEDULES_MAX) else {
        entry.set_outcome(AuditOutcome::Conflict);
        return Ok(false);
    };
    let recurrence = serde_json::to_string(&schedule.recurrence)
        .map_err(|error| Fault::Damaged("schedules", error.to_string()))?;
    tx.conn.execute(
        "INSERT INTO schedules (workspace_id, id, name, integration, scan_types, recurrence, zone, enabled, next_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            workspace,
            schedule.id.as_bytes(),
            schedule.name.untrusted(),
            integration,
            bits_of(&schedule.scan_types),
            recurrence,
            schedule.zone,
            schedule.enabled,
            schedule.next_at.map(Timestamp::as_millis),
        ],
    )?;
    tx.bump(workspace)?;
    Ok(true)
}

pub(crate) fn change_schedule(
    tx: &Tx<'_>,
    workspace: i64,
    command: &ChangeSchedule,
    entry: &mut PendingEntry,
) -> Res<bool> {
    let id = command.id.as_bytes();
    let changed = match &command.change {
        ScheduleChange::Delete => tx.conn.execute(
            "DELETE FROM schedules WHERE workspace_id = ?1 AND id = ?2",
            params![workspace, id],
        )?,
        ScheduleChange::Disable => tx.conn.execute(
            "UPDATE schedules SET enabled = 0, next_at = NULL WHERE workspace_id = ?1 AND id = ?2",
            params![workspace, id],
        )?,
        ScheduleChange::Enable(next) => tx.conn.execute(
            "UPDATE schedules SET enabled = 1, next_at = ?3 WHERE workspace_id = ?1 AND id = ?2",
            params![workspace, id, next.as_millis()],
        )?,
    };
    if changed == 0 {
        entry.set_outcome(AuditOutcome::NotFound);
        return Ok(false);
    }
    tx.bump(workspace)?;
    Ok(true)
}

/// A schedule whose time has come, or whose second scan can begin.
pub(crate) struct DueSchedule {
    workspace: i64,
    id: [u8; 16],
    integration: i64,
    types: Vec<ScanType>,
    /// Whether its next time is now or past.
    struck: bool,
    recurrence: String,
    zone: String,
    active: bool,
}

/// The first time at which a schedule starts something.
pub(crate) fn next_schedule(conn: &Connection) -> Res<Option<Timestamp>> {
    let next: Option<i64> = conn
        .prepare_cached("SELECT min(next_at) FROM schedules WHERE enabled = 1")?
        .query_row([], |row| row.get(0))?;
    Ok(next.map(Timestamp::from_millis))
}

pub(crate) fn due_schedules(conn: &Connection, now: Timestamp) -> Res<Vec<DueSchedule>> {
    let mut statement = conn.prepare_cached(
        "SELECT c.workspace_id, c.id, c.integration, c.scan_types, c.pending, coalesce(c.next_at <= ?1, 0), \
         c.recurrence, c.zone, i.status IN (0, 1, 2) \
         FROM schedules c JOIN integrations i ON i.workspace_id = c.workspace_id AND i.integration = c.integration \
         WHERE c.enabled = 1 AND (c.next_at <= ?1 OR (c.pending <> 0 AND NOT EXISTS ( \
           SELECT 1 FROM scans s WHERE s.workspace_id = c.workspace_id AND s.integration = c.integration \
           AND s.state IN (0, 1)))) LIMIT 1000",
    )?;
    let mut rows = statement.query([now.as_millis()])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        let (all, pending, struck): (i64, i64, bool) = (row.get(3)?, row.get(4)?, row.get(5)?);
        out.push(DueSchedule {
            workspace: row.get(0)?,
            id: row.get(1)?,
            integration: row.get(2)?,
            types: types_of(if struck { all | pending } else { pending }),
            struck,
            recurrence: row.get(6)?,
            zone: row.get(7)?,
            active: row.get(8)?,
        });
    }
    Ok(out)
}

/// Starts a due schedule's first scan; what can't begin while another scan of the integration is under way stays
/// pending. The next time is moved on, past now.
pub(crate) fn fire(tx: &Tx<'_>, due: &DueSchedule, now: Timestamp) -> Res<u64> {
    let mut started = 0;
    let mut pending = Vec::new();
    if due.active {
        for kind in &due.types {
            if unfinished(tx, due.workspace, due.integration)?.is_some() {
                pending.push(*kind);
                continue;
            }
            let new = NewScan {
                id: ScanId::generate(tx.clock, tx.random),
                integration: due.integration,
                scan_type: kind.position(),
                trigger: ScanTrigger::Schedule,
                fresh: true,
                job: JobId::generate(tx.clock, tx.random),
                key: None,
                now,
            };
            insert(tx, due.workspace, &new)?;
            started += 1;
        }
    }
    tx.conn.execute(
        "UPDATE schedules SET pending = ?3 WHERE workspace_id = ?1 AND id = ?2",
        params![due.workspace, due.id, bits_of(&pending)],
    )?;
    if due.struck {
        let recurrence = serde_json::from_str(&due.recurrence)
            .map_err(|error| Fault::Damaged("schedules", error.to_string()))?;
        let next = next_after(&recurrence, &due.zone, now).ok();
        tx.conn.execute(
            "UPDATE schedules SET next_at = ?3, last_triggered_at = ?4 WHERE workspace_id = ?1 AND id = ?2",
            params![
                due.workspace,
                due.id,
                next.map(Timestamp::as_millis),
                now.as_millis()
            ],
        )?;
    }
    tx.bump(due.workspace)?;
    Ok(started)
}
