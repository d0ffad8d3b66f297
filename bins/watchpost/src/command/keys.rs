//! `watchpost keys`.

use crate::{
    failure::{exit_code, fail, from_core},
    output::{Output, foreign, time_or_never},
    session::Session,
    text,
};
use anyhow::Result;
use clap::Subcommand;
use serde_json::{Value, json};
use watchpost_core::{
    access::{Expiry, KeyRevocation, KeyRow, KeyScope},
    error::Error,
    value::{id::KeyId, time::Timestamp},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Creates a key and prints it to standard output; it can't be shown again
    Create {
        /// The key's label, for example the name of the client that uses it
        #[arg(long)]
        label: String,
        /// read (queries only) or write (queries and actions)
        #[arg(long, default_value = "read")]
        scope: KeyScope,
        /// The key's lifetime: 90d, 1y or never
        #[arg(long, default_value = "1y")]
        expires: Expiry,
    },
    /// Lists keys, without the secrets
    List,
    /// Revokes a key immediately
    Revoke {
        /// The key's id, from `keys list`
        id: KeyId,
    },
}

pub(crate) async fn run(command: Keys, session: &Session, output: Output) -> Result<()> {
    match command {
        Keys::Create {
            label,
            scope,
            expires,
        } => create(&label, scope, expires, session, output).await,
        Keys::List => list(session, output).await,
        Keys::Revoke { id } => revoke(id, session, output).await,
    }
}

async fn create(
    label: &str,
    key_scope: KeyScope,
    expires: Expiry,
    session: &Session,
    output: Output,
) -> Result<()> {
    let call = session.call("keys create", &json!({"scope": key_scope, "expires": expires}));
    let issued = session
        .watchpost
        .create_key(
            &session.scope,
            label,
            key_scope,
            expires,
            session.active_keys_max,
            call,
        )
        .await
        .map_err(from_core)?;
    session.take_checkpoint(output).await;
    if output.json {
        output.line(&json!({"id": issued.id, "key": issued.key.reveal(), "scope": key_scope}).to_string())?;
    } else {
        output.line(issued.key.reveal())?;
    }
    output.note(&text::keys::created(issued.id, key_scope));
    Ok(())
}

async fn list(session: &Session, output: Output) -> Result<()> {
    let read = session.watchpost.keys(&session.scope).await;
    let rows = session.read("key.read", "keys list", read).await?;
    let now = session.watchpost.clock().now();
    let json = json!({"keys": rows.iter().map(|row| row_json(row, now)).collect::<Vec<_>>()});
    let titles = [
        "id",
        "begins with",
        "label",
        "scope",
        "created",
        "last used",
        "expires",
        "state",
    ];
    Ok(output.table(
        &json,
        &titles,
        rows.iter().map(|row| row_cells(row, now)).collect(),
        text::keys::NO_KEYS,
    )?)
}

fn row_json(row: &KeyRow, now: Timestamp) -> Value {
    json!({
        "id": row.id,
        "prefix": row.prefix,
        "label": row.label,
        "scope": row.scope,
        "created_at": row.created_at,
        "last_used": time_or_never(row.last_used_at),
        "expires_at": time_or_never(row.expires_at),
        "state": row.state(now),
    })
}

fn row_cells(row: &KeyRow, now: Timestamp) -> Vec<String> {
    vec![
        row.id.to_string(),
        row.prefix.clone(),
        foreign(&row.label),
        row.scope.to_string(),
        row.created_at.to_string(),
        time_or_never(row.last_used_at),
        time_or_never(row.expires_at),
        row.state(now).to_string(),
    ]
}

async fn revoke(id: KeyId, session: &Session, output: Output) -> Result<()> {
    let done = session
        .watchpost
        .revoke_key(&session.scope, id, session.call("keys revoke", &json!({})))
        .await
        .map_err(|error| match error {
            Error::Unavailable { .. } | Error::Unknown(_) => {
                let failed = from_core(error);
                fail(exit_code(&failed), text::keys::not_revoked(&failed))
            }
            other => from_core(other),
        })?;
    session.take_checkpoint(output).await;
    let changed = done == KeyRevocation::Revoked;
    let text = if changed {
        text::keys::REVOKED
    } else {
        text::keys::ALREADY_REVOKED
    };
    Ok(output.answer(&json!({"id": id, "changed": changed, "state": "revoked"}), text)?)
}
