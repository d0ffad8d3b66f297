//! Streams: the findings under one prefix of an index, in the order of the list.

use crate::{
    base::{
        fault::Res,
        row::{Columns, code, stored},
        unknown::{SkippedRows, known_rows},
    },
    table::findings::row::{SUMMARY, apps, summary},
};
use rusqlite::{Connection, Rows, params, params_from_iter, types::Value};
use watchpost_core::{
    finding::{FindingCount, FindingPage, FindingPosition, FindingQuery, FindingSummary, Total},
    value::{
        id::FindingId,
        time::Timestamp,
        word::{Category, EntityType, FindingStatus, Severity},
    },
};

/// The prefix of an index under which findings are in the order of the list, or the part of it since a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stream {
    pub(super) status: FindingStatus,
    pub(super) severity: Severity,
    pub(super) category: Option<Category>,
    pub(super) scored: bool,
    pub(super) since: Option<Timestamp>,
}

/// An entry of an index: a finding's position in the list, and its rowid.
#[derive(Debug, Clone, Copy)]
pub(super) struct IndexEntry {
    pub(super) position: FindingPosition,
    pub(super) rowid: i64,
}

/// Returns the sort key of the list.
pub(super) fn order(position: &FindingPosition) -> (Severity, std::cmp::Reverse<Timestamp>, FindingId) {
    (
        position.severity,
        std::cmp::Reverse(position.first_seen_at),
        position.id,
    )
}

/// Whether the query selects findings with these counted values.
pub(super) fn selected(query: &FindingQuery, count: &FindingCount) -> bool {
    let fits = |wanted: bool, any: bool| any || wanted;
    query.statuses.contains(&count.status)
        && fits(
            query.severities.contains(&count.severity),
            query.severities.is_empty(),
        )
        && fits(
            query.categories.contains(&count.category),
            query.categories.is_empty(),
        )
}

/// Returns the streams that hold the findings that a query selects, worst severity first.
pub(super) fn streams(query: &FindingQuery, counts: &[FindingCount]) -> Vec<Stream> {
    let mut out: Vec<Stream> = Vec::new();
    for count in counts.iter().filter(|count| selected(query, count)) {
        let stream = Stream {
            status: count.status,
            severity: count.severity,
            category: (!query.categories.is_empty()).then_some(count.category),
            scored: count.scored,
            since: query.since,
        };
        if !out.contains(&stream) {
            out.push(stream);
        }
    }
    out.sort_by_key(|stream| stream.severity);
    out
}

/// Returns the statement that reads a stream after a position, and its values. `condition` is an additional condition on
/// `findings f`.
pub(super) fn stream_sql(
    (columns, condition): (&str, &str),
    workspace: i64,
    stream: Stream,
    after: Option<FindingPosition>,
    limit: usize,
) -> (String, Vec<Value>) {
    let mut values: Vec<Value> = vec![
        workspace.into(),
        code(stream.status).into(),
        code(stream.severity).into(),
        i64::from(stream.scored).into(),
        stored(limit as u64).into(),
    ];
    let (index, category) = match stream.category {
        Some(category) => {
            values.push(code(category).into());
            ("findings_category", " AND f.category = ?6")
        }
        None => ("findings_order", ""),
    };
    let mut position = String::new();
    if let Some(since) = stream.since {
        values.push(since.as_millis().into());
        position = format!(" AND f.first_seen_at >= ?{}", values.len());
    }
    if let Some(after) = after.filter(|after| after.severity == stream.severity) {
        let n = values.len();
        values.push(after.first_seen_at.as_millis().into());
        values.push(Value::Blob(after.id.as_bytes().to_vec()));
        // The index can seek with the first half of the condition.
        position += &format!(
            " AND f.first_seen_at <= ?{a} AND (f.first_seen_at < ?{a} OR f.id > ?{b})",
            a = n + 1,
            b = n + 2
        );
    }
    let sql = format!(
        "SELECT {columns} FROM findings f INDEXED BY {index} \
         WHERE f.workspace_id = ?1 AND f.status = ?2 AND f.severity = ?3 AND f.scored = ?4{category}{position}{condition} \
         ORDER BY f.first_seen_at DESC, f.id LIMIT ?5"
    );
    (sql, values)
}

/// Reads the findings of a stream after a position.
pub(super) fn read_findings(
    conn: &Connection,
    workspace: i64,
    stream: Stream,
    after: Option<FindingPosition>,
    limit: usize,
) -> Res<Vec<Listed>> {
    // Rows with unknown words are excluded by the statement, because a page with fewer rows than its limit ends the list.
    let known = format!(
        " AND f.category < {} AND f.entity_type < {}",
        Category::ALL.len(),
        EntityType::ALL.len()
    );
    let (sql, values) = stream_sql((SUMMARY, &known), workspace, stream, after, limit);
    let mut statement = conn.prepare_cached(&sql)?;
    known_rows(
        &mut statement.query(params_from_iter(values))?,
        "findings",
        summary,
    )
}

/// Reads the index entries of a stream after a position.
pub(super) fn read_entries(
    conn: &Connection,
    workspace: i64,
    stream: Stream,
    after: Option<FindingPosition>,
    limit: usize,
) -> Res<Vec<IndexEntry>> {
    let (sql, values) = stream_sql(
        ("f.first_seen_at, f.id, f.rowid", ""),
        workspace,
        stream,
        after,
        limit,
    );
    let mut statement = conn.prepare_cached(&sql)?;
    entries_from_rows(&mut statement.query(params_from_iter(values))?, stream)
}

/// Counts the findings of a stream, at most `limit`.
pub(super) fn count_entries(conn: &Connection, workspace: i64, stream: Stream, limit: usize) -> Res<u64> {
    let (sql, values) = stream_sql(("1", ""), workspace, stream, None, limit);
    let mut statement = conn.prepare_cached(&format!("SELECT count(*) FROM ({sql})"))?;
    let count: i64 = statement.query_row(params_from_iter(values), |row| row.get(0))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// Reads the index entries of a stream's oldest findings, oldest first.
pub(super) fn oldest(
    conn: &Connection,
    workspace: i64,
    stream: Stream,
    limit: usize,
) -> Res<Vec<IndexEntry>> {
    let mut statement = conn.prepare_cached(
        "SELECT f.first_seen_at, f.id, f.rowid FROM findings f INDEXED BY findings_order \
         WHERE f.workspace_id = ?1 AND f.status = ?2 AND f.severity = ?3 AND f.scored = ?4 \
         ORDER BY f.first_seen_at, f.id DESC LIMIT ?5",
    )?;
    let mut rows = statement.query(params![
        workspace,
        code(stream.status),
        code(stream.severity),
        stream.scored,
        stored(limit as u64)
    ])?;
    entries_from_rows(&mut rows, stream)
}

/// Reads index entries from rows of first_seen_at, id and rowid.
fn entries_from_rows(rows: &mut Rows<'_>, stream: Stream) -> Res<Vec<IndexEntry>> {
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push(IndexEntry {
            position: FindingPosition {
                severity: stream.severity,
                first_seen_at: row.time(0)?,
                id: row.id(1, FindingId::from_bytes)?,
            },
            rowid: row.get(2)?,
        });
    }
    Ok(out)
}

/// Reads the findings of the index entries.
pub(super) fn rows_at(conn: &Connection, entries: &[IndexEntry]) -> Res<Vec<Listed>> {
    let mut statement =
        conn.prepare_cached(&format!("SELECT {SUMMARY} FROM findings f WHERE f.rowid = ?1"))?;
    let mut out = Vec::with_capacity(entries.len());
    let mut skipped = SkippedRows::new("findings");
    for entry in entries {
        let mut rows = statement.query([entry.rowid])?;
        if let Some(row) = rows.next()? {
            out.extend(skipped.skip_unknown(summary(row))?);
        }
    }
    Ok(out)
}

/// A finding and the number of its additional apps.
pub(super) type Listed = (FindingSummary, u64);

/// Returns the position of a finding in the list.
pub(super) fn position_of((finding, _): &Listed) -> FindingPosition {
    FindingPosition {
        severity: finding.severity,
        first_seen_at: finding.first_seen_at,
        id: finding.id,
    }
}

/// Returns a page of these findings. `next` is the position of the last one if there are more after it.
pub(super) fn finish(
    conn: &Connection,
    workspace: i64,
    listed: Vec<Listed>,
    next: Option<FindingPosition>,
    total: Total,
) -> Res<FindingPage> {
    let findings = with_apps(conn, workspace, listed)?;
    Ok(FindingPage {
        findings,
        total,
        next,
    })
}

/// Adds the additional apps to findings.
pub(super) fn with_apps(conn: &Connection, workspace: i64, listed: Vec<Listed>) -> Res<Vec<FindingSummary>> {
    let mut findings = Vec::with_capacity(listed.len());
    for (mut finding, count) in listed {
        if count > 0 {
            finding.apps = apps(conn, workspace, finding.id)?;
        }
        findings.push(finding);
    }
    Ok(findings)
}
