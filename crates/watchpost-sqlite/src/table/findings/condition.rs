//! Findings of rules and checks that share a condition.

use super::{
    counts::Changes,
    merge::{MovedFinding, move_to},
};
use crate::base::{
    fault::Res,
    row::Columns,
    unknown::{SkippedRows, known_rows},
};
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use watchpost_core::{
    finding::fingerprint,
    rule::document::EntityRef,
    value::{id::FindingId, time::Timestamp, word::EntityType},
};

/// Moves the finding that a rule created under its own id to the condition that the rule now shares. If the condition
/// already has a finding, the two are merged.
pub(super) fn move_to_condition(
    conn: &Connection,
    workspace: i64,
    rule_id: &str,
    condition: &str,
    entity: EntityRef,
    now: Timestamp,
    counts: &mut Changes,
) -> Res<()> {
    if rule_id == condition {
        return Ok(());
    }
    let found: Option<[u8; 16]> = conn
        .prepare_cached("SELECT id FROM findings WHERE workspace_id = ?1 AND fingerprint = ?2")?
        .query_row(params![workspace, fingerprint(rule_id, entity)], |row| row.get(0))
        .optional()?;
    match found {
        None => Ok(()),
        Some(id) => {
            let moved = MovedFinding {
                id: FindingId::from_bytes(id),
                condition: condition.to_owned(),
            };
            move_to(conn, workspace, &moved, entity, now, counts)
        }
    }
}

/// Completes the migration that introduced conditions: moves the findings of rules and checks that share a condition, in
/// one transaction. Does nothing if the file has been migrated already.
pub(crate) fn apply_condition_moves(conn: &mut Connection, now: Timestamp) -> Res<()> {
    let none: bool = conn.query_row("SELECT NOT EXISTS (SELECT 1 FROM condition_moves)", [], |row| {
        row.get(0)
    })?;
    if none {
        return Ok(());
    }
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut found = Vec::new();
    {
        let mut statement = tx.prepare(
            "SELECT f.workspace_id, f.rule_id, m.condition, f.entity_type, f.entity_id \
             FROM findings f NOT INDEXED JOIN condition_moves m ON m.rule_id = f.rule_id",
        )?;
        found.extend(known_rows(&mut statement.query([])?, "findings", |row| {
            let entity = EntityRef::from_parts(row.word::<EntityType>(3)?, row.id(4, |bytes| bytes)?);
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, String>(2)?,
                entity,
            ))
        })?);
    }
    let mut skipped = SkippedRows::new("findings");
    for (workspace, rule_id, condition, entity) in found {
        let mut counts = Changes::default();
        let moved = move_to_condition(&tx, workspace, &rule_id, &condition, entity, now, &mut counts);
        skipped.skip_unknown(moved)?;
        counts.write(&tx, workspace)?;
    }
    tx.execute("UPDATE workspaces SET generation = generation + 1", [])?;
    tx.execute("DELETE FROM condition_moves", [])?;
    tx.commit()?;
    Ok(())
}
