//! Creates, keeps and reopens findings from the observations of analyses and scans.

use super::{
    apps::{add_apps, stored_apps},
    condition::move_to_condition,
    counts::{Changes, Key},
    full_text::{self, Indexed},
    marks::{marks_blob, parse_marks},
    row::{framework_bits, service_code},
    sighting,
    state::set_state,
};
use crate::base::{
    fault::Res,
    row::{Columns, code},
    unknown::{SkippedRows, known_rows},
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

/// Stores the observations of an analysis in slices.
pub(crate) struct ObservationWriter {
    analysis: AnalysisId,
    rest: std::vec::IntoIter<Observation>,
    done: ObserveCounts,
    now: Timestamp,
}

impl ObservationWriter {
    pub(crate) fn new(analysis: AnalysisId, observations: Vec<Observation>, now: Timestamp) -> Self {
        Self {
            analysis,
            rest: observations.into_iter(),
            done: ObserveCounts::default(),
            now,
        }
    }

    /// Runs a slice. Returns the counts once all observations are stored.
    pub(crate) fn slice(&mut self, tx: &Tx<'_>, workspace: i64) -> Res<Option<ObserveCounts>> {
        let platforms = platforms(tx.conn, workspace)?;
        let context = ObservationContext {
            workspace,
            seen_by: self.analysis,
            platforms: &platforms,
            now: self.now,
        };
        let mut counts = Changes::default();
        let mut skipped = SkippedRows::new("findings");
        let mut changed = false;
        let mut ended = true;
        while let Some(observation) = self.rest.next() {
            let observed = observe_one(tx, &context, &observation, &mut counts);
            if let Some((outcome, visible)) = skipped.skip_unknown(observed)? {
                changed |= visible;
                count(&mut self.done, outcome);
            }
            if !tx.count_row() {
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

/// Counts the outcome of an observation.
pub(super) fn count(done: &mut ObserveCounts, outcome: Observed) {
    match outcome {
        Observed::New => done.new += 1,
        Observed::Keep => done.kept += 1,
        Observed::Reopen => done.reopened += 1,
    }
}

/// The stored finding that has the observation's fingerprint.
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

/// Returns the platforms that an observation comes from, as bits.
fn platform_bits(observation: &Observation, platforms: &Platforms) -> i64 {
    let mut bits = 0;
    for (integration, _) in observation.marks.keys() {
        if let Some(platform) = platforms.get(integration) {
            bits |= full_text::platform_bit(*platform);
        }
    }
    if let EntityRef::Integration(id) = observation.entity
        && let Some(platform) = platforms.get(&id)
    {
        bits |= full_text::platform_bit(*platform);
    }
    bits
}

/// The values that the observations of a slice share.
pub(super) struct ObservationContext<'a> {
    pub(super) workspace: i64,
    /// The analysis that made the observations, or the scan: the ids of both have 16 bytes.
    pub(super) seen_by: AnalysisId,
    pub(super) platforms: &'a Platforms,
    pub(super) now: Timestamp,
}

/// An observation with the values that are computed from it once.
pub(super) struct PreparedObservation<'a> {
    pub(super) observation: &'a Observation,
    pub(super) platforms: i64,
    pub(super) frameworks: i64,
    marks: Vec<u8>,
    pub(super) apps: Vec<AppId>,
}

impl<'a> PreparedObservation<'a> {
    fn new(observation: &'a Observation, platforms: &Platforms) -> Self {
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

/// Stores an observation. Returns its outcome, and whether anything changed that an answer can show. Fails with
/// [`Fault::Unknown`](crate::base::fault::Fault::Unknown) before anything is written if the finding has words that this
/// version doesn't know.
pub(super) fn observe_one(
    tx: &Tx<'_>,
    context: &ObservationContext<'_>,
    observation: &Observation,
    counts: &mut Changes,
) -> Res<(Observed, bool)> {
    let seen = PreparedObservation::new(observation, context.platforms);
    let (rule, condition) = (&observation.rule_id, &observation.condition);
    move_to_condition(
        tx.conn,
        context.workspace,
        rule,
        condition,
        observation.entity,
        context.now,
        counts,
    )?;
    let Some(known) = known(tx, context.workspace, &observation.fingerprint)? else {
        create(tx, context, &seen)?;
        counts.add(seen.key(FindingStatus::Open), 1);
        return Ok((Observed::New, true));
    };
    if known.sightings > 0 || known.rule_id != *rule {
        return observe_shared(tx, context, &known, &seen, counts);
    }
    let decision = decide_observed(Some((&known.state, &parse_marks(&known.marks)?)), observation);
    let changed = update(tx, context, &known, &seen, decision, counts)?;
    let resolved_by_person = decision == Observed::Keep && known.key.0 == FindingStatus::Resolved;
    // A finding that a person resolved keeps its marks: it is reopened once all its sources have been read again since.
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
            context.workspace,
            known.id.as_bytes(),
            context.seen_by.as_bytes(),
            context.now.as_millis(),
            marks,
            observation.evidence
        ])?;
    Ok((decision, changed || known.evidence != observation.evidence))
}

/// Stores the sighting of a rule or check for a finding that another one has reported as well.
fn observe_shared(
    tx: &Tx<'_>,
    context: &ObservationContext<'_>,
    known: &Known,
    seen: &PreparedObservation<'_>,
    counts: &mut Changes,
) -> Res<(Observed, bool)> {
    let (conn, workspace) = (tx.conn, context.workspace);
    sighting::create_first(conn, workspace, known.id)?;
    // A rule's first sighting has no older marks, so its own are used.
    let before = sighting::marks(conn, workspace, known.id, &seen.observation.rule_id)?;
    let before = before.as_ref().unwrap_or(&seen.marks);
    let decision = decide_observed(Some((&known.state, &parse_marks(before)?)), seen.observation);
    let resolved_by_person = decision == Observed::Keep && known.key.0 == FindingStatus::Resolved;
    let marks = if resolved_by_person { before } else { &seen.marks };
    sighting::store(conn, context, known.id, seen, marks)?;
    let reopened = decision == Observed::Reopen;
    if reopened {
        set_state(conn, workspace, known.id, &StateChange::OPEN, context.now, counts)?;
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
        context.seen_by.as_bytes(),
        context.now.as_millis()
    ])?;
    let changed = sighting::refresh_finding(conn, workspace, known.id, renamed, context.now, counts)?;
    Ok((decision, changed || reopened || renamed))
}

/// Creates a finding from an observation.
fn create(tx: &Tx<'_>, context: &ObservationContext<'_>, seen: &PreparedObservation<'_>) -> Res<()> {
    let id = FindingId::generate(tx.clock, tx.random);
    insert(tx, context, id, seen)?;
    let rowid = tx.conn.last_insert_rowid();
    tx.conn
        .prepare_cached(
            "INSERT INTO finding_details (workspace_id, finding_id, seen_by, last_seen_at, marks, evidence) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            context.workspace,
            id.as_bytes(),
            context.seen_by.as_bytes(),
            context.now.as_millis(),
            seen.marks,
            seen.observation.evidence
        ])?;
    add_apps(tx.conn, context.workspace, id, &seen.apps)?;
    full_text::index(tx.conn, rowid, false, &seen.indexed())
}

/// Updates a stored finding to an observation. Returns whether its row changed.
fn update(
    tx: &Tx<'_>,
    context: &ObservationContext<'_>,
    known: &Known,
    seen: &PreparedObservation<'_>,
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
    let apps_changed = known_apps(tx, context.workspace, known)? != seen.apps;
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
                context.now.as_millis(),
                service_code(seen.observation.service),
                seen.frameworks,
            ])?;
        counts.shift(known.key, key);
    }
    if words_changed {
        full_text::index(tx.conn, known.rowid, true, &indexed)?;
    }
    if apps_changed {
        tx.conn
            .prepare_cached("DELETE FROM finding_apps WHERE workspace_id = ?1 AND finding_id = ?2")?
            .execute(params![context.workspace, known.id.as_bytes()])?;
        add_apps(tx.conn, context.workspace, known.id, &seen.apps)?;
    }
    Ok(changed)
}

fn insert(
    tx: &Tx<'_>,
    context: &ObservationContext<'_>,
    id: FindingId,
    seen: &PreparedObservation<'_>,
) -> Res<()> {
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
            context.workspace,
            id.as_bytes(),
            code(FindingStatus::Open),
            code(observation.severity),
            code(observation.category),
            observation.scored,
            context.now.as_millis(),
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
