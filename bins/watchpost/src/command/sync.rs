//! `watchpost sync`: reads platforms now.

use crate::{
    failure::{code, fail, from_core},
    output::{Output, Progress},
    session::Session,
};
use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use std::time::Duration;
use watchpost_core::{
    integration::Integration,
    job::JobRow,
    service::{SyncStart, Unrecorded},
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
    let jobs: Vec<JobId> = answer.syncs.iter().map(|sync| sync.job).collect();
    let read = Unrecorded::gather(async |reader| {
        let jobs = reader.open(session.watchpost.jobs(&session.scope, &jobs).await)?;
        let (integrations, ..) = reader.open(session.watchpost.integrations(&session.scope).await)?;
        Ok((failures(jobs), integrations))
    });
    let (failures, integrations) = session.read("integration.read", "sync", read.await).await?;
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
fn failures(jobs: Vec<JobRow>) -> Vec<String> {
    jobs.into_iter()
        .filter(|job| job.state == RunState::Failed)
        .map(|job| job.reason.unwrap_or_else(|| "unknown".to_owned()))
        .collect()
}

fn integration_json(row: &Integration) -> Value {
    json!({
        "platform": row.platform,
        "status": row.status,
        "last_sync_at": row.last_completed_at,
        "failure": row.failure.as_ref().map(|failure| &failure.reason),
    })
}
