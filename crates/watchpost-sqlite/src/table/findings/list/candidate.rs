//! Pages for queries that few findings can match: all candidates are loaded, filtered and sorted in memory.

use super::stream::{IndexEntry, finish, order, rows_at};
use crate::{
    base::{
        fault::Res,
        row::{Columns, code},
        unknown::{SkippedRows, known_rows},
    },
    table::findings::{
        full_text,
        row::{framework_bit, service_bit},
    },
};
use rusqlite::{Connection, params};
use std::collections::HashMap;
use watchpost_core::{
    check::Service,
    finding::{EntityFilter, FindingPage, FindingPosition, FindingQuery, TOTAL_COUNTED_MAX, Total},
    value::{
        id::FindingId,
        word::{Category, EntityType, FindingStatus, Platform},
    },
};

/// A finding that may be in the list, with the values that decide it.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) entry: IndexEntry,
    pub(super) status: FindingStatus,
    pub(super) category: Category,
    pub(super) rule_id: String,
    pub(super) platforms: i64,
    pub(super) service: Option<Service>,
    pub(super) frameworks: i64,
    /// The other rules and checks that report the finding, separated by spaces.
    pub(super) also: Option<String>,
    /// The services of all rules and checks that report the finding, as bits.
    pub(super) services: i64,
}

fn candidate(row: &rusqlite::Row<'_>) -> Res<Candidate> {
    Ok(Candidate {
        entry: IndexEntry {
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
        also: row.get(10)?,
        services: row.get(11)?,
    })
}

const CANDIDATE: &str = "f.rowid, f.severity, f.first_seen_at, f.id, f.status, f.category, f.rule_id, f.platforms, \
     f.service, f.frameworks, f.also, f.services";

pub(super) fn of_entity(conn: &Connection, workspace: i64, entity: EntityFilter) -> Res<Vec<Candidate>> {
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
        for candidate in known_rows(&mut rows, "findings", candidate)? {
            found.insert(candidate.entry.rowid, candidate);
        }
    }
    if entity_type == EntityType::App {
        let mut statement = conn.prepare_cached(&format!(
            "SELECT {CANDIDATE} FROM finding_apps x CROSS JOIN findings f ON f.workspace_id = x.workspace_id \
             AND f.id = x.finding_id WHERE x.workspace_id = ?1 AND x.app_id = ?2"
        ))?;
        let mut rows = statement.query(params![workspace, id])?;
        for candidate in known_rows(&mut rows, "findings", candidate)? {
            found.insert(candidate.entry.rowid, candidate);
        }
    }
    Ok(found.into_values().collect())
}

pub(super) fn of_services(conn: &Connection, workspace: i64, services: &[Service]) -> Res<Vec<Candidate>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {CANDIDATE} FROM findings f WHERE f.workspace_id = ?1 AND f.service = ?2"
    ))?;
    let mut found = HashMap::new();
    for service in services {
        let mut rows = statement.query(params![workspace, code(*service)])?;
        for candidate in known_rows(&mut rows, "findings", candidate)? {
            found.insert(candidate.entry.rowid, candidate);
        }
    }
    // Checks of several services report few findings; `matches` compares the bits of their services.
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {CANDIDATE} FROM findings f INDEXED BY findings_also WHERE f.workspace_id = ?1 AND f.also IS NOT NULL"
    ))?;
    let mut rows = statement.query([workspace])?;
    for candidate in known_rows(&mut rows, "findings", candidate)? {
        found.insert(candidate.entry.rowid, candidate);
    }
    Ok(found.into_values().collect())
}

pub(super) fn load(conn: &Connection, workspace: i64, rowids: &[i64]) -> Res<Vec<Candidate>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {CANDIDATE} FROM findings f WHERE f.rowid = ?1 AND f.workspace_id = ?2"
    ))?;
    let mut out = Vec::with_capacity(rowids.len());
    let mut skipped = SkippedRows::new("findings");
    for rowid in rowids {
        let mut rows = statement.query([*rowid, workspace])?;
        if let Some(row) = rows.next()? {
            out.extend(skipped.skip_unknown(candidate(row))?);
        }
    }
    Ok(out)
}

/// Whether a candidate meets the query's conditions other than the text.
fn matches(query: &FindingQuery, candidate: &Candidate) -> bool {
    query.statuses.contains(&candidate.status)
        && (query.severities.is_empty() || query.severities.contains(&candidate.entry.position.severity))
        && (query.categories.is_empty() || query.categories.contains(&candidate.category))
        && query
            .since
            .is_none_or(|since| candidate.entry.position.first_seen_at >= since)
        && (query.services.is_empty()
            || query.services.iter().any(|service| {
                candidate.service == Some(*service) || candidate.services & service_bit(*service) != 0
            }))
        && matches_source(
            query,
            &candidate.rule_id,
            candidate.also.as_deref(),
            candidate.platforms,
            candidate.frameworks,
        )
}

pub(super) fn matches_source(
    query: &FindingQuery,
    rule_id: &str,
    also: Option<&str>,
    platforms: i64,
    frameworks: i64,
) -> bool {
    let sees = |rule: &str| rule == rule_id || also.is_some_and(|also| also.split(' ').any(|id| id == rule));
    query.rule_id.as_deref().is_none_or(sees)
        && (query.platforms.is_empty()
            || query
                .platforms
                .iter()
                .any(|platform: &Platform| platforms & full_text::platform_bit(*platform) != 0))
        && (query.frameworks.is_empty()
            || query
                .frameworks
                .iter()
                .any(|framework| frameworks & framework_bit(*framework) != 0))
}

/// Returns a page of the candidates that match the query.
pub(super) fn from_candidates(
    conn: &Connection,
    workspace: i64,
    query: &FindingQuery,
    mut candidates: Vec<Candidate>,
    limit: usize,
) -> Res<FindingPage> {
    candidates.retain(|candidate| matches(query, candidate));
    if (query.entity.is_some() || !query.services.is_empty())
        && let Some(text) = &query.text
    {
        let matching = match full_text::expression(Some(text), None, &[]) {
            Some(expression) => matching_among(conn, &expression, &candidates)?,
            None => Vec::new(),
        };
        candidates.retain(|candidate| matching.binary_search(&candidate.entry.rowid).is_ok());
    }
    let value = candidates.len() as u64;
    let total = Total {
        value: value.min(TOTAL_COUNTED_MAX),
        is_minimum: value > TOTAL_COUNTED_MAX,
    };
    candidates.sort_by_key(|candidate| order(&candidate.entry.position));
    let mut entries: Vec<IndexEntry> = candidates
        .iter()
        .map(|candidate| candidate.entry)
        .filter(|entry| {
            query
                .after
                .as_ref()
                .is_none_or(|after| order(&entry.position) > order(after))
        })
        .take(limit + 1)
        .collect();
    let more = entries.len() > limit;
    entries.truncate(limit);
    let next = entries.last().filter(|_| more).map(|entry| entry.position);
    let findings = rows_at(conn, &entries)?;
    finish(conn, workspace, findings, next, total)
}

/// Returns the rowids of the candidates that match the expression, in ascending order.
fn matching_among(conn: &Connection, expression: &str, candidates: &[Candidate]) -> Res<Vec<i64>> {
    let mut wanted: Vec<i64> = candidates.iter().map(|candidate| candidate.entry.rowid).collect();
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
