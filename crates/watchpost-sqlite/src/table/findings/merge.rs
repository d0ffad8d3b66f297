//! Merges findings: of identities that are merged, and of rules and checks that share a condition.

use super::{
    counts::Changes,
    full_text, sighting,
    state::{key_of, set_state},
};
use crate::base::{
    fault::Res,
    row::{Columns, code},
    unknown::SkippedRows,
    writer::Tx,
};
use rusqlite::{Connection, params};
use watchpost_core::{
    finding::{FindingState, Merge, MergeCandidate, decide_merge, fingerprint},
    rule::document::EntityRef,
    value::{
        id::{FindingId, IdentityId},
        time::Timestamp,
        word::EntityType,
    },
};

/// A finding that moves to another subject or condition.
pub(super) struct MovedFinding {
    pub(super) id: FindingId,
    pub(super) condition: String,
}

/// Moves the findings of an identity that is merged into another. If both have a finding of the same condition, the two are
/// merged as [`decide_merge`] decides. A finding with words that this version doesn't know stays unchanged.
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
            "SELECT id, coalesce(condition, rule_id) FROM findings \
             WHERE workspace_id = ?1 AND entity_type = ?2 AND entity_id = ?3",
        )?;
        let mut rows = statement.query(params![workspace, code(EntityType::Identity), gone.as_bytes()])?;
        while let Some(row) = rows.next()? {
            moved.push(MovedFinding {
                id: row.id(0, FindingId::from_bytes)?,
                condition: row.get(1)?,
            });
        }
    }
    let mut skipped = SkippedRows::new("findings");
    let mut counts = Changes::default();
    for finding in moved {
        let entity = EntityRef::Identity(keep);
        skipped.skip_unknown(move_to(tx.conn, workspace, &finding, entity, now, &mut counts))?;
    }
    counts.write(tx.conn, workspace)
}

/// Sets the subject and condition of a finding. If there is a finding with both already, the two are merged.
pub(super) fn move_to(
    conn: &Connection,
    workspace: i64,
    moved: &MovedFinding,
    entity: EntityRef,
    now: Timestamp,
    counts: &mut Changes,
) -> Res<()> {
    let print = fingerprint(&moved.condition, entity);
    let other = merge_candidate(conn, workspace, "fingerprint", &print)?.filter(|other| other.id != moved.id);
    let stays = match (
        merge_candidate(conn, workspace, "id", moved.id.as_bytes())?,
        other,
    ) {
        (Some(one), Some(other)) => {
            let merge = decide_merge(one, other);
            absorb(conn, workspace, &merge, now, counts)?;
            merge.keep
        }
        _ => moved.id,
    };
    conn.prepare_cached(
        "UPDATE findings SET entity_id = ?3, fingerprint = ?4, condition = nullif(?5, rule_id) \
         WHERE workspace_id = ?1 AND id = ?2",
    )?
    .execute(params![
        workspace,
        stays.as_bytes(),
        entity.id_bytes(),
        print,
        moved.condition
    ])?;
    Ok(())
}

/// Reads the values of a finding that a merge needs, by its id or fingerprint.
fn merge_candidate(
    conn: &Connection,
    workspace: i64,
    column: &str,
    value: &[u8],
) -> Res<Option<MergeCandidate>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT id, first_seen_at, status, snoozed_until, dismiss_reason, auto_resolved FROM findings \
         WHERE workspace_id = ?1 AND {column} = ?2"
    ))?;
    let mut rows = statement.query(params![workspace, value])?;
    rows.next()?
        .map(|row| {
            Ok(MergeCandidate {
                id: row.id(0, FindingId::from_bytes)?,
                first_seen_at: row.time(1)?,
                state: FindingState {
                    status: row.word(2)?,
                    snoozed_until: row.time_opt(3)?,
                    dismiss_reason: row.word_opt(4)?,
                    auto_resolved: row.get(5)?,
                },
            })
        })
        .transpose()
}

/// Merges two findings of the same condition.
fn absorb(conn: &Connection, workspace: i64, merge: &Merge, now: Timestamp, counts: &mut Changes) -> Res<()> {
    let (older, younger) = (merge.keep, merge.gone);
    // Read before anything is written, so that an unknown word leaves both findings unchanged.
    let younger_key = key_of(conn, workspace, younger)?;
    key_of(conn, workspace, older)?;
    let shared = have_several_sources(conn, workspace, older, younger)?;
    if shared {
        sighting::create_first(conn, workspace, older)?;
        sighting::create_first(conn, workspace, younger)?;
        sighting::transfer(conn, workspace, younger, older)?;
    }
    if let Some(won) = &merge.state {
        set_state(conn, workspace, older, won, now, counts)?;
        conn.prepare_cached(
            "UPDATE finding_details SET note = coalesce((SELECT note FROM finding_details \
             WHERE workspace_id = ?1 AND finding_id = ?3), note) WHERE workspace_id = ?1 AND finding_id = ?2",
        )?
        .execute(params![workspace, older.as_bytes(), younger.as_bytes()])?;
    }
    counts.add(younger_key, -1);
    let rowid: i64 = conn.query_row(
        "SELECT rowid FROM findings WHERE workspace_id = ?1 AND id = ?2",
        params![workspace, younger.as_bytes()],
        |row| row.get(0),
    )?;
    full_text::remove(conn, rowid)?;
    conn.prepare_cached(
        "UPDATE remediations SET finding_id = ?3 WHERE workspace_id = ?1 AND finding_id = ?2",
    )?
    .execute(params![workspace, younger.as_bytes(), older.as_bytes()])?;
    for sql in [
        "DELETE FROM finding_apps WHERE workspace_id = ?1 AND finding_id = ?2",
        "DELETE FROM finding_details WHERE workspace_id = ?1 AND finding_id = ?2",
        "DELETE FROM findings WHERE workspace_id = ?1 AND id = ?2",
    ] {
        conn.prepare_cached(sql)?
            .execute(params![workspace, younger.as_bytes()])?;
    }
    if shared {
        sighting::refresh_finding(conn, workspace, older, false, now, counts)?;
    }
    Ok(())
}

/// Whether more than one rule or check has reported the two findings.
fn have_several_sources(conn: &Connection, workspace: i64, one: FindingId, other: FindingId) -> Res<bool> {
    Ok(conn
        .prepare_cached(
            "SELECT count(DISTINCT rule_id) > 1 OR max(sightings) > 0 FROM findings \
             WHERE workspace_id = ?1 AND id IN (?2, ?3)",
        )?
        .query_row(params![workspace, one.as_bytes(), other.as_bytes()], |row| {
            row.get(0)
        })?)
}
