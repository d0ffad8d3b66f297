//! Lists of findings.
//!
//! The order is severity, first seen (newest first), id. One index holds the findings of each (status, severity, scored) in
//! that order, another those of each (category, status, severity, scored). The findings under one such prefix form a
//! *stream*. The stored counts tell which streams aren't empty. A page merges those streams, severity by severity, so that
//! its cost doesn't depend on the number of findings.

mod candidate;
mod filtered;
mod stream;

use crate::{
    base::fault::Res,
    table::findings::{counts, full_text},
};
use candidate::{from_candidates, load, of_entity, of_services};
use filtered::filtered;
use rusqlite::Connection;
use std::cmp::Reverse;
use stream::{
    Listed, Stream, count_entries, finish, oldest, order, position_of, read_entries, read_findings, rows_at,
    selected, streams, with_apps,
};
use watchpost_core::finding::{
    FindingCount, FindingPage, FindingPosition, FindingQuery, FindingSummary, TOTAL_COUNTED_MAX, Total,
    repair_rank,
};

/// Returns the page of a query.
pub(crate) fn page(conn: &Connection, workspace: i64, query: &FindingQuery) -> Res<FindingPage> {
    let limit = query.limit.clamp(1, 200);
    let all = counts::all(conn, workspace)?;
    let mut streams = streams(query, &all);
    let matching: u64 = all
        .iter()
        .filter(|count| selected(query, count))
        .map(|count| count.count)
        .sum();
    if let Some(entity) = query.entity {
        let candidates = of_entity(conn, workspace, entity)?;
        return from_candidates(conn, workspace, query, candidates, limit);
    }
    if !query.services.is_empty() {
        // At most one finding for each check and integration, so they are few.
        let candidates = of_services(conn, workspace, &query.services)?;
        return from_candidates(conn, workspace, query, candidates, limit);
    }
    if query.text.is_none() && query.rule_id.is_none() && query.platforms.is_empty() {
        if !query.frameworks.is_empty() {
            return filtered(conn, workspace, query, &streams, None, limit);
        }
        let total = match query.since {
            None => Total {
                value: matching,
                is_minimum: false,
            },
            Some(_) => keep_filled(conn, workspace, &mut streams)?,
        };
        return walk(conn, workspace, &streams, query.after, limit, total);
    }
    let Some(expression) =
        full_text::expression(query.text.as_deref(), query.rule_id.as_deref(), &query.platforms)
    else {
        return Ok(FindingPage {
            findings: Vec::new(),
            total: Total {
                value: 0,
                is_minimum: false,
            },
            next: None,
        });
    };
    let matches = matches(conn, &expression, query.text.is_some())?;
    match matches {
        Matches::Few(rowids) => {
            let candidates = load(conn, workspace, &rowids)?;
            from_candidates(conn, workspace, query, candidates, limit)
        }
        Matches::Many(rowids) => filtered(conn, workspace, query, &streams, rowids.as_deref(), limit),
    }
}

/// Removes the streams without findings, and returns the number of findings of the others. The stored counts know nothing
/// about times.
fn keep_filled(conn: &Connection, workspace: i64, streams: &mut Vec<Stream>) -> Res<Total> {
    let mut counted = 0_u64;
    let mut filled = Vec::with_capacity(streams.len());
    for stream in streams.iter() {
        // After the maximum, only whether there is a finding.
        let room = (TOTAL_COUNTED_MAX + 1).saturating_sub(counted).max(1);
        let count = count_entries(conn, workspace, *stream, usize::try_from(room).unwrap_or(1))?;
        if count > 0 {
            filled.push(*stream);
        }
        counted += count;
    }
    *streams = filled;
    Ok(Total {
        value: counted.min(TOTAL_COUNTED_MAX),
        is_minimum: counted > TOTAL_COUNTED_MAX,
    })
}

/// Returns the live findings whose repair reduces the score most. Among equals the oldest come first.
pub(crate) fn top_live(
    conn: &Connection,
    workspace: i64,
    counts: &[FindingCount],
    count: usize,
) -> Res<Vec<FindingSummary>> {
    let rank = |stream: &Stream| repair_rank(stream.severity, stream.scored);
    let mut streams: Vec<Stream> = Vec::new();
    for row in counts.iter().filter(|row| row.status.is_live()) {
        let stream = Stream {
            status: row.status,
            severity: row.severity,
            category: None,
            scored: row.scored,
            since: None,
        };
        if !streams.contains(&stream) {
            streams.push(stream);
        }
    }
    streams.sort_by_key(rank);
    let mut listed = Vec::with_capacity(count);
    for equal in streams.chunk_by(|a, b| rank(a) == rank(b)) {
        let room = count - listed.len();
        if room == 0 {
            break;
        }
        let mut entries = Vec::new();
        for stream in equal {
            entries.extend(oldest(conn, workspace, *stream, room)?);
        }
        // The reverse order of the list: the index is read from its end.
        entries.sort_by_key(|entry| Reverse(order(&entry.position)));
        entries.truncate(room);
        listed.extend(rows_at(conn, &entries)?);
    }
    with_apps(conn, workspace, listed)
}

/// Returns a page from the streams without a further filter.
fn walk(
    conn: &Connection,
    workspace: i64,
    streams: &[Stream],
    after: Option<FindingPosition>,
    limit: usize,
    total: Total,
) -> Res<FindingPage> {
    let mut findings: Vec<Listed> = Vec::with_capacity(limit);
    let mut taken = 0;
    let mut last = None;
    let mut more = false;
    let mut rest = streams;
    while let Some(first) = rest.first() {
        let same_count = rest
            .iter()
            .take_while(|stream| stream.severity == first.severity)
            .count();
        let (same_severity, later) = rest.split_at(same_count);
        rest = later;
        if after.is_some_and(|after| first.severity < after.severity) {
            continue;
        }
        let room = limit - taken;
        // One row more than the page holds tells whether there is another page.
        if let [only] = same_severity {
            let mut rows = read_findings(conn, workspace, *only, after, room + 1)?;
            more = rows.len() > room;
            rows.truncate(room);
            taken += rows.len();
            last = rows.last().map(position_of).or(last);
            findings.extend(rows);
        } else {
            let mut entries = Vec::new();
            for stream in same_severity {
                entries.extend(read_entries(conn, workspace, *stream, after, room + 1)?);
            }
            entries.sort_by_key(|entry| order(&entry.position));
            more = entries.len() > room;
            entries.truncate(room);
            taken += entries.len();
            last = entries.last().map(|entry| entry.position).or(last);
            findings.extend(rows_at(conn, &entries)?);
        }
        if taken == limit {
            more = more || !rest.is_empty();
            break;
        }
    }
    finish(conn, workspace, findings, last.filter(|_| more), total)
}

/// The rowids that match an expression of the full-text index.
enum Matches {
    /// All matching rows.
    Few(Vec<i64>),
    /// Too many rows to sort. Holds all of them in ascending order if `want_all` was set.
    Many(Option<Vec<i64>>),
}

fn matches(conn: &Connection, expression: &str, want_all: bool) -> Res<Matches> {
    let mut statement =
        conn.prepare_cached("SELECT rowid FROM findings_text WHERE findings_text MATCH ?1")?;
    let mut rows = statement.query([expression])?;
    let mut out: Vec<i64> = Vec::new();
    let few = usize::try_from(TOTAL_COUNTED_MAX).unwrap_or(usize::MAX);
    while let Some(row) = rows.next()? {
        out.push(row.get(0)?);
        if !want_all && out.len() > few {
            return Ok(Matches::Many(None));
        }
    }
    if out.len() <= few {
        return Ok(Matches::Few(out));
    }
    out.sort_unstable();
    Ok(Matches::Many(Some(out)))
}
