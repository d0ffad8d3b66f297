//! Pages for queries that very many findings may match: reads along the streams and checks each row.

use super::{
    candidate::matches_source,
    stream::{IndexEntry, Stream, finish, order, read_entries, rows_at},
};
use crate::base::{fault::Res, row::str_of};
use rusqlite::Connection;
use watchpost_core::finding::{FindingPage, FindingPosition, FindingQuery, TOTAL_COUNTED_MAX, Total};

/// The number of rows that are read from a stream at a time.
const STEP: usize = 512;

/// Returns a page when very many findings match the text, the rule or the platform. Reads along the streams and checks each
/// row: from the beginning for the total, and from the query's position for the page.
pub(super) fn filtered(
    conn: &Connection,
    workspace: i64,
    query: &FindingQuery,
    streams: &[Stream],
    text_matches: Option<&[i64]>,
    limit: usize,
) -> Res<FindingPage> {
    let mut page: Vec<IndexEntry> = Vec::with_capacity(limit + 1);
    let mut counted = 0_u64;
    let mut source =
        conn.prepare_cached("SELECT rule_id, platforms, frameworks, also FROM findings WHERE rowid = ?1")?;
    let mut passes = |entry: &IndexEntry| -> Res<bool> {
        if text_matches.is_some_and(|text_matches| text_matches.binary_search(&entry.rowid).is_err()) {
            return Ok(false);
        }
        if query.rule_id.is_none() && query.platforms.is_empty() && query.frameworks.is_empty() {
            return Ok(true);
        }
        let mut rows = source.query([entry.rowid])?;
        match rows.next()? {
            Some(row) => Ok(matches_source(
                query,
                str_of(row.get_ref(0)?)?,
                row.get::<_, Option<String>>(3)?.as_deref(),
                row.get(1)?,
                row.get(2)?,
            )),
            None => Ok(false),
        }
    };
    let is_after_query = |entry: &IndexEntry| {
        query
            .after
            .as_ref()
            .is_none_or(|after| order(&entry.position) > order(after))
    };
    let mut rest = streams;
    'severities: while let Some(first) = rest.first() {
        let same_count = rest
            .iter()
            .take_while(|stream| stream.severity == first.severity)
            .count();
        let (same_severity, later) = rest.split_at(same_count);
        rest = later;
        let mut merged = MergedStreams::new(conn, workspace, same_severity);
        while let Some(entry) = merged.next()? {
            if page.len() > limit && counted > TOTAL_COUNTED_MAX {
                break 'severities;
            }
            if passes(&entry)? {
                counted += 1;
                if page.len() <= limit && is_after_query(&entry) {
                    page.push(entry);
                }
            }
        }
    }
    let total = Total {
        value: counted.min(TOTAL_COUNTED_MAX),
        is_minimum: counted > TOTAL_COUNTED_MAX,
    };
    let more = page.len() > limit;
    page.truncate(limit);
    let next = page.last().filter(|_| more).map(|entry| entry.position);
    let findings = rows_at(conn, &page)?;
    finish(conn, workspace, findings, next, total)
}

/// Merges the streams of one severity, read in steps.
struct MergedStreams<'a> {
    conn: &'a Connection,
    workspace: i64,
    cursors: Vec<StreamCursor>,
}

struct StreamCursor {
    stream: Stream,
    entries: std::collections::VecDeque<IndexEntry>,
    after: Option<FindingPosition>,
    ended: bool,
}

impl<'a> MergedStreams<'a> {
    fn new(conn: &'a Connection, workspace: i64, streams: &[Stream]) -> Self {
        let cursors = streams
            .iter()
            .map(|stream| StreamCursor {
                stream: *stream,
                entries: std::collections::VecDeque::new(),
                after: None,
                ended: false,
            })
            .collect();
        Self {
            conn,
            workspace,
            cursors,
        }
    }

    fn next(&mut self) -> Res<Option<IndexEntry>> {
        for cursor in &mut self.cursors {
            if cursor.entries.is_empty() && !cursor.ended {
                let entries = read_entries(self.conn, self.workspace, cursor.stream, cursor.after, STEP)?;
                cursor.ended = entries.len() < STEP;
                cursor.after = entries.last().map(|entry| entry.position).or(cursor.after);
                cursor.entries = entries.into();
            }
        }
        let first = self
            .cursors
            .iter_mut()
            .filter(|cursor| !cursor.entries.is_empty())
            .min_by_key(|cursor| cursor.entries.front().map(|entry| order(&entry.position)));
        Ok(first.and_then(|cursor| cursor.entries.pop_front()))
    }
}
