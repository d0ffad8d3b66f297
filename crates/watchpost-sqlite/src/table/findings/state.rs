//! Reads and writes the state of a finding, with the counts.

use super::counts::{Changes, Key};
use crate::base::{
    fault::Res,
    row::{Columns, Word, code},
    writer::Tx,
};
use rusqlite::{Connection, params};
use watchpost_core::{
    finding::{FindingState, StateChange},
    value::{id::FindingId, text::ForeignText, time::Timestamp, word::RemediationState},
};

/// Reads the state of a finding that decisions are based on.
pub(crate) fn state_of(conn: &Connection, workspace: i64, id: FindingId) -> Res<Option<FindingState>> {
    let mut statement = conn.prepare_cached(
        "SELECT status, snoozed_until, dismiss_reason, auto_resolved FROM findings WHERE workspace_id = ?1 AND id = ?2",
    )?;
    let mut rows = statement.query(params![workspace, id.as_bytes()])?;
    rows.next()?
        .map(|row| {
            Ok(FindingState {
                status: row.word(0)?,
                snoozed_until: row.time_opt(1)?,
                dismiss_reason: row.word_opt(2)?,
                auto_resolved: row.get(3)?,
            })
        })
        .transpose()
}

/// Reads the values that a finding is counted by.
pub(super) fn key_of(conn: &Connection, workspace: i64, id: FindingId) -> Res<Key> {
    let mut statement = conn.prepare_cached(
        "SELECT status, severity, category, scored FROM findings WHERE workspace_id = ?1 AND id = ?2",
    )?;
    let mut rows = statement.query(params![workspace, id.as_bytes()])?;
    match rows.next()? {
        Some(row) => Ok((row.word(0)?, row.word(1)?, row.word(2)?, row.get(3)?)),
        None => Err(rusqlite::Error::QueryReturnedNoRows.into()),
    }
}

/// Writes a finding's new state, its note and the counts. If the finding closes, its remediations that wait for approval
/// are cancelled.
pub(crate) fn apply_change(
    tx: &Tx<'_>,
    workspace: i64,
    id: FindingId,
    change: &StateChange,
    note: Option<&ForeignText>,
    now: Timestamp,
) -> Res<()> {
    let mut counts = Changes::default();
    set_state(tx.conn, workspace, id, change, now, &mut counts)?;
    counts.write(tx.conn, workspace)?;
    if let Some(note) = note {
        tx.conn
            .prepare_cached(
                "UPDATE finding_details SET note = ?3 WHERE workspace_id = ?1 AND finding_id = ?2",
            )?
            .execute(params![workspace, id.as_bytes(), note.untrusted()])?;
    }
    tx.bump(workspace)
}

/// Writes a finding's new state and cancels its waiting remediations if it closes. The caller writes `counts`.
pub(super) fn set_state(
    conn: &Connection,
    workspace: i64,
    id: FindingId,
    change: &StateChange,
    now: Timestamp,
    counts: &mut Changes,
) -> Res<()> {
    let before = key_of(conn, workspace, id)?;
    counts.shift(before, (change.status, before.1, before.2, before.3));
    conn.prepare_cached(
        "UPDATE findings SET status = ?3, snoozed_until = ?4, dismiss_reason = ?5, auto_resolved = ?6, \
             status_changed_at = CASE WHEN status = ?3 THEN status_changed_at ELSE ?7 END \
             WHERE workspace_id = ?1 AND id = ?2",
    )?
    .execute(params![
        workspace,
        id.as_bytes(),
        code(change.status),
        change.snoozed_until.map(Timestamp::as_millis),
        change.dismiss_reason.map(Word::position),
        change.auto_resolved,
        now.as_millis(),
    ])?;
    if change.status.is_closed() {
        conn.prepare_cached(
            "UPDATE remediations SET state = ?3, decided_at = ?4 \
                 WHERE workspace_id = ?1 AND finding_id = ?2 AND state = ?5",
        )?
        .execute(params![
            workspace,
            id.as_bytes(),
            RemediationState::Cancelled.position(),
            now.as_millis(),
            RemediationState::PendingApproval.position(),
        ])?;
    }
    Ok(())
}

/// Resolves a finding that no rule or check reports any more.
pub(super) fn resolve(
    conn: &Connection,
    workspace: i64,
    id: FindingId,
    now: Timestamp,
    counts: &mut Changes,
) -> Res<()> {
    set_state(conn, workspace, id, &StateChange::AUTO_RESOLVED, now, counts)
}
