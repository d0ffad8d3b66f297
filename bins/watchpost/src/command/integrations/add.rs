//! `watchpost integrations add`.

use super::{
    ask,
    fields::{FieldArgs, list_fields, prompt_secret},
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
use watchpost_core::{
    integration::{
        connector::{ConfigField, ConnectorConfig},
        sync::connector_for,
    },
    value::word::Platform,
};

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// The platform: okta or m365
    platform: Platform,
    /// The integration's name [default: the tenant's name at the vendor]
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    values: FieldArgs,
}

pub(super) async fn run(args: Add, session: &Session, output: Output) -> Result<()> {
    let connector = connector_for(session.watchpost.connectors(), args.platform)
        .ok_or_else(|| fail(code::USAGE, text::integrations::unsupported(args.platform)))?;
    let fields = connector.fields();
    if args.values.fields {
        return list_fields(fields, output);
    }
    let config = config(&args, fields)?;
    let progress = Progress::start(&text::integrations::checking_credentials(args.platform));
    let call = session.call("integrations add", &json!({"platform": args.platform}));
    let added = session
        .watchpost
        .add_integration(&session.scope, args.platform, args.name.as_deref(), config, call)
        .await;
    progress.finish();
    let added = added.map_err(from_core)?;
    let missing = missing_json(session, args.platform, &added.verification);
    let json = json!({"id": added.id, "tenant": added.verification.tenant_name, "first_sync_job": added.first_sync, "datasets": datasets_json(&added.verification), "missing_permissions": missing});
    output.answer(&json, &text::integrations::connected(args.platform))?;
    if !output.json {
        for line in doubtful_lines(&added.verification)
            .iter()
            .chain(&missing_lines(&missing))
        {
            output.note(line);
        }
    }
    Ok(())
}

/// The connector's configuration: the given values, answers to prompts if there is a terminal, and defaults.
fn config(args: &Add, fields: &[ConfigField]) -> Result<ConnectorConfig> {
    let mut config = args.values.given(fields)?;
    if io::stdin().is_terminal() && io::stderr().is_terminal() {
        prompt(fields, &mut config)?;
    }
    for field in fields {
        if is_set(&config, field) {
            continue;
        }
        if let Some(default) = field.default {
            config.values.insert(field.name.to_owned(), default.to_owned());
        } else if field.required {
            let text = if field.secret {
                text::integrations::missing_secret(field.name, field.title)
            } else {
                text::integrations::missing_value(field.name, field.title)
            };
            return Err(fail(code::USAGE, text));
        }
    }
    Ok(config)
}

fn is_set(config: &ConnectorConfig, field: &ConfigField) -> bool {
    config.values.contains_key(field.name) || config.secrets.contains_key(field.name)
}

/// Asks for the values that aren't set.
fn prompt(fields: &[ConfigField], config: &mut ConnectorConfig) -> Result<()> {
    for field in fields {
        if is_set(config, field) {
            continue;
        }
        let question = text::integrations::question(field.title, field.required);
        if field.secret {
            prompt_secret(field, &question, config)?;
        } else if field.required || field.default.is_none() {
            let typed = ask(&question)?;
            if !typed.trim().is_empty() {
                config
                    .values
                    .insert(field.name.to_owned(), typed.trim().to_owned());
            }
        }
    }
    Ok(())
}
