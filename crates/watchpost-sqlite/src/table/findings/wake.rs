//! Findings whose snooze is over.

use super::{counts::Changes, state::set_state};
use crate::base::{fault::Res, row::Columns, writer::Tx};
use watchpost_core::{
    finding::LifeChange,
    value::{id::FindingId, time::Timestamp, word::FindingStatus},
};

/// Wakes some findings whose snooze is over. Gives how many; none once all are awake.
pub(crate) fn wake_some(tx: &Tx<'_>, workspace: i64, now: Timestamp) -> Res<u64> {
    let mut over = Vec::new();
    {
        let mut statement = tx.conn.prepare_cached(
            "SELECT id FROM findings WHERE workspace_id = ?1 AND snoozed_until IS NOT NULL \
             AND snoozed_until <= ?2 ORDER BY snoozed_until LIMIT 200",
        )?;
        let mut rows = statement.query([workspace, now.as_millis()])?;
        while let Some(row) = rows.next()? {
            over.push(row.id(0, FindingId::from_bytes)?);
        }
    }
    if over.is_empty() {
        return Ok(0);
    }
    let mut counts = Changes::default();
    for finding in &over {
        let open = LifeChange {
            status: FindingStatus::Open,
            snoozed_until: None,
            dismiss_reason: None,
            auto_resolved: false,
        };
        set_state(tx.conn, workspace, *finding, &open, now, &mut counts)?;
    }
    counts.write(tx.conn, workspace)?;
    tx.bump(workspace)?;
    Ok(over.len() as u64)
}
