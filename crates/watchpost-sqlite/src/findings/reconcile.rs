//! Findings made, kept, ended and brought back by analyses, changed by people, moved by merges.

use super::{
    code,
    counts::{Changes, Key},
    text::{self, Indexed},
};
use crate::{
    fault::{Fault, Res},
    row::{Columns, Word},
    scans::{framework_bits, service_code},
    store::SqliteStore,
    writer::Tx,
};
use rusqlite::{Connection, OptionalExtension as _, params};
use std::collections::HashMap;
use watchpost_core::{
    access::JobPermit,
    error::StoreError,
    finding::{
        FindingState, LifeChange, Marks, Missed, MissedChange, Observation, ObserveCounts, Observed,
        SweepCounts, SweepInput, decide_missed, decide_observed, fingerprint,
    },
    integration::fact::Dataset,
    rule::document::EntityRef,
    value::{
        id::{AnalysisId, AppId, FindingId, IdentityId, IntegrationId},
        text::ForeignText,
        time::Timestamp,
        word::{EntityType, FindingStatus, Platform, RemediationState},
    },
};

/// Marks as stored: integration id (16 bytes), dataset (1), completions (8, little endian) each.
const MARK_BYTES: usize = 25;

fn marks_blob(marks: &Marks) -> Vec<u8> {
    let mut out = Vec::with_capacity(marks.len() * MARK_BYTES);
    for ((integration, dataset), completions) in marks {
        out.extend_from_slice(integration.as_bytes());
        out.push(dataset.code());
        out.extend_from_slice(&completions.to_le_bytes());
    }
    out
}

fn marks_of(blob: &[u8]) -> Res<Marks> {
    let damaged = || Fault::Damaged("finding_details", "marks of an unknown form".into());
    if !blob.len().is_multiple_of(MARK_BYTES) {
        return Err(damaged());
    }
    let mut out = Marks::new();
    for mark in blob.chunks_exact(MARK_BYTES) {
        let (integration, rest) = mark.split_at(16);
        let (dataset, completions) = rest.split_at(1);
        let integration: [u8; 16] = integration.try_into().map_err(|_| damaged())?;
        let dataset = dataset
            .first()
            .and_then(|code| Dataset::from_code(*code))
            .ok_or_else(damaged)?;
        let completions: [u8; 8] = completions.try_into().map_err(|_| damaged())?;
        out.insert(
            (IntegrationId::from_bytes(integration), dataset),
            u64::from_le_bytes(completions),
        );
    }
    Ok(out)
}

/// A finding's state as decisions need it.
pub(crate) fn state_of(conn: &Connection, workspace: i64, id: FindingId) -> Res<Option<FindingState>> {
    let mut statement = conn.prepare_cached(
        "SELECT status, snoozed_until, dismiss_reason, auto_resolved FROM findings WHERE workspace_id = ?1 AND id = ?2",
    )?;
    let mut rows = statement.query(params![workspace, id.as_bytes()])?;
    rows.next()?
        .map(|row| {
            Ok(FindingState {
                status: row.word(0)?,
                snoozed_until: row.time_opt(1)?,
                dismiss_reason: row.word_opt(2)?,
                auto_resolved: row.get(3)?,
            })
        })
        .transpose()
}

fn key_of(conn: &Connection, workspace: i64, id: FindingId) -> Res<Key> {
    let mut statement = conn.prepare_cached(
        "SELECT status, severity, category, scored FROM findings WHERE workspace_id = ?1 AND id = ?2",
    )?;
    let mut rows = statement.query(params![workspace, id.as_bytes()])?;
    match rows.next()? {
        Some(row) => Ok((row.word(0)?, row.word(1)?, row.word(2)?, row.get(3)?)),
        None => Err(rusqlite::Error::QueryReturnedNoRows.into()),
    }
}

/// Writes a finding's new state with its counts; what waits for approval on a finding that closes is cancelled.
pub(crate) fn apply_change(
    tx: &Tx<'_>,
    workspace: i64,
    id: FindingId,
    change: &LifeChange,
    note: Option<&ForeignText>,
    now: Timestamp,
) -> Res<()> {
    let mut counts = Changes::default();
    set_state(tx, workspace, id, change, now, &mut counts)?;
    counts.write(tx, workspace)?;
    if let Some(note) = note {
        tx.conn
            .prepare_cached(
                "UPDATE finding_details SET note = ?3 WHERE workspace_id = ?1 AND finding_id = ?2",
            )?
            .execute(params![workspace, id.as_bytes(), note.untrusted()])?;
    }
    tx.bump(workspace)
}

pub(super) fn set_state(
    tx: &Tx<'_>,
    workspace: i64,
    id: FindingId,
    change: &LifeChange,
    now: Timestamp,
    counts: &mut Changes,
) -> Res<()> {
    let before = key_of(tx.conn, workspace, id)?;
    counts.shift(before, (change.status, before.1, before.2, before.3));
    tx.conn
        .prepare_cached(
            "UPDATE findings SET status = ?3, snoozed_until = ?4, dismiss_reason = ?5, auto_resolved = ?6, \
             status_changed_at = CASE WHEN status = ?3 THEN status_changed_at ELSE ?7 END \
             WHERE workspace_id = ?1 AND id = ?2",
        )?
        .execute(params![
            workspace,
            id.as_bytes(),
            code(change.status),
            change.snoozed_until.map(Timestamp::as_millis),
            change.dismiss_reason.map(Word::position),
            change.auto_resolved,
            now.as_millis(),
        ])?;
    if matches!(change.status, FindingStatus::Resolved | FindingStatus::Dismissed) {
        tx.conn
            .prepare_cached(
                "UPDATE remediations SET state = ?3, decided_at = ?4 \
                 WHERE workspace_id = ?1 AND finding_id = ?2 AND state = ?5",
            )?
            .execute(params![
                workspace,
                id.as_bytes(),
                RemediationState::Cancelled.position(),
                now.as_millis(),
                RemediationState::PendingApproval.position(),
            ])?;
    }
    Ok(())
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
}

fn known(tx: &Tx<'_>, workspace: i64, fingerprint: &[u8; 32]) -> Res<Option<Known>> {
    let mut statement = tx.conn.prepare_cached(
        "SELECT f.id, f.rowid, f.status, f.severity, f.category, f.scored, f.snoozed_until, f.dismiss_reason, \
         f.auto_resolved, f.title, f.subject_name, f.subject_email, f.platforms, f.apps, d.marks, d.evidence, f.frameworks \
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
    while let Some(row) = rows.next()? {
        out.insert(row.id(0, IntegrationId::from_bytes)?, row.word(1)?);
    }
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

/// Stores an observation. Gives what became of it and whether an answer could show a difference.
pub(super) fn observe_one(
    tx: &Tx<'_>,
    workspace: i64,
    analysis: AnalysisId,
    observation: &Observation,
    platforms: &Platforms,
    now: Timestamp,
    counts: &mut Changes,
) -> Res<(Observed, bool)> {
    let bits = platform_bits(observation, platforms);
    let marks = marks_blob(&observation.marks);
    let mut apps = observation.apps.clone();
    apps.sort_unstable();
    apps.dedup();
    let indexed = Indexed {
        title: observation.title.untrusted(),
        name: observation.subject_name.untrusted(),
        email: observation.subject_email.as_deref(),
        rule_id: &observation.rule_id,
        platforms: bits,
    };
    let Some(known) = known(tx, workspace, &observation.fingerprint)? else {
        let id = FindingId::generate(tx.clock, tx.random);
        insert(tx, workspace, id, observation, bits, apps.len(), now)?;
        let rowid = tx.conn.last_insert_rowid();
        tx.conn
            .prepare_cached(
                "INSERT INTO finding_details (workspace_id, finding_id, seen_by, last_seen_at, marks, evidence) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                workspace,
                id.as_bytes(),
                analysis.as_bytes(),
                now.as_millis(),
                marks,
                observation.evidence
            ])?;
        add_apps(tx, workspace, id, &apps)?;
        text::index(tx, rowid, false, &indexed)?;
        counts.add(
            (
                FindingStatus::Open,
                observation.severity,
                observation.category,
                observation.scored,
            ),
            1,
        );
        return Ok((Observed::New, true));
    };
    let decision = decide_observed(Some((&known.state, &marks_of(&known.marks)?)), observation);
    let status = if decision == Observed::Reopen {
        FindingStatus::Open
    } else {
        known.key.0
    };
    let key = (
        status,
        observation.severity,
        observation.category,
        observation.scored,
    );
    let words_changed = known.title != indexed.title
        || known.name != indexed.name
        || known.email.as_deref() != indexed.email
        || known.platforms != bits;
    let apps_changed = stored_apps(tx, workspace, &known)? != apps;
    let frameworks = framework_bits(&observation.frameworks);
    let row_changed = words_changed || apps_changed || known.key != key || known.frameworks != frameworks;
    if row_changed {
        let reopened = decision == Observed::Reopen;
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
                bits,
                apps.len() as i64,
                reopened,
                now.as_millis(),
                service_code(observation.service),
                frameworks,
            ])?;
        counts.shift(known.key, key);
    }
    if words_changed {
        text::index(tx, known.rowid, true, &indexed)?;
    }
    if apps_changed {
        tx.conn
            .prepare_cached("DELETE FROM finding_apps WHERE workspace_id = ?1 AND finding_id = ?2")?
            .execute(params![workspace, known.id.as_bytes()])?;
        add_apps(tx, workspace, known.id, &apps)?;
    }
    let resolved_by_person = decision == Observed::Keep && known.key.0 == FindingStatus::Resolved;
    // The marks of one that a person resolved stay: it comes back once all its sources are newer than they were.
    let marks = if resolved_by_person { &known.marks } else { &marks };
    tx.conn
        .prepare_cached(
            "UPDATE finding_details SET seen_by = ?3, last_seen_at = ?4, misses = 0, marks = ?5, \
             evidence = CASE WHEN evidence = ?6 THEN evidence ELSE ?6 END \
             WHERE workspace_id = ?1 AND finding_id = ?2",
        )?
        .execute(params![
            workspace,
            known.id.as_bytes(),
            analysis.as_bytes(),
            now.as_millis(),
            marks,
            observation.evidence
        ])?;
    Ok((decision, row_changed || known.evidence != observation.evidence))
}

fn insert(
    tx: &Tx<'_>,
    workspace: i64,
    id: FindingId,
    observation: &Observation,
    platforms: i64,
    apps: usize,
    now: Timestamp,
) -> Res<()> {
    tx.conn
        .prepare_cached(
            "INSERT INTO findings (workspace_id, id, status, severity, category, scored, first_seen_at, entity_type, \
             entity_id, rule_id, platforms, apps, title, subject_name, subject_email, status_changed_at, fingerprint, \
             service, frameworks) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?7, ?16, ?17, ?18)",
        )?
        .execute(params![
            workspace,
            id.as_bytes(),
            code(FindingStatus::Open),
            code(observation.severity),
            code(observation.category),
            observation.scored,
            now.as_millis(),
            code(observation.entity.entity_type()),
            observation.entity.id_bytes(),
            observation.rule_id,
            platforms,
            apps as i64,
            observation.title.untrusted(),
            observation.subject_name.untrusted(),
            observation.subject_email,
            observation.fingerprint,
            service_code(observation.service),
            framework_bits(&observation.frameworks),
        ])?;
    Ok(())
}

fn stored_apps(tx: &Tx<'_>, workspace: i64, known: &Known) -> Res<Vec<AppId>> {
    if known.apps == 0 {
        return Ok(Vec::new());
    }
    let mut statement = tx.conn.prepare_cached(
        "SELECT app_id FROM finding_apps WHERE workspace_id = ?1 AND finding_id = ?2 ORDER BY app_id",
    )?;
    let mut rows = statement.query(params![workspace, known.id.as_bytes()])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push(row.id(0, AppId::from_bytes)?);
    }
    Ok(out)
}

fn add_apps(tx: &Tx<'_>, workspace: i64, finding: FindingId, apps: &[AppId]) -> Res<()> {
    for app in apps {
        tx.conn
            .prepare_cached(
                "INSERT INTO finding_apps (workspace_id, finding_id, app_id) VALUES (?1, ?2, ?3)",
            )?
            .execute(params![workspace, finding.as_bytes(), app.as_bytes()])?;
    }
    Ok(())
}

/// A finding as the sweep comes by it.
struct Swept {
    rowid: i64,
    id: FindingId,
    status: FindingStatus,
    rule_id: String,
    entity: EntityRef,
    has_apps: bool,
    marks: Vec<u8>,
    misses: i64,
    last_seen_at: i64,
    of_check: bool,
}

impl SqliteStore {
    pub(super) async fn observe(
        &self,
        permit: &JobPermit,
        analysis: AnalysisId,
        observations: Vec<Observation>,
        now: Timestamp,
    ) -> Result<ObserveCounts, StoreError> {
        let id = permit.scope().workspace();
        let mut rest = observations.into_iter();
        let mut done = ObserveCounts::default();
        self.inner
            .writer
            .bulk("findings", move |tx| {
                let workspace = tx.workspace(id)?;
                let platforms = platforms(tx.conn, workspace)?;
                let mut counts = Changes::default();
                let mut changed = false;
                let mut ended = true;
                while let Some(observation) = rest.next() {
                    let (what, visible) = observe_one(
                        tx,
                        workspace,
                        analysis,
                        &observation,
                        &platforms,
                        now,
                        &mut counts,
                    )?;
                    changed |= visible;
                    match what {
                        Observed::New => done.new += 1,
                        Observed::Keep => done.kept += 1,
                        Observed::Reopen => done.reopened += 1,
                    }
                    if !tx.may_go_on() {
                        ended = rest.len() == 0;
                        break;
                    }
                }
                counts.write(tx, workspace)?;
                if changed {
                    tx.bump(workspace)?;
                }
                Ok(ended.then_some(done))
            })
            .await
    }

    pub(super) async fn sweep(
        &self,
        permit: &JobPermit,
        analysis: AnalysisId,
        input: SweepInput,
        now: Timestamp,
    ) -> Result<SweepCounts, StoreError> {
        let id = permit.scope().workspace();
        let mut after = 0_i64;
        let mut done = SweepCounts::default();
        self.inner
            .writer
            .bulk("findings", move |tx| {
                let workspace = tx.workspace(id)?;
                let (missed, last) = unseen_after(tx.conn, workspace, analysis, after)?;
                let mut counts = Changes::default();
                let mut full = false;
                let mut looked_at = after;
                for finding in missed {
                    looked_at = finding.rowid;
                    match sweep_one(tx, workspace, &finding, &input, now, &mut counts)? {
                        MissedChange::Keep => done.kept += 1,
                        MissedChange::Count(_) => done.missed += 1,
                        MissedChange::Resolve => done.resolved += 1,
                    }
                    if !tx.may_go_on() {
                        full = true;
                        break;
                    }
                }
                counts.write(tx, workspace)?;
                if looked_at > after {
                    tx.bump(workspace)?;
                }
                match (full, last) {
                    (true, _) => after = looked_at,
                    (false, Some(last)) => after = last,
                    (false, None) => return Ok(Some(done)),
                }
                Ok(None)
            })
            .await
    }

    pub(super) async fn wake(&self, permit: &JobPermit, now: Timestamp) -> Result<u64, StoreError> {
        let id = permit.scope().workspace();
        let mut woken = 0_u64;
        self.inner
            .writer
            .bulk("findings", move |tx| {
                let workspace = tx.workspace(id)?;
                let mut over = Vec::new();
                {
                    let mut statement = tx.conn.prepare_cached(
                        "SELECT id FROM findings WHERE workspace_id = ?1 AND snoozed_until IS NOT NULL \
                         AND snoozed_until <= ?2 ORDER BY snoozed_until LIMIT 200",
                    )?;
                    let mut rows = statement.query([workspace, now.as_millis()])?;
                    while let Some(row) = rows.next()? {
                        over.push(row.id(0, FindingId::from_bytes)?);
                    }
                }
                if over.is_empty() {
                    return Ok(Some(woken));
                }
                let mut counts = Changes::default();
                for finding in over {
                    let open = LifeChange {
                        status: FindingStatus::Open,
                        snoozed_until: None,
                        dismiss_reason: None,
                        auto_resolved: false,
                    };
                    set_state(tx, workspace, finding, &open, now, &mut counts)?;
                    woken += 1;
                }
                counts.write(tx, workspace)?;
                tx.bump(workspace)?;
                Ok(None)
            })
            .await
    }
}

/// Live and snoozed findings after a rowid that the analysis didn't see, out of the next thousand rows; and the last
/// of those rows, `None` at the end.
fn unseen_after(
    conn: &Connection,
    workspace: i64,
    analysis: AnalysisId,
    after: i64,
) -> Res<(Vec<Swept>, Option<i64>)> {
    const LOOKED_AT: usize = 1_000;
    let mut statement = conn.prepare_cached(
        "SELECT f.rowid, f.workspace_id, f.id, f.status, f.rule_id, f.entity_type, f.entity_id, f.apps, d.seen_by, \
         d.marks, d.misses, d.last_seen_at, f.service \
         FROM findings f NOT INDEXED LEFT JOIN finding_details d ON d.workspace_id = f.workspace_id AND d.finding_id = f.id \
         WHERE f.rowid > ?1 ORDER BY f.rowid LIMIT ?2",
    )?;
    let mut rows = statement.query(params![after, LOOKED_AT as i64])?;
    let mut out = Vec::new();
    let mut last = None;
    let mut seen = 0;
    while let Some(row) = rows.next()? {
        let rowid = row.get(0)?;
        last = Some(rowid);
        seen += 1;
        if row.get::<_, i64>(1)? != workspace {
            continue;
        }
        let status: FindingStatus = row.word(3)?;
        let seen_by: [u8; 16] = row.get(8)?;
        if !(status.is_live() || status == FindingStatus::Snoozed) || seen_by == *analysis.as_bytes() {
            continue;
        }
        out.push(Swept {
            rowid,
            id: row.id(2, FindingId::from_bytes)?,
            status,
            rule_id: row.get(4)?,
            entity: EntityRef::from_parts(row.word::<EntityType>(5)?, row.id(6, |bytes| bytes)?),
            has_apps: row.get::<_, i64>(7)? > 0,
            marks: row.get(9)?,
            misses: row.get(10)?,
            last_seen_at: row.get(11)?,
            of_check: row.get::<_, Option<i64>>(12)?.is_some(),
        });
    }
    Ok((out, last.filter(|_| seen == LOOKED_AT)))
}

fn sweep_one(
    tx: &Tx<'_>,
    workspace: i64,
    finding: &Swept,
    input: &SweepInput,
    now: Timestamp,
    counts: &mut Changes,
) -> Res<MissedChange> {
    let marks = marks_of(&finding.marks)?;
    let missed = Missed {
        rule_id: &finding.rule_id,
        entity: finding.entity,
        marks: &marks,
        misses: u32::try_from(finding.misses).unwrap_or(0),
        decided_since: decided_since(tx, workspace, finding)?,
        of_check: finding.of_check,
    };
    let change = decide_missed(missed, input);
    match &change {
        MissedChange::Keep => {}
        MissedChange::Count(marks) => {
            tx.conn
                .prepare_cached(
                    "UPDATE finding_details SET misses = misses + 1, marks = ?3 \
                     WHERE workspace_id = ?1 AND finding_id = ?2",
                )?
                .execute(params![workspace, finding.id.as_bytes(), marks_blob(marks)])?;
        }
        MissedChange::Resolve => {
            debug_assert!(finding.status != FindingStatus::Resolved);
            let resolved = LifeChange {
                status: FindingStatus::Resolved,
                snoozed_until: None,
                dismiss_reason: None,
                auto_resolved: true,
            };
            set_state(tx, workspace, finding.id, &resolved, now, counts)?;
        }
    }
    Ok(change)
}

/// Whether people decided something about the subject, or about an app that the finding names, after it was last seen.
fn decided_since(tx: &Tx<'_>, workspace: i64, finding: &Swept) -> Res<bool> {
    let after = |sql: &str, id: &[u8; 16]| -> Res<bool> {
        Ok(tx
            .conn
            .prepare_cached(sql)?
            .query_row(params![workspace, id, finding.last_seen_at], |row| row.get(0))?)
    };
    let subject = match &finding.entity {
        EntityRef::Identity(id) => after(
            "SELECT EXISTS (SELECT 1 FROM identities WHERE workspace_id = ?1 AND id = ?2 AND tagged_at >= ?3)",
            id.as_bytes(),
        )?,
        EntityRef::App(id) => after(
            "SELECT EXISTS (SELECT 1 FROM apps WHERE workspace_id = ?1 AND id = ?2 AND policy_set_at >= ?3)",
            id.as_bytes(),
        )?,
        EntityRef::Integration(_) => false,
    };
    if subject || !finding.has_apps {
        return Ok(subject);
    }
    after(
        "SELECT EXISTS (SELECT 1 FROM finding_apps x JOIN apps a ON a.workspace_id = x.workspace_id AND a.id = x.app_id \
         WHERE x.workspace_id = ?1 AND x.finding_id = ?2 AND a.policy_set_at >= ?3)",
        finding.id.as_bytes(),
    )
}

/// How much a status weighs when two findings become one: a person's decision wins, then what is open.
fn weight(status: FindingStatus) -> u8 {
    match status {
        FindingStatus::Dismissed => 0,
        FindingStatus::Snoozed => 1,
        FindingStatus::InProgress => 2,
        FindingStatus::Open => 3,
        FindingStatus::Resolved => 4,
    }
}

/// Moves the findings of an identity that is merged into another. Where both have one of a rule the older row stays,
/// and a person's decision on either.
pub(crate) fn move_subject(
    tx: &Tx<'_>,
    workspace: i64,
    gone: IdentityId,
    keep: IdentityId,
    now: Timestamp,
) -> Res<()> {
    let mut moved = Vec::new();
    {
        let mut statement = tx.conn.prepare_cached(
            "SELECT id, rule_id, first_seen_at FROM findings WHERE workspace_id = ?1 AND entity_type = ?2 AND entity_id = ?3",
        )?;
        let mut rows = statement.query(params![workspace, code(EntityType::Identity), gone.as_bytes()])?;
        while let Some(row) = rows.next()? {
            moved.push((
                row.id(0, FindingId::from_bytes)?,
                row.get::<_, String>(1)?,
                row.get::<_, i64>(2)?,
            ));
        }
    }
    let mut counts = Changes::default();
    for (id, rule, first_seen_at) in moved {
        let new_print = fingerprint(&rule, EntityRef::Identity(keep));
        let other: Option<([u8; 16], i64)> = tx
            .conn
            .prepare_cached(
                "SELECT id, first_seen_at FROM findings WHERE workspace_id = ?1 AND fingerprint = ?2",
            )?
            .query_row(params![workspace, new_print], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        let mut stays = id;
        if let Some((other, other_seen_at)) = other {
            let other = FindingId::from_bytes(other);
            let other_is_older = (other_seen_at, other) < (first_seen_at, id);
            let (older, younger) = if other_is_older { (other, id) } else { (id, other) };
            absorb(tx, workspace, older, younger, now, &mut counts)?;
            stays = older;
        }
        tx.conn
            .prepare_cached(
                "UPDATE findings SET entity_id = ?3, fingerprint = ?4 WHERE workspace_id = ?1 AND id = ?2",
            )?
            .execute(params![workspace, stays.as_bytes(), keep.as_bytes(), new_print])?;
    }
    counts.write(tx, workspace)
}

/// Makes two findings of the same rule one.
fn absorb(
    tx: &Tx<'_>,
    workspace: i64,
    older: FindingId,
    younger: FindingId,
    now: Timestamp,
    counts: &mut Changes,
) -> Res<()> {
    let (Some(first), Some(second)) = (
        state_of(tx.conn, workspace, older)?,
        state_of(tx.conn, workspace, younger)?,
    ) else {
        return Ok(());
    };
    if weight(second.status) < weight(first.status) {
        let won = LifeChange {
            status: second.status,
            snoozed_until: second.snoozed_until,
            dismiss_reason: second.dismiss_reason,
            auto_resolved: second.auto_resolved,
        };
        set_state(tx, workspace, older, &won, now, counts)?;
        tx.conn
            .prepare_cached(
                "UPDATE finding_details SET note = coalesce((SELECT note FROM finding_details \
                 WHERE workspace_id = ?1 AND finding_id = ?3), note) WHERE workspace_id = ?1 AND finding_id = ?2",
            )?
            .execute(params![workspace, older.as_bytes(), younger.as_bytes()])?;
    }
    counts.add(key_of(tx.conn, workspace, younger)?, -1);
    let rowid: i64 = tx.conn.query_row(
        "SELECT rowid FROM findings WHERE workspace_id = ?1 AND id = ?2",
        params![workspace, younger.as_bytes()],
        |row| row.get(0),
    )?;
    text::forget(tx, rowid)?;
    tx.conn
        .prepare_cached(
            "UPDATE remediations SET finding_id = ?3 WHERE workspace_id = ?1 AND finding_id = ?2",
        )?
        .execute(params![workspace, younger.as_bytes(), older.as_bytes()])?;
    for sql in [
        "DELETE FROM finding_apps WHERE workspace_id = ?1 AND finding_id = ?2",
        "DELETE FROM finding_details WHERE workspace_id = ?1 AND finding_id = ?2",
        "DELETE FROM findings WHERE workspace_id = ?1 AND id = ?2",
    ] {
        tx.conn
            .prepare_cached(sql)?
            .execute(params![workspace, younger.as_bytes()])?;
    }
    Ok(())
}
