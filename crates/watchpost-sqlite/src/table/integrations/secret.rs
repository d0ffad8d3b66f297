//! Stores and opens sealed credentials.

use crate::{
    base::{
        fault::{Fault, Res},
        master::{AssociatedData, KEY_VERSION, Sealer},
        row::Columns,
        writer::Tx,
    },
    text,
};
use rusqlite::{Connection, OptionalExtension as _, params};
use secrecy::{ExposeSecret as _, SecretString};
use std::collections::BTreeMap;
use watchpost_core::{
    error::CREDENTIALS,
    integration::connector::ConnectorConfig,
    value::id::{IntegrationId, WorkspaceId},
};

/// Reads the configuration of an integration and opens its credentials.
pub(crate) fn open_config(
    conn: &Connection,
    sealer: &Sealer,
    workspace: i64,
    workspace_id: WorkspaceId,
    id: IntegrationId,
) -> Res<Option<ConnectorConfig>> {
    let found: Option<(i64, String)> = conn
        .query_row(
            "SELECT integration, config FROM integrations WHERE workspace_id = ?1 AND id = ?2 AND removed = 0",
            params![workspace, id.as_bytes()],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let Some((integration, config)) = found else {
        return Ok(None);
    };
    let values: BTreeMap<String, String> =
        serde_json::from_str(&config).map_err(|error| Fault::Damaged("integrations", error.to_string()))?;
    let mut secrets = BTreeMap::new();
    let mut statement = conn.prepare(
        "SELECT field, key_version, nonce, sealed FROM integration_secrets WHERE workspace_id = ?1 AND integration = ?2",
    )?;
    let mut rows = statement.query([workspace, integration])?;
    while let Some(row) = rows.next()? {
        let field: String = row.get(0)?;
        let sealed: Vec<u8> = row.get(3)?;
        let associated = AssociatedData {
            workspace: workspace_id,
            integration: id,
            field: &field,
            key_version: row.get(1)?,
        };
        let clear = open_named(sealer, associated, row.get(2)?, &sealed)?;
        secrets.insert(field, clear);
    }
    Ok(Some(ConnectorConfig { values, secrets }))
}

/// Opens a credential. An error names the field and the integration.
fn open_named(
    sealer: &Sealer,
    associated: AssociatedData<'_>,
    nonce: [u8; 24],
    sealed: &[u8],
) -> Res<SecretString> {
    let (field, id) = (associated.field, associated.integration);
    let named = |problem: &str| Fault::Damaged(CREDENTIALS, text::credential_of(field, &id, problem));
    let clear = sealer
        .open(associated, nonce, sealed)
        .map_err(|fault| match fault {
            Fault::Damaged(_, problem) => named(&problem),
            other => other,
        })?;
    let clear = std::str::from_utf8(&clear).map_err(|_| named(text::CREDENTIAL_NOT_UTF8))?;
    Ok(SecretString::from(clear))
}

/// Opens every sealed credential of every workspace.
pub(crate) fn check_sealed(conn: &Connection, sealer: &Sealer) -> Res<()> {
    match unreadable(conn, sealer)?.into_iter().next() {
        Some(problem) => Err(Fault::Damaged(CREDENTIALS, problem)),
        None => Ok(()),
    }
}

/// Opens every sealed credential of every workspace, and returns the problems; at most 20.
pub(crate) fn unreadable(conn: &Connection, sealer: &Sealer) -> Res<Vec<String>> {
    let mut problems = Vec::new();
    let mut statement = conn.prepare(
        "SELECT w.id, i.id, s.field, s.key_version, s.nonce, s.sealed FROM integration_secrets s \
         JOIN integrations i ON i.workspace_id = s.workspace_id AND i.integration = s.integration \
         JOIN workspaces w ON w.workspace_id = s.workspace_id",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let field: String = row.get(2)?;
        let sealed: Vec<u8> = row.get(5)?;
        let associated = AssociatedData {
            workspace: row.id(0, WorkspaceId::from_bytes)?,
            integration: row.id(1, IntegrationId::from_bytes)?,
            field: &field,
            key_version: row.get(3)?,
        };
        match open_named(sealer, associated, row.get(4)?, &sealed) {
            Ok(_) => {}
            Err(Fault::Damaged(_, problem)) if problems.len() < 20 => problems.push(problem),
            Err(Fault::Damaged(..)) => break,
            Err(fault) => return Err(fault),
        }
    }
    Ok(problems)
}

/// Deletes the credentials of an integration, and overwrites where they were in the file.
pub(crate) fn wipe(tx: &Tx<'_>, workspace: i64, integration: i64) -> Res<()> {
    let overwriting = |on: bool| {
        tx.conn
            .pragma_update_and_check(None, "secure_delete", on, |_| Ok(()))
    };
    overwriting(true)?;
    let deleted = tx.conn.execute(
        "DELETE FROM integration_secrets WHERE workspace_id = ?1 AND integration = ?2",
        [workspace, integration],
    );
    overwriting(false)?;
    deleted?;
    Ok(())
}

/// Seals and stores credentials.
pub(crate) fn seal(
    tx: &Tx<'_>,
    sealer: &Sealer,
    (workspace, workspace_id): (i64, WorkspaceId),
    (integration, id): (i64, IntegrationId),
    secrets: &BTreeMap<String, SecretString>,
) -> Res<()> {
    for (field, secret) in secrets {
        let associated = AssociatedData {
            workspace: workspace_id,
            integration: id,
            field,
            key_version: KEY_VERSION,
        };
        let (nonce, sealed) = sealer.seal(associated, secret.expose_secret().as_bytes(), tx.random)?;
        tx.conn.execute(
            "INSERT INTO integration_secrets (workspace_id, integration, field, key_version, nonce, sealed) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![workspace, integration, field, KEY_VERSION, nonce, sealed],
        )?;
    }
    Ok(())
}
