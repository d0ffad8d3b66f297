//! Remediations.

use crate::{
    base::{
        fault::Res,
        row::{Columns, Word, stored},
        unknown::known_rows,
        writer::Tx,
    },
    table::findings::{SUMMARY, summary},
};
use rusqlite::{Connection, Row, params};
use watchpost_core::{
    audit::PendingEntry,
    finding::FindingSummary,
    remediation::{
        RejectOutcome, RejectRemediation, Remediation, RemediationOutcome, RequestRemediation,
        decide_rejection, decide_request,
    },
    value::{
        id::{FindingId, RemediationId},
        text::ForeignText,
        time::Timestamp,
        word::RemediationState,
    },
};

const COLUMNS: &str =
    "id, finding_id, finding_title, action, target, state, note, requested_at, requested_by, decided_at";

fn remediation(row: &Row<'_>) -> Res<Remediation> {
    Ok(Remediation {
        id: row.id(0, RemediationId::from_bytes)?,
        finding: row.id(1, FindingId::from_bytes)?,
        finding_title: row.text(2)?,
        action: row.get(3)?,
        target: row.text(4)?,
        state: row.word(5)?,
        note: row.text_opt(6)?,
        requested_at: row.time(7)?,
        requested_by: row.get(8)?,
        decided_at: row.time_opt(9)?,
    })
}

pub(crate) fn by_id(conn: &Connection, workspace: i64, id: RemediationId) -> Res<Option<Remediation>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM remediations WHERE workspace_id = ?1 AND id = ?2"
    ))?;
    let mut rows = statement.query(params![workspace, id.as_bytes()])?;
    rows.next()?.map(remediation).transpose()
}

fn waiting(conn: &Connection, workspace: i64, finding: FindingId, action: &str) -> Res<Option<Remediation>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM remediations WHERE workspace_id = ?1 AND finding_id = ?2 AND action = ?3 AND state = ?4"
    ))?;
    let mut rows = statement.query(params![
        workspace,
        finding.as_bytes(),
        action,
        RemediationState::PendingApproval.position()
    ])?;
    rows.next()?.map(remediation).transpose()
}

fn finding(conn: &Connection, workspace: i64, id: FindingId) -> Res<Option<FindingSummary>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {SUMMARY} FROM findings f WHERE f.workspace_id = ?1 AND f.id = ?2"
    ))?;
    let mut rows = statement.query(params![workspace, id.as_bytes()])?;
    rows.next()?.map(|row| Ok(summary(row)?.0)).transpose()
}

/// Requests an action on a finding.
pub(crate) fn request(
    tx: &Tx<'_>,
    workspace: i64,
    command: RequestRemediation,
    entry: &mut PendingEntry,
) -> Res<RemediationOutcome> {
    let about = finding(tx.conn, workspace, command.finding)?;
    let before = waiting(tx.conn, workspace, command.finding, &command.action)?;
    let requested_by = entry.to_row(0, Timestamp::default(), [0; 32]).actor_id;
    let outcome = decide_request(command, about, before, requested_by);
    entry.set_outcome(outcome.audit_outcome());
    let RemediationOutcome::Requested(made) = &outcome else {
        return Ok(outcome);
    };
    tx.conn.execute(
        &format!("INSERT INTO remediations (workspace_id, {COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, NULL)"),
        params![
            workspace,
            made.id.as_bytes(),
            made.finding.as_bytes(),
            made.finding_title.untrusted(),
            made.action,
            made.target.untrusted(),
            made.state.position(),
            made.note.as_ref().map(ForeignText::untrusted),
            made.requested_at.as_millis(),
            made.requested_by,
        ],
    )?;
    tx.bump(workspace)?;
    Ok(outcome)
}

/// Rejects a remediation that waits for approval.
pub(crate) fn reject(
    tx: &Tx<'_>,
    workspace: i64,
    command: &RejectRemediation,
    entry: &mut PendingEntry,
) -> Res<RejectOutcome> {
    let outcome = decide_rejection(by_id(tx.conn, workspace, command.id)?.map(|row| row.state));
    if outcome == RejectOutcome::Rejected {
        tx.conn.execute(
            "UPDATE remediations SET state = ?3, decided_at = ?4 WHERE workspace_id = ?1 AND id = ?2",
            params![
                workspace,
                command.id.as_bytes(),
                RemediationState::Rejected.position(),
                command.now.as_millis()
            ],
        )?;
        tx.bump(workspace)?;
    }
    entry.set_outcome(outcome.audit_outcome());
    Ok(outcome)
}

/// Returns the newest remediations, optionally of one state.
pub(crate) fn list(
    conn: &Connection,
    workspace: i64,
    state: Option<RemediationState>,
    limit: usize,
) -> Res<Vec<Remediation>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM remediations WHERE workspace_id = ?1 AND (?2 IS NULL OR state = ?2) \
         ORDER BY requested_at DESC, id DESC LIMIT ?3"
    ))?;
    let limit = stored(limit.min(1_000) as u64);
    known_rows(
        &mut statement.query(params![workspace, state.map(Word::position), limit])?,
        "remediations",
        remediation,
    )
}
