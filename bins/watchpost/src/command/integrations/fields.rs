//! The values of a connection's configuration as arguments: plain values, and credentials from files and standard input.

use crate::{
    failure::{code, fail},
    output::Output,
    text,
};
use anyhow::{Context as _, Result};
use clap::Args;
use secrecy::SecretString;
use serde_json::json;
use std::{
    fs::File,
    io::{self, Read as _},
    path::PathBuf,
};
use watchpost_core::integration::connector::{ConfigField, ConnectorConfig};

/// Maximum size of a credential from a file or from standard input.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

#[derive(Debug, Args)]
pub(super) struct FieldArgs {
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
    pub(super) fields: bool,
}

impl FieldArgs {
    /// The values from flags, files and standard input.
    pub(super) fn given(&self, fields: &[ConfigField]) -> Result<ConnectorConfig> {
        let mut config = ConnectorConfig::default();
        for setting in &self.values {
            let (name, value) = setting
                .split_once('=')
                .ok_or_else(|| fail(code::USAGE, text::integrations::invalid_value(setting)))?;
            let name = field_name(fields, name, false)?;
            config.values.insert(name.to_owned(), value.trim().to_owned());
        }
        for secret in &self.secret_files {
            let (name, file) = secret
                .split_once('=')
                .ok_or_else(|| fail(code::USAGE, text::integrations::INVALID_SECRET_FILE))?;
            let name = field_name(fields, name, true)?;
            let path = PathBuf::from(file);
            let reader =
                File::open(&path).with_context(|| text::integrations::unreadable_secret_file(&path))?;
            config.secrets.insert(name.to_owned(), read_secret(reader)?);
        }
        if let Some(name) = &self.secret_stdin {
            let name = field_name(fields, name, true)?;
            config
                .secrets
                .insert(name.to_owned(), read_secret(io::stdin().lock())?);
        }
        Ok(config)
    }
}

/// Asks for a credential at the terminal, without echo. An empty answer leaves it out.
pub(super) fn prompt_secret(field: &ConfigField, question: &str, config: &mut ConnectorConfig) -> Result<()> {
    let typed = rpassword::prompt_password(question).context(text::UNREADABLE_TERMINAL)?;
    if !typed.trim().is_empty() {
        config
            .secrets
            .insert(field.name.to_owned(), SecretString::from(typed.trim().to_owned()));
    }
    Ok(())
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

/// Prints the fields of a platform.
pub(super) fn list_fields(fields: &[ConfigField], output: Output) -> Result<()> {
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
