//! Workspaces, and the readiness check of the file.

use crate::base::{
    chain,
    fault::{Fault, Res},
    row::Columns,
    writer::Tx,
};
use rusqlite::{Connection, OptionalExtension as _, params};
use watchpost_core::{
    audit::AuditRow,
    error::StoreError,
    job::WorkspaceRow,
    value::{id::WorkspaceId, time::Timestamp},
};

/// Returns all workspaces, by name.
pub(crate) fn all(conn: &Connection) -> Res<Vec<WorkspaceRow>> {
    let mut statement = conn.prepare_cached("SELECT id, name, created_at FROM workspaces ORDER BY name")?;
    let mut rows = statement.query([])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push(WorkspaceRow {
            id: row.id(0, WorkspaceId::from_bytes)?,
            name: row.get(1)?,
            created_at: row.time(2)?,
        });
    }
    Ok(out)
}

/// Returns all workspaces by number: their number in this file, id and name.
pub(crate) fn numbered(conn: &Connection) -> Res<Vec<(i64, WorkspaceId, String)>> {
    let mut statement =
        conn.prepare("SELECT workspace_id, id, name FROM workspaces ORDER BY workspace_id")?;
    let mut rows = statement.query([])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push((row.get(0)?, row.id(1, WorkspaceId::from_bytes)?, row.get(2)?));
    }
    Ok(out)
}

/// Creates a workspace with its genesis audit entry.
pub(crate) fn create(tx: &Tx<'_>, row: &WorkspaceRow) -> Res<()> {
    let made = tx.conn.execute(
        "INSERT INTO workspaces (id, name, created_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        params![row.id.as_bytes(), row.name, row.created_at.as_millis()],
    )?;
    if made == 0 {
        return Err(Fault::Store(StoreError::Conflict));
    }
    let workspace = tx.workspace(row.id)?;
    chain::insert(tx.conn, workspace, &AuditRow::genesis(row.id, tx.clock.now()))
}

/// Returns the number of a workspace in this file.
pub(crate) fn number(conn: &Connection, id: WorkspaceId) -> Res<Option<i64>> {
    Ok(conn
        .prepare_cached("SELECT workspace_id FROM workspaces WHERE id = ?1")?
        .query_row([id.as_bytes()], |row| row.get(0))
        .optional()?)
}

/// Returns the generations of a workspace's data and of its keys; both are 0 if there is no such workspace.
pub(crate) fn generations(conn: &Connection, id: WorkspaceId) -> Res<(u64, u64)> {
    let row: Option<(i64, i64)> = conn
        .prepare_cached("SELECT generation, key_generation FROM workspaces WHERE id = ?1")?
        .query_row([id.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (data, keys) = row.unwrap_or((0, 0));
    Ok((u64::try_from(data).unwrap_or(0), u64::try_from(keys).unwrap_or(0)))
}

/// Returns a number that changes with every change in any workspace.
pub(crate) fn data_version(conn: &Connection) -> Res<u64> {
    let sum: i64 = conn
        .prepare_cached("SELECT coalesce(sum(generation + key_generation), 0) FROM workspaces")?
        .query_row([], |row| row.get(0))?;
    Ok(u64::try_from(sum).unwrap_or(0))
}

/// Reads the row of the readiness check.
pub(crate) fn read_ready(conn: &Connection) -> Res<()> {
    conn.prepare_cached("SELECT ready_at FROM instance WHERE one = 1")?
        .query_row([], |row| row.get::<_, i64>(0))?;
    Ok(())
}

/// Writes the row of the readiness check. The value always changes, even if the clock doesn't: SQLite writes nothing for a
/// row that stays the same.
pub(crate) fn write_ready(tx: &Tx<'_>, now: Timestamp) -> Res<()> {
    tx.conn
        .prepare_cached("UPDATE instance SET ready_at = iif(ready_at = ?1, ?1 + 1, ?1) WHERE one = 1")?
        .execute([now.as_millis()])?;
    Ok(())
}
