//! The names of people: look-up, and the forms in which they are compared.

use crate::base::{
    fault::Res,
    row::{Columns, stored},
};
use rusqlite::{Connection, TransactionBehavior, params, types::ToSql};
use watchpost_core::{
    identity::{NameKey, NamedIdentities},
    value::id::IdentityId,
};

/// The number of rows of an earlier version that are filled at once.
const FILLED_AT_ONCE: u64 = 10_000;

const WHOLE: &str = "SELECT id FROM identities INDEXED BY identities_name \
                     WHERE workspace_id = ?1 AND name_key = ?3 AND accounts > 0 ORDER BY id LIMIT ?2";

const WORDS: &str = "SELECT id FROM identities INDEXED BY identities_words \
                     WHERE workspace_id = ?1 AND name_words = ?3 AND accounts > 0 ORDER BY id LIMIT ?2";

const LONGER: &str = "SELECT id FROM identities INDEXED BY identities_name \
                      WHERE workspace_id = ?1 AND name_key >= ?3 AND name_key < ?4 AND accounts > 0 \
                      ORDER BY name_key, id LIMIT ?2";

/// Finds the identities that a name may mean.
pub(crate) fn find(conn: &Connection, workspace: i64, name: &str, limit: usize) -> Res<NamedIdentities> {
    let key = NameKey::of(name);
    if key.whole.is_empty() {
        return Ok(NamedIdentities::default());
    }
    let end = format!("{}\u{10ffff}", key.whole);
    // One row more than requested shows whether there are others.
    let rows_max = stored((limit as u64).saturating_add(1));
    let by_whole: &[&dyn ToSql] = &[&workspace, &rows_max, &key.whole];
    let by_words: &[&dyn ToSql] = &[&workspace, &rows_max, &key.words];
    let by_start: &[&dyn ToSql] = &[&workspace, &rows_max, &key.whole, &end];
    let mut queries = vec![(WHOLE, by_whole), (WORDS, by_words)];
    if key.finds_longer() {
        queries.push((LONGER, by_start));
    }
    for (sql, values) in queries {
        let mut statement = conn.prepare_cached(sql)?;
        let mut rows = statement.query(values)?;
        let mut ids = Vec::new();
        while let Some(row) = rows.next()? {
            ids.push(row.id(0, IdentityId::from_bytes)?);
        }
        if !ids.is_empty() {
            return Ok(NamedIdentities::first(ids, limit));
        }
    }
    Ok(NamedIdentities::default())
}

/// Completes the migration that introduced the names' forms, in one transaction. Does nothing if the file has been
/// migrated already.
pub(crate) fn fill(conn: &mut Connection) -> Res<()> {
    let none: bool = conn.query_row(
        "SELECT NOT EXISTS (SELECT 1 FROM identities INDEXED BY identities_unnamed WHERE name_key IS NULL)",
        [],
        |row| row.get(0),
    )?;
    if none {
        return Ok(());
    }
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    loop {
        let unnamed: Vec<(i64, Vec<u8>, String)> = tx
            .prepare_cached(
                "SELECT workspace_id, id, display_name FROM identities INDEXED BY identities_unnamed \
                 WHERE name_key IS NULL LIMIT ?1",
            )?
            .query_map([stored(FILLED_AT_ONCE)], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?
            .collect::<rusqlite::Result<_>>()?;
        if unnamed.is_empty() {
            break;
        }
        let mut statement = tx.prepare_cached(
            "UPDATE identities SET name_key = ?3, name_words = ?4 WHERE workspace_id = ?1 AND id = ?2",
        )?;
        for (workspace, id, name) in unnamed {
            let key = NameKey::of(&name);
            statement.execute(params![workspace, id, key.whole, key.words])?;
        }
    }
    tx.commit()?;
    Ok(())
}
