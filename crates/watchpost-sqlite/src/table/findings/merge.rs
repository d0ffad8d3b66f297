//! Findings of an identity that is merged into another.

use super::{
    counts::Changes,
    state::{key_of, set_state, state_of},
    text,
};
use crate::base::{
    fault::Res,
    row::{Columns, code},
    writer::Tx,
};
use rusqlite::{OptionalExtension as _, params};
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
