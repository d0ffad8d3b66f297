//! Findings of checks: scans create, keep and resolve them.

use super::{
    condition::move_to_condition,
    counts::Changes,
    observe::{ObservationContext, count, observe_one, platforms},
    sighting,
    state::resolve,
};
use crate::base::{fault::Res, row::Columns, unknown::SkippedRows, writer::Tx};
use rusqlite::{Connection, params};
use watchpost_core::{
    finding::{ClearChange, Observation, ObserveCounts, decide_clear, fingerprint, is_clear_enough},
    scan::JudgedCheck,
    value::{
        id::{AnalysisId, FindingId, ScanId},
        time::Timestamp,
        word::FindingStatus,
    },
};

/// Creates, keeps or reopens the findings of failed checks.
pub(crate) fn observe_failed_checks(
    tx: &Tx<'_>,
    workspace: i64,
    scan: ScanId,
    failed: &[Observation],
    now: Timestamp,
) -> Res<ObserveCounts> {
    let platforms = platforms(tx.conn, workspace)?;
    let context = ObservationContext {
        workspace,
        seen_by: AnalysisId::from_bytes(*scan.as_bytes()),
        platforms: &platforms,
        now,
    };
    let mut counts = Changes::default();
    let mut done = ObserveCounts::default();
    let mut skipped = SkippedRows::new("findings");
    for observation in failed {
        let observed = observe_one(tx, &context, observation, &mut counts);
        if let Some((outcome, _)) = skipped.skip_unknown(observed)? {
            count(&mut done, outcome);
        }
    }
    counts.write(tx.conn, workspace)?;
    Ok(done)
}

/// Counts a miss for the live or snoozed finding of each of these checks. The second miss in a row resolves the finding, or
/// the first if `at_once` is set. A finding stays open while another rule or check still reports it.
pub(crate) fn record_passed_checks(
    tx: &Tx<'_>,
    workspace: i64,
    checks: &[JudgedCheck],
    at_once: bool,
    now: Timestamp,
) -> Res<()> {
    let mut counts = Changes::default();
    let mut skipped = SkippedRows::new("findings");
    for check in checks {
        skipped.skip_unknown(record_passed_check(
            tx.conn,
            workspace,
            check,
            at_once,
            now,
            &mut counts,
        ))?;
    }
    counts.write(tx.conn, workspace)
}

fn record_passed_check(
    conn: &Connection,
    workspace: i64,
    check: &JudgedCheck,
    at_once: bool,
    now: Timestamp,
    counts: &mut Changes,
) -> Res<()> {
    let (id, condition) = (&check.check_id, &check.condition);
    move_to_condition(conn, workspace, id, condition, check.entity, now, counts)?;
    let found: Option<(FindingId, FindingStatus, u64, String, i64)> = {
        let mut statement = conn.prepare_cached(
            "SELECT f.id, f.status, d.misses, f.rule_id, f.sightings FROM findings f JOIN finding_details d \
             ON d.workspace_id = f.workspace_id AND d.finding_id = f.id \
             WHERE f.workspace_id = ?1 AND f.fingerprint = ?2",
        )?;
        let mut rows = statement.query(params![workspace, fingerprint(condition, check.entity)])?;
        match rows.next()? {
            Some(row) => Some((
                row.id(0, FindingId::from_bytes)?,
                row.word(1)?,
                row.count(2)?,
                row.get(3)?,
                row.get(4)?,
            )),
            None => None,
        }
    };
    let Some((finding, status, misses, first, sightings)) = found else {
        return Ok(());
    };
    if sightings > 0 {
        if sighting::record_miss(conn, workspace, finding, id, |clear| {
            is_clear_enough(clear, at_once)
        })? {
            sighting::refresh_finding(conn, workspace, finding, false, now, counts)?;
        }
        return Ok(());
    }
    // Another rule or check of the condition created the finding, and this check never reported it.
    if first != *id {
        return Ok(());
    }
    match decide_clear(status, misses, at_once) {
        ClearChange::Keep => {}
        ClearChange::Resolve => resolve(conn, workspace, finding, now, counts)?,
        ClearChange::Count => {
            conn.prepare_cached(
                "UPDATE finding_details SET misses = misses + 1 WHERE workspace_id = ?1 AND finding_id = ?2",
            )?
            .execute(params![workspace, finding.as_bytes()])?;
        }
    }
    Ok(())
}
