//! Wakes findings whose snooze is over.

use super::{counts::Changes, state::set_state};
use crate::base::{
    fault::Res,
    row::{Columns, code},
    writer::Tx,
};
use watchpost_core::{
    finding::{FindingState, decide_wake},
    value::{
        id::FindingId,
        time::Timestamp,
        word::{Category, FindingStatus, Severity},
    },
};

/// Returns the SQL condition on `findings f` that selects snoozed findings. It excludes findings with words that this
/// version doesn't know, so that they are neither woken nor waited for.
pub(crate) fn snoozed_condition() -> String {
    format!(
        "f.snoozed_until IS NOT NULL AND f.status = {} AND f.severity < {} AND f.category < {}",
        code(FindingStatus::Snoozed),
        Severity::ALL.len(),
        Category::ALL.len()
    )
}

/// Wakes some findings whose snooze is over. Returns how many, which is 0 once all are awake.
pub(crate) fn wake_some(tx: &Tx<'_>, workspace: i64, now: Timestamp) -> Res<u64> {
    let mut over = Vec::new();
    {
        let mut statement = tx.conn.prepare_cached(&format!(
            "SELECT f.id, f.status, f.snoozed_until, f.dismiss_reason, f.auto_resolved FROM findings f \
             WHERE f.workspace_id = ?1 AND f.snoozed_until <= ?2 AND {} ORDER BY f.snoozed_until LIMIT 200",
            snoozed_condition()
        ))?;
        let mut rows = statement.query([workspace, now.as_millis()])?;
        while let Some(row) = rows.next()? {
            let state = FindingState {
                status: row.word(1)?,
                snoozed_until: row.time_opt(2)?,
                dismiss_reason: row.word_opt(3)?,
                auto_resolved: row.get(4)?,
            };
            if let Some(change) = decide_wake(&state, now) {
                over.push((row.id(0, FindingId::from_bytes)?, change));
            }
        }
    }
    if over.is_empty() {
        return Ok(0);
    }
    let mut counts = Changes::default();
    for (finding, change) in &over {
        set_state(tx.conn, workspace, *finding, change, now, &mut counts)?;
    }
    counts.write(tx.conn, workspace)?;
    tx.bump(workspace)?;
    Ok(over.len() as u64)
}
