//! API keys.

use crate::base::{
    fault::Res,
    row::{Columns, Word},
    writer::Tx,
};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use watchpost_core::{
    access::{CreateKey, KeyCreation, KeyHash, KeyRevocation, KeyRow, KeyUse, RevokeKey},
    audit::{AuditOutcome, PendingEntry},
    value::id::{KeyId, WorkspaceId},
};

const COLUMNS: &str = "k.id, w.id, k.hash, k.prefix, k.label, k.scope, k.created_at, k.last_used_at, k.expires_at, \
                       k.revoked_at";

fn key_row(row: &Row<'_>) -> Res<KeyRow> {
    Ok(KeyRow {
        id: row.id(0, KeyId::from_bytes)?,
        workspace: row.id(1, WorkspaceId::from_bytes)?,
        hash: KeyHash(row.get(2)?),
        prefix: row.get(3)?,
        label: row.text(4)?,
        scope: row.word(5)?,
        created_at: row.time(6)?,
        last_used_at: row.time_opt(7)?,
        expires_at: row.time_opt(8)?,
        revoked_at: row.time_opt(9)?,
    })
}

/// The key with a hash.
pub(crate) fn by_hash(conn: &Connection, hash: &KeyHash) -> Res<Option<KeyRow>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM api_keys k JOIN workspaces w USING (workspace_id) WHERE k.hash = ?1"
    ))?;
    let mut rows = statement.query([hash.0])?;
    rows.next()?.map(key_row).transpose()
}

/// All keys of a workspace, newest first.
pub(crate) fn all(conn: &Connection, workspace: i64) -> Res<Vec<KeyRow>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM api_keys k JOIN workspaces w USING (workspace_id) \
         WHERE k.workspace_id = ?1 ORDER BY k.created_at DESC, k.id DESC"
    ))?;
    let mut rows = statement.query([workspace])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push(key_row(row)?);
    }
    Ok(out)
}

/// Notes when keys were used.
pub(crate) fn note_uses(tx: &Tx<'_>, uses: &[KeyUse]) -> Res<()> {
    for used in uses {
        let workspace = tx.workspace(used.workspace)?;
        tx.conn
            .prepare_cached(
                "UPDATE api_keys SET last_used_at = ?3 WHERE workspace_id = ?1 AND id = ?2 \
                 AND (last_used_at IS NULL OR last_used_at < ?3)",
            )?
            .execute(params![workspace, used.key.as_bytes(), used.at.as_millis()])?;
    }
    Ok(())
}

/// Makes a key unless the limit is reached.
pub(crate) fn create(
    tx: &Tx<'_>,
    workspace: i64,
    key: &CreateKey,
    entry: &mut PendingEntry,
) -> Res<KeyCreation> {
    let now = tx.clock.now().as_millis();
    let active: i64 = tx.conn.query_row(
        "SELECT count(*) FROM api_keys WHERE workspace_id = ?1 AND revoked_at IS NULL \
         AND (expires_at IS NULL OR expires_at > ?2)",
        [workspace, now],
        |row| row.get(0),
    )?;
    if active >= i64::from(key.active_max) {
        entry.set_outcome(AuditOutcome::Conflict);
        return Ok(KeyCreation::LimitReached {
            active_max: key.active_max,
        });
    }
    tx.conn.execute(
        "INSERT INTO api_keys (workspace_id, id, hash, prefix, label, scope, created_at, expires_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            workspace,
            key.id.as_bytes(),
            key.hash.0,
            key.prefix,
            key.label.untrusted(),
            key.scope.position(),
            now,
            key.expires_at.map(|at| at.as_millis()),
        ],
    )?;
    bump_keys(tx.conn, workspace)?;
    Ok(KeyCreation::Created)
}

/// Takes a key back.
pub(crate) fn revoke(
    tx: &Tx<'_>,
    workspace: i64,
    command: &RevokeKey,
    entry: &mut PendingEntry,
) -> Res<KeyRevocation> {
    let found: Option<Option<i64>> = tx
        .conn
        .query_row(
            "SELECT revoked_at FROM api_keys WHERE workspace_id = ?1 AND id = ?2",
            params![workspace, command.id.as_bytes()],
            |row| row.get(0),
        )
        .optional()?;
    let outcome = match found {
        None => (AuditOutcome::NotFound, KeyRevocation::NotFound),
        Some(Some(_)) => (AuditOutcome::Unchanged, KeyRevocation::AlreadyRevoked),
        Some(None) => {
            tx.conn.execute(
                "UPDATE api_keys SET revoked_at = ?3 WHERE workspace_id = ?1 AND id = ?2",
                params![workspace, command.id.as_bytes(), tx.clock.now().as_millis()],
            )?;
            bump_keys(tx.conn, workspace)?;
            (AuditOutcome::Ok, KeyRevocation::Revoked)
        }
    };
    entry.set_outcome(outcome.0);
    Ok(outcome.1)
}

fn bump_keys(conn: &rusqlite::Connection, workspace: i64) -> Res<()> {
    conn.execute(
        "UPDATE workspaces SET key_generation = key_generation + 1 WHERE workspace_id = ?1",
        [workspace],
    )?;
    Ok(())
}
