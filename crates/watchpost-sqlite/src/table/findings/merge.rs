//! Findings that become one: of an identity that is merged into another, of rules that come to share a condition.

use super::{
    counts::Changes,
    sighting,
    state::{key_of, set_state, state_of},
    text,
};
use crate::base::{
    fault::Res,
    row::{Columns, code},
    writer::Tx,
};
use rusqlite::{Connection, OptionalExtension as _, params};
use watchpost_core::{
    finding::{LifeChange, fingerprint},
    rule::document::EntityRef,
    value::{
        id::{FindingId, IdentityId},
        time::Timestamp,
        word::{EntityType, FindingStatus},
    },
};

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

/// A finding that goes to another subject or condition.
pub(super) struct Moved {
    pub(super) id: FindingId,
    pub(super) first_seen_at: i64,
    pub(super) condition: String,
}

/// Moves the findings of an identity that is merged into another. Where both have one of a condition the older row
/// stays, and a person's decision on either.
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
            "SELECT id, first_seen_at, coalesce(condition, rule_id) FROM findings \
             WHERE workspace_id = ?1 AND entity_type = ?2 AND entity_id = ?3",
        )?;
        let mut rows = statement.query(params![workspace, code(EntityType::Identity), gone.as_bytes()])?;
        while let Some(row) = rows.next()? {
            moved.push(Moved {
                id: row.id(0, FindingId::from_bytes)?,
                first_seen_at: row.get(1)?,
                condition: row.get(2)?,
            });
        }
    }
    let mut counts = Changes::default();
    for finding in moved {
        move_to(
            tx.conn,
            workspace,
            &finding,
            EntityRef::Identity(keep),
            now,
            &mut counts,
        )?;
    }
    counts.write(tx.conn, workspace)
}

/// Gives a finding its subject and condition. Where there is one with both already the older row stays.
pub(super) fn move_to(
    conn: &Connection,
    workspace: i64,
    moved: &Moved,
    entity: EntityRef,
    now: Timestamp,
    counts: &mut Changes,
) -> Res<()> {
    let print = fingerprint(&moved.condition, entity);
    let other: Option<([u8; 16], i64)> = conn
        .prepare_cached(
            "SELECT id, first_seen_at FROM findings WHERE workspace_id = ?1 AND fingerprint = ?2 AND id <> ?3",
        )?
        .query_row(params![workspace, print, moved.id.as_bytes()], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let mut stays = moved.id;
    if let Some((other, other_seen_at)) = other {
        let other = FindingId::from_bytes(other);
        let other_is_older = (other_seen_at, other) < (moved.first_seen_at, moved.id);
        let (older, younger) = if other_is_older {
            (other, moved.id)
        } else {
            (moved.id, other)
        };
        absorb(conn, workspace, older, younger, now, counts)?;
        stays = older;
    }
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

/// Makes two findings of the same condition one.
fn absorb(
    conn: &Connection,
    workspace: i64,
    older: FindingId,
    younger: FindingId,
    now: Timestamp,
    counts: &mut Changes,
) -> Res<()> {
    let (Some(first), Some(second)) = (
        state_of(conn, workspace, older)?,
        state_of(conn, workspace, younger)?,
    ) else {
        return Ok(());
    };
    let shared = are_seen_by_several(conn, workspace, older, younger)?;
    if shared {
        sighting::begin(conn, workspace, older)?;
        sighting::begin(conn, workspace, younger)?;
        sighting::hand_over(conn, workspace, younger, older)?;
    }
    if weight(second.status) < weight(first.status) {
        let won = LifeChange {
            status: second.status,
            snoozed_until: second.snoozed_until,
            dismiss_reason: second.dismiss_reason,
            auto_resolved: second.auto_resolved,
        };
        set_state(conn, workspace, older, &won, now, counts)?;
        conn.prepare_cached(
            "UPDATE finding_details SET note = coalesce((SELECT note FROM finding_details \
             WHERE workspace_id = ?1 AND finding_id = ?3), note) WHERE workspace_id = ?1 AND finding_id = ?2",
        )?
        .execute(params![workspace, older.as_bytes(), younger.as_bytes()])?;
    }
    counts.add(key_of(conn, workspace, younger)?, -1);
    let rowid: i64 = conn.query_row(
        "SELECT rowid FROM findings WHERE workspace_id = ?1 AND id = ?2",
        params![workspace, younger.as_bytes()],
        |row| row.get(0),
    )?;
    text::forget(conn, rowid)?;
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
        sighting::show(conn, workspace, older, false, now, counts)?;
    }
    Ok(())
}

/// Whether more than one rule or check saw the two.
fn are_seen_by_several(conn: &Connection, workspace: i64, one: FindingId, other: FindingId) -> Res<bool> {
    Ok(conn
        .prepare_cached(
            "SELECT count(DISTINCT rule_id) > 1 OR max(sightings) > 0 FROM findings \
             WHERE workspace_id = ?1 AND id IN (?2, ?3)",
        )?
        .query_row(params![workspace, one.as_bytes(), other.as_bytes()], |row| {
            row.get(0)
        })?)
}
