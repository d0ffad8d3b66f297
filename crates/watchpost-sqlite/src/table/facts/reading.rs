//! Readings of single accounts and apps.

use super::table::FactContext;
use crate::base::{
    fault::Res,
    row::{Columns, stored},
    unknown::known_rows,
    writer::Tx,
};
use rusqlite::{Connection, params};
use watchpost_core::{
    integration::{
        fact::EntityReading,
        reading::{Reading, Readings},
    },
    value::{id::IntegrationId, time::Timestamp},
};

/// Stores that an entity was read, or that its earlier reading was kept. Nothing that answers show changes with it.
pub(super) fn store(tx: &Tx<'_>, context: FactContext, facts: &EntityReading, now: Timestamp) -> Res<()> {
    let FactContext {
        workspace,
        integration,
        dataset,
        sync,
    } = context;
    if facts.kept {
        tx.conn
            .prepare_cached(
                "UPDATE entity_readings SET listed_in = ?5 \
                 WHERE workspace_id = ?1 AND integration = ?2 AND dataset = ?3 AND entity = ?4",
            )?
            .execute(params![
                workspace,
                integration,
                dataset,
                facts.entity_vendor_id,
                sync
            ])?;
        return Ok(());
    }
    tx.conn
        .prepare_cached(
            "INSERT INTO entity_readings (workspace_id, integration, dataset, entity, read_at, row_count, read_in, \
             listed_in) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7) \
             ON CONFLICT (workspace_id, integration, dataset, entity) DO UPDATE SET read_at = ?5, row_count = ?6, \
             read_in = ?7, listed_in = ?7",
        )?
        .execute(params![
            workspace,
            integration,
            dataset,
            facts.entity_vendor_id,
            now.as_millis(),
            stored(facts.rows),
            sync
        ])?;
    Ok(())
}

/// Returns all readings of an integration.
pub(crate) fn readings(conn: &Connection, workspace: i64, integration: IntegrationId) -> Res<Readings> {
    let mut statement = conn.prepare_cached(
        "SELECT r.dataset, r.entity, r.read_at, r.row_count FROM entity_readings r \
         JOIN integrations i USING (workspace_id, integration) \
         WHERE r.workspace_id = ?1 AND i.id = ?2 AND i.removed = 0",
    )?;
    let mut rows = statement.query(params![workspace, integration.as_bytes()])?;
    let readings = known_rows(&mut rows, "entity_readings", |row| {
        Ok(Reading {
            dataset: row.word(0)?,
            entity_vendor_id: row.get(1)?,
            read_at: row.time(2)?,
            rows: row.count(3)?,
        })
    })?;
    Ok(readings.into_iter().collect())
}

/// Deletes the readings of entities that the sync, which has completed the dataset, no longer lists.
pub(super) fn forget_unlisted(tx: &Tx<'_>, context: FactContext) -> Res<()> {
    tx.conn
        .prepare_cached(
            "DELETE FROM entity_readings \
             WHERE workspace_id = ?1 AND integration = ?2 AND dataset = ?3 AND listed_in <> ?4",
        )?
        .execute(params![
            context.workspace,
            context.integration,
            context.dataset,
            context.sync
        ])?;
    Ok(())
}
