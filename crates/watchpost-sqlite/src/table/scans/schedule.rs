//! Schedules of scans.

use super::start::{NewScan, insert, unfinished};
use crate::{
    base::{
        fault::{Fault, Res},
        row::{Columns, Word, stored, str_of},
        unknown::{self, SkippedRows, known_rows},
        writer::Tx,
    },
    table::integrations,
    text,
};
use rusqlite::{Connection, params};
use watchpost_core::{
    audit::{AuditOutcome, PendingEntry},
    check::ScanType,
    integration::takes_part,
    scan::{
        ChangeSchedule, DueSchedule, Recurrence, SCHEDULES_MAX, ScanTrigger, Schedule, ScheduleChange,
        decide_scheduled_scans, next_after,
    },
    value::{
        id::{IntegrationId, JobId, ScanId, ScheduleId},
        time::Timestamp,
    },
};

fn type_bits(types: &[ScanType]) -> i64 {
    types.iter().fold(0, |bits, kind| bits | (1 << kind.position()))
}

fn types_from_bits(bits: i64) -> Vec<ScanType> {
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
    known_rows(&mut statement.query([workspace])?, "schedules", |row| {
        Ok(Schedule {
            id: row.id(0, ScheduleId::from_bytes)?,
            name: row.text(1)?,
            integration: row.id(2, IntegrationId::from_bytes)?,
            scan_types: types_from_bits(row.get(3)?),
            recurrence: parse_recurrence(str_of(row.get_ref(4)?)?)?,
            zone: row.get(5)?,
            enabled: row.get(6)?,
            last_triggered_at: row.time_opt(7)?,
            next_at: row.time_opt(8)?,
        })
    })
}

/// Reads the recurrence of a schedule. One that this version can't parse counts as an unknown word of a newer version.
fn parse_recurrence(json: &str) -> Res<Recurrence> {
    serde_json::from_str(json).map_err(|error| {
        unknown::count();
        Fault::Unknown(text::unknown_recurrence(&error))
    })
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
    let Some(integration) = number.filter(|_| stored(SCHEDULES_MAX) > all) else {
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
            type_bits(&schedule.scan_types),
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

/// A schedule that is due, or that has pending scans that can start.
pub(crate) struct Due {
    workspace: i64,
    id: [u8; 16],
    integration: i64,
    schedule: DueSchedule,
    recurrence: Recurrence,
    zone: String,
}

/// Returns the earliest time at which a schedule is due.
pub(crate) fn next_schedule(conn: &Connection) -> Res<Option<Timestamp>> {
    let mut statement = conn.prepare_cached(
        "SELECT next_at, recurrence FROM schedules WHERE enabled = 1 AND next_at IS NOT NULL ORDER BY next_at",
    )?;
    let mut rows = statement.query([])?;
    let mut skipped = SkippedRows::new("schedules");
    while let Some(row) = rows.next()? {
        // A schedule with an unknown recurrence is skipped, since this version can't compute its next time.
        let known = parse_recurrence(str_of(row.get_ref(1)?)?);
        if skipped.skip_unknown(known)?.is_some() {
            return Ok(Some(row.time(0)?));
        }
    }
    Ok(None)
}

/// Returns the schedules that are due or have pending scans that can start, at most 1,000.
pub(crate) fn due_schedules(conn: &Connection, now: Timestamp) -> Res<Vec<Due>> {
    let mut statement = conn.prepare_cached(
        "SELECT c.workspace_id, c.id, c.integration, c.scan_types, c.pending, coalesce(c.next_at <= ?1, 0), \
         c.recurrence, c.zone, i.status, EXISTS ( \
           SELECT 1 FROM scans s WHERE s.workspace_id = c.workspace_id AND s.integration = c.integration \
           AND s.state IN (0, 1)) AS busy \
         FROM schedules c JOIN integrations i ON i.workspace_id = c.workspace_id AND i.integration = c.integration \
         WHERE c.enabled = 1 AND (c.next_at <= ?1 OR (c.pending & ?2 <> 0 AND NOT busy)) LIMIT 1000",
    )?;
    let mut rows = statement.query([now.as_millis(), type_bits(ScanType::ALL)])?;
    known_rows(&mut rows, "schedules", |row| {
        Ok(Due {
            workspace: row.get(0)?,
            id: row.get(1)?,
            integration: row.get(2)?,
            schedule: DueSchedule {
                scan_types: types_from_bits(row.get(3)?),
                pending: types_from_bits(row.get(4)?),
                is_due: row.get(5)?,
                active: takes_part(row.word(8)?),
                busy: row.get(9)?,
            },
            recurrence: parse_recurrence(str_of(row.get_ref(6)?)?)?,
            zone: row.get(7)?,
        })
    })
}

/// Starts a scan of a due schedule if [`decide_scheduled_scans`] says so, and moves the schedule's next time past now.
/// Returns the number of scans started.
pub(crate) fn start_due_scan(tx: &Tx<'_>, due: &Due, now: Timestamp) -> Res<u64> {
    let mut schedule = due.schedule.clone();
    // Another schedule of the same integration may just have started a scan.
    schedule.busy = unfinished(tx, due.workspace, due.integration)?.is_some();
    let decision = decide_scheduled_scans(&schedule);
    if let Some(kind) = decision.start {
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
    }
    // Types that this version doesn't know stay pending.
    tx.conn.execute(
        "UPDATE schedules SET pending = (pending & ~?4) | ?3 WHERE workspace_id = ?1 AND id = ?2",
        params![
            due.workspace,
            due.id,
            type_bits(&decision.pending),
            type_bits(ScanType::ALL)
        ],
    )?;
    if schedule.is_due {
        let next = next_after(&due.recurrence, &due.zone, now).ok();
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
    Ok(u64::from(decision.start.is_some()))
}
