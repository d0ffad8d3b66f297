//! Exemptions from checks.

use crate::base::{
    fault::Res,
    row::{Columns, stored},
    writer::Tx,
};
use rusqlite::{Connection, params};
use watchpost_core::{
    audit::{AuditOutcome, PendingEntry},
    check::Exempted,
    scan::{EXEMPTIONS_MAX, Exemption},
    value::{id::ExemptionId, text::ForeignText, time::Timestamp},
};

/// Returns the exemptions of a workspace, or the one with an id.
pub(crate) fn exemptions(
    conn: &Connection,
    workspace: i64,
    only: Option<ExemptionId>,
) -> Res<Vec<Exemption>> {
    let mut statement = conn.prepare_cached(
        "SELECT id, check_id, kind, entity, reason, owner, created_at, until FROM exemptions \
         WHERE workspace_id = ?1 AND (?2 IS NULL OR id = ?2) ORDER BY check_id, created_at, id",
    )?;
    let mut rows = statement.query(params![workspace, only.as_ref().map(ExemptionId::as_bytes)])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push(Exemption {
            id: row.id(0, ExemptionId::from_bytes)?,
            what: Exempted {
                check: row.get(1)?,
                kind: row.get(2)?,
                id: row.get(3)?,
            },
            reason: row.text(4)?,
            owner: row.text(5)?,
            created_at: row.time(6)?,
            until: row.time_opt(7)?,
        });
    }
    Ok(out)
}

/// Adds an exemption. Returns `false` if the limit is reached.
pub(crate) fn add_exemption(
    tx: &Tx<'_>,
    workspace: i64,
    new: &Exemption,
    entry: &mut PendingEntry,
) -> Res<bool> {
    let all: i64 = tx.conn.query_row(
        "SELECT count(*) FROM exemptions WHERE workspace_id = ?1",
        [workspace],
        |row| row.get(0),
    )?;
    if all >= stored(EXEMPTIONS_MAX) {
        entry.set_outcome(AuditOutcome::Conflict);
        return Ok(false);
    }
    tx.conn.execute(
        "INSERT INTO exemptions (workspace_id, id, check_id, kind, entity, reason, owner, created_at, until) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            workspace,
            new.id.as_bytes(),
            new.what.check,
            new.what.kind,
            new.what.id,
            ForeignText::untrusted(&new.reason),
            ForeignText::untrusted(&new.owner),
            new.created_at.as_millis(),
            new.until.map(Timestamp::as_millis),
        ],
    )?;
    tx.bump(workspace)?;
    Ok(true)
}

/// Removes an exemption. Returns `false` if there is none with the id.
pub(crate) fn remove_exemption(
    tx: &Tx<'_>,
    workspace: i64,
    id: ExemptionId,
    entry: &mut PendingEntry,
) -> Res<bool> {
    let removed = tx.conn.execute(
        "DELETE FROM exemptions WHERE workspace_id = ?1 AND id = ?2",
        params![workspace, id.as_bytes()],
    )?;
    if removed == 0 {
        entry.set_outcome(AuditOutcome::NotFound);
        return Ok(false);
    }
    tx.bump(workspace)?;
    Ok(true)
}
