//! `watchpost sync`: syncs the connected platforms now.

use crate::{
    failure::{code, fail, from_core},
    output::{Output, Progress},
    session::Session,
    text,
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
        word::{CollectionState, Platform, RunState},
    },
};

/// Maximum time that the command waits.
const WAIT_MAX: Duration = Duration::from_secs(30 * 60);

#[derive(Debug, Args)]
pub(crate) struct Sync {
    /// Sync only this platform
    #[arg(long)]
    platform: Option<Platform>,
    /// Queue the sync for a running server and return immediately
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
        return Err(fail(code::CONFLICT, text::sync::NOTHING_TO_SYNC));
    }
    let started = answer
        .syncs
        .iter()
        .map(|sync| json!({"platform": sync.platform, "job_id": sync.job, "new": sync.is_new}))
        .collect::<Vec<_>>();
    if args.no_wait {
        let text = text::sync::queued(started.len());
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
    let synced = |row: &&Integration| answer.syncs.iter().any(|sync| sync.integration == row.id);
    let mut problems = failures;
    problems.extend(integrations.iter().filter(synced).flat_map(unread));
    let (status, text) = if problems.is_empty() {
        ("completed", text::sync::COMPLETED)
    } else {
        ("failed", text::sync::INCOMPLETE)
    };
    output.answer(
        &json!({"status": status, "jobs": started, "integrations": rows}),
        text,
    )?;
    if problems.is_empty() {
        Ok(())
    } else {
        Err(fail(code::PROBLEM_FOUND, problems.join("; ")))
    }
}

/// Runs the queued jobs in this process until none is left. A server on the same store may run some of them.
async fn wait(session: &Session) -> Result<()> {
    let progress = Progress::start(text::sync::SYNCING);
    let ended = tokio::time::timeout(WAIT_MAX, session.work_until_idle(&|text| progress.show(text))).await;
    progress.finish();
    ended.map_err(|_| {
        fail(
            code::UNAVAILABLE,
            text::sync::still_running(WAIT_MAX.as_secs() / 60),
        )
    })?
}

/// The reasons of the failed jobs; empty if none failed.
fn failures(jobs: Vec<JobRow>) -> Vec<String> {
    jobs.into_iter()
        .filter(|job| job.state == RunState::Failed)
        .map(|job| {
            job.reason
                .unwrap_or_else(|| text::sync::REASON_UNKNOWN.to_owned())
        })
        .collect()
}

/// The steps that end failures, and the datasets that the sync of an integration could not read or didn't believe. A dataset
/// that lacks a permission or a license, or that the next sync continues, is not one of them: `integrations verify` and
/// `doctor` show it.
fn unread(row: &Integration) -> Vec<String> {
    if let Some(failure) = &row.failure {
        let next = failure.next_step(row.platform).map(text::next::step);
        return next.into_iter().collect();
    }
    row.collections
        .iter()
        .filter(|read| read.state == CollectionState::Failed || read.doubt.is_some())
        .map(|read| text::sync::unread(row.platform, read.dataset, read.state, read.detail.as_deref()))
        .collect()
}

fn integration_json(row: &Integration) -> Value {
    json!({
        "platform": row.platform,
        "status": row.status,
        "last_sync_at": row.last_completed_at,
        "failure": row.failure.as_ref().map(|failure| &failure.reason),
        "unread": row.collections.iter().filter(|read| read.state != CollectionState::Complete).map(|read| json!({
            "dataset": read.dataset, "state": read.state, "detail": read.detail,
        })).collect::<Vec<_>>(),
    })
}
