//! Rows of integrations.

use crate::base::{
    fault::{Fault, Res},
    row::{Columns, Word},
    unknown::known_rows,
    writer::Tx,
};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use std::collections::HashMap;
use watchpost_core::{
    integration::{CollectionRow, Failure, Integration},
    job::JobKind,
    value::id::{IntegrationId, JobId},
};

const COLUMNS: &str = "integration, id, platform, name, tenant_key, status, config, created_at, last_completed_at, \
                       last_started_at, failure_reason, failure_since, failure_credential";

fn integration_row(row: &Row<'_>) -> Res<(i64, Integration)> {
    let config: String = row.get(6)?;
    let failure = match (row.get::<_, Option<String>>(10)?, row.time_opt(11)?) {
        (Some(reason), Some(since)) => Some(Failure {
            reason,
            since,
            needs_credential: row.get(12)?,
        }),
        _ => None,
    };
    Ok((
        row.get(0)?,
        Integration {
            id: row.id(1, IntegrationId::from_bytes)?,
            platform: row.word(2)?,
            name: row.text(3)?,
            tenant_key: row.get(4)?,
            status: row.word(5)?,
            config: serde_json::from_str(&config)
                .map_err(|error| Fault::Damaged("integrations", error.to_string()))?,
            created_at: row.time(7)?,
            last_completed_at: row.time_opt(8)?,
            last_started_at: row.time_opt(9)?,
            failure,
            running: None,
            collections: Vec::new(),
        },
    ))
}

/// Reads the columns from `dataset` to `confirmed_rows`.
fn collection_row(row: &Row<'_>) -> Res<CollectionRow> {
    let count_opt = |i| {
        Ok::<_, Fault>(
            row.get::<_, Option<i64>>(i)?
                .and_then(|count| count.try_into().ok()),
        )
    };
    Ok(CollectionRow {
        dataset: row.word(1)?,
        state: row.word(2)?,
        rows: row.count(3)?,
        detail: row.get(4)?,
        finished_at: row.time(5)?,
        completions: row.count(6)?,
        doubt: row.word_opt(7)?,
        complete_rows: count_opt(8)?,
        complete_at: row.time_opt(9)?,
        confirmed_rows: count_opt(10)?,
    })
}

/// Reads all integrations with their numbers in this file, by platform, then name.
pub(crate) fn all_with_numbers(conn: &Connection, workspace: i64) -> Res<Vec<(i64, Integration)>> {
    let mut out;
    {
        let mut statement = conn.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM integrations WHERE workspace_id = ?1 AND removed = 0 \
             ORDER BY platform, name, integration"
        ))?;
        out = known_rows(
            &mut statement.query([workspace])?,
            "integrations",
            integration_row,
        )?;
    }
    let places: HashMap<i64, usize> = out
        .iter()
        .enumerate()
        .map(|(place, (number, _))| (*number, place))
        .collect();
    {
        let mut statement = conn.prepare_cached(
            "SELECT integration, dataset, state, row_count, detail, finished_at, completions, doubt, complete_rows, \
             complete_at, confirmed_rows FROM collections WHERE workspace_id = ?1 ORDER BY integration, dataset",
        )?;
        let collections = known_rows(&mut statement.query([workspace])?, "collections", |row| {
            Ok((row.get::<_, i64>(0)?, collection_row(row)?))
        })?;
        for (number, collection) in collections {
            if let Some((_, integration)) = places.get(&number).and_then(|place| out.get_mut(*place)) {
                integration.collections.push(collection);
            }
        }
    }
    let mut statement = conn.prepare_cached(
        "SELECT id, subject FROM jobs WHERE state IN (0, 1) AND workspace_id = ?1 AND kind = ?2 ORDER BY state",
    )?;
    let mut rows = statement.query(params![workspace, JobKind::Sync.position()])?;
    while let Some(row) = rows.next()? {
        let subject: Vec<u8> = row.get(1)?;
        if let Some((_, integration)) = out
            .iter_mut()
            .find(|(_, integration)| integration.id.as_bytes().as_slice() == subject)
        {
            // A running sync comes after a queued one and replaces it.
            integration.running = Some(row.id(0, JobId::from_bytes)?);
        }
    }
    Ok(out)
}

/// Reads all integrations, by platform, then name.
pub(crate) fn all(conn: &Connection, workspace: i64) -> Res<Vec<Integration>> {
    Ok(all_with_numbers(conn, workspace)?
        .into_iter()
        .map(|(_, row)| row)
        .collect())
}

/// Returns the number of an integration in this file unless it is removed.
pub(crate) fn number_of(conn: &Connection, workspace: i64, id: IntegrationId) -> Res<Option<i64>> {
    Ok(conn
        .prepare_cached(
            "SELECT integration FROM integrations WHERE workspace_id = ?1 AND id = ?2 AND removed = 0",
        )?
        .query_row(params![workspace, id.as_bytes()], |row| row.get(0))
        .optional()?)
}

/// Returns the number for a new integration.
pub(crate) fn next_number(tx: &Tx<'_>, workspace: i64) -> Res<i64> {
    Ok(tx.conn.query_row(
        "UPDATE workspaces SET last_integration = last_integration + 1 WHERE workspace_id = ?1 \
         RETURNING last_integration",
        [workspace],
        |row| row.get(0),
    )?)
}
