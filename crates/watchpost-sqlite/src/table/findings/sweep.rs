//! Findings ended by an analysis that didn't see them.

use super::{
    counts::Changes,
    marks::{marks_blob, marks_of},
    state::set_state,
};
use crate::base::{fault::Res, row::Columns, writer::Tx};
use rusqlite::{Connection, params};
use watchpost_core::{
    finding::{LifeChange, Missed, MissedChange, SweepCounts, SweepInput, decide_missed},
    rule::document::EntityRef,
    value::{
        id::{AnalysisId, FindingId},
        time::Timestamp,
        word::{EntityType, FindingStatus},
    },
};

/// Goes over the findings that an analysis didn't see, as many as a slice takes at a time.
pub(crate) struct Sweeping {
    analysis: AnalysisId,
    input: SweepInput,
    after: i64,
    done: SweepCounts,
    now: Timestamp,
}

impl Sweeping {
    pub(crate) fn new(analysis: AnalysisId, input: SweepInput, now: Timestamp) -> Self {
        Self {
            analysis,
            input,
            after: 0,
            done: SweepCounts::default(),
            now,
        }
    }

    /// Gives the counts once all were looked at.
    pub(crate) fn slice(&mut self, tx: &Tx<'_>, workspace: i64) -> Res<Option<SweepCounts>> {
        let (missed, last) = unseen_after(tx.conn, workspace, self.analysis, self.after)?;
        let mut counts = Changes::default();
        let mut full = false;
        let mut looked_at = self.after;
        for finding in missed {
            looked_at = finding.rowid;
            match sweep_one(tx, workspace, &finding, &self.input, self.now, &mut counts)? {
                MissedChange::Keep => self.done.kept += 1,
                MissedChange::Count(_) => self.done.missed += 1,
                MissedChange::Resolve => self.done.resolved += 1,
            }
            if !tx.may_go_on() {
                full = true;
                break;
            }
        }
        counts.write(tx, workspace)?;
        if looked_at > self.after {
            tx.bump(workspace)?;
        }
        match (full, last) {
            (true, _) => self.after = looked_at,
            (false, Some(last)) => self.after = last,
            (false, None) => return Ok(Some(self.done)),
        }
        Ok(None)
    }
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
