//! `watchpost doctor`: what is in order and what isn't, with the next step for each.

use crate::{
    command::client_config::answers,
    failure::{code, fail, from_core, from_store},
    output::Output,
    session::Session,
};
use anyhow::Result;
use clap::Args;
use serde_json::json;
use std::path::Path;
use watchpost_core::{
    access::KeyState,
    value::word::{CollectionState, IntegrationStatus, Platform},
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
    said: String,
    next: Option<String>,
}

pub(crate) async fn run(
    args: Doctor,
    session: &Session,
    loaded: &Loaded,
    data_dir: &Path,
    output: Output,
) -> Result<()> {
    let mut checks = Vec::new();
    let mut add = |name, ok, said: String, next: Option<String>| checks.push(Check { name, ok, said, next });
    add("data folder", true, data_dir.display().to_string(), None);
    let sound = session.integrity_check().await;
    add(
        "database",
        sound.is_ok(),
        sound
            .as_ref()
            .map_or_else(|error| error.to_string(), |()| "sound".to_owned()),
        sound
            .is_err()
            .then(|| "restore a backup with `watchpost restore`".to_owned()),
    );
    let now = session.watchpost.clock().now();
    let keys = session
        .watchpost
        .store()
        .list_keys(&session.scope)
        .await
        .map_err(from_store)?;
    let active = keys
        .iter()
        .filter(|key| key.state(now) == KeyState::Active)
        .count();
    add(
        "keys",
        active > 0,
        format!("{active} active"),
        (active == 0)
            .then(|| "make one with `watchpost keys create --label NAME` (stdio needs none)".to_owned()),
    );
    let integrations = session
        .watchpost
        .store()
        .list_integrations(&session.scope)
        .await
        .map_err(from_store)?;
    // Nothing is read from what only imports speak of.
    for row in integrations.iter().filter(|row| row.platform != Platform::Import) {
        let unread: Vec<_> = row
            .collections
            .iter()
            .filter(|c| c.state != CollectionState::Complete)
            .map(|c| c.dataset.as_str())
            .collect();
        let stale = row.is_stale(now);
        let ok = row.failure.is_none()
            && !stale
            && unread.is_empty()
            && row.status == IntegrationStatus::Connected;
        let said = match (&row.failure, row.last_completed_at) {
            (Some(failure), _) => format!(
                "{}: failing since {}: {}",
                row.platform.title(),
                failure.since,
                failure.reason
            ),
            (None, None) => format!("{}: {}, never read", row.platform.title(), row.status),
            (None, Some(at)) => {
                let gaps = if unread.is_empty() {
                    String::new()
                } else {
                    format!(", unreadable: {}", unread.join(", "))
                };
                format!(
                    "{}: {}, last read {at}{}{gaps}",
                    row.platform.title(),
                    row.status,
                    if stale { " (stale)" } else { "" }
                )
            }
        };
        let next = (!ok).then(|| {
            format!(
                "`watchpost integrations verify {}` says what is missing; then `watchpost sync`",
                row.id
            )
        });
        add("integration", ok, said, next);
    }
    let risk = session.watchpost.risk(&session.scope).await.map_err(from_core)?;
    match &risk.score {
        Ok(scored) => add(
            "posture",
            true,
            format!(
                "score {} ({}), as of {}",
                scored.risk.score,
                scored.risk.label,
                risk.freshness.as_of.map_or_else(String::new, |at| at.to_string())
            ),
            None,
        ),
        Err(not_ready) => add(
            "posture",
            false,
            not_ready.state.to_string(),
            Some(not_ready.next_step.clone()),
        ),
    }
    let url = args.url.unwrap_or_else(|| {
        loaded.settings.http.public_url.as_ref().map_or_else(
            || format!("http://{}/mcp", loaded.settings.http.listen),
            |url| {
                url.join("/mcp")
                    .map_or_else(|_| url.to_string(), |url| url.to_string())
            },
        )
    });
    let up = answers(&url);
    add(
        "server",
        up,
        if up {
            format!("something answers at {url}")
        } else {
            format!("{url}: not available")
        },
        (!up).then(|| "start `watchpost-http` (a desktop assistant under stdio needs none)".to_owned()),
    );
    session.record("instance.checked", "doctor").await?;

    let in_order = checks.iter().all(|check| check.ok);
    let json = json!({
        "ok": in_order,
        "checks": checks.iter().map(|check| json!({"check": check.name, "ok": check.ok, "said": check.said, "next_step": check.next})).collect::<Vec<_>>(),
    });
    if output.json {
        output.line(&json.to_string())?;
    } else {
        for check in &checks {
            output.line(&format!(
                "{} {}: {}",
                if check.ok { "ok     " } else { "PROBLEM" },
                check.name,
                check.said
            ))?;
            if let Some(next) = &check.next {
                output.line(&format!("        next: {next}"))?;
            }
        }
    }
    if in_order {
        Ok(())
    } else {
        Err(fail(code::NOT_IN_ORDER, "not everything is in order: see above"))
    }
}
