//! `watchpost integrations`: connecting platforms.

use crate::{
    failure::{code, fail, from_core, from_store},
    output::{Output, Progress, foreign},
    session::Session,
};
use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::{
    io::{self, IsTerminal as _, Read as _, Write as _},
    path::PathBuf,
};
use watchpost_core::{
    integration::{
        Integration, IntegrationAct, IntegrationChange,
        connector::{ConfigField, ConnectorConfig, Verification},
        sync::connector_for,
    },
    value::{
        id::IntegrationId,
        word::{CollectionState, Platform},
    },
};

/// Bytes of a secret that is read from a file or from standard input.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

#[derive(Debug, Subcommand)]
pub(crate) enum Integrations {
    /// Connects a platform; asks for what isn't given, if there is a terminal
    Add(Add),
    /// Lists integrations with their state
    List,
    /// Asks the vendor whether the credentials are good, and says what each missing permission costs
    Verify {
        /// Only this integration: its id, or its platform where that is connected once
        which: Option<String>,
    },
    /// Stops syncing; data is kept
    Pause {
        /// The integration's id, or its platform where that is connected once
        which: String,
    },
    /// Syncs again
    Resume {
        /// The integration's id, or its platform where that is connected once
        which: String,
    },
    /// Deletes an integration with its data and credentials
    Remove {
        /// The integration's id, or its platform where that is connected once
        which: String,
        /// Don't ask
        #[arg(long)]
        yes: bool,
    },
}

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

pub(crate) async fn run(command: Integrations, session: &Session, output: Output) -> Result<()> {
    let (watchpost, scope) = (&session.watchpost, session.scope.as_ref());
    match command {
        Integrations::Add(add) => add_integration(add, session, output).await,
        Integrations::List => {
            let rows = watchpost
                .store()
                .list_integrations(scope)
                .await
                .map_err(from_store)?;
            session.record("integration.read", "integrations list").await?;
            let now = watchpost.clock().now();
            let json = json!({"integrations": rows.iter().map(|row| row_json(row, row.is_stale(now))).collect::<Vec<_>>()});
            let table = rows
                .iter()
                .map(|row| {
                    let read = row
                        .collections
                        .iter()
                        .filter(|c| c.state == CollectionState::Complete)
                        .count();
                    vec![
                        row.platform.title().to_owned(),
                        foreign(&row.name),
                        row.status.to_string(),
                        row.last_completed_at
                            .map_or_else(|| "never".to_owned(), |at| at.to_string()),
                        format!("{read} of {}", row.collections.len()),
                        row.failure
                            .as_ref()
                            .map(|failure| format!("since {}: {}", failure.since, failure.reason))
                            .unwrap_or_default(),
                        row.id.to_string(),
                    ]
                })
                .collect();
            let empty = "Nothing is connected. `watchpost integrations add okta` or `watchpost integrations add m365` connects a platform.";
            Ok(output.table(
                &json,
                &[
                    "platform",
                    "name",
                    "state",
                    "last read",
                    "datasets",
                    "problem",
                    "id",
                ],
                table,
                empty,
            )?)
        }
        Integrations::Verify { which } => {
            let id = match which {
                Some(which) => Some(named(&which, session).await?),
                None => None,
            };
            verify(id, session, output).await
        }
        Integrations::Pause { which } => {
            change(&which, IntegrationAct::Pause, "paused", session, output).await
        }
        Integrations::Resume { which } => {
            change(&which, IntegrationAct::Resume, "resumed", session, output).await
        }
        Integrations::Remove { which, yes } => {
            if !yes {
                if !io::stdin().is_terminal() {
                    return Err(fail(
                        code::USAGE,
                        "this deletes the integration's data: repeat it with `--yes`",
                    ));
                }
                let answer = ask("This deletes the integration with its data. Type `remove` to go on: ")?;
                if answer.trim() != "remove" {
                    return Err(fail(code::FAILED, "nothing was removed"));
                }
            }
            change(&which, IntegrationAct::Remove, "removed", session, output).await
        }
    }
}

/// The integration that a person named: by id, or by platform where that is connected once.
async fn named(which: &str, session: &Session) -> Result<IntegrationId> {
    if let Ok(id) = which.parse() {
        return Ok(id);
    }
    let platform: Platform = which.parse().map_err(|_| {
        fail(
            code::USAGE,
            format!("`{which}` is neither an id nor a platform: `watchpost integrations list` shows both"),
        )
    })?;
    let rows = session
        .watchpost
        .store()
        .list_integrations(&session.scope)
        .await
        .map_err(from_store)?;
    let fitting: Vec<_> = rows.iter().filter(|row| row.platform == platform).collect();
    match fitting.as_slice() {
        [one] => Ok(one.id),
        [] => Err(fail(
            code::NOT_FOUND,
            format!("{} is not connected", platform.title()),
        )),
        _ => {
            let ids: Vec<_> = fitting.iter().map(|row| row.id.to_string()).collect();
            Err(fail(
                code::USAGE,
                format!(
                    "{} is connected {} times; name one: {}",
                    platform.title(),
                    ids.len(),
                    ids.join(", ")
                ),
            ))
        }
    }
}

async fn change(
    which: &str,
    act: IntegrationAct,
    done: &str,
    session: &Session,
    output: Output,
) -> Result<()> {
    let id = named(which, session).await?;
    let call = session.call(
        match act {
            IntegrationAct::Pause => "integrations pause",
            IntegrationAct::Resume => "integrations resume",
            IntegrationAct::Remove => "integrations remove",
        },
        &json!({}),
    );
    let outcome = session
        .watchpost
        .change_integration(&session.scope, id, act, call)
        .await
        .map_err(from_core)?;
    let changed = outcome == IntegrationChange::Changed;
    let text = if changed {
        format!("The integration is {done}.")
    } else {
        format!("Nothing changed: the integration was {done} already.")
    };
    Ok(output.answer(&json!({"id": id, "changed": changed}), &text)?)
}

fn row_json(row: &Integration, stale: bool) -> Value {
    json!({
        "id": row.id,
        "platform": row.platform,
        "name": row.name,
        "status": row.status,
        "stale": stale,
        "last_sync_at": row.last_completed_at,
        "failure": row.failure.as_ref().map(|failure| json!({"reason": failure.reason, "since": failure.since})),
        "config": row.config,
        "datasets": row.collections.iter().map(|c| json!({
            "dataset": c.dataset, "state": c.state, "rows": c.rows, "detail": c.detail, "finished_at": c.finished_at,
        })).collect::<Vec<_>>(),
    })
}

async fn add_integration(add: Add, session: &Session, output: Output) -> Result<()> {
    let connector = connector_for(session.watchpost.connectors(), add.platform).ok_or_else(|| {
        fail(
            code::USAGE,
            format!(
                "this version can't connect {}; it connects okta and m365",
                add.platform.title()
            ),
        )
    })?;
    let fields = connector.fields();
    if add.fields {
        let json = json!({"fields": fields.iter().map(|field| json!({
            "name": field.name, "title": field.title, "secret": field.secret, "required": field.required, "default": field.default,
        })).collect::<Vec<_>>()});
        let table = fields
            .iter()
            .map(|field| {
                let kind = if field.secret { "credential" } else { "value" };
                let need = if field.required {
                    "required".to_owned()
                } else {
                    field
                        .default
                        .map_or_else(|| "optional".to_owned(), |d| format!("default {d}"))
                };
                vec![
                    field.name.to_owned(),
                    kind.to_owned(),
                    need,
                    field.title.to_owned(),
                ]
            })
            .collect();
        return Ok(output.table(&json, &["name", "kind", "", "what it is"], table, "")?);
    }
    let config = gather(&add, fields)?;
    let progress = Progress::start(&format!(
        "asking {} whether the credentials are good",
        add.platform.title()
    ));
    let call = session.call("integrations add", &json!({"platform": add.platform}));
    let added = session
        .watchpost
        .add_integration(&session.scope, add.platform, add.name.as_deref(), config, call)
        .await;
    progress.finish();
    let added = added.map_err(from_core)?;
    let missing = missing_json(session, add.platform, &added.verification);
    let json = json!({"id": added.id, "tenant": added.verification.tenant_name, "first_sync_job": added.first_sync, "missing_permissions": missing});
    let text = format!(
        "{} is connected. A first sync is queued: a running server does it, or `watchpost sync`.",
        add.platform.title()
    );
    output.answer(&json, &text)?;
    if !output.json {
        for line in missing_lines(&missing) {
            output.note(&line);
        }
    }
    Ok(())
}

/// Puts together what was given and asks for the rest where there is a terminal.
fn gather(add: &Add, fields: &[ConfigField]) -> Result<ConnectorConfig> {
    let mut config = ConnectorConfig::default();
    let known = |name: &str, secret: bool| -> Result<&'static str> {
        let names = || {
            fields
                .iter()
                .filter(|field| field.secret == secret)
                .map(|field| field.name)
                .collect::<Vec<_>>()
                .join(", ")
        };
        match fields.iter().find(|field| field.name == name) {
            Some(field) if field.secret == secret => Ok(field.name),
            Some(_) if secret => Err(fail(
                code::USAGE,
                format!("`{name}` is no credential: give it with `--set {name}=VALUE`"),
            )),
            Some(_) => Err(fail(
                code::USAGE,
                format!(
                    "`{name}` is a credential and may not stand on a command line: use the prompt, `--secret-stdin {name}` or `--secret-file {name}=FILE`"
                ),
            )),
            None => Err(fail(
                code::USAGE,
                format!("`{name}` is not known here; known are: {}", names()),
            )),
        }
    };
    for given in &add.values {
        let (name, value) = given
            .split_once('=')
            .ok_or_else(|| fail(code::USAGE, format!("`--set {given}`: write NAME=VALUE")))?;
        config
            .values
            .insert(known(name, false)?.to_owned(), value.trim().to_owned());
    }
    for given in &add.secret_files {
        let (name, file) = given
            .split_once('=')
            .ok_or_else(|| fail(code::USAGE, "`--secret-file`: write NAME=FILE"))?;
        let name = known(name, true)?;
        let path = PathBuf::from(file);
        let reader = std::fs::File::open(&path).with_context(|| format!("can't open {}", path.display()))?;
        config.secrets.insert(name.to_owned(), read_secret(reader)?);
    }
    if let Some(name) = &add.secret_stdin {
        let name = known(name, true)?;
        config
            .secrets
            .insert(name.to_owned(), read_secret(io::stdin().lock())?);
    }
    if io::stdin().is_terminal() && io::stderr().is_terminal() {
        for field in fields {
            if config.values.contains_key(field.name) || config.secrets.contains_key(field.name) {
                continue;
            }
            if field.secret {
                let optional = if field.required { "" } else { " (empty: none)" };
                let typed = rpassword::prompt_password(format!("{}{optional}: ", field.title))
                    .context("can't read from the terminal")?;
                if !typed.trim().is_empty() {
                    config
                        .secrets
                        .insert(field.name.to_owned(), SecretString::from(typed.trim().to_owned()));
                }
            } else if field.required || field.default.is_none() {
                let optional = if field.required { "" } else { " (empty: none)" };
                let typed = ask(&format!("{}{optional}: ", field.title))?;
                if !typed.trim().is_empty() {
                    config
                        .values
                        .insert(field.name.to_owned(), typed.trim().to_owned());
                }
            }
        }
    }
    for field in fields {
        let given = config.values.contains_key(field.name) || config.secrets.contains_key(field.name);
        if !given && let Some(default) = field.default {
            config.values.insert(field.name.to_owned(), default.to_owned());
        } else if !given && field.required {
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

fn ask(question: &str) -> Result<String> {
    let mut err = io::stderr().lock();
    err.write_all(question.as_bytes())?;
    err.flush()?;
    let mut line = String::new();
    io::stdin()
        .read_line(&mut line)
        .context("can't read from the terminal")?;
    Ok(line)
}

async fn verify(id: Option<IntegrationId>, session: &Session, output: Output) -> Result<()> {
    let (watchpost, scope) = (&session.watchpost, session.scope.as_ref());
    let rows = watchpost
        .store()
        .list_integrations(scope)
        .await
        .map_err(from_store)?;
    let rows: Vec<_> = rows
        .into_iter()
        .filter(|row| id.map_or(row.platform != Platform::Import, |id| id == row.id))
        .collect();
    if rows.is_empty() {
        return Err(fail(
            code::NOT_FOUND,
            "integration not found: `watchpost integrations list` shows the ids",
        ));
    }
    let mut in_order = true;
    let mut answers = Vec::new();
    for row in rows {
        let progress = Progress::start(&format!("asking {}", row.platform.title()));
        let verified = watchpost
            .verify_integration(scope, row.id, session.call("integrations verify", &json!({})))
            .await;
        progress.finish();
        match verified {
            Ok(verification) => {
                let missing = missing_json(session, row.platform, &verification);
                // Scans are an extra: what only they need doesn't make a connection bad.
                in_order &= !missing.iter().any(serves_syncs);
                if !output.json {
                    output.line(&format!(
                        "{} ({}): the credentials are good, {} of {} permissions granted",
                        row.platform.title(),
                        foreign(&row.name),
                        verification.permissions.iter().filter(|p| p.granted).count(),
                        verification.permissions.len()
                    ))?;
                    for line in missing_lines(&missing) {
                        output.line(&line)?;
                    }
                }
                answers.push(json!({
                    "id": row.id, "platform": row.platform, "ok": true,
                    "permissions": verification.permissions.iter().map(|p| json!({"permission": p.permission, "granted": p.granted, "datasets": p.datasets, "settings": p.settings, "hint": p.hint})).collect::<Vec<_>>(),
                    "unlicensed": verification.unlicensed,
                    "missing_permissions": missing,
                }));
            }
            Err(error) => {
                in_order = false;
                let error = from_core(error);
                if !output.json {
                    output.line(&format!(
                        "{} ({}): {error}",
                        row.platform.title(),
                        foreign(&row.name)
                    ))?;
                }
                answers.push(json!({"id": row.id, "platform": row.platform, "ok": false, "problem": error.to_string()}));
            }
        }
    }
    if output.json {
        output.line(&json!({"integrations": answers}).to_string())?;
    }
    if in_order {
        Ok(())
    } else {
        Err(fail(code::NOT_IN_ORDER, "not everything can be read: see above"))
    }
}

/// Each missing permission with what it costs.
fn missing_json(session: &Session, platform: Platform, verification: &Verification) -> Vec<Value> {
    let costs = session.watchpost.rules_by_dataset(platform);
    verification
        .permissions
        .iter()
        .filter(|permission| !permission.granted)
        .map(|permission| {
            let mut rules: Vec<&str> =
                permission.datasets.iter().filter_map(|dataset| costs.get(dataset)).flatten().map(|rule| rule.id.as_str()).collect();
            rules.sort_unstable();
            rules.dedup();
            json!({"permission": permission.permission, "datasets": permission.datasets, "settings": permission.settings, "rules": rules, "hint": permission.hint})
        })
        .collect()
}

/// Whether a missing permission is one that syncs need.
fn serves_syncs(missing: &Value) -> bool {
    missing["datasets"]
        .as_array()
        .is_some_and(|datasets| !datasets.is_empty())
}

fn missing_lines(missing: &[Value]) -> Vec<String> {
    let words = |value: &Value| {
        value
            .as_array()
            .map(|list| {
                list.iter()
                    .filter_map(Value::as_str)
                    .collect::<Vec<_>>()
                    .join(", ")
            })
            .unwrap_or_default()
    };
    missing
        .iter()
        .map(|row| {
            let rules = words(&row["rules"]);
            let served = if serves_syncs(row) {
                words(&row["datasets"])
            } else {
                "scans".to_owned()
            };
            let cost = if !serves_syncs(row) {
                let settings = row["settings"].as_array().map_or(0, Vec::len);
                format!("without it scans can't read {settings} settings")
            } else if rules.is_empty() {
                "no rule needs it".to_owned()
            } else {
                format!("without it these rules are blind: {rules}")
            };
            let hint = row["hint"]
                .as_str()
                .map(|hint| format!(" {hint}"))
                .unwrap_or_default();
            format!(
                "  missing {} ({}): {cost}.{hint}",
                row["permission"].as_str().unwrap_or_default(),
                served
            )
        })
        .collect()
}
