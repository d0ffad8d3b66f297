//! Appending to the hash chains of the audit log.

use crate::{
    base::{
        fault::{Fault, Res, unavailable},
        row::{Word, stored},
    },
    text,
};
use rusqlite::{Connection, params};
use std::collections::HashMap;
use watchpost_core::{
    audit::{AuditRow, PendingEntry},
    value::{id::WorkspaceId, time::Timestamp},
};

/// The writer's cache of workspace numbers and of each chain's last entry. The last entries are dropped when another
/// process has written to the file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chain {
    workspaces: HashMap<WorkspaceId, i64>,
    tips: HashMap<i64, (u64, [u8; 32])>,
    data_version: i64,
}

impl Chain {
    /// Drops the cached last entries if another connection has written since the last transaction. Must be called inside
    /// a transaction.
    pub(crate) fn drop_stale_tips(&mut self, conn: &Connection) -> Res<()> {
        let version: i64 = conn
            .prepare_cached("PRAGMA data_version")?
            .query_row([], |row| row.get(0))?;
        if version != self.data_version {
            self.tips.clear();
            self.data_version = version;
        }
        Ok(())
    }

    /// Drops the cached last entries after a rollback.
    pub(crate) fn drop_tips(&mut self) {
        self.tips.clear();
    }

    /// Returns the number of a workspace in this file.
    pub(crate) fn workspace(&mut self, conn: &Connection, id: WorkspaceId) -> Res<i64> {
        if let Some(number) = self.workspaces.get(&id) {
            return Ok(*number);
        }
        let number = conn
            .prepare_cached("SELECT workspace_id FROM workspaces WHERE id = ?1")?
            .query_row([id.as_bytes()], |row| row.get(0))
            .map_err(|error| match error {
                rusqlite::Error::QueryReturnedNoRows => Fault::Store(unavailable(text::NO_SUCH_WORKSPACE)),
                other => other.into(),
            })?;
        self.workspaces.insert(id, number);
        Ok(number)
    }

    /// Appends an entry to its workspace's chain and returns the entry's sequence number.
    pub(crate) fn append(&mut self, conn: &Connection, entry: &PendingEntry, at: Timestamp) -> Res<u64> {
        let workspace = self.workspace(conn, entry.workspace())?;
        let (seq, hash) = match self.tips.get(&workspace) {
            Some(tip) => *tip,
            None => read_tip(conn, workspace)?,
        };
        let row = entry.to_row(seq.saturating_add(1), at, hash);
        insert(conn, workspace, &row)?;
        self.tips.insert(workspace, (row.seq, row.row_hash));
        Ok(row.seq)
    }
}

fn read_tip(conn: &Connection, workspace: i64) -> Res<(u64, [u8; 32])> {
    let tip = conn
        .prepare_cached(
            "SELECT seq, row_hash FROM audit_entries WHERE workspace_id = ?1 ORDER BY seq DESC LIMIT 1",
        )?
        .query_row([workspace], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)));
    match tip {
        Ok((seq, hash)) => Ok((u64::try_from(seq).unwrap_or(0), hash)),
        // Starting a new chain here would hide that the earlier rows are missing.
        Err(rusqlite::Error::QueryReturnedNoRows) => {
            Err(Fault::Damaged("audit_entries", text::GENESIS_MISSING.into()))
        }
        Err(error) => Err(error.into()),
    }
}

/// Inserts a row into a chain.
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
