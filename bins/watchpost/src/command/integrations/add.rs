//! `watchpost integrations add`.

use super::{
    ask,
    verify::{missing_json, missing_lines},
};
use crate::{
    failure::{code, fail, from_core},
    output::{Output, Progress},
    session::Session,
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

/// Bytes of a secret that is read from a file or from standard input.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// okta or m365
    platform: Platform,
    /// What to call it [default: the tenant's own name]
    #[arg(long)]
    name: Option<String>,
    /// A plain value, as NAME=VALUE; `--fields` lists the names
    #[arg(long = "set", value_name = "NAME=VALUE")]
    values: Vec<String>,
    /// A credential from a file, as NAME=FILE
    #[arg(long = "secret-file", value_name = "NAME=FILE")]
    secret_files: Vec<String>,
    /// Read this credential from standard input
    #[arg(long = "secret-stdin", value_name = "NAME")]
    secret_stdin: Option<String>,
    /// List what this platform takes, and stop
    #[arg(long)]
    fields: bool,
}

pub(super) async fn run(args: Add, session: &Session, output: Output) -> Result<()> {
    let connector = connector_for(session.watchpost.connectors(), args.platform).ok_or_else(|| {
        fail(
            code::USAGE,
            format!(
                "this version can't connect {}; it connects okta and m365",
                args.platform.title()
            ),
        )
    })?;
    let fields = connector.fields();
    if args.fields {
        return list_fields(fields, output);
    }
    let config = config(&args, fields)?;
    let progress = Progress::start(&format!(
        "asking {} whether the credentials are good",
        args.platform.title()
    ));
    let call = session.call("integrations add", &json!({"platform": args.platform}));
    let added = session
        .watchpost
        .add_integration(&session.scope, args.platform, args.name.as_deref(), config, call)
        .await;
    progress.finish();
    let added = added.map_err(from_core)?;
    let missing = missing_json(session, args.platform, &added.verification);
    let json = json!({"id": added.id, "tenant": added.verification.tenant_name, "first_sync_job": added.first_sync, "missing_permissions": missing});
    let text = format!(
        "{} is connected. A first sync is queued: a running server does it, or `watchpost sync`.",
        args.platform.title()
    );
    output.answer(&json, &text)?;
    if !output.json {
        for line in missing_lines(&missing) {
            output.note(&line);
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
    Ok(output.table(&json, &["name", "kind", "", "what it is"], table, "")?)
}

/// The connector's configuration: what was given, what a person types where there is a terminal, and defaults.
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
            let how = if field.secret {
                format!("--secret-stdin {0} or --secret-file {0}=FILE", field.name)
            } else {
                format!("--set {}=VALUE", field.name)
            };
            return Err(fail(
                code::USAGE,
                format!(
                    "`{}` is missing ({}): give it with {how}",
                    field.name, field.title
                ),
            ));
        }
    }
    Ok(config)
}

/// What flags, files and standard input give.
fn given(args: &Add, fields: &[ConfigField]) -> Result<ConnectorConfig> {
    let mut config = ConnectorConfig::default();
    for setting in &args.values {
        let (name, value) = setting
            .split_once('=')
            .ok_or_else(|| fail(code::USAGE, format!("`--set {setting}`: write NAME=VALUE")))?;
        let name = field_name(fields, name, false)?;
        config.values.insert(name.to_owned(), value.trim().to_owned());
    }
    for secret in &args.secret_files {
        let (name, file) = secret
            .split_once('=')
            .ok_or_else(|| fail(code::USAGE, "`--secret-file`: write NAME=FILE"))?;
        let name = field_name(fields, name, true)?;
        let path = PathBuf::from(file);
        let reader = File::open(&path).with_context(|| format!("can't open {}", path.display()))?;
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

/// The field with this name, which must hold a credential or must not.
fn field_name(fields: &[ConfigField], name: &str, secret: bool) -> Result<&'static str> {
    let text = match fields.iter().find(|field| field.name == name) {
        Some(field) if field.secret == secret => return Ok(field.name),
        Some(_) if secret => format!("`{name}` is no credential: give it with `--set {name}=VALUE`"),
        Some(_) => format!(
            "`{name}` is a credential and may not stand on a command line: use the prompt, `--secret-stdin {name}` or `--secret-file {name}=FILE`"
        ),
        None => {
            let known: Vec<&str> = fields
                .iter()
                .filter(|field| field.secret == secret)
                .map(|field| field.name)
                .collect();
            format!("`{name}` is not known here; known are: {}", known.join(", "))
        }
    };
    Err(fail(code::USAGE, text))
}

fn is_set(config: &ConnectorConfig, field: &ConfigField) -> bool {
    config.values.contains_key(field.name) || config.secrets.contains_key(field.name)
}

/// Asks for what isn't given.
fn prompt(fields: &[ConfigField], config: &mut ConnectorConfig) -> Result<()> {
    for field in fields {
        if is_set(config, field) {
            continue;
        }
        let optional = if field.required { "" } else { " (empty: none)" };
        let question = format!("{}{optional}: ", field.title);
        if field.secret {
            let typed = rpassword::prompt_password(question).context("can't read from the terminal")?;
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
    let mut text = String::new();
    reader
        .take(SECRET_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .context("the credential is not text")?;
    if text.len() as u64 > SECRET_BYTES_MAX {
        return Err(fail(code::USAGE, "the credential is longer than 64 KiB"));
    }
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(fail(code::USAGE, "the credential is empty"));
    }
    Ok(SecretString::from(trimmed.to_owned()))
}
