//! Sightings: the reports of several rules and checks about one finding, and the values that the finding shows of them.
//!
//! A finding that only one rule or check has ever reported has no sightings: its own row and details hold everything.

use super::{
    apps::{add_apps, stored_apps},
    counts::Changes,
    full_text::{self, Indexed},
    observe::{ObservationContext, PreparedObservation},
    row::service_code,
    state::{key_of, resolve},
};
use crate::{
    base::{
        fault::{Fault, Res},
        row::{Columns, code},
        unknown::known_rows,
    },
    text,
};
use rusqlite::{Connection, OptionalExtension as _, params};
use watchpost_core::{
    finding::{Sighting, shown_sighting},
    value::{
        id::{AppId, FindingId},
        time::Timestamp,
        word::{Category, FindingStatus},
    },
};

/// Creates the first sighting of a finding from its row, unless the finding has sightings already.
pub(super) fn create_first(conn: &Connection, workspace: i64, finding: FindingId) -> Res<()> {
    let apps = apps_blob(&stored_apps(conn, workspace, finding)?);
    conn.prepare_cached(
        "INSERT INTO finding_sightings (workspace_id, finding_id, rule_id, service, severity, category, scored, \
         platforms, frameworks, title, evidence, apps, holds, seen_by, last_seen_at, misses, marks) \
         SELECT f.workspace_id, f.id, f.rule_id, f.service, f.severity, f.category, f.scored, f.platforms, \
         f.frameworks, f.title, d.evidence, ?3, NOT (f.status = ?4 AND f.auto_resolved), d.seen_by, d.last_seen_at, \
         d.misses, d.marks FROM findings f JOIN finding_details d \
         ON d.workspace_id = f.workspace_id AND d.finding_id = f.id WHERE f.workspace_id = ?1 AND f.id = ?2 \
         AND f.sightings = 0",
    )?
    .execute(params![
        workspace,
        finding.as_bytes(),
        apps,
        code(FindingStatus::Resolved)
    ])?;
    Ok(())
}

/// Returns the marks of a rule's sighting of a finding, if there is one.
pub(super) fn marks(
    conn: &Connection,
    workspace: i64,
    finding: FindingId,
    rule_id: &str,
) -> Res<Option<Vec<u8>>> {
    Ok(conn
        .prepare_cached(
            "SELECT marks FROM finding_sightings WHERE workspace_id = ?1 AND finding_id = ?2 AND rule_id = ?3",
        )?
        .query_row(params![workspace, finding.as_bytes(), rule_id], |row| row.get(0))
        .optional()?)
}

/// Stores a rule's sighting of a finding.
pub(super) fn store(
    conn: &Connection,
    context: &ObservationContext<'_>,
    finding: FindingId,
    seen: &PreparedObservation<'_>,
    marks: &[u8],
) -> Res<()> {
    let observation = seen.observation;
    conn.prepare_cached(
        "INSERT INTO finding_sightings (workspace_id, finding_id, rule_id, service, severity, category, scored, \
         platforms, frameworks, title, evidence, apps, holds, seen_by, last_seen_at, misses, marks) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 1, ?13, ?14, 0, ?15) \
         ON CONFLICT (workspace_id, finding_id, rule_id) DO UPDATE SET service = excluded.service, \
         severity = excluded.severity, category = excluded.category, scored = excluded.scored, \
         platforms = excluded.platforms, frameworks = excluded.frameworks, title = excluded.title, \
         evidence = excluded.evidence, apps = excluded.apps, holds = 1, seen_by = excluded.seen_by, \
         last_seen_at = excluded.last_seen_at, misses = 0, marks = excluded.marks",
    )?
    .execute(params![
        context.workspace,
        finding.as_bytes(),
        observation.rule_id,
        service_code(observation.service),
        code(observation.severity),
        code(observation.category),
        observation.scored,
        seen.platforms,
        seen.frameworks,
        observation.title.untrusted(),
        observation.evidence,
        apps_blob(&seen.apps),
        context.seen_by.as_bytes(),
        context.now.as_millis(),
        marks,
    ])?;
    Ok(())
}

/// Counts a miss of a sighting that holds. The sighting ends if `ends` says so for the misses before this one. Returns
/// whether it ended.
pub(super) fn record_miss(
    conn: &Connection,
    workspace: i64,
    finding: FindingId,
    rule_id: &str,
    ends: impl FnOnce(u64) -> bool,
) -> Res<bool> {
    let misses: Option<i64> = conn
        .prepare_cached(
            "SELECT misses FROM finding_sightings \
             WHERE workspace_id = ?1 AND finding_id = ?2 AND rule_id = ?3 AND holds = 1",
        )?
        .query_row(params![workspace, finding.as_bytes(), rule_id], |row| row.get(0))
        .optional()?;
    let Some(misses) = misses else {
        return Ok(false);
    };
    let gone = ends(u64::try_from(misses).unwrap_or(0));
    conn.prepare_cached(
        "UPDATE finding_sightings SET misses = misses + 1, holds = ?4 \
         WHERE workspace_id = ?1 AND finding_id = ?2 AND rule_id = ?3",
    )?
    .execute(params![workspace, finding.as_bytes(), rule_id, !gone])?;
    Ok(gone)
}

/// Counts a miss of a sighting and sets its marks.
pub(super) fn count_miss(
    conn: &Connection,
    workspace: i64,
    finding: FindingId,
    rule_id: &str,
    marks: &[u8],
) -> Res<()> {
    conn.prepare_cached(
        "UPDATE finding_sightings SET misses = misses + 1, marks = ?4 \
         WHERE workspace_id = ?1 AND finding_id = ?2 AND rule_id = ?3",
    )?
    .execute(params![workspace, finding.as_bytes(), rule_id, marks])?;
    Ok(())
}

/// Moves the sightings of a finding to another finding that has sightings itself. If a rule has a sighting of both, the
/// result holds if one of the two does.
pub(super) fn transfer(conn: &Connection, workspace: i64, from: FindingId, to: FindingId) -> Res<()> {
    for sql in [
        "UPDATE finding_sightings SET holds = 1 WHERE workspace_id = ?1 AND finding_id = ?3 AND rule_id IN \
         (SELECT rule_id FROM finding_sightings WHERE workspace_id = ?1 AND finding_id = ?2 AND holds = 1)",
        "UPDATE OR IGNORE finding_sightings SET finding_id = ?3 WHERE workspace_id = ?1 AND finding_id = ?2",
    ] {
        conn.prepare_cached(sql)?
            .execute(params![workspace, from.as_bytes(), to.as_bytes()])?;
    }
    conn.prepare_cached("DELETE FROM finding_sightings WHERE workspace_id = ?1 AND finding_id = ?2")?
        .execute(params![workspace, from.as_bytes()])?;
    Ok(())
}

/// A stored sighting.
struct Stored {
    decisive: Sighting,
    category: Category,
    service: Option<i64>,
    platforms: i64,
    frameworks: i64,
    title: String,
    evidence: String,
    apps: Vec<AppId>,
}

fn all(conn: &Connection, workspace: i64, finding: FindingId) -> Res<Vec<Stored>> {
    let mut statement = conn.prepare_cached(
        "SELECT rule_id, severity, scored, holds, category, service, platforms, frameworks, title, evidence, apps \
         FROM finding_sightings WHERE workspace_id = ?1 AND finding_id = ?2 ORDER BY rule_id",
    )?;
    let mut rows = statement.query(params![workspace, finding.as_bytes()])?;
    known_rows(&mut rows, "finding_sightings", |row| {
        Ok(Stored {
            decisive: Sighting {
                rule_id: row.get(0)?,
                severity: row.word(1)?,
                scored: row.get(2)?,
                holds: row.get(3)?,
            },
            category: row.word(4)?,
            service: row.get(5)?,
            platforms: row.get(6)?,
            frameworks: row.get(7)?,
            title: row.get(8)?,
            evidence: row.get(9)?,
            apps: parse_apps(&row.get::<_, Vec<u8>>(10)?)?,
        })
    })
}

/// The values that the row of a finding shows.
struct DisplayedRow {
    rowid: i64,
    rule_id: String,
    status: FindingStatus,
    title: String,
    name: String,
    email: Option<String>,
    platforms: i64,
    also: Option<String>,
    /// The service, and the bits of the services and of the frameworks.
    rest: (Option<i64>, i64, i64),
}

fn displayed_row(conn: &Connection, workspace: i64, finding: FindingId) -> Res<DisplayedRow> {
    let mut statement = conn.prepare_cached(
        "SELECT rowid, rule_id, status, title, subject_name, subject_email, platforms, also, service, services, \
         frameworks FROM findings WHERE workspace_id = ?1 AND id = ?2",
    )?;
    let mut rows = statement.query(params![workspace, finding.as_bytes()])?;
    let Some(row) = rows.next()? else {
        return Err(rusqlite::Error::QueryReturnedNoRows.into());
    };
    Ok(DisplayedRow {
        rowid: row.get(0)?,
        rule_id: row.get(1)?,
        status: row.word(2)?,
        title: row.get(3)?,
        name: row.get(4)?,
        email: row.get(5)?,
        platforms: row.get(6)?,
        also: row.get(7)?,
        rest: (row.get(8)?, row.get(9)?, row.get(10)?),
    })
}

/// Updates a finding's row from its sightings: it shows the worst one that holds. If none holds, a live or snoozed finding
/// is resolved. Set `renamed` if the name or address of the subject differs from the indexed one. Returns whether anything
/// changed that an answer can show.
pub(super) fn refresh_finding(
    conn: &Connection,
    workspace: i64,
    finding: FindingId,
    renamed: bool,
    now: Timestamp,
    counts: &mut Changes,
) -> Res<bool> {
    let sightings = all(conn, workspace, finding)?;
    let before = displayed_row(conn, workspace, finding)?;
    let seen_by = i64::try_from(sightings.len()).unwrap_or(i64::MAX);
    conn.prepare_cached("UPDATE findings SET sightings = ?2 WHERE rowid = ?1 AND sightings <> ?2")?
        .execute(params![before.rowid, seen_by])?;
    let decisive: Vec<Sighting> = sightings.iter().map(|row| row.decisive.clone()).collect();
    let Some(found) = shown_sighting(&before.rule_id, &decisive) else {
        let open = before.status.can_end();
        if open {
            resolve(conn, workspace, finding, now, counts)?;
        }
        return Ok(open);
    };
    let Some(from) = sightings.get(found.from) else {
        return Ok(false);
    };
    let holding = || sightings.iter().filter(|row| row.decisive.holds);
    let bits = |of: fn(&Stored) -> i64| holding().fold(0, |sum, row| sum | of(row));
    let platforms = bits(|row| row.platforms);
    let rest = (
        from.service,
        bits(|row| row.service.map_or(0, |service| 1 << service)),
        bits(|row| row.frameworks),
    );
    let also = (!found.also.is_empty()).then(|| found.also.join(" "));
    let key = key_of(conn, workspace, finding)?;
    let new_key = (key.0, from.decisive.severity, from.category, from.decisive.scored);
    let words_changed =
        renamed || (&before.title, &before.also, before.platforms) != (&from.title, &also, platforms);
    let changed = words_changed || key != new_key || before.rest != rest;
    if changed {
        conn.prepare_cached(
            "UPDATE findings SET severity = ?2, category = ?3, scored = ?4, title = ?5, platforms = ?6, also = ?7, \
             service = ?8, services = ?9, frameworks = ?10 WHERE rowid = ?1",
        )?
        .execute(params![
            before.rowid,
            code(new_key.1),
            code(new_key.2),
            new_key.3,
            from.title,
            platforms,
            also,
            rest.0,
            rest.1,
            rest.2,
        ])?;
        counts.shift(key, new_key);
    }
    if words_changed {
        index(conn, &before, &from.title, also.as_deref(), platforms)?;
    }
    let apps_changed = refresh_apps(conn, workspace, finding, holding())?;
    let evidence_changed = conn
        .prepare_cached(
            "UPDATE finding_details SET evidence = ?3 \
             WHERE workspace_id = ?1 AND finding_id = ?2 AND evidence <> ?3",
        )?
        .execute(params![workspace, finding.as_bytes(), from.evidence])?;
    Ok(changed || apps_changed || evidence_changed > 0)
}

/// Updates the full-text index for a finding, with the ids of all rules and checks that report it.
fn index(conn: &Connection, row: &DisplayedRow, title: &str, also: Option<&str>, platforms: i64) -> Res<()> {
    let rules = format!("{} {}", row.rule_id, also.unwrap_or_default());
    let indexed = Indexed {
        title,
        name: &row.name,
        email: row.email.as_deref(),
        rule_id: rules.trim_end(),
        platforms,
    };
    full_text::index(conn, row.rowid, true, &indexed)
}

/// Sets the apps of a finding to those of all sightings that hold. Returns whether they changed.
fn refresh_apps<'a>(
    conn: &Connection,
    workspace: i64,
    finding: FindingId,
    holding: impl Iterator<Item = &'a Stored>,
) -> Res<bool> {
    let mut apps: Vec<AppId> = holding.flat_map(|row| row.apps.iter().copied()).collect();
    apps.sort_unstable();
    apps.dedup();
    if stored_apps(conn, workspace, finding)? == apps {
        return Ok(false);
    }
    conn.prepare_cached("DELETE FROM finding_apps WHERE workspace_id = ?1 AND finding_id = ?2")?
        .execute(params![workspace, finding.as_bytes()])?;
    add_apps(conn, workspace, finding, &apps)?;
    conn.prepare_cached("UPDATE findings SET apps = ?3 WHERE workspace_id = ?1 AND id = ?2")?
        .execute(params![
            workspace,
            finding.as_bytes(),
            i64::try_from(apps.len()).unwrap_or(i64::MAX)
        ])?;
    Ok(true)
}

fn apps_blob(apps: &[AppId]) -> Vec<u8> {
    apps.iter().flat_map(|app| *app.as_bytes()).collect()
}

fn parse_apps(blob: &[u8]) -> Res<Vec<AppId>> {
    let (ids, rest) = blob.as_chunks::<16>();
    if !rest.is_empty() {
        return Err(Fault::Damaged("finding_sightings", text::MALFORMED_APPS.into()));
    }
    Ok(ids.iter().map(|id| AppId::from_bytes(*id)).collect())
}
