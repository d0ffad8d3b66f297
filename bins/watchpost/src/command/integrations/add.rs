//! `watchpost integrations add`.

use super::{
    ask,
    verify::{datasets_json, doubtful_lines, missing_json, missing_lines},
};
use crate::{
    failure::{code, fail, from_core},
    output::{Output, Progress},
    session::Session,
    text,
};
use anyhow::{Context as _, Result};
use clap::Args;
use secrecy::SecretString;
use serde_json::json;
use std::{
    fs::File,
    io::{self, IsTerminal as _, Read as _},
    path::PathBuf,
};
use watchpost_core::{
    integration::{
        connector::{ConfigField, ConnectorConfig},
        sync::connector_for,
    },
    value::word::Platform,
};

/// Maximum size of a credential from a file or from standard input.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// The platform: okta or m365
    platform: Platform,
    /// The integration's name [default: the tenant's name at the vendor]
    #[arg(long)]
    name: Option<String>,
    /// The value of a field, as NAME=VALUE; `--fields` lists the names
    #[arg(long = "set", value_name = "NAME=VALUE")]
    values: Vec<String>,
    /// Read a credential from a file, as NAME=FILE
    #[arg(long = "secret-file", value_name = "NAME=FILE")]
    secret_files: Vec<String>,
    /// Read the credential with this name from standard input
    #[arg(long = "secret-stdin", value_name = "NAME")]
    secret_stdin: Option<String>,
    /// List the fields of the platform and exit
    #[arg(long)]
    fields: bool,
}

pub(super) async fn run(args: Add, session: &Session, output: Output) -> Result<()> {
    let connector = connector_for(session.watchpost.connectors(), args.platform)
        .ok_or_else(|| fail(code::USAGE, text::integrations::unsupported(args.platform)))?;
    let fields = connector.fields();
    if args.fields {
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

fn list_fields(fields: &[ConfigField], output: Output) -> Result<()> {
    let json = json!({"fields": fields.iter().map(|field| json!({
        "name": field.name, "title": field.title, "secret": field.secret, "required": field.required, "default": field.default,
    })).collect::<Vec<_>>()});
    let table = fields
        .iter()
        .map(|field| {
            let kind = if field.secret { "credential" } else { "value" };
            let need = match field.default {
                _ if field.required => "required".to_owned(),
                Some(default) => format!("default {default}"),
                None => "optional".to_owned(),
            };
            vec![
                field.name.to_owned(),
                kind.to_owned(),
                need,
                field.title.to_owned(),
            ]
        })
        .collect();
    Ok(output.table(&json, &["name", "kind", "", "meaning"], table, "")?)
}

/// The connector's configuration: the given values, answers to prompts if there is a terminal, and defaults.
fn config(args: &Add, fields: &[ConfigField]) -> Result<ConnectorConfig> {
    let mut config = given(args, fields)?;
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

/// The values from flags, files and standard input.
fn given(args: &Add, fields: &[ConfigField]) -> Result<ConnectorConfig> {
    let mut config = ConnectorConfig::default();
    for setting in &args.values {
        let (name, value) = setting
            .split_once('=')
            .ok_or_else(|| fail(code::USAGE, text::integrations::invalid_value(setting)))?;
        let name = field_name(fields, name, false)?;
        config.values.insert(name.to_owned(), value.trim().to_owned());
    }
    for secret in &args.secret_files {
        let (name, file) = secret
            .split_once('=')
            .ok_or_else(|| fail(code::USAGE, text::integrations::INVALID_SECRET_FILE))?;
        let name = field_name(fields, name, true)?;
        let path = PathBuf::from(file);
        let reader = File::open(&path).with_context(|| text::integrations::unreadable_secret_file(&path))?;
        config.secrets.insert(name.to_owned(), read_secret(reader)?);
    }
    if let Some(name) = &args.secret_stdin {
        let name = field_name(fields, name, true)?;
        config
            .secrets
            .insert(name.to_owned(), read_secret(io::stdin().lock())?);
    }
    Ok(config)
}

/// Finds a field by its name and checks that it holds a credential (`secret`) or a plain value.
fn field_name(fields: &[ConfigField], name: &str, secret: bool) -> Result<&'static str> {
    let text = match fields.iter().find(|field| field.name == name) {
        Some(field) if field.secret == secret => return Ok(field.name),
        Some(_) if secret => text::integrations::not_a_secret(name),
        Some(_) => text::integrations::secret_on_the_command_line(name),
        None => {
            let known: Vec<&str> = fields
                .iter()
                .filter(|field| field.secret == secret)
                .map(|field| field.name)
                .collect();
            text::integrations::unknown_field(name, &known)
        }
    };
    Err(fail(code::USAGE, text))
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
            let typed = rpassword::prompt_password(question).context(text::UNREADABLE_TERMINAL)?;
            if !typed.trim().is_empty() {
                config
                    .secrets
                    .insert(field.name.to_owned(), SecretString::from(typed.trim().to_owned()));
            }
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

fn read_secret(reader: impl io::Read) -> Result<SecretString> {
    let mut content = String::new();
    reader
        .take(SECRET_BYTES_MAX + 1)
        .read_to_string(&mut content)
        .context(text::integrations::SECRET_NOT_TEXT)?;
    if content.len() as u64 > SECRET_BYTES_MAX {
        return Err(fail(code::USAGE, text::integrations::SECRET_TOO_LONG));
    }
    let trimmed = content.trim();
    if trimmed.is_empty() {
        return Err(fail(code::USAGE, text::integrations::SECRET_EMPTY));
    }
    Ok(SecretString::from(trimmed.to_owned()))
}
