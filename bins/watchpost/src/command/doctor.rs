//! `watchpost doctor`: checks the installation and shows the next step for each problem.

use crate::{
    command::client_config::accepts_connections,
    failure::{code, fail, from_store},
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
    integration::Integration,
    value::{
        time::Timestamp,
        word::{CollectionState, IntegrationStatus, Platform},
    },
};
use watchpost_runtime::{checkpoint::Standing, config::Loaded, open_files::OpenFiles, serve::server_threads};

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// The address of the server to check [default: the configured one]
    #[arg(long)]
    url: Option<String>,
}

struct Check {
    name: &'static str,
    ok: bool,
    /// The result as a sentence; `said` in JSON.
    detail: String,
    /// The step that solves a problem.
    next_step: Option<String>,
}

pub(crate) async fn run(
    args: Doctor,
    session: &Session,
    loaded: &Loaded,
    data_dir: &Path,
    output: Output,
) -> Result<()> {
    let mut checks = vec![
        Check {
            name: "data folder",
            ok: true,
            detail: data_dir.display().to_string(),
            next_step: None,
        },
        database(session).await,
        checkpoint(session).await?,
        keys(session).await?,
    ];
    checks.extend(integrations(session).await?);
    checks.push(posture(session).await?);
    checks.push(open_files(loaded));
    checks.push(server(&args.url.unwrap_or_else(|| configured_url(loaded))));

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
    json!({"check": check.name, "ok": check.ok, "said": check.detail, "next_step": check.next_step})
}

fn show(checks: &[Check], output: Output) -> Result<()> {
    for check in checks {
        output.line(&text::doctor::check(
            check.ok,
            check.name,
            &check.detail,
            check.next_step.as_deref(),
        ))?;
    }
    Ok(())
}

async fn database(session: &Session) -> Check {
    let (detail, next_step) = match session.integrity_check().await {
        Ok(()) => (text::doctor::DATABASE_INTACT.to_owned(), None),
        Err(error) => (error.to_string(), Some(text::doctor::RESTORE_A_BACKUP.to_owned())),
    };
    Check {
        name: "database",
        ok: next_step.is_none(),
        detail,
        next_step,
    }
}

async fn checkpoint(session: &Session) -> Result<Check> {
    let standing = session.history().standing().await.map_err(from_store)?;
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
    Ok(Check {
        name: "checkpoint",
        ok: next_step.is_none(),
        detail,
        next_step: next_step.map(str::to_owned),
    })
}

async fn keys(session: &Session) -> Result<Check> {
    let now = session.watchpost.clock().now();
    let read = session.watchpost.keys(&session.scope).await;
    let keys = session.read("instance.checked", "doctor", read).await?;
    let active = keys
        .iter()
        .filter(|key| key.state(now) == KeyState::Active)
        .count();
    Ok(Check {
        name: "keys",
        ok: active > 0,
        detail: text::doctor::active_keys(active),
        next_step: (active == 0).then(|| text::doctor::CREATE_A_KEY.to_owned()),
    })
}

async fn integrations(session: &Session) -> Result<Vec<Check>> {
    let now = session.watchpost.clock().now();
    let read = session.watchpost.integrations(&session.scope).await;
    let (rows, ..) = session.read("instance.checked", "doctor", read).await?;
    Ok(rows
        .iter()
        // An integration that only imports refer to is never synced.
        .filter(|row| row.platform != Platform::Import)
        .map(|row| integration(row, now))
        .collect())
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
    Check {
        name: "integration",
        ok,
        detail,
        next_step: (!ok).then(|| match shrunk {
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
    }
}

async fn posture(session: &Session) -> Result<Check> {
    let read = session.watchpost.risk(&session.scope).await;
    let risk = session.read("instance.checked", "doctor", read).await?;
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
    Ok(Check {
        name: "posture",
        ok: next_step.is_none(),
        detail,
        next_step,
    })
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
    Check {
        name: "open files",
        ok: next_step.is_none(),
        detail,
        next_step,
    }
}

fn server(url: &str) -> Check {
    let up = accepts_connections(url);
    Check {
        name: "server",
        ok: up,
        detail: if up {
            text::doctor::server_up(url)
        } else {
            text::doctor::server_unavailable(url)
        },
        next_step: (!up).then(|| text::doctor::START_A_SERVER.to_owned()),
    }
}
