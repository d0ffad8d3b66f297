//! Streams: the findings of one place in an index, in list order.

use crate::{
    base::{
        fault::Res,
        row::{Columns, code, stored},
        unknown::{PassedOver, known_rows},
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

/// Findings of one place in an index, in list order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stream {
    pub(super) status: FindingStatus,
    pub(super) severity: Severity,
    pub(super) category: Option<Category>,
    pub(super) scored: bool,
}

/// A finding's place in the list, and in its table.
#[derive(Debug, Clone, Copy)]
pub(super) struct ListedPosition {
    pub(super) position: FindingPosition,
    pub(super) rowid: i64,
}

/// The order of the list.
pub(super) fn order(position: &FindingPosition) -> (Severity, std::cmp::Reverse<Timestamp>, FindingId) {
    (
        position.severity,
        std::cmp::Reverse(position.first_seen_at),
        position.id,
    )
}

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

/// The streams that hold what a query selects, worst severity first.
pub(super) fn streams(query: &FindingQuery, counts: &[FindingCount]) -> Vec<Stream> {
    let mut out: Vec<Stream> = Vec::new();
    for count in counts.iter().filter(|count| selected(query, count)) {
        let stream = Stream {
            status: count.status,
            severity: count.severity,
            category: (!query.categories.is_empty()).then_some(count.category),
            scored: count.scored,
        };
        if !out.contains(&stream) {
            out.push(stream);
        }
    }
    out.sort_by_key(|stream| stream.severity);
    out
}

/// The statement and values of a stream from a position on; `condition` is a further one on `findings f`.
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
    if let Some(after) = after.filter(|after| after.severity == stream.severity) {
        let n = values.len();
        values.push(after.first_seen_at.as_millis().into());
        values.push(Value::Blob(after.id.as_bytes().to_vec()));
        // The first half is what the index can seek to.
        position = format!(
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

pub(super) fn direct(
    conn: &Connection,
    workspace: i64,
    stream: Stream,
    after: Option<FindingPosition>,
    limit: usize,
) -> Res<Vec<Listed>> {
    // In the statement, since a page that is short ends the list.
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

pub(super) fn places_of(
    conn: &Connection,
    workspace: i64,
    stream: Stream,
    after: Option<FindingPosition>,
    limit: usize,
) -> Res<Vec<ListedPosition>> {
    let (sql, values) = stream_sql(
        ("f.first_seen_at, f.id, f.rowid", ""),
        workspace,
        stream,
        after,
        limit,
    );
    let mut statement = conn.prepare_cached(&sql)?;
    places_from(&mut statement.query(params_from_iter(values))?, stream)
}

/// The oldest findings of a stream, first seen first.
pub(super) fn oldest(
    conn: &Connection,
    workspace: i64,
    stream: Stream,
    limit: usize,
) -> Res<Vec<ListedPosition>> {
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
    places_from(&mut rows, stream)
}

/// Places from rows of first seen, id and rowid.
fn places_from(rows: &mut Rows<'_>, stream: Stream) -> Res<Vec<ListedPosition>> {
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push(ListedPosition {
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

pub(super) fn rows_at(conn: &Connection, places: &[ListedPosition]) -> Res<Vec<Listed>> {
    let mut statement =
        conn.prepare_cached(&format!("SELECT {SUMMARY} FROM findings f WHERE f.rowid = ?1"))?;
    let mut out = Vec::with_capacity(places.len());
    let mut passed_over = PassedOver::of("findings");
    for place in places {
        let mut rows = statement.query([place.rowid])?;
        if let Some(row) = rows.next()? {
            out.extend(passed_over.unless(summary(row))?);
        }
    }
    Ok(out)
}

/// A finding and how many further apps it has.
pub(super) type Listed = (FindingSummary, u64);

/// Where a finding stands in the list.
pub(super) fn position_of((finding, _): &Listed) -> FindingPosition {
    FindingPosition {
        severity: finding.severity,
        first_seen_at: finding.first_seen_at,
        id: finding.id,
    }
}

/// A page of these findings; `next` is the last place that was looked at, if there are more after it.
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

/// Findings with their further apps.
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
