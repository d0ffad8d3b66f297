//! `watchpost doctor`: what is in order and what isn't, with the next step for each.

use crate::{
    command::client_config::accepts_connections,
    failure::{code, fail},
    next,
    output::Output,
    session::Session,
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
use watchpost_runtime::config::Loaded;

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// The address of the server to look for [default: the configured one]
    #[arg(long)]
    url: Option<String>,
}

struct Check {
    name: &'static str,
    ok: bool,
    /// What was found; `said` in JSON.
    detail: String,
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
        keys(session).await?,
    ];
    checks.extend(integrations(session).await?);
    checks.push(posture(session).await?);
    checks.push(server(&args.url.unwrap_or_else(|| configured_url(loaded))));

    let in_order = checks.iter().all(|check| check.ok);
    if output.json {
        let json = json!({"ok": in_order, "checks": checks.iter().map(check_json).collect::<Vec<_>>()});
        output.line(&json.to_string())?;
    } else {
        show(&checks, output)?;
    }
    if in_order {
        Ok(())
    } else {
        Err(fail(code::NOT_IN_ORDER, "not everything is in order: see above"))
    }
}

fn check_json(check: &Check) -> Value {
    json!({"check": check.name, "ok": check.ok, "said": check.detail, "next_step": check.next_step})
}

fn show(checks: &[Check], output: Output) -> Result<()> {
    for check in checks {
        output.line(&format!(
            "{} {}: {}",
            if check.ok { "ok     " } else { "PROBLEM" },
            check.name,
            check.detail
        ))?;
        if let Some(next) = &check.next_step {
            output.line(&format!("        next: {next}"))?;
        }
    }
    Ok(())
}

async fn database(session: &Session) -> Check {
    let (detail, next_step) = match session.integrity_check().await {
        Ok(()) => ("sound".to_owned(), None),
        Err(error) => (
            error.to_string(),
            Some("restore a backup with `watchpost restore`".to_owned()),
        ),
    };
    Check {
        name: "database",
        ok: next_step.is_none(),
        detail,
        next_step,
    }
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
        detail: format!("{active} active"),
        next_step: (active == 0)
            .then(|| "make one with `watchpost keys create --label NAME` (stdio needs none)".to_owned()),
    })
}

async fn integrations(session: &Session) -> Result<Vec<Check>> {
    let now = session.watchpost.clock().now();
    let read = session.watchpost.integrations(&session.scope).await;
    let (rows, ..) = session.read("instance.checked", "doctor", read).await?;
    Ok(rows
        .iter()
        // Nothing is read from what only imports speak of.
        .filter(|row| row.platform != Platform::Import)
        .map(|row| integration(row, now))
        .collect())
}

fn integration(row: &Integration, now: Timestamp) -> Check {
    let unread: Vec<_> = row
        .collections
        .iter()
        .filter(|collection| collection.state != CollectionState::Complete)
        .map(|collection| collection.dataset.as_str())
        .collect();
    let stale = row.is_stale(now);
    let ok =
        row.failure.is_none() && !stale && unread.is_empty() && row.status == IntegrationStatus::Connected;
    let platform = row.platform.title();
    let detail = match (&row.failure, row.last_completed_at) {
        (Some(failure), _) => format!("{platform}: failing since {}: {}", failure.since, failure.reason),
        (None, None) => format!("{platform}: {}, never read", row.status),
        (None, Some(at)) => {
            let gaps = if unread.is_empty() {
                String::new()
            } else {
                format!(", unreadable: {}", unread.join(", "))
            };
            let stale = if stale { " (stale)" } else { "" };
            format!("{platform}: {}, last read {at}{stale}{gaps}", row.status)
        }
    };
    let next_step = (!ok).then(|| {
        format!(
            "`watchpost integrations verify {}` says what is missing; then `watchpost sync`",
            row.id
        )
    });
    Check {
        name: "integration",
        ok,
        detail,
        next_step,
    }
}

async fn posture(session: &Session) -> Result<Check> {
    let read = session.watchpost.risk(&session.scope).await;
    let risk = session.read("instance.checked", "doctor", read).await?;
    let (detail, next_step) = match &risk.score {
        Ok(scored) => {
            let as_of = risk.freshness.as_of.map_or_else(String::new, |at| at.to_string());
            let (score, rating) = (scored.risk.score, scored.risk.rating);
            (format!("score {score} ({rating}), as of {as_of}"), None)
        }
        Err(not_ready) => (
            not_ready.state.to_string(),
            Some(next::words(not_ready.next_step)),
        ),
    };
    Ok(Check {
        name: "posture",
        ok: next_step.is_none(),
        detail,
        next_step,
    })
}

/// The address under which clients reach the server that the settings describe.
fn configured_url(loaded: &Loaded) -> String {
    let http = &loaded.settings.http;
    match &http.public_url {
        Some(url) => url
            .join("/mcp")
            .map_or_else(|_| url.to_string(), |url| url.to_string()),
        None => format!("http://{}/mcp", http.listen),
    }
}

fn server(url: &str) -> Check {
    let up = accepts_connections(url);
    Check {
        name: "server",
        ok: up,
        detail: if up {
            format!("something answers at {url}")
        } else {
            format!("{url}: not available")
        },
        next_step: (!up)
            .then(|| "start `watchpost-http` (a desktop assistant under stdio needs none)".to_owned()),
    }
}
