//! Imports that are given up, and deleting what is no longer wanted.

use super::stage::{GIVEN_UP, staged};
use crate::base::{fault::Res, writer::Tx};
use rusqlite::{OptionalExtension as _, params};
use watchpost_core::value::id::ImportId;

/// Rows that a slice deletes.
const DELETED_PER_SLICE: i64 = 400;

/// Gives a staged import up. `false`: there is none.
pub(crate) fn give_up(tx: &Tx<'_>, workspace: i64, id: ImportId) -> Res<bool> {
    let Some(import) = staged(tx, workspace, id)? else {
        return Ok(false);
    };
    tx.conn.execute(
        "UPDATE imports SET state = ?3 WHERE workspace_id = ?1 AND import = ?2",
        params![workspace, import, GIVEN_UP],
    )?;
    Ok(true)
}

/// Deletes some rows of imports that were given up. Gives whether there may be more.
pub(crate) fn clear(tx: &Tx<'_>, workspace: i64) -> Res<bool> {
    let import: Option<i64> = tx
        .conn
        .prepare_cached("SELECT import FROM imports WHERE workspace_id = ?1 AND state = ?2 LIMIT 1")?
        .query_row([workspace, GIVEN_UP], |row| row.get(0))
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

/// Lets the files of an integration that goes be imported again.
pub(crate) fn forget_files(tx: &Tx<'_>, workspace: i64, integration: i64) -> Res<()> {
    tx.conn.execute(
        "UPDATE imports SET sha256 = NULL WHERE workspace_id = ?1 AND import IN ( \
         SELECT import FROM import_batches WHERE workspace_id = ?1 AND integration = ?2)",
        [workspace, integration],
    )?;
    Ok(())
}

/// Deletes some of what was imported about a removed integration. Gives whether there may be more.
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
