//! Lists of findings.
//!
//! The order is severity, first seen (newest first), id. An index holds the findings of each (status, severity,
//! scored) in that order, another those of each (category, status, severity, scored): a *stream*. The kept counts say
//! which streams have anything in them; a page is the merge of those, severity by severity, so that it costs the same
//! however many findings there are.

use super::{
    code, counts,
    row::{SUMMARY, apps, summary},
    text,
};
use crate::{
    fault::Res,
    row::{Columns, stored},
    scans::framework_bit,
};
use rusqlite::{Connection, params, params_from_iter, types::Value};
use std::collections::HashMap;
use watchpost_core::{
    check::Service,
    finding::{
        EntityFilter, FindingCount, FindingPage, FindingPosition, FindingQuery, FindingSummary,
        TOTAL_COUNTED_MAX, Total,
    },
    value::{
        id::FindingId,
        time::Timestamp,
        word::{Category, EntityType, FindingStatus, Platform, Severity},
    },
};

/// Rows that a stream gives at a time when they have to be looked at one by one.
const STEP: usize = 512;

/// Findings of one place in an index, in list order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stream {
    status: FindingStatus,
    severity: Severity,
    category: Option<Category>,
    scored: bool,
}

/// A finding's place in the list, and in its table.
#[derive(Debug, Clone, Copy)]
struct Place {
    position: FindingPosition,
    rowid: i64,
}

/// The order of the list.
fn order(position: &FindingPosition) -> (Severity, std::cmp::Reverse<Timestamp>, FindingId) {
    (
        position.severity,
        std::cmp::Reverse(position.first_seen_at),
        position.id,
    )
}

fn selected(query: &FindingQuery, count: &FindingCount) -> bool {
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
fn streams(query: &FindingQuery, counts: &[FindingCount]) -> Vec<Stream> {
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

/// The page that a query asks for.
pub(super) fn page(conn: &Connection, workspace: i64, query: &FindingQuery) -> Res<FindingPage> {
    let limit = query.limit.clamp(1, 100);
    let all = counts::all(conn, workspace)?;
    let streams = streams(query, &all);
    let kept: u64 = all
        .iter()
        .filter(|count| selected(query, count))
        .map(|count| count.count)
        .sum();
    if let Some(entity) = query.entity {
        let candidates = of_entity(conn, workspace, entity)?;
        return from_candidates(conn, workspace, query, candidates, limit);
    }
    if !query.services.is_empty() {
        // At most one for each check and integration: few.
        let candidates = of_services(conn, workspace, &query.services)?;
        return from_candidates(conn, workspace, query, candidates, limit);
    }
    if query.text.is_none() && query.rule_id.is_none() && query.platforms.is_empty() {
        if !query.frameworks.is_empty() {
            return filtered(conn, workspace, query, &streams, None, limit);
        }
        let total = Total {
            value: kept,
            is_minimum: false,
        };
        return walk(conn, workspace, &streams, query.after, limit, total);
    }
    let Some(expression) =
        text::expression(query.text.as_deref(), query.rule_id.as_deref(), &query.platforms)
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

/// The worst live findings: those that count first, then others.
pub(crate) fn top_live(
    conn: &Connection,
    workspace: i64,
    counts: &[FindingCount],
    count: usize,
) -> Res<Vec<FindingSummary>> {
    let mut out = Vec::new();
    for scored in [true, false] {
        let mut streams: Vec<Stream> = Vec::new();
        for row in counts
            .iter()
            .filter(|row| row.status.is_live() && row.scored == scored)
        {
            let stream = Stream {
                status: row.status,
                severity: row.severity,
                category: None,
                scored,
            };
            if !streams.contains(&stream) {
                streams.push(stream);
            }
        }
        streams.sort_by_key(|stream| stream.severity);
        let total = Total {
            value: 0,
            is_minimum: false,
        };
        if out.len() < count && !streams.is_empty() {
            out.extend(walk(conn, workspace, &streams, None, count - out.len(), total)?.findings);
        }
    }
    Ok(out)
}

/// A page straight from the streams.
fn walk(
    conn: &Connection,
    workspace: i64,
    streams: &[Stream],
    after: Option<FindingPosition>,
    limit: usize,
    total: Total,
) -> Res<FindingPage> {
    let mut findings: Vec<Listed> = Vec::with_capacity(limit);
    let mut more = false;
    let mut rest = streams;
    while let Some(first) = rest.first() {
        let same = rest
            .iter()
            .take_while(|stream| stream.severity == first.severity)
            .count();
        let (level, later) = rest.split_at(same);
        rest = later;
        if after.is_some_and(|after| first.severity < after.severity) {
            continue;
        }
        let room = limit - findings.len();
        // One row past the page tells whether there is another page.
        if let [only] = level {
            let rows = direct(conn, workspace, *only, after, room + 1)?;
            findings.extend(rows);
        } else {
            let mut places = Vec::new();
            for stream in level {
                places.extend(places_of(conn, workspace, *stream, after, room + 1)?);
            }
            places.sort_by_key(|place| order(&place.position));
            places.truncate(room + 1);
            findings.extend(rows_at(conn, &places)?);
        }
        if findings.len() > limit {
            findings.truncate(limit);
            more = true;
            break;
        }
        if findings.len() == limit {
            more = !rest.is_empty();
            break;
        }
    }
    finish(conn, workspace, findings, more, total)
}

/// A finding and how many further apps it has.
type Listed = (FindingSummary, u64);

fn finish(
    conn: &Connection,
    workspace: i64,
    listed: Vec<Listed>,
    more: bool,
    total: Total,
) -> Res<FindingPage> {
    let mut findings = Vec::with_capacity(listed.len());
    for (mut finding, count) in listed {
        if count > 0 {
            finding.apps = apps(conn, workspace, finding.id)?;
        }
        findings.push(finding);
    }
    let next = findings.last().filter(|_| more).map(|last| FindingPosition {
        severity: last.severity,
        first_seen_at: last.first_seen_at,
        id: last.id,
    });
    Ok(FindingPage {
        findings,
        total,
        next,
    })
}

/// The condition and values of a stream from a position on.
fn stream_sql(
    columns: &str,
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
         WHERE f.workspace_id = ?1 AND f.status = ?2 AND f.severity = ?3 AND f.scored = ?4{category}{position} \
         ORDER BY f.first_seen_at DESC, f.id LIMIT ?5"
    );
    (sql, values)
}

fn direct(
    conn: &Connection,
    workspace: i64,
    stream: Stream,
    after: Option<FindingPosition>,
    limit: usize,
) -> Res<Vec<Listed>> {
    let (sql, values) = stream_sql(SUMMARY, workspace, stream, after, limit);
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut out = Vec::with_capacity(limit);
    while let Some(row) = rows.next()? {
        out.push(summary(row)?);
    }
    Ok(out)
}

fn places_of(
    conn: &Connection,
    workspace: i64,
    stream: Stream,
    after: Option<FindingPosition>,
    limit: usize,
) -> Res<Vec<Place>> {
    let (sql, values) = stream_sql("f.first_seen_at, f.id, f.rowid", workspace, stream, after, limit);
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push(Place {
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

fn rows_at(conn: &Connection, places: &[Place]) -> Res<Vec<Listed>> {
    let mut statement =
        conn.prepare_cached(&format!("SELECT {SUMMARY} FROM findings f WHERE f.rowid = ?1"))?;
    let mut out = Vec::with_capacity(places.len());
    for place in places {
        let mut rows = statement.query([place.rowid])?;
        if let Some(row) = rows.next()? {
            out.push(summary(row)?);
        }
    }
    Ok(out)
}

/// A finding that may be in the list, with what decides it.
#[derive(Debug, Clone)]
struct Candidate {
    place: Place,
    status: FindingStatus,
    category: Category,
    rule_id: String,
    platforms: i64,
    service: Option<Service>,
    frameworks: i64,
}

fn candidate(row: &rusqlite::Row<'_>) -> Res<Candidate> {
    Ok(Candidate {
        place: Place {
            position: FindingPosition {
                severity: row.word(1)?,
                first_seen_at: row.time(2)?,
                id: row.id(3, FindingId::from_bytes)?,
            },
            rowid: row.get(0)?,
        },
        status: row.word(4)?,
        category: row.word(5)?,
        rule_id: row.get(6)?,
        platforms: row.get(7)?,
        service: row.word_opt(8)?,
        frameworks: row.get(9)?,
    })
}

const CANDIDATE: &str = "f.rowid, f.severity, f.first_seen_at, f.id, f.status, f.category, f.rule_id, f.platforms, \
     f.service, f.frameworks";

fn of_entity(conn: &Connection, workspace: i64, entity: EntityFilter) -> Res<Vec<Candidate>> {
    let (entity_type, id) = match &entity {
        EntityFilter::Identity(id) => (EntityType::Identity, *id.as_bytes()),
        EntityFilter::App(id) => (EntityType::App, *id.as_bytes()),
        EntityFilter::Integration(id) => (EntityType::Integration, *id.as_bytes()),
    };
    let mut found = HashMap::new();
    {
        let mut statement = conn.prepare_cached(&format!(
            "SELECT {CANDIDATE} FROM findings f WHERE f.workspace_id = ?1 AND f.entity_type = ?2 AND f.entity_id = ?3"
        ))?;
        let mut rows = statement.query(params![workspace, code(entity_type), id])?;
        while let Some(row) = rows.next()? {
            let candidate = candidate(row)?;
            found.insert(candidate.place.rowid, candidate);
        }
    }
    if entity_type == EntityType::App {
        let mut statement = conn.prepare_cached(&format!(
            "SELECT {CANDIDATE} FROM finding_apps x CROSS JOIN findings f ON f.workspace_id = x.workspace_id \
             AND f.id = x.finding_id WHERE x.workspace_id = ?1 AND x.app_id = ?2"
        ))?;
        let mut rows = statement.query(params![workspace, id])?;
        while let Some(row) = rows.next()? {
            let candidate = candidate(row)?;
            found.insert(candidate.place.rowid, candidate);
        }
    }
    Ok(found.into_values().collect())
}

fn of_services(conn: &Connection, workspace: i64, services: &[Service]) -> Res<Vec<Candidate>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {CANDIDATE} FROM findings f WHERE f.workspace_id = ?1 AND f.service = ?2"
    ))?;
    let mut out = Vec::new();
    for service in services {
        let mut rows = statement.query(params![workspace, code(*service)])?;
        while let Some(row) = rows.next()? {
            out.push(candidate(row)?);
        }
    }
    Ok(out)
}

fn load(conn: &Connection, workspace: i64, rowids: &[i64]) -> Res<Vec<Candidate>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {CANDIDATE} FROM findings f WHERE f.rowid = ?1 AND f.workspace_id = ?2"
    ))?;
    let mut out = Vec::with_capacity(rowids.len());
    for rowid in rowids {
        let mut rows = statement.query([*rowid, workspace])?;
        if let Some(row) = rows.next()? {
            out.push(candidate(row)?);
        }
    }
    Ok(out)
}

/// Conditions on a candidate besides text.
fn fits(query: &FindingQuery, candidate: &Candidate) -> bool {
    query.statuses.contains(&candidate.status)
        && (query.severities.is_empty() || query.severities.contains(&candidate.place.position.severity))
        && (query.categories.is_empty() || query.categories.contains(&candidate.category))
        && (query.services.is_empty()
            || candidate
                .service
                .is_some_and(|service| query.services.contains(&service)))
        && fits_source(
            query,
            &candidate.rule_id,
            candidate.platforms,
            candidate.frameworks,
        )
}

fn fits_source(query: &FindingQuery, rule_id: &str, platforms: i64, frameworks: i64) -> bool {
    query.rule_id.as_deref().is_none_or(|rule| rule == rule_id)
        && (query.platforms.is_empty()
            || query
                .platforms
                .iter()
                .any(|platform: &Platform| platforms & text::bit(*platform) != 0))
        && (query.frameworks.is_empty()
            || query
                .frameworks
                .iter()
                .any(|framework| frameworks & framework_bit(*framework) != 0))
}

/// A page of few findings, sorted here.
fn from_candidates(
    conn: &Connection,
    workspace: i64,
    query: &FindingQuery,
    mut candidates: Vec<Candidate>,
    limit: usize,
) -> Res<FindingPage> {
    candidates.retain(|candidate| fits(query, candidate));
    if (query.entity.is_some() || !query.services.is_empty())
        && let Some(text) = &query.text
    {
        let matching = match text::expression(Some(text), None, &[]) {
            Some(expression) => matching_among(conn, &expression, &candidates)?,
            None => Vec::new(),
        };
        candidates.retain(|candidate| matching.binary_search(&candidate.place.rowid).is_ok());
    }
    let value = candidates.len() as u64;
    let total = Total {
        value: value.min(TOTAL_COUNTED_MAX),
        is_minimum: value > TOTAL_COUNTED_MAX,
    };
    candidates.sort_by_key(|candidate| order(&candidate.place.position));
    let mut places: Vec<Place> = candidates
        .iter()
        .map(|candidate| candidate.place)
        .filter(|place| {
            query
                .after
                .as_ref()
                .is_none_or(|after| order(&place.position) > order(after))
        })
        .take(limit + 1)
        .collect();
    let more = places.len() > limit;
    places.truncate(limit);
    let findings = rows_at(conn, &places)?;
    finish(conn, workspace, findings, more, total)
}

/// Which of the candidates match, in order.
fn matching_among(conn: &Connection, expression: &str, candidates: &[Candidate]) -> Res<Vec<i64>> {
    let mut wanted: Vec<i64> = candidates.iter().map(|candidate| candidate.place.rowid).collect();
    wanted.sort_unstable();
    let mut statement =
        conn.prepare_cached("SELECT rowid FROM findings_text WHERE findings_text MATCH ?1")?;
    let mut rows = statement.query([expression])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        let rowid: i64 = row.get(0)?;
        if wanted.binary_search(&rowid).is_ok() {
            out.push(rowid);
        }
    }
    out.sort_unstable();
    Ok(out)
}

/// What the index of words gives for an expression.
enum Matches {
    /// All rows.
    Few(Vec<i64>),
    /// Too many to sort; all rows in order if they were wanted.
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

/// A page where very many findings match the words, the rule or the platform: goes along the streams and looks at
/// each row, for the page from its position on and for the total from the beginning.
fn filtered(
    conn: &Connection,
    workspace: i64,
    query: &FindingQuery,
    streams: &[Stream],
    words: Option<&[i64]>,
    limit: usize,
) -> Res<FindingPage> {
    let mut page: Vec<Place> = Vec::with_capacity(limit + 1);
    let mut counted = 0_u64;
    let mut look =
        conn.prepare_cached("SELECT rule_id, platforms, frameworks FROM findings WHERE rowid = ?1")?;
    let mut passes = |place: &Place| -> Res<bool> {
        if words.is_some_and(|words| words.binary_search(&place.rowid).is_err()) {
            return Ok(false);
        }
        if query.rule_id.is_none() && query.platforms.is_empty() && query.frameworks.is_empty() {
            return Ok(true);
        }
        let mut rows = look.query([place.rowid])?;
        match rows.next()? {
            Some(row) => Ok(fits_source(
                query,
                crate::row::str_of(row.get_ref(0)?)?,
                row.get(1)?,
                row.get(2)?,
            )),
            None => Ok(false),
        }
    };
    let past = |place: &Place| {
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
    let findings = rows_at(conn, &page)?;
    finish(conn, workspace, findings, more, total)
}

/// Streams of one severity as one, read in steps.
struct Merge<'a> {
    conn: &'a Connection,
    workspace: i64,
    parts: Vec<Part>,
}

struct Part {
    stream: Stream,
    rows: std::collections::VecDeque<Place>,
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

    fn next(&mut self) -> Res<Option<Place>> {
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
