//! Reads batches, results and verdicts of kept imports.

use super::row;
use crate::{
    base::{
        fault::Res,
        row::{Word, stored},
        unknown::known_rows,
    },
    table::integrations,
};
use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter, types::Value};
use watchpost_core::{
    import::{Batch, BatchPage, BatchQuery, ImportedPage, ImportedQuery, ImportedVerdict},
    value::id::{BatchId, IntegrationId},
};

pub(crate) fn by_id(conn: &Connection, workspace: i64, id: BatchId) -> Res<Option<Batch>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {} FROM {} WHERE b.workspace_id = ?1 AND b.id = ?2",
        row::BATCH,
        row::FROM
    ))?;
    let mut rows = statement.query(params![workspace, id.as_bytes()])?;
    rows.next()?.map(row::batch).transpose()
}

pub(crate) fn page(conn: &Connection, workspace: i64, query: &BatchQuery) -> Res<BatchPage> {
    let mut conditions = String::from("b.workspace_id = ?");
    let mut values = vec![Value::Integer(workspace)];
    if let Some(id) = query.integration {
        conditions.push_str(" AND i.id = ?");
        values.push(Value::Blob(id.as_bytes().to_vec()));
    }
    if let Some(id) = query.import {
        conditions.push_str(" AND f.id = ?");
        values.push(Value::Blob(id.as_bytes().to_vec()));
    }
    if let Some(tool) = query.tool {
        conditions.push_str(" AND b.tool = ?");
        values.push(Value::Integer(tool.position().into()));
    }
    let from = row::FROM;
    let total: i64 = conn
        .prepare_cached(&format!("SELECT count(*) FROM {from} WHERE {conditions}"))?
        .query_row(params_from_iter(&values), |row| row.get(0))?;
    if let Some(before) = query.before {
        conditions.push_str(" AND b.id < ?");
        values.push(Value::Blob(before.as_bytes().to_vec()));
    }
    let limit = query.limit.clamp(1, 100);
    values.push(Value::Integer(stored(limit as u64).saturating_add(1)));
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {} FROM {from} WHERE {conditions} ORDER BY b.id DESC LIMIT ?",
        row::BATCH
    ))?;
    let mut rows = statement.query(params_from_iter(&values))?;
    let mut read = 0;
    let mut batches = known_rows(&mut rows, "imports", |row| {
        read += 1;
        row::batch(row)
    })?;
    let more = read > limit;
    batches.truncate(limit);
    Ok(BatchPage {
        batches,
        total: u64::try_from(total).unwrap_or(0),
        more,
    })
}

pub(crate) fn results(
    conn: &Connection,
    workspace: i64,
    batch: BatchId,
    query: &ImportedQuery,
) -> Res<ImportedPage> {
    let mut page = ImportedPage {
        results: Vec::new(),
        more: false,
    };
    let numbers: Option<(i64, i64)> = conn
        .prepare_cached(&format!(
            "SELECT b.import, b.batch FROM {} WHERE b.workspace_id = ?1 AND b.id = ?2",
            row::FROM
        ))?
        .query_row(params![workspace, batch.as_bytes()], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let Some((import, number)) = numbers else {
        return Ok(page);
    };
    let limit = query.limit.clamp(1, 500);
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {} FROM import_results r WHERE r.workspace_id = ?1 AND r.import = ?2 AND r.batch = ?3 \
         AND r.position > ?4 AND (?5 IS NULL OR r.check_id = ?5) AND (?6 IS NULL OR r.control = ?6) \
         AND (?7 IS NULL OR r.result = ?7) ORDER BY r.position LIMIT ?8",
        row::RESULT
    ))?;
    let mut rows = statement.query(params![
        workspace,
        import,
        number,
        query.after.map_or(-1, stored),
        query.check,
        query.control,
        query.result.map(Word::position),
        stored(limit as u64).saturating_add(1),
    ])?;
    let mut read = 0;
    page.results = known_rows(&mut rows, "imports", |row| {
        read += 1;
        row::result(row)
    })?;
    page.more = read > limit;
    page.results.truncate(limit);
    Ok(page)
}

/// Returns the verdicts of the newest batch of each tool for an integration.
pub(crate) fn verdicts(
    conn: &Connection,
    workspace: i64,
    integration: IntegrationId,
) -> Res<Vec<ImportedVerdict>> {
    let Some(number) = integrations::number_of(conn, workspace, integration)? else {
        return Ok(Vec::new());
    };
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {} FROM import_batches b JOIN imports f ON f.workspace_id = b.workspace_id AND f.import = b.import \
         JOIN import_verdicts v ON v.workspace_id = b.workspace_id AND v.batch_id = b.id \
         WHERE b.workspace_id = ?1 AND b.integration = ?2 AND b.rows_ok > 0 AND NOT EXISTS ( \
           SELECT 1 FROM import_batches n WHERE n.workspace_id = b.workspace_id AND n.integration = b.integration \
           AND n.tool = b.tool AND n.rows_ok > 0 AND (n.as_of, n.id) > (b.as_of, b.id)) \
         ORDER BY b.tool, v.check_id",
        row::VERDICT
    ))?;
    known_rows(
        &mut statement.query([workspace, number])?,
        "imports",
        row::verdict,
    )
}
