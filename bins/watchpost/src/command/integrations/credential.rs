//! `watchpost integrations set-credential`.

use super::{
    fields::{FieldArgs, list_fields, prompt_secret},
    find,
    verify::{datasets_json, doubtful_lines, missing_json, missing_lines},
};
use crate::{
    failure::{code, fail, from_core},
    output::{Output, Progress},
    session::Session,
    text,
};
use anyhow::Result;
use clap::Args;
use serde_json::json;
use std::io::{self, IsTerminal as _};
use watchpost_core::integration::{
    connector::{ConfigField, ConnectorConfig},
    sync::connector_for,
};

#[derive(Debug, Args)]
pub(crate) struct SetCredential {
    /// The integration's id, or its platform if that is connected only once
    which: String,
    #[command(flatten)]
    values: FieldArgs,
}

pub(super) async fn run(args: SetCredential, session: &Session, output: Output) -> Result<()> {
    let id = find(&args.which, session).await?;
    let read = session.watchpost.integration(&session.scope, id).await;
    let row = session
        .read("integration.read", "integrations set-credential", read)
        .await?
        .ok_or_else(|| fail(code::NOT_FOUND, text::integrations::NOT_FOUND))?;
    let fields = connector_for(session.watchpost.connectors(), row.platform)
        .ok_or_else(|| fail(code::USAGE, text::integrations::unsupported(row.platform)))?
        .fields();
    if args.values.fields {
        return list_fields(fields, output);
    }
    let changes = changes(&args.values, fields)?;
    let given: Vec<&String> = changes.secrets.keys().chain(changes.values.keys()).collect();
    let call = session.call("integrations set-credential", &json!({"fields": given}));
    let progress = Progress::start(&text::integrations::checking_credentials(row.platform));
    let set = session
        .watchpost
        .set_credential(&session.scope, id, changes, call)
        .await;
    progress.finish();
    let set = set.map_err(from_core)?;
    let missing = missing_json(session, set.platform, &set.verification);
    let json = json!({"id": id, "changed": true, "status": set.status, "sync_job": set.sync, "datasets": datasets_json(&set.verification), "missing_permissions": missing});
    let text = if set.sync.is_some() {
        text::integrations::credential_set(set.platform)
    } else {
        text::integrations::credential_set_while_paused(set.platform, id)
    };
    output.answer(&json, &text)?;
    if !output.json {
        for line in doubtful_lines(&set.verification)
            .iter()
            .chain(&missing_lines(&missing))
        {
            output.note(line);
        }
    }
    Ok(())
}

/// The new credentials, from the arguments or from prompts if there is a terminal, and the plain values that change.
fn changes(args: &FieldArgs, fields: &[ConfigField]) -> Result<ConnectorConfig> {
    let mut changes = args.given(fields)?;
    if changes.secrets.is_empty() && io::stdin().is_terminal() && io::stderr().is_terminal() {
        for field in fields.iter().filter(|field| field.secret) {
            prompt_secret(
                field,
                &text::integrations::question(field.title, false),
                &mut changes,
            )?;
        }
    }
    if changes.secrets.is_empty() {
        let names: Vec<&str> = fields
            .iter()
            .filter(|field| field.secret)
            .map(|field| field.name)
            .collect();
        return Err(fail(code::USAGE, text::integrations::no_new_credential(&names)));
    }
    Ok(changes)
}
