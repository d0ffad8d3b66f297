//! Findings of rules and checks that have come to share a condition.

use super::{
    counts::Changes,
    merge::{Moved, move_to},
};
use crate::base::{
    fault::Res,
    row::Columns,
    unknown::{PassedOver, known_rows},
};
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use watchpost_core::{
    finding::fingerprint,
    rule::document::EntityRef,
    value::{id::FindingId, time::Timestamp, word::EntityType},
};

/// Moves the finding that a rule made under its own id to the condition that it shares now. Where the condition has a
/// finding already both become one.
pub(super) fn adopt(
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
            let moved = Moved {
                id: FindingId::from_bytes(id),
                condition: condition.to_owned(),
            };
            move_to(conn, workspace, &moved, entity, now, counts)
        }
    }
}

/// Does what a migration left to do: moves the findings of rules and checks that share a condition since. One
/// transaction; nothing is to do in a file of this version.
pub(crate) fn move_conditions(conn: &mut Connection, now: Timestamp) -> Res<()> {
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
    let mut passed_over = PassedOver::of("findings");
    for (workspace, rule_id, condition, entity) in found {
        let mut counts = Changes::default();
        let adopted = adopt(&tx, workspace, &rule_id, &condition, entity, now, &mut counts);
        passed_over.unless(adopted)?;
        counts.write(&tx, workspace)?;
    }
    tx.execute("UPDATE workspaces SET generation = generation + 1", [])?;
    tx.execute("DELETE FROM condition_moves", [])?;
    tx.commit()?;
    Ok(())
}
