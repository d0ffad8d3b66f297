//! Pages for queries that very many findings may match: reads along the streams and checks each row.

use super::{
    candidate::fits_source,
    stream::{ListedPosition, Stream, finish, order, places_of, rows_at},
};
use crate::base::{fault::Res, row::str_of};
use rusqlite::Connection;
use watchpost_core::finding::{FindingPage, FindingPosition, FindingQuery, TOTAL_COUNTED_MAX, Total};

/// The number of rows that are read from a stream at a time.
const STEP: usize = 512;

/// Returns a page when very many findings match the words, the rule or the platform. Reads along the streams and checks each
/// row: from the beginning for the total, and from the query's position for the page.
pub(super) fn filtered(
    conn: &Connection,
    workspace: i64,
    query: &FindingQuery,
    streams: &[Stream],
    words: Option<&[i64]>,
    limit: usize,
) -> Res<FindingPage> {
    let mut page: Vec<ListedPosition> = Vec::with_capacity(limit + 1);
    let mut counted = 0_u64;
    let mut source =
        conn.prepare_cached("SELECT rule_id, platforms, frameworks, also FROM findings WHERE rowid = ?1")?;
    let mut passes = |place: &ListedPosition| -> Res<bool> {
        if words.is_some_and(|words| words.binary_search(&place.rowid).is_err()) {
            return Ok(false);
        }
        if query.rule_id.is_none() && query.platforms.is_empty() && query.frameworks.is_empty() {
            return Ok(true);
        }
        let mut rows = source.query([place.rowid])?;
        match rows.next()? {
            Some(row) => Ok(fits_source(
                query,
                str_of(row.get_ref(0)?)?,
                row.get::<_, Option<String>>(3)?.as_deref(),
                row.get(1)?,
                row.get(2)?,
            )),
            None => Ok(false),
        }
    };
    let past = |place: &ListedPosition| {
        query
            .after
            .as_ref()
            .is_none_or(|after| order(&place.position) > order(after))
    };
    let mut rest = streams;
    'severities: while let Some(first) = rest.first() {
        let same = rest
            .iter()
            .take_while(|stream| stream.severity == first.severity)
            .count();
        let (level, later) = rest.split_at(same);
        rest = later;
        let mut merge = Merge::new(conn, workspace, level);
        while let Some(place) = merge.next()? {
            if page.len() > limit && counted > TOTAL_COUNTED_MAX {
                break 'severities;
            }
            if passes(&place)? {
                counted += 1;
                if page.len() <= limit && past(&place) {
                    page.push(place);
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
    let next = page.last().filter(|_| more).map(|place| place.position);
    let findings = rows_at(conn, &page)?;
    finish(conn, workspace, findings, next, total)
}

/// Merges the streams of one severity, read in steps.
struct Merge<'a> {
    conn: &'a Connection,
    workspace: i64,
    parts: Vec<Part>,
}

struct Part {
    stream: Stream,
    rows: std::collections::VecDeque<ListedPosition>,
    after: Option<FindingPosition>,
    ended: bool,
}

impl<'a> Merge<'a> {
    fn new(conn: &'a Connection, workspace: i64, streams: &[Stream]) -> Self {
        let parts = streams
            .iter()
            .map(|stream| Part {
                stream: *stream,
                rows: std::collections::VecDeque::new(),
                after: None,
                ended: false,
            })
            .collect();
        Self {
            conn,
            workspace,
            parts,
        }
    }

    fn next(&mut self) -> Res<Option<ListedPosition>> {
        for part in &mut self.parts {
            if part.rows.is_empty() && !part.ended {
                let rows = places_of(self.conn, self.workspace, part.stream, part.after, STEP)?;
                part.ended = rows.len() < STEP;
                part.after = rows.last().map(|place| place.position).or(part.after);
                part.rows = rows.into();
            }
        }
        let best = self
            .parts
            .iter_mut()
            .filter(|part| !part.rows.is_empty())
            .min_by_key(|part| part.rows.front().map(|place| order(&place.position)));
        Ok(best.and_then(|part| part.rows.pop_front()))
    }
}
