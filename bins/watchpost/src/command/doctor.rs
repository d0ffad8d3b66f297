//! `watchpost doctor`: checks the installation and shows the next step for each problem.

use crate::{
    command::client_config::accepts_connections,
    failure::{code, exit_code, fail, from_store},
    output::Output,
    session::Session,
    text,
};
use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use std::path::Path;
use watchpost_core::{
    access::KeyState,
    audit::ChainVerdict,
    integration::Integration,
    value::{
        time::Timestamp,
        word::{CollectionState, IntegrationStatus, Platform},
    },
};
use watchpost_runtime::{
    checkpoint::Standing,
    config::{Loaded, Origin},
    open_files::OpenFiles,
    serve::server_threads,
};

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// The address of the server to check [default: the configured one]
    #[arg(long)]
    url: Option<String>,
}

struct Check {
    name: &'static str,
    /// The workspace, if there are several.
    workspace: Option<String>,
    ok: bool,
    /// The result as a sentence; `said` in JSON.
    detail: String,
    /// The step that solves a problem.
    next_step: Option<String>,
}

impl Check {
    /// A check with a next step if it found a problem.
    fn new(name: &'static str, detail: String, next_step: Option<String>) -> Self {
        Self {
            name,
            workspace: None,
            ok: next_step.is_none(),
            detail,
            next_step,
        }
    }

    /// A check that could not be made. The others are made all the same.
    fn failed(name: &'static str, error: &anyhow::Error) -> Self {
        let next_step = if exit_code(error) == code::PROBLEM_FOUND {
            text::doctor::RESTORE_A_BACKUP
        } else {
            text::doctor::RUN_AGAIN
        };
        Self::new(name, format!("{error:#}"), Some(next_step.to_owned()))
    }
}

pub(crate) async fn run(
    args: Doctor,
    sessions: &[Session],
    loaded: &Loaded,
    data_dir: &Path,
    output: Output,
) -> Result<()> {
    let mut checks = vec![Check::new("data folder", data_dir.display().to_string(), None)];
    // The file is one, whatever the number of workspaces.
    if let Some(session) = sessions.first() {
        checks.push(database(session).await);
        checks.push(write_ahead_log(session));
        checks.push(stored_words(session).await);
        checks.push(credentials(session).await);
        checks.push(checkpoint(session).await);
    }
    for session in sessions {
        let mut of_workspace = vec![audit_chain(session).await, keys(session).await];
        of_workspace.extend(integrations(session).await);
        of_workspace.push(posture(session).await);
        // Last, since the other checks have entries in it.
        of_workspace.insert(1, audit_log(session));
        for check in &mut of_workspace {
            check.workspace = (sessions.len() > 1).then(|| session.workspace.clone());
        }
        checks.extend(of_workspace);
    }
    checks.push(open_files(loaded));
    let is_configured = args.url.is_some() || has_server(loaded);
    checks.push(server(
        &args.url.unwrap_or_else(|| configured_url(loaded)),
        is_configured,
    ));

    let ok = checks.iter().all(|check| check.ok);
    if output.json {
        let json = json!({"ok": ok, "checks": checks.iter().map(check_json).collect::<Vec<_>>()});
        output.line(&json.to_string())?;
    } else {
        show(&checks, output)?;
    }
    if ok {
        Ok(())
    } else {
        Err(fail(code::PROBLEM_FOUND, text::doctor::PROBLEMS_FOUND))
    }
}

fn check_json(check: &Check) -> Value {
    json!({"check": check.name, "workspace": check.workspace, "ok": check.ok, "said": check.detail, "next_step": check.next_step})
}

fn show(checks: &[Check], output: Output) -> Result<()> {
    for check in checks {
        output.line(&text::doctor::check(
            check.ok,
            &text::doctor::name(check.name, check.workspace.as_deref()),
            &check.detail,
            check.next_step.as_deref(),
        ))?;
    }
    Ok(())
}

async fn database(session: &Session) -> Check {
    match session.integrity_check().await {
        Ok(()) => Check::new("database", text::doctor::DATABASE_INTACT.to_owned(), None),
        Err(error) => Check::failed("database", &error),
    }
}

/// Looks for a log that can't be emptied. This process has just begun to read, so it doesn't hold the log itself.
fn write_ahead_log(session: &Session) -> Check {
    let (bytes, is_large) = session.write_ahead_log();
    let next_step = is_large.then(|| text::doctor::END_THE_READER.to_owned());
    Check::new("write-ahead log", text::doctor::log_size(bytes), next_step)
}

/// Looks for stored words that this version doesn't know. Lists leave their rows out.
async fn stored_words(session: &Session) -> Check {
    match session.unknown_words().await {
        Ok(unknown) if unknown.is_empty() => {
            Check::new("stored words", text::doctor::ALL_KNOWN.to_owned(), None)
        }
        Ok(unknown) => Check::new(
            "stored words",
            unknown.join("; "),
            Some(text::doctor::USE_THE_NEWEST_VERSION.to_owned()),
        ),
        Err(error) => Check::failed("stored words", &error),
    }
}

/// Opens every stored credential.
async fn credentials(session: &Session) -> Check {
    match session.unreadable_credentials().await {
        Ok(unreadable) if unreadable.is_empty() => {
            Check::new("credentials", text::doctor::ALL_OPENED.to_owned(), None)
        }
        Ok(unreadable) => Check::new(
            "credentials",
            unreadable.join("; "),
            Some(text::doctor::SET_CREDENTIALS.to_owned()),
        ),
        Err(error) => Check::failed("credentials", &error),
    }
}

async fn checkpoint(session: &Session) -> Check {
    let standing = match session.history().standing().await.map_err(from_store) {
        Ok(standing) => standing,
        Err(error) => return Check::failed("checkpoint", &error),
    };
    let (detail, next_step) = match &standing {
        Standing::Off => (text::doctor::CHECKPOINTS_OFF.to_owned(), None),
        // A data folder that was moved to another machine has none there.
        Standing::Missing(file) => (text::doctor::checkpoint_missing(file), None),
        Standing::Invalid(file, reason) => (
            text::audit::checkpoint_invalid(file, reason),
            Some(text::doctor::ACCEPT_OR_RESTORE),
        ),
        Standing::Agrees(file, checkpoints) => (text::doctor::checkpoint_agrees(file, checkpoints), None),
        Standing::Contradicts(..) => (
            standing.contradiction().unwrap_or_default(),
            Some(text::doctor::ACCEPT_OR_RESTORE),
        ),
    };
    Check::new("checkpoint", detail, next_step.map(str::to_owned))
}

/// Verifies the hash chain of the audit log, whatever the checkpoints say.
async fn audit_chain(session: &Session) -> Check {
    let verdict = session.watchpost.verify_audit(&session.scope, &|_| ()).await;
    match verdict.map_err(from_store) {
        Ok(ChainVerdict::Intact { rows, .. }) => {
            Check::new("audit chain", text::doctor::chain_intact(rows), None)
        }
        Ok(ChainVerdict::Broken { seq, problem }) => Check::new(
            "audit chain",
            text::audit::chain_broken(&session.workspace, seq, &problem),
            Some(text::doctor::EXPORT_AND_RESTORE.to_owned()),
        ),
        Err(error) => Check::failed("audit chain", &error),
    }
}

/// Whether the entries of this command could be stored. Servers answer no request otherwise.
fn audit_log(session: &Session) -> Check {
    match session.unwritten() {
        None => Check::new("audit log", text::doctor::LOG_WRITTEN.to_owned(), None),
        Some(reason) => Check::new(
            "audit log",
            text::doctor::log_unwritten(&reason),
            Some(text::doctor::FREE_SPACE.to_owned()),
        ),
    }
}

async fn keys(session: &Session) -> Check {
    let now = session.watchpost.clock().now();
    let read = session.watchpost.keys(&session.scope).await;
    let keys = match session.read("instance.checked", "doctor", read).await {
        Ok(keys) => keys,
        Err(error) => return Check::failed("keys", &error),
    };
    let active = keys
        .iter()
        .filter(|key| key.state(now) == KeyState::Active)
        .count();
    let next_step = (active == 0).then(|| text::doctor::CREATE_A_KEY.to_owned());
    Check::new("keys", text::doctor::active_keys(active), next_step)
}

async fn integrations(session: &Session) -> Vec<Check> {
    let now = session.watchpost.clock().now();
    let read = session.watchpost.integrations(&session.scope).await;
    match session.read("instance.checked", "doctor", read).await {
        Ok((rows, ..)) => rows
            .iter()
            // An integration that only imports refer to is never synced.
            .filter(|row| row.platform != Platform::Import)
            .map(|row| integration(row, now))
            .collect(),
        Err(error) => vec![Check::failed("integration", &error)],
    }
}

fn integration(row: &Integration, now: Timestamp) -> Check {
    let unread: Vec<_> = row
        .collections
        .iter()
        .filter(|collection| collection.state != CollectionState::Complete)
        .map(|collection| {
            text::doctor::unread_dataset(
                collection.dataset,
                collection.state,
                collection.doubt.and(collection.detail.as_deref()),
            )
        })
        .collect();
    let shrunk = row
        .collections
        .iter()
        .find(|collection| collection.shrink().is_some() && !collection.is_shrink_confirmed())
        .map(|collection| collection.dataset);
    let stale = row.is_stale(now);
    let ok =
        row.failure.is_none() && !stale && unread.is_empty() && row.status == IntegrationStatus::Connected;
    let platform = row.platform.title();
    let detail = match (&row.failure, row.last_completed_at) {
        (Some(failure), _) => text::doctor::integration_failing(platform, failure.since, &failure.reason),
        (None, None) => text::doctor::integration_never_synced(platform, row.status),
        (None, Some(at)) => text::doctor::integration_synced(platform, row.status, at, stale, &unread),
    };
    Check::new(
        "integration",
        detail,
        (!ok).then(|| match shrunk {
            _ if row
                .failure
                .as_ref()
                .is_some_and(|failure| failure.needs_credential) =>
            {
                text::doctor::set_a_credential(row.id)
            }
            Some(dataset) => text::doctor::verify_and_confirm(row.id, dataset),
            None => text::doctor::verify_the_integration(row.id),
        }),
    )
}

async fn posture(session: &Session) -> Check {
    let read = session.watchpost.risk(&session.scope).await;
    let risk = match session.read("instance.checked", "doctor", read).await {
        Ok(risk) => risk,
        Err(error) => return Check::failed("posture", &error),
    };
    let (detail, next_step) = match &risk.score {
        Ok(scored) => {
            let (score, rating) = (scored.risk.score, scored.risk.rating);
            let unread: Vec<_> = risk
                .freshness
                .without_people()
                .map(|source| source.platform.title())
                .collect();
            let mut detail = text::doctor::score(&score, &rating, risk.freshness.as_of);
            detail.push_str(&text::score::without_people(&unread));
            (detail, None)
        }
        Err(not_ready) => (
            not_ready.state.spoken(),
            Some(text::next::step(not_ready.next_step)),
        ),
    };
    Check::new("posture", detail, next_step)
}

/// The URL at which clients reach the configured server.
fn configured_url(loaded: &Loaded) -> String {
    let http = &loaded.settings.http;
    match &http.public_url {
        Some(url) => url.mcp(),
        None => format!("http://{}/mcp", http.listen),
    }
}

/// Checks how much the limit of open files allows a server that is started in the same way as this process.
fn open_files(loaded: &Loaded) -> Check {
    let files = OpenFiles::of_process().raised();
    let settings = &loaded.settings;
    let limits = settings.limits.for_transport();
    let (detail, next_step) = match files.capacity(&limits, server_threads(settings.http.threads)) {
        Ok(capacity) => (text::doctor::open_files(files.limit, &capacity), None),
        Err(error) => (error.to_string(), Some(text::doctor::RAISE_OPEN_FILES.to_owned())),
    };
    Check::new("open files", detail, next_step)
}

/// Whether the settings name an address for a server. A desktop assistant over stdio needs none.
fn has_server(loaded: &Loaded) -> bool {
    ["http.listen", "http.public_url"]
        .into_iter()
        .any(|key| *loaded.origin(key) != Origin::Default)
}

fn server(url: &str, is_configured: bool) -> Check {
    let up = accepts_connections(url);
    let detail = if up {
        text::doctor::server_up(url)
    } else if is_configured {
        text::doctor::server_unavailable(url)
    } else {
        text::doctor::no_server(url)
    };
    let is_missing = !up && is_configured;
    Check::new(
        "server",
        detail,
        is_missing.then(|| text::doctor::START_A_SERVER.to_owned()),
    )
}
