//! `watchpost keys`.

use crate::{
    failure::{from_core, from_store},
    output::{Output, foreign},
    session::Session,
};
use anyhow::Result;
use clap::Subcommand;
use serde_json::json;
use watchpost_core::{
    access::{Expiry, KeyRevocation, KeyScope},
    value::id::KeyId,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Makes a key and prints it, once, on standard output
    Create {
        /// What to call it, for example the client that will hold it
        #[arg(long)]
        label: String,
        /// read: queries only; write: actions too
        #[arg(long, default_value = "read")]
        scope: KeyScope,
        /// 90d, 1y or never
        #[arg(long, default_value = "1y")]
        expires: Expiry,
    },
    /// Lists keys; never shows one
    List,
    /// Takes a key back, at once
    Revoke {
        /// The key's id, from `keys list`
        id: KeyId,
    },
}

pub(crate) async fn run(command: Keys, session: &Session, output: Output) -> Result<()> {
    let (watchpost, scope) = (&session.watchpost, session.scope.as_ref());
    match command {
        Keys::Create {
            label,
            scope: key_scope,
            expires,
        } => {
            let call = session.call("keys create", &json!({"scope": key_scope, "expires": expires}));
            let issued = watchpost
                .create_key(scope, &label, key_scope, expires, session.active_keys_max, call)
                .await
                .map_err(from_core)?;
            if output.json {
                output.line(
                    &json!({"id": issued.id, "key": issued.key.reveal(), "scope": key_scope}).to_string(),
                )?;
            } else {
                output.line(issued.key.reveal())?;
            }
            output.note(&format!(
                "This is the only time the key is shown. Its id is {}; it may {}.",
                issued.id,
                may(key_scope)
            ));
            Ok(())
        }
        Keys::List => {
            let rows = watchpost.store().list_keys(scope).await.map_err(from_store)?;
            session.record("key.read", "keys list").await?;
            let now = watchpost.clock().now();
            let json = json!({"keys": rows.iter().map(|row| json!({
                "id": row.id,
                "prefix": row.prefix,
                "label": row.label,
                "scope": row.scope,
                "created_at": row.created_at,
                "last_used": row.last_used_at.map_or_else(|| "never".to_owned(), |at| at.to_string()),
                "expires_at": row.expires_at.map_or_else(|| "never".to_owned(), |at| at.to_string()),
                "state": row.state(now),
            })).collect::<Vec<_>>()});
            let never = || "never".to_owned();
            let table = rows
                .iter()
                .map(|row| {
                    vec![
                        row.id.to_string(),
                        row.prefix.clone(),
                        foreign(&row.label),
                        row.scope.to_string(),
                        row.created_at.to_string(),
                        row.last_used_at.map_or_else(never, |at| at.to_string()),
                        row.expires_at.map_or_else(never, |at| at.to_string()),
                        row.state(now).to_string(),
                    ]
                })
                .collect();
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
                table,
                "No keys. `watchpost keys create --label NAME` makes one.",
            )?)
        }
        Keys::Revoke { id } => {
            let done = watchpost
                .revoke_key(scope, id, session.call("keys revoke", &json!({})))
                .await
                .map_err(from_core)?;
            let changed = done == KeyRevocation::Revoked;
            let text = if changed {
                "The key is revoked."
            } else {
                "Nothing changed: the key was revoked already."
            };
            Ok(output.answer(&json!({"id": id, "changed": changed, "state": "revoked"}), text)?)
        }
    }
}

const fn may(scope: KeyScope) -> &'static str {
    match scope {
        KeyScope::Read => "ask, and change nothing",
        KeyScope::Write => "ask, sync, snooze, dismiss, ask for remediations and set app policies",
    }
}
