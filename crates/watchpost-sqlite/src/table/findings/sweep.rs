//! Resolves findings that an analysis no longer reported.

use super::{
    counts::Changes,
    marks::{marks_blob, parse_marks},
    sighting,
    state::{resolve, state_of},
};
use crate::base::{fault::Res, row::Columns, unknown::SkippedRows, writer::Tx};
use rusqlite::{Connection, params};
use watchpost_core::{
    finding::{Missed, MissedChange, SweepCounts, SweepInput, decide_missed},
    rule::document::EntityRef,
    value::{
        id::{AnalysisId, FindingId},
        time::Timestamp,
        word::{EntityType, FindingStatus},
    },
};

/// Checks, in slices, the findings that an analysis didn't report.
pub(crate) struct Sweep {
    analysis: AnalysisId,
    input: SweepInput,
    after: i64,
    done: SweepCounts,
    now: Timestamp,
}

impl Sweep {
    pub(crate) fn new(analysis: AnalysisId, input: SweepInput, now: Timestamp) -> Self {
        Self {
            analysis,
            input,
            after: 0,
            done: SweepCounts::default(),
            now,
        }
    }

    /// Runs a slice. Returns the counts once all findings have been checked.
    pub(crate) fn slice(&mut self, tx: &Tx<'_>, workspace: i64) -> Res<Option<SweepCounts>> {
        let (missed, last) = unseen_after(tx.conn, workspace, self.analysis, self.after)?;
        let mut counts = Changes::default();
        let mut skipped = SkippedRows::new("findings");
        let mut full = false;
        let mut last_checked = self.after;
        for finding in missed {
            last_checked = finding.rowid;
            let change = if finding.sightings > 0 {
                self.sweep_shared(tx.conn, workspace, &finding, &mut counts)
            } else {
                sweep_one(tx, workspace, &finding, &self.input, self.now, &mut counts)
            };
            match skipped.skip_unknown(change)? {
                Some(MissedChange::Keep) | None => self.done.kept += 1,
                Some(MissedChange::Count(_)) => self.done.missed += 1,
                Some(MissedChange::Resolve) => self.done.resolved += 1,
            }
            if !tx.count_row() {
                full = true;
                break;
            }
        }
        counts.write(tx.conn, workspace)?;
        if last_checked > self.after {
            tx.bump(workspace)?;
        }
        match (full, last) {
            (true, _) => self.after = last_checked,
            (false, Some(last)) => self.after = last,
            (false, None) => return Ok(Some(self.done)),
        }
        Ok(None)
    }

    /// Checks the sightings of a finding that this analysis didn't report. The finding is resolved once no sighting holds.
    fn sweep_shared(
        &self,
        conn: &Connection,
        workspace: i64,
        finding: &Unseen,
        counts: &mut Changes,
    ) -> Res<MissedChange> {
        let mut change = MissedChange::Keep;
        let mut ended = false;
        for sighting in unseen_sightings(conn, workspace, self.analysis, finding)? {
            match decide(conn, workspace, &sighting, &self.input)? {
                MissedChange::Keep => {}
                MissedChange::Count(marks) => {
                    sighting::count_miss(
                        conn,
                        workspace,
                        finding.id,
                        &sighting.rule_id,
                        &marks_blob(&marks),
                    )?;
                    change = MissedChange::Count(marks);
                }
                MissedChange::Resolve => {
                    ended |= sighting::record_miss(conn, workspace, finding.id, &sighting.rule_id, |_| true)?;
                }
            }
        }
        if ended {
            sighting::refresh_finding(conn, workspace, finding.id, false, self.now, counts)?;
            let now_ended = state_of(conn, workspace, finding.id)?
                .is_some_and(|state| state.status == FindingStatus::Resolved);
            if now_ended {
                change = MissedChange::Resolve;
            }
        }
        Ok(change)
    }
}

/// A finding that the analysis didn't report, or one of its sightings.
struct Unseen {
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
    sightings: i64,
}

/// Reads the next thousand rows after a rowid. Returns the live and snoozed findings among them that the analysis didn't
/// report, and the last rowid, which is `None` at the end of the table.
fn unseen_after(
    conn: &Connection,
    workspace: i64,
    analysis: AnalysisId,
    after: i64,
) -> Res<(Vec<Unseen>, Option<i64>)> {
    const ROWS_READ_MAX: usize = 1_000;
    let mut statement = conn.prepare_cached(
        "SELECT f.rowid, f.workspace_id, f.id, f.status, f.rule_id, f.entity_type, f.entity_id, f.apps, d.seen_by, \
         d.marks, d.misses, d.last_seen_at, f.service, f.sightings \
         FROM findings f NOT INDEXED LEFT JOIN finding_details d ON d.workspace_id = f.workspace_id AND d.finding_id = f.id \
         WHERE f.rowid > ?1 ORDER BY f.rowid LIMIT ?2",
    )?;
    let mut rows = statement.query(params![after, ROWS_READ_MAX as i64])?;
    let mut out = Vec::new();
    let mut last = None;
    let mut seen = 0;
    let mut skipped = SkippedRows::new("findings");
    while let Some(row) = rows.next()? {
        let rowid = row.get(0)?;
        last = Some(rowid);
        seen += 1;
        if row.get::<_, i64>(1)? != workspace {
            continue;
        }
        let Some(status) = skipped.skip_unknown(row.word::<FindingStatus>(3))? else {
            continue;
        };
        let seen_by: [u8; 16] = row.get(8)?;
        let sightings = row.get(13)?;
        // With several sightings, `seen_by` is only the last of them.
        let seen_now = sightings == 0 && seen_by == *analysis.as_bytes();
        if !status.can_end() || seen_now {
            continue;
        }
        let Some(entity_type) = skipped.skip_unknown(row.word::<EntityType>(5))? else {
            continue;
        };
        out.push(Unseen {
            rowid,
            id: row.id(2, FindingId::from_bytes)?,
            status,
            rule_id: row.get(4)?,
            entity: EntityRef::from_parts(entity_type, row.id(6, |bytes| bytes)?),
            has_apps: row.get::<_, i64>(7)? > 0,
            marks: row.get(9)?,
            misses: row.get(10)?,
            last_seen_at: row.get(11)?,
            of_check: row.get::<_, Option<i64>>(12)?.is_some(),
            sightings,
        });
    }
    Ok((out, last.filter(|_| seen == ROWS_READ_MAX)))
}

/// Returns the sightings of a finding that hold and that the analysis didn't report, each in the form of a finding.
fn unseen_sightings(
    conn: &Connection,
    workspace: i64,
    analysis: AnalysisId,
    finding: &Unseen,
) -> Res<Vec<Unseen>> {
    let mut statement = conn.prepare_cached(
        "SELECT rule_id, marks, misses, last_seen_at, service FROM finding_sightings \
         WHERE workspace_id = ?1 AND finding_id = ?2 AND holds = 1 AND seen_by <> ?3",
    )?;
    let mut rows = statement.query(params![workspace, finding.id.as_bytes(), analysis.as_bytes()])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push(Unseen {
            rule_id: row.get(0)?,
            marks: row.get(1)?,
            misses: row.get(2)?,
            last_seen_at: row.get(3)?,
            of_check: row.get::<_, Option<i64>>(4)?.is_some(),
            ..*finding
        });
    }
    Ok(out)
}

fn decide(conn: &Connection, workspace: i64, finding: &Unseen, input: &SweepInput) -> Res<MissedChange> {
    let marks = parse_marks(&finding.marks)?;
    let missed = Missed {
        rule_id: &finding.rule_id,
        entity: finding.entity,
        marks: &marks,
        misses: u32::try_from(finding.misses).unwrap_or(0),
        decided_since: decided_since(conn, workspace, finding)?,
        of_check: finding.of_check,
    };
    Ok(decide_missed(missed, input))
}

fn sweep_one(
    tx: &Tx<'_>,
    workspace: i64,
    finding: &Unseen,
    input: &SweepInput,
    now: Timestamp,
    counts: &mut Changes,
) -> Res<MissedChange> {
    let change = decide(tx.conn, workspace, finding, input)?;
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
            resolve(tx.conn, workspace, finding.id, now, counts)?;
        }
    }
    Ok(change)
}

/// Whether a person has decided something about the finding's subject, or about one of its apps, since it was last seen.
fn decided_since(conn: &Connection, workspace: i64, finding: &Unseen) -> Res<bool> {
    let after = |sql: &str, id: &[u8; 16]| -> Res<bool> {
        Ok(conn
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
