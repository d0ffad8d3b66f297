//! API keys.

use crate::base::{
    fault::Res,
    row::{Columns, Word},
    unknown::known_rows,
    writer::Tx,
};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use watchpost_core::{
    access::{
        CreateKey, FoundKey, KeyCreation, KeyHash, KeyRevocation, KeyRow, KeyScope, KeyState, KeyUse,
        RevokeKey, decide_creation, decide_revocation,
    },
    audit::PendingEntry,
    value::{
        id::{KeyId, WorkspaceId},
        time::Timestamp,
    },
};

const COLUMNS: &str = "k.id, w.id, k.hash, k.prefix, k.label, k.scope, k.created_at, k.last_used_at, k.expires_at, \
                       k.revoked_at, k.lapsed";

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
        lapsed: row.get(10)?,
    })
}

/// Returns the key that has the hash, with the key generation of its workspace: one statement, so that both are of one
/// state of the file. A key with a scope that this version doesn't know isn't found.
pub(crate) fn by_hash(conn: &Connection, hash: &KeyHash) -> Res<Option<FoundKey>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS}, w.key_generation FROM api_keys k JOIN workspaces w USING (workspace_id) WHERE k.hash = ?1"
    ))?;
    let mut found = known_rows(&mut statement.query([hash.0])?, "api_keys", |row| {
        Ok(FoundKey {
            row: key_row(row)?,
            generation: row.count(11)?,
        })
    })?;
    Ok(found.pop())
}

/// Returns all keys of a workspace, newest first.
pub(crate) fn all(conn: &Connection, workspace: i64) -> Res<Vec<KeyRow>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM api_keys k JOIN workspaces w USING (workspace_id) \
         WHERE k.workspace_id = ?1 ORDER BY k.created_at DESC, k.id DESC"
    ))?;
    known_rows(&mut statement.query([workspace])?, "api_keys", key_row)
}

/// Records the times at which keys were used.
pub(crate) fn record_uses(tx: &Tx<'_>, uses: &[KeyUse]) -> Res<()> {
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

/// Creates a key unless the limit of active keys is reached.
pub(crate) fn create(
    tx: &Tx<'_>,
    workspace: i64,
    key: &CreateKey,
    entry: &mut PendingEntry,
) -> Res<KeyCreation> {
    let now = tx.clock.now();
    let active = active(tx.conn, workspace, now)?;
    let outcome = decide_creation(active, key.active_max);
    entry.set_outcome(outcome.audit_outcome());
    if outcome != KeyCreation::Created {
        return Ok(outcome);
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
            now.as_millis(),
            key.expires_at.map(|at| at.as_millis()),
        ],
    )?;
    bump_keys(tx.conn, workspace)?;
    Ok(outcome)
}

/// Revokes a key.
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
    let outcome = decide_revocation(found.map(|at| at.map(Timestamp::from_millis)));
    if outcome == KeyRevocation::Revoked {
        tx.conn.execute(
            "UPDATE api_keys SET revoked_at = ?3 WHERE workspace_id = ?1 AND id = ?2",
            params![workspace, command.id.as_bytes(), tx.clock.now().as_millis()],
        )?;
        bump_keys(tx.conn, workspace)?;
    }
    entry.set_outcome(outcome.audit_outcome());
    Ok(outcome)
}

/// Returns the number of active keys of a workspace, including those with a scope that this version doesn't know.
fn active(conn: &Connection, workspace: i64, now: Timestamp) -> Res<u32> {
    let mut statement = conn.prepare_cached(
        "SELECT revoked_at, expires_at, lapsed FROM api_keys WHERE workspace_id = ?1 AND revoked_at IS NULL",
    )?;
    let mut rows = statement.query([workspace])?;
    let mut active = 0;
    while let Some(row) = rows.next()? {
        let state = KeyState::at(now, row.time_opt(0)?, row.time_opt(1)?, row.get(2)?);
        active += u32::from(state == KeyState::Active);
    }
    Ok(active)
}

/// Returns the state of a key: `Revoked` if there is no such key, or if this version doesn't know its scope.
pub(crate) fn state(conn: &Connection, workspace: i64, id: KeyId, now: Timestamp) -> Res<KeyState> {
    let mut statement = conn.prepare_cached(
        "SELECT revoked_at, expires_at, scope, lapsed FROM api_keys WHERE workspace_id = ?1 AND id = ?2",
    )?;
    let mut rows = statement.query(params![workspace, id.as_bytes()])?;
    match rows.next()? {
        Some(row) if row.word_opt::<KeyScope>(2)?.is_some() => {
            Ok(KeyState::at(now, row.time_opt(0)?, row.time_opt(1)?, row.get(3)?))
        }
        _ => Ok(KeyState::Revoked),
    }
}

/// The condition for keys whose expiry hasn't been observed yet.
const UNLAPSED: &str = "lapsed = 0 AND revoked_at IS NULL AND expires_at IS NOT NULL";

/// Whether a key has expired without having been marked.
pub(crate) fn has_expired(conn: &Connection, now: Timestamp) -> Res<bool> {
    Ok(conn
        .prepare_cached(&format!(
            "SELECT EXISTS (SELECT 1 FROM api_keys WHERE {UNLAPSED} AND expires_at <= ?1)"
        ))?
        .query_row([now.as_millis()], |row| row.get(0))?)
}

/// Marks the keys that have expired, so that they stay expired if the clock is set back.
pub(crate) fn mark_expired(tx: &Tx<'_>, now: Timestamp) -> Res<()> {
    let workspaces: Vec<i64> = {
        let mut statement = tx.conn.prepare_cached(&format!(
            "UPDATE api_keys SET lapsed = 1 WHERE {UNLAPSED} AND expires_at <= ?1 RETURNING workspace_id"
        ))?;
        let rows = statement.query_map([now.as_millis()], |row| row.get(0))?;
        rows.collect::<rusqlite::Result<_>>()?
    };
    for workspace in workspaces {
        bump_keys(tx.conn, workspace)?;
    }
    Ok(())
}

fn bump_keys(conn: &rusqlite::Connection, workspace: i64) -> Res<()> {
    conn.execute(
        "UPDATE workspaces SET key_generation = key_generation + 1 WHERE workspace_id = ?1",
        [workspace],
    )?;
    Ok(())
}
