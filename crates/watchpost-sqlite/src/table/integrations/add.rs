//! Adds integrations.

use super::{row::next_number, secret::seal};
use crate::{
    base::{
        fault::{Fault, Res},
        master::Sealer,
        row::Word,
        writer::Tx,
    },
    table::jobs::{Subject, acting_key, enqueue},
};
use rusqlite::params;
use watchpost_core::{
    audit::PendingEntry,
    integration::{AddIntegration, first_status},
    job::JobKind,
};

/// Adds an integration with its credentials and queues its first sync.
pub(crate) fn add(
    tx: &Tx<'_>,
    sealer: &Sealer,
    workspace: i64,
    command: &AddIntegration,
    entry: &PendingEntry,
) -> Res<()> {
    let integration = next_number(tx, workspace)?;
    let config = serde_json::to_string(&command.config.values)
        .map_err(|error| Fault::Damaged("integrations", error.to_string()))?;
    tx.conn.execute(
        "INSERT INTO integrations (workspace_id, integration, id, platform, name, tenant_key, status, config, \
         created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            workspace,
            integration,
            command.id.as_bytes(),
            command.platform.position(),
            command.name.untrusted(),
            command.tenant_key,
            first_status(command.platform).position(),
            config,
            command.now.as_millis(),
        ],
    )?;
    seal(
        tx,
        sealer,
        (workspace, entry.workspace()),
        (integration, command.id),
        &command.config.secrets,
    )?;
    let job = (JobKind::Sync, Subject::Integration(command.id));
    enqueue(
        tx,
        workspace,
        job,
        command.first_sync,
        acting_key(entry),
        command.now,
    )?;
    tx.bump(workspace)
}
