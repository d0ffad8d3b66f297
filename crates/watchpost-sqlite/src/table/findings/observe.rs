//! Findings made, kept and brought back by what analyses and scans observe.

use super::{
    apps::{add_apps, stored_apps},
    condition::adopt,
    counts::{Changes, Key},
    marks::{marks_blob, marks_of},
    row::{framework_bits, service_code},
    sighting,
    state::set_state,
    text::{self, Indexed},
};
use crate::base::{
    fault::Res,
    row::{Columns, code},
    unknown::{PassedOver, known_rows},
    writer::Tx,
};
use rusqlite::{Connection, params};
use std::collections::HashMap;
use watchpost_core::{
    finding::{FindingState, Observation, ObserveCounts, Observed, StateChange, decide_observed},
    rule::document::EntityRef,
    value::{
        id::{AnalysisId, AppId, FindingId, IntegrationId},
        time::Timestamp,
        word::{FindingStatus, Platform},
    },
};

/// Observations of an analysis, stored as many as a slice takes at a time.
pub(crate) struct Observing {
    analysis: AnalysisId,
    rest: std::vec::IntoIter<Observation>,
    done: ObserveCounts,
    now: Timestamp,
}

impl Observing {
    pub(crate) fn new(analysis: AnalysisId, observations: Vec<Observation>, now: Timestamp) -> Self {
        Self {
            analysis,
            rest: observations.into_iter(),
            done: ObserveCounts::default(),
            now,
        }
    }

    /// Gives the counts once all are stored.
    pub(crate) fn slice(&mut self, tx: &Tx<'_>, workspace: i64) -> Res<Option<ObserveCounts>> {
        let platforms = platforms(tx.conn, workspace)?;
        let sight = Sight {
            workspace,
            seen_by: self.analysis,
            platforms: &platforms,
            now: self.now,
        };
        let mut counts = Changes::default();
        let mut passed_over = PassedOver::of("findings");
        let mut changed = false;
        let mut ended = true;
        while let Some(observation) = self.rest.next() {
            let observed = observe_one(tx, &sight, &observation, &mut counts);
            if let Some((what, visible)) = passed_over.unless(observed)? {
                changed |= visible;
                count(&mut self.done, what);
            }
            if !tx.may_go_on() {
                ended = self.rest.len() == 0;
                break;
            }
        }
        counts.write(tx.conn, workspace)?;
        if changed {
            tx.bump(workspace)?;
        }
        Ok(ended.then_some(self.done))
    }
}

/// Counts what became of an observation.
pub(super) fn count(done: &mut ObserveCounts, what: Observed) {
    match what {
        Observed::New => done.new += 1,
        Observed::Keep => done.kept += 1,
        Observed::Reopen => done.reopened += 1,
    }
}

/// A finding that is known by its fingerprint.
struct Known {
    id: FindingId,
    rowid: i64,
    key: Key,
    state: FindingState,
    title: String,
    name: String,
    email: Option<String>,
    platforms: i64,
    apps: i64,
    marks: Vec<u8>,
    evidence: String,
    frameworks: i64,
    rule_id: String,
    sightings: i64,
}

fn known(tx: &Tx<'_>, workspace: i64, fingerprint: &[u8; 32]) -> Res<Option<Known>> {
    let mut statement = tx.conn.prepare_cached(
        "SELECT f.id, f.rowid, f.status, f.severity, f.category, f.scored, f.snoozed_until, f.dismiss_reason, \
         f.auto_resolved, f.title, f.subject_name, f.subject_email, f.platforms, f.apps, d.marks, d.evidence, f.frameworks, \
         f.rule_id, f.sightings \
         FROM findings f JOIN finding_details d ON d.workspace_id = f.workspace_id AND d.finding_id = f.id \
         WHERE f.workspace_id = ?1 AND f.fingerprint = ?2",
    )?;
    let mut rows = statement.query(params![workspace, fingerprint])?;
    rows.next()?
        .map(|row| {
            let status = row.word(2)?;
            Ok(Known {
                id: row.id(0, FindingId::from_bytes)?,
                rowid: row.get(1)?,
                key: (status, row.word(3)?, row.word(4)?, row.get(5)?),
                state: FindingState {
                    status,
                    snoozed_until: row.time_opt(6)?,
                    dismiss_reason: row.word_opt(7)?,
                    auto_resolved: row.get(8)?,
                },
                title: row.get(9)?,
                name: row.get(10)?,
                email: row.get(11)?,
                platforms: row.get(12)?,
                apps: row.get(13)?,
                marks: row.get(14)?,
                evidence: row.get(15)?,
                frameworks: row.get(16)?,
                rule_id: row.get(17)?,
                sightings: row.get(18)?,
            })
        })
        .transpose()
}

pub(super) type Platforms = HashMap<IntegrationId, Platform>;

pub(super) fn platforms(conn: &Connection, workspace: i64) -> Res<Platforms> {
    let mut statement =
        conn.prepare_cached("SELECT id, platform FROM integrations WHERE workspace_id = ?1")?;
    let mut rows = statement.query([workspace])?;
    let mut out = HashMap::new();
    let known = known_rows(&mut rows, "integrations", |row| {
        Ok((row.id(0, IntegrationId::from_bytes)?, row.word(1)?))
    })?;
    out.extend(known);
    Ok(out)
}

/// The platforms that an observation comes from, as bits.
fn platform_bits(observation: &Observation, platforms: &Platforms) -> i64 {
    let mut bits = 0;
    for (integration, _) in observation.marks.keys() {
        if let Some(platform) = platforms.get(integration) {
            bits |= text::bit(*platform);
        }
    }
    if let EntityRef::Integration(id) = observation.entity
        && let Some(platform) = platforms.get(&id)
    {
        bits |= text::bit(*platform);
    }
    bits
}

/// What a slice of observations is stored under.
pub(super) struct Sight<'a> {
    pub(super) workspace: i64,
    /// What saw them: an analysis or a scan; both are known by 16 bytes.
    pub(super) seen_by: AnalysisId,
    pub(super) platforms: &'a Platforms,
    pub(super) now: Timestamp,
}

/// An observation with what is computed of it once.
pub(super) struct Seen<'a> {
    pub(super) observation: &'a Observation,
    pub(super) platforms: i64,
    pub(super) frameworks: i64,
    marks: Vec<u8>,
    pub(super) apps: Vec<AppId>,
}

impl<'a> Seen<'a> {
    fn of(observation: &'a Observation, platforms: &Platforms) -> Self {
        let mut apps = observation.apps.clone();
        apps.sort_unstable();
        apps.dedup();
        Self {
            observation,
            platforms: platform_bits(observation, platforms),
            frameworks: framework_bits(&observation.frameworks),
            marks: marks_blob(&observation.marks),
            apps,
        }
    }

    fn indexed(&self) -> Indexed<'_> {
        Indexed {
            title: self.observation.title.untrusted(),
            name: self.observation.subject_name.untrusted(),
            email: self.observation.subject_email.as_deref(),
            rule_id: &self.observation.rule_id,
            platforms: self.platforms,
        }
    }

    fn key(&self, status: FindingStatus) -> Key {
        (
            status,
            self.observation.severity,
            self.observation.category,
            self.observation.scored,
        )
    }
}

/// Stores an observation. Gives what became of it and whether an answer could show a difference. A finding that a newer
/// version wrote stays as it is ([`Fault::Unknown`](crate::base::fault::Fault::Unknown), before anything is written).
pub(super) fn observe_one(
    tx: &Tx<'_>,
    sight: &Sight<'_>,
    observation: &Observation,
    counts: &mut Changes,
) -> Res<(Observed, bool)> {
    let seen = Seen::of(observation, sight.platforms);
    let (rule, condition) = (&observation.rule_id, &observation.condition);
    adopt(
        tx.conn,
        sight.workspace,
        rule,
        condition,
        observation.entity,
        sight.now,
        counts,
    )?;
    let Some(known) = known(tx, sight.workspace, &observation.fingerprint)? else {
        make(tx, sight, &seen)?;
        counts.add(seen.key(FindingStatus::Open), 1);
        return Ok((Observed::New, true));
    };
    if known.sightings > 0 || known.rule_id != *rule {
        return observe_shared(tx, sight, &known, &seen, counts);
    }
    let decision = decide_observed(Some((&known.state, &marks_of(&known.marks)?)), observation);
    let changed = update(tx, sight, &known, &seen, decision, counts)?;
    let resolved_by_person = decision == Observed::Keep && known.key.0 == FindingStatus::Resolved;
    // The marks of one that a person resolved stay: it comes back once all its sources are newer than they were.
    let marks = if resolved_by_person {
        &known.marks
    } else {
        &seen.marks
    };
    tx.conn
        .prepare_cached(
            "UPDATE finding_details SET seen_by = ?3, last_seen_at = ?4, misses = 0, marks = ?5, \
             evidence = CASE WHEN evidence = ?6 THEN evidence ELSE ?6 END \
             WHERE workspace_id = ?1 AND finding_id = ?2",
        )?
        .execute(params![
            sight.workspace,
            known.id.as_bytes(),
            sight.seen_by.as_bytes(),
            sight.now.as_millis(),
            marks,
            observation.evidence
        ])?;
    Ok((decision, changed || known.evidence != observation.evidence))
}

/// Stores what a rule or check sees of a finding that another one saw as well.
fn observe_shared(
    tx: &Tx<'_>,
    sight: &Sight<'_>,
    known: &Known,
    seen: &Seen<'_>,
    counts: &mut Changes,
) -> Res<(Observed, bool)> {
    let (conn, workspace) = (tx.conn, sight.workspace);
    sighting::begin(conn, workspace, known.id)?;
    // What it never saw before has no older reading: its own is taken for the last.
    let before = sighting::marks(conn, workspace, known.id, &seen.observation.rule_id)?;
    let before = before.as_ref().unwrap_or(&seen.marks);
    let decision = decide_observed(Some((&known.state, &marks_of(before)?)), seen.observation);
    let resolved_by_person = decision == Observed::Keep && known.key.0 == FindingStatus::Resolved;
    let marks = if resolved_by_person { before } else { &seen.marks };
    sighting::keep(conn, sight, known.id, seen, marks)?;
    let reopened = decision == Observed::Reopen;
    if reopened {
        set_state(conn, workspace, known.id, &StateChange::OPEN, sight.now, counts)?;
    }
    let indexed = seen.indexed();
    let renamed = known.name != indexed.name || known.email.as_deref() != indexed.email;
    if reopened || renamed {
        conn.prepare_cached(
            "UPDATE findings SET reopen_count = reopen_count + ?2, subject_name = ?3, subject_email = ?4 \
             WHERE rowid = ?1",
        )?
        .execute(params![known.rowid, reopened, indexed.name, indexed.email])?;
    }
    conn.prepare_cached(
        "UPDATE finding_details SET seen_by = ?3, last_seen_at = ?4, misses = 0 \
         WHERE workspace_id = ?1 AND finding_id = ?2",
    )?
    .execute(params![
        workspace,
        known.id.as_bytes(),
        sight.seen_by.as_bytes(),
        sight.now.as_millis()
    ])?;
    let changed = sighting::show(conn, workspace, known.id, renamed, sight.now, counts)?;
    Ok((decision, changed || reopened || renamed))
}

/// Makes a finding of an observation.
fn make(tx: &Tx<'_>, sight: &Sight<'_>, seen: &Seen<'_>) -> Res<()> {
    let id = FindingId::generate(tx.clock, tx.random);
    insert(tx, sight, id, seen)?;
    let rowid = tx.conn.last_insert_rowid();
    tx.conn
        .prepare_cached(
            "INSERT INTO finding_details (workspace_id, finding_id, seen_by, last_seen_at, marks, evidence) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            sight.workspace,
            id.as_bytes(),
            sight.seen_by.as_bytes(),
            sight.now.as_millis(),
            seen.marks,
            seen.observation.evidence
        ])?;
    add_apps(tx.conn, sight.workspace, id, &seen.apps)?;
    text::index(tx.conn, rowid, false, &seen.indexed())
}

/// Brings a known finding to what was observed. Gives whether its row changed.
fn update(
    tx: &Tx<'_>,
    sight: &Sight<'_>,
    known: &Known,
    seen: &Seen<'_>,
    decision: Observed,
    counts: &mut Changes,
) -> Res<bool> {
    let reopened = decision == Observed::Reopen;
    let key = seen.key(if reopened {
        FindingStatus::Open
    } else {
        known.key.0
    });
    let indexed = seen.indexed();
    let words_changed = known.title != indexed.title
        || known.name != indexed.name
        || known.email.as_deref() != indexed.email
        || known.platforms != seen.platforms;
    let apps_changed = known_apps(tx, sight.workspace, known)? != seen.apps;
    let changed = words_changed || apps_changed || known.key != key || known.frameworks != seen.frameworks;
    if changed {
        tx.conn
            .prepare_cached(
                "UPDATE findings SET status = ?2, severity = ?3, category = ?4, scored = ?5, title = ?6, \
                 subject_name = ?7, subject_email = ?8, platforms = ?9, apps = ?10, service = ?13, frameworks = ?14, \
                 reopen_count = reopen_count + ?11, auto_resolved = CASE ?11 WHEN 1 THEN 0 ELSE auto_resolved END, \
                 status_changed_at = CASE ?11 WHEN 1 THEN ?12 ELSE status_changed_at END WHERE rowid = ?1",
            )?
            .execute(params![
                known.rowid,
                code(key.0),
                code(key.1),
                code(key.2),
                key.3,
                indexed.title,
                indexed.name,
                indexed.email,
                seen.platforms,
                seen.apps.len() as i64,
                reopened,
                sight.now.as_millis(),
                service_code(seen.observation.service),
                seen.frameworks,
            ])?;
        counts.shift(known.key, key);
    }
    if words_changed {
        text::index(tx.conn, known.rowid, true, &indexed)?;
    }
    if apps_changed {
        tx.conn
            .prepare_cached("DELETE FROM finding_apps WHERE workspace_id = ?1 AND finding_id = ?2")?
            .execute(params![sight.workspace, known.id.as_bytes()])?;
        add_apps(tx.conn, sight.workspace, known.id, &seen.apps)?;
    }
    Ok(changed)
}

fn insert(tx: &Tx<'_>, sight: &Sight<'_>, id: FindingId, seen: &Seen<'_>) -> Res<()> {
    let observation = seen.observation;
    tx.conn
        .prepare_cached(
            "INSERT INTO findings (workspace_id, id, status, severity, category, scored, first_seen_at, entity_type, \
             entity_id, rule_id, platforms, apps, title, subject_name, subject_email, status_changed_at, fingerprint, \
             service, frameworks, condition) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?7, ?16, ?17, ?18, \
             nullif(?19, ?10))",
        )?
        .execute(params![
            sight.workspace,
            id.as_bytes(),
            code(FindingStatus::Open),
            code(observation.severity),
            code(observation.category),
            observation.scored,
            sight.now.as_millis(),
            code(observation.entity.entity_type()),
            observation.entity.id_bytes(),
            observation.rule_id,
            seen.platforms,
            seen.apps.len() as i64,
            observation.title.untrusted(),
            observation.subject_name.untrusted(),
            observation.subject_email,
            observation.fingerprint,
            service_code(observation.service),
            seen.frameworks,
            observation.condition,
        ])?;
    Ok(())
}

fn known_apps(tx: &Tx<'_>, workspace: i64, known: &Known) -> Res<Vec<AppId>> {
    if known.apps == 0 {
        return Ok(Vec::new());
    }
    stored_apps(tx.conn, workspace, known.id)
}
