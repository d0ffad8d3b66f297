//! `watchpost sync`: reads platforms now.

use crate::{
    failure::{code, fail, from_core, from_store},
    output::{Output, Progress},
    session::Session,
};
use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use std::time::Duration;
use watchpost_core::{
    integration::Integration,
    service::SyncStart,
    value::{
        id::JobId,
        word::{Platform, RunState},
    },
};

/// How long `--wait` waits at the most.
const WAIT_MAX: Duration = Duration::from_secs(30 * 60);

#[derive(Debug, Args)]
pub(crate) struct Sync {
    /// Only this platform
    #[arg(long)]
    platform: Option<Platform>,
    /// Queue it for a running server and return at once
    #[arg(long, conflicts_with = "wait")]
    no_wait: bool,
    /// Wait until the findings are up to date (the default)
    #[arg(long)]
    wait: bool,
}

pub(crate) async fn run(args: Sync, session: &Session, output: Output) -> Result<()> {
    let answer = session
        .watchpost
        .trigger_sync(
            &session.scope,
            args.platform,
            None,
            session.call("sync", &json!({"platform": args.platform})),
        )
        .await
        .map_err(from_core)?;
    if answer.start == SyncStart::NoIntegrations {
        return Err(fail(
            code::CONFLICT,
            "nothing to sync: `watchpost integrations add okta` or `m365` connects a platform",
        ));
    }
    let started = answer
        .syncs
        .iter()
        .map(|sync| json!({"platform": sync.platform, "job_id": sync.job, "new": sync.is_new}))
        .collect::<Vec<_>>();
    if args.no_wait {
        let text = format!("Queued {} syncs; a running server does them.", started.len());
        return Ok(output.answer(&json!({"status": "queued", "jobs": started}), &text)?);
    }
    wait(session).await?;
    let failures = failures(answer.syncs.iter().map(|sync| sync.job), session).await?;
    let integrations = session
        .watchpost
        .store()
        .list_integrations(&session.scope)
        .await
        .map_err(from_store)?;
    let rows: Vec<_> = integrations.iter().map(integration_json).collect();
    let (status, text) = if failures.is_empty() {
        (
            "completed",
            "Synced and judged. `watchpost score` shows the result.",
        )
    } else {
        ("failed", "Not everything could be read.")
    };
    output.answer(
        &json!({"status": status, "jobs": started, "integrations": rows}),
        text,
    )?;
    if failures.is_empty() {
        Ok(())
    } else {
        Err(fail(code::NOT_IN_ORDER, failures.join("; ")))
    }
}

/// Works on the queue in this process until it is empty; a server on the same store may take some of the jobs.
async fn wait(session: &Session) -> Result<()> {
    let progress = Progress::start("syncing");
    let ended = tokio::time::timeout(WAIT_MAX, session.work_until_idle(&|text| progress.show(text))).await;
    progress.finish();
    ended.map_err(|_| {
        fail(
            code::UNAVAILABLE,
            "still at work after 30 minutes: `watchpost integrations list` shows the state",
        )
    })?
}

/// Why jobs failed; empty if none did.
async fn failures(jobs: impl Iterator<Item = JobId>, session: &Session) -> Result<Vec<String>> {
    let mut failures = Vec::new();
    for id in jobs {
        let job = session
            .watchpost
            .store()
            .job(&session.scope, id)
            .await
            .map_err(from_store)?;
        if let Some(job) = job.filter(|job| job.state == RunState::Failed) {
            failures.push(job.reason.unwrap_or_else(|| "unknown".to_owned()));
        }
    }
    Ok(failures)
}

fn integration_json(row: &Integration) -> Value {
    json!({
        "platform": row.platform,
        "status": row.status,
        "last_sync_at": row.last_completed_at,
        "failure": row.failure.as_ref().map(|failure| &failure.reason),
    })
}
