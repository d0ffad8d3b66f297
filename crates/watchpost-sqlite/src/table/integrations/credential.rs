//! Replaces the credentials of integrations.

use super::{
    all_with_numbers,
    secret::{seal, wipe},
    sync::{cancel_jobs, end_running},
};
use crate::{
    base::{
        fault::{Fault, Res},
        master::Sealer,
        row::Word,
        writer::Tx,
    },
    table::jobs::{Subject, acting_key, enqueue},
    text,
};
use rusqlite::params;
use watchpost_core::{
    audit::PendingEntry,
    integration::{CredentialChange, CredentialStep, SetCredential, decide_credential, takes_part},
    job::JobKind,
};

/// Replaces the credentials of an integration, and starts its sync with the new ones.
pub(crate) fn set_credential(
    tx: &Tx<'_>,
    sealer: &Sealer,
    workspace: i64,
    command: &SetCredential,
    entry: &PendingEntry,
) -> Res<CredentialChange> {
    let Some((integration, row)) = all_with_numbers(tx.conn, workspace)?
        .into_iter()
        .find(|(_, row)| row.id == command.id)
    else {
        return Ok(CredentialChange::NotFound);
    };
    let status = match decide_credential(&row, &command.opened, &command.config.values) {
        CredentialStep::Replace(status) => status,
        CredentialStep::OtherTenant => return Ok(CredentialChange::OtherTenant),
        CredentialStep::TenantUnknown => return Ok(CredentialChange::TenantUnknown),
    };
    let config = serde_json::to_string(&command.config.values)
        .map_err(|error| Fault::Damaged("integrations", error.to_string()))?;
    // An id that the vendor named is kept when the new credentials may not read it.
    let named = command.opened.key != command.opened.label;
    tx.conn.execute(
        "UPDATE integrations SET config = ?3, status = ?4, tenant_key = coalesce(?5, tenant_key), \
         failure_reason = NULL, failure_since = NULL, failure_credential = 0 \
         WHERE workspace_id = ?1 AND integration = ?2",
        params![
            workspace,
            integration,
            config,
            status.position(),
            named.then_some(command.opened.key.as_str()),
        ],
    )?;
    wipe(tx, workspace, integration)?;
    seal(
        tx,
        sealer,
        (workspace, entry.workspace()),
        (integration, command.id),
        &command.config.secrets,
    )?;
    if takes_part(status) {
        cancel_jobs(tx, workspace, command.id, text::CREDENTIAL_REPLACED, command.now)?;
        end_running(tx, workspace, integration, command.now)?;
        let job = (JobKind::Sync, Subject::Integration(command.id));
        enqueue(tx, workspace, job, command.sync, acting_key(entry), command.now)?;
    }
    tx.bump(workspace)?;
    Ok(CredentialChange::Replaced(row.platform, status))
}
