//! Completion values: ranges of an index, read up to a bound.

use crate::base::{
    fault::Res,
    row::{Columns, stored},
};
use rusqlite::{Connection, params, types::ToSql};
use std::collections::BTreeSet;
use watchpost_core::{
    port::completion::{Completions, StoredCompletion},
    value::id::FindingId,
};

/// The most rows that a completion reads. This is more than it returns, since some rows are retired or duplicates.
const ROWS_MAX: usize = 1_000;

// These select a range of ids, newest first. The second column is the rank, lowest first.
const FINDINGS: &str = "SELECT f.id, (f.status > 1) * 100 + f.severity FROM findings f \
                        WHERE f.workspace_id = ?1 AND f.id >= ?2 AND f.id <= ?3 \
                        ORDER BY f.id DESC LIMIT ?4";

const SCANS: &str = "SELECT s.id, 0 FROM scans s WHERE s.workspace_id = ?1 AND s.id >= ?2 AND s.id <= ?3 \
                     ORDER BY s.id DESC LIMIT ?4";

const APPS: &str = "SELECT a.id, -a.accounts FROM apps a INDEXED BY apps_id \
                    JOIN integrations i ON i.workspace_id = a.workspace_id AND i.integration = a.integration \
                    AND i.removed = 0 \
                    WHERE a.workspace_id = ?1 AND a.id >= ?2 AND a.id <= ?3 AND a.retired = 0 \
                    ORDER BY a.id DESC LIMIT ?4";

// These select a range of texts in their order. The second column is the rank, or -1 for a value that isn't returned.
const NAMES: &str = "SELECT a.name, CASE WHEN a.retired = 0 AND i.removed = 0 THEN 0 ELSE -1 END \
                     FROM apps a INDEXED BY apps_name \
                     JOIN integrations i ON i.workspace_id = a.workspace_id AND i.integration = a.integration \
                     WHERE a.workspace_id = ?1 AND a.name_key >= ?2 AND a.name_key < ?3 \
                     ORDER BY a.name_key, a.id LIMIT ?4";

const ADDRESSES: &str = "SELECT d.address, CASE WHEN n.accounts > 0 THEN 0 ELSE 1 END FROM identity_addresses d \
                         JOIN identities n ON n.workspace_id = d.workspace_id AND n.id = d.identity_id \
                         WHERE d.workspace_id = ?1 AND d.address >= ?2 AND d.address < ?3 \
                         ORDER BY d.address LIMIT ?4";

/// Sorts values by their rank; values of the same rank keep their order. `is_whole` is false if the read stopped at its
/// bound.
fn sort_by_rank(mut ranked: Vec<(i64, String)>, is_whole: bool) -> Completions {
    ranked.sort_by_key(|(rank, _)| *rank);
    let mut found = Completions::of(ranked.into_iter().map(|(_, value)| value).collect());
    if !is_whole {
        found.total = None;
        found.more = true;
    }
    found
}

fn ids(conn: &Connection, sql: &str, workspace: i64, from: &[u8; 16], to: &[u8; 16]) -> Res<Completions> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(params![workspace, from, to, stored(ROWS_MAX as u64)])?;
    let mut ranked = Vec::new();
    while let Some(row) = rows.next()? {
        // Ids of all kinds have the same text form.
        let id = row.id(0, FindingId::from_bytes)?;
        ranked.push((row.get(1)?, id.to_string()));
    }
    let is_whole = ranked.len() < ROWS_MAX;
    Ok(sort_by_rank(ranked, is_whole))
}

fn texts(conn: &Connection, sql: &str, workspace: i64, prefix: &str) -> Res<Completions> {
    let end = format!("{prefix}\u{10ffff}");
    let bound = stored(ROWS_MAX as u64);
    let values: [&dyn ToSql; 4] = [&workspace, &prefix, &end, &bound];
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(&values[..])?;
    let (mut ranked, mut read, mut known) = (Vec::new(), 0_usize, BTreeSet::new());
    while let Some(row) = rows.next()? {
        read += 1;
        let (value, rank): (String, i64) = (row.get(0)?, row.get(1)?);
        if rank >= 0 && known.insert(value.to_lowercase()) {
            ranked.push((rank, value));
        }
    }
    Ok(sort_by_rank(ranked, read < ROWS_MAX))
}

/// Returns the values that complete a text.
pub(crate) fn complete(conn: &Connection, workspace: i64, completion: &StoredCompletion) -> Res<Completions> {
    match completion {
        StoredCompletion::Findings(of) => ids(conn, FINDINGS, workspace, &of.from, &of.to),
        StoredCompletion::Scans(of) => ids(conn, SCANS, workspace, &of.from, &of.to),
        StoredCompletion::Apps(of) => ids(conn, APPS, workspace, &of.from, &of.to),
        StoredCompletion::AppNames(prefix) => texts(conn, NAMES, workspace, prefix),
        StoredCompletion::Addresses(prefix) => texts(conn, ADDRESSES, workspace, prefix),
    }
}
