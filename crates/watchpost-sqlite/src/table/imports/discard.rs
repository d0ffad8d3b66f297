//! Abandons imports, and deletes the rows of abandoned imports and of removed integrations.

use super::stage::{ABANDONED, KEPT, staged};
use crate::base::{fault::Res, row::Columns, writer::Tx};
use rusqlite::{Connection, OptionalExtension as _, params};
use watchpost_core::{
    import::ABANDONED_AFTER_MS,
    value::{id::ImportId, time::Timestamp},
};

/// The most rows that a slice deletes.
const DELETED_PER_SLICE: i64 = 400;

/// An import that isn't kept: its rows are being written, or deleted, or neither because the process that did so has ended.
pub(crate) struct Unfinished {
    pub(crate) workspace: i64,
    pub(crate) id: ImportId,
    state: i64,
    touched_at: Timestamp,
}

impl Unfinished {
    /// Whether the import was abandoned, or not touched for a long time.
    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        self.state == ABANDONED || self.touched_at < now.plus_millis(-ABANDONED_AFTER_MS)
    }
}

/// Returns the imports of all workspaces that aren't kept.
pub(crate) fn unfinished(conn: &Connection) -> Res<Vec<Unfinished>> {
    let mut statement =
        conn.prepare_cached("SELECT workspace_id, id, state, touched_at FROM imports WHERE state <> ?1")?;
    let mut rows = statement.query([KEPT])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push(Unfinished {
            workspace: row.get(0)?,
            id: row.id(1, ImportId::from_bytes)?,
            state: row.get(2)?,
            touched_at: row.time(3)?,
        });
    }
    Ok(out)
}

/// Abandons a staged import. Returns `false` if there is none with the id.
pub(crate) fn abandon(tx: &Tx<'_>, workspace: i64, id: ImportId) -> Res<bool> {
    let Some(import) = staged(tx, workspace, id)? else {
        return Ok(false);
    };
    tx.conn.execute(
        "UPDATE imports SET state = ?3 WHERE workspace_id = ?1 AND import = ?2",
        params![workspace, import, ABANDONED],
    )?;
    Ok(true)
}

/// Deletes some rows of abandoned imports. Returns whether there may be more.
pub(crate) fn clear_abandoned(tx: &Tx<'_>, workspace: i64) -> Res<bool> {
    let import: Option<i64> = tx
        .conn
        .prepare_cached("SELECT import FROM imports WHERE workspace_id = ?1 AND state = ?2 LIMIT 1")?
        .query_row([workspace, ABANDONED], |row| row.get(0))
        .optional()?;
    let Some(import) = import else {
        return Ok(false);
    };
    if delete_rows(tx, workspace, import, None)? == 0 {
        tx.conn.execute(
            "DELETE FROM imports WHERE workspace_id = ?1 AND import = ?2",
            [workspace, import],
        )?;
    }
    Ok(true)
}

fn delete_rows(tx: &Tx<'_>, workspace: i64, import: i64, batch: Option<i64>) -> Res<usize> {
    Ok(tx
        .conn
        .prepare_cached(
            "DELETE FROM import_results WHERE workspace_id = ?1 AND import = ?2 AND (batch, position) IN ( \
             SELECT batch, position FROM import_results WHERE workspace_id = ?1 AND import = ?2 \
             AND batch BETWEEN coalesce(?3, 0) AND coalesce(?3, 9223372036854775807) LIMIT ?4)",
        )?
        .execute(params![workspace, import, batch, DELETED_PER_SLICE])?)
}

/// Deletes the hashes of the files imported for an integration, so that the files can be imported again.
pub(crate) fn forget_files(tx: &Tx<'_>, workspace: i64, integration: i64) -> Res<()> {
    tx.conn.execute(
        "UPDATE imports SET sha256 = NULL WHERE workspace_id = ?1 AND import IN ( \
         SELECT import FROM import_batches WHERE workspace_id = ?1 AND integration = ?2)",
        [workspace, integration],
    )?;
    Ok(())
}

/// Deletes some of the imported rows of a removed integration. Returns whether there may be more.
pub(crate) fn purge_some(tx: &Tx<'_>, workspace: i64, integration: i64) -> Res<bool> {
    let found: Option<([u8; 16], i64, i64)> = tx
        .conn
        .prepare_cached(
            "SELECT id, import, batch FROM import_batches WHERE workspace_id = ?1 AND integration = ?2 LIMIT 1",
        )?
        .query_row([workspace, integration], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    let Some((id, import, batch)) = found else {
        return Ok(false);
    };
    if delete_rows(tx, workspace, import, Some(batch))? > 0 {
        return Ok(true);
    }
    tx.conn.execute(
        "DELETE FROM import_verdicts WHERE workspace_id = ?1 AND batch_id = ?2",
        params![workspace, id],
    )?;
    tx.conn.execute(
        "DELETE FROM import_batches WHERE workspace_id = ?1 AND id = ?2",
        params![workspace, id],
    )?;
    tx.conn.execute(
        "DELETE FROM imports WHERE workspace_id = ?1 AND import = ?2 AND NOT EXISTS ( \
         SELECT 1 FROM import_batches WHERE workspace_id = ?1 AND import = ?2)",
        [workspace, import],
    )?;
    Ok(true)
}
