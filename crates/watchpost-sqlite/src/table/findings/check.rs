//! Findings of checks: made, kept and ended by scans.

use super::{
    counts::Changes,
    observe::{Sight, count, observe_one, platforms},
    state::set_state,
};
use crate::base::{fault::Res, row::Columns, writer::Tx};
use rusqlite::params;
use watchpost_core::{
    finding::{LifeChange, Observation, ObserveCounts},
    value::{
        id::{AnalysisId, FindingId, ScanId},
        time::Timestamp,
        word::FindingStatus,
    },
};

/// Scans in a row without the failure after which a finding ends.
const MISSES_TO_END: i64 = 2;

/// Makes, keeps or reopens the findings of failed checks.
pub(crate) fn observe_check(
    tx: &Tx<'_>,
    workspace: i64,
    scan: ScanId,
    failed: &[Observation],
    now: Timestamp,
) -> Res<ObserveCounts> {
    let platforms = platforms(tx.conn, workspace)?;
    let sight = Sight {
        workspace,
        seen_by: AnalysisId::from_bytes(*scan.as_bytes()),
        platforms: &platforms,
        now,
    };
    let mut counts = Changes::default();
    let mut done = ObserveCounts::default();
    for observation in failed {
        let (what, _) = observe_one(tx, &sight, observation, &mut counts)?;
        count(&mut done, what);
    }
    counts.write(tx, workspace)?;
    Ok(done)
}

/// Counts a miss of each live or snoozed finding with these fingerprints; the second in a row ends it, or the first
/// where `at_once`.
pub(crate) fn pass_check(
    tx: &Tx<'_>,
    workspace: i64,
    prints: &[[u8; 32]],
    at_once: bool,
    now: Timestamp,
) -> Res<()> {
    let mut counts = Changes::default();
    for print in prints {
        let found: Option<(FindingId, FindingStatus, i64)> = {
            let mut statement = tx.conn.prepare_cached(
                "SELECT f.id, f.status, d.misses FROM findings f JOIN finding_details d \
                 ON d.workspace_id = f.workspace_id AND d.finding_id = f.id \
                 WHERE f.workspace_id = ?1 AND f.fingerprint = ?2",
            )?;
            let mut rows = statement.query(params![workspace, print])?;
            match rows.next()? {
                Some(row) => Some((row.id(0, FindingId::from_bytes)?, row.word(1)?, row.get(2)?)),
                None => None,
            }
        };
        let Some((id, status, misses)) = found else {
            continue;
        };
        if !(status.is_live() || status == FindingStatus::Snoozed) {
            continue;
        }
        if at_once || misses + 1 >= MISSES_TO_END {
            let resolved = LifeChange {
                status: FindingStatus::Resolved,
                snoozed_until: None,
                dismiss_reason: None,
                auto_resolved: true,
            };
            set_state(tx, workspace, id, &resolved, now, &mut counts)?;
        } else {
            tx.conn
                .prepare_cached(
                    "UPDATE finding_details SET misses = misses + 1 WHERE workspace_id = ?1 AND finding_id = ?2",
                )?
                .execute(params![workspace, id.as_bytes()])?;
        }
    }
    counts.write(tx, workspace)
}
