//! Appending to the chains of the audit log.

use crate::base::{
    fault::{Fault, Res, unavailable},
    row::{Word, stored},
};
use rusqlite::{Connection, params};
use std::collections::HashMap;
use watchpost_core::{
    audit::{AuditRow, PendingEntry},
    value::{id::WorkspaceId, time::Timestamp},
};

/// What the writer knows of the chains' ends. Dropped when another process has written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chain {
    workspaces: HashMap<WorkspaceId, i64>,
    tips: HashMap<i64, (u64, [u8; 32])>,
    data_version: i64,
}

impl Chain {
    /// Forgets the ends if another connection has written since the last transaction. Called inside one.
    pub(crate) fn notice_others(&mut self, conn: &Connection) -> Res<()> {
        let version: i64 = conn
            .prepare_cached("PRAGMA data_version")?
            .query_row([], |row| row.get(0))?;
        if version != self.data_version {
            self.tips.clear();
            self.data_version = version;
        }
        Ok(())
    }

    /// Forgets the ends: a transaction was rolled back.
    pub(crate) fn forget(&mut self) {
        self.tips.clear();
    }

    pub(crate) fn workspace(&mut self, conn: &Connection, id: WorkspaceId) -> Res<i64> {
        if let Some(number) = self.workspaces.get(&id) {
            return Ok(*number);
        }
        let number = conn
            .prepare_cached("SELECT workspace_id FROM workspaces WHERE id = ?1")?
            .query_row([id.as_bytes()], |row| row.get(0))
            .map_err(|error| match error {
                rusqlite::Error::QueryReturnedNoRows => {
                    Fault::Store(unavailable("there is no such workspace in this store"))
                }
                other => other.into(),
            })?;
        self.workspaces.insert(id, number);
        Ok(number)
    }

    pub(crate) fn append(&mut self, conn: &Connection, entry: &PendingEntry, at: Timestamp) -> Res<u64> {
        let workspace = self.workspace(conn, entry.workspace())?;
        let (seq, hash) = match self.tips.get(&workspace) {
            Some(tip) => *tip,
            None => tip_of(conn, workspace)?,
        };
        let row = entry.to_row(seq.saturating_add(1), at, hash);
        insert(conn, workspace, &row)?;
        self.tips.insert(workspace, (row.seq, row.row_hash));
        Ok(row.seq)
    }
}

fn tip_of(conn: &Connection, workspace: i64) -> Res<(u64, [u8; 32])> {
    let tip = conn
        .prepare_cached(
            "SELECT seq, row_hash FROM audit_entries WHERE workspace_id = ?1 ORDER BY seq DESC LIMIT 1",
        )?
        .query_row([workspace], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)));
    match tip {
        Ok((seq, hash)) => Ok((u64::try_from(seq).unwrap_or(0), hash)),
        // Going on without the rows before would make a chain that looks whole.
        Err(rusqlite::Error::QueryReturnedNoRows) => Err(Fault::Damaged(
            "audit_entries",
            "the genesis entry is missing".into(),
        )),
        Err(error) => Err(error.into()),
    }
}

/// Stores a row of a chain.
pub(crate) fn insert(conn: &Connection, workspace: i64, row: &AuditRow) -> Res<()> {
    conn.prepare_cached(
        "INSERT INTO audit_entries (workspace_id, seq, at, actor_kind, actor_id, action, target_kind, target_id, \
         outcome, channel, operation, arguments, prev_hash, row_hash) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?
    .execute(params![
        workspace,
        stored(row.seq),
        row.at.as_millis(),
        row.actor_kind.position(),
        row.actor_id,
        row.action.as_ref(),
        row.target_kind.as_ref(),
        row.target_id,
        row.outcome.position(),
        row.channel.as_ref(),
        row.operation.as_ref(),
        row.arguments,
        row.prev_hash,
        row.row_hash,
    ])?;
    Ok(())
}
