//! `trigger_sync`: queues syncs of the connected platforms.

use crate::{
    arguments::{IdempotencyKey, Word, arguments},
    confirm::{Affected, Preview, Risk},
    error::Failure,
    text,
    tool::{ActionTool, Answer, Caller, Context, Declaration, FollowUp, Hints, Tool, WriteTool},
    wire::{AsOf, Text, len},
};
use schemars::JsonSchema;
use serde::Serialize;
use watchpost_core::{
    access::Permission,
    audit::AuditTarget,
    job::JobRow,
    service::SyncStart,
    value::{
        id::{IntegrationId, JobId},
        word::{Platform, RunState},
    },
};

pub(super) struct TriggerSync;

arguments! {
    pub(super) struct Input {
        /// Default: all.
        platform: Option<Word<Platform>>,
        /// Makes retries safe.
        idempotency_key: Option<IdempotencyKey>,
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Output {
    /// triggered, already_running or no_integrations.
    status: &'static str,
    changed: bool,
    platforms: Vec<&'static str>,
    jobs: Vec<Job>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_step: Option<&'static str>,
    #[serde(flatten)]
    as_of: AsOf,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Job {
    job_id: Text<JobId>,
    platform: &'static str,
    integration_id: Text<IntegrationId>,
    state: &'static str,
}

impl Tool for TriggerSync {
    const DECLARATION: Declaration = Declaration {
        name: "trigger_sync",
        title: "Sync now",
        description: "Re-reads all connected platforms, or one, and then updates the findings. Immediately returns jobs; get_integrations shows their progress. A sync that is already queued or running is joined, not repeated.",
        permission: Permission::TriggerSync,
        hints: Hints {
            read_only: false,
            destructive: false,
            idempotent: true,
            open_world: true,
        },
    };
    type Input = Input;
    type Output = Output;
}

impl WriteTool for TriggerSync {
    const RISK: Risk = Risk::Low;

    async fn preview(_: &Context<'_>, input: &Input) -> Result<Preview, Failure> {
        Ok(Preview {
            affected: Affected::Sources,
            question: Some(text::syncs::confirm(
                input.platform.map(|Word(platform)| platform),
            )),
            target: AuditTarget::default(),
        })
    }
}

impl ActionTool for TriggerSync {
    async fn run(context: &Context<'_>, input: Input) -> Result<Answer, Failure> {
        let platform = input.platform.map(|platform| platform.0);
        let answer = context
            .watchpost
            .trigger_sync(context.scope, platform, None, context.record())
            .await?;
        let repeat = context.repeat(answer.receipt);
        let new = answer.syncs.iter().filter(|sync| sync.is_new).count();
        let mut platforms: Vec<&'static str> =
            answer.syncs.iter().map(|sync| sync.platform.as_str()).collect();
        platforms.sort_unstable();
        platforms.dedup();
        let output = Output {
            status: match answer.start {
                SyncStart::Triggered => "triggered",
                SyncStart::AlreadyRunning => "already_running",
                SyncStart::NoIntegrations => "no_integrations",
            },
            changed: new > 0 && repeat.is_none(),
            platforms,
            jobs: answer
                .syncs
                .iter()
                .map(|sync| Job {
                    job_id: Text(sync.job),
                    platform: sync.platform.as_str(),
                    integration_id: Text(sync.integration),
                    state: if sync.is_new { "queued" } else { "already_running" },
                })
                .collect(),
            next_step: matches!(answer.start, SyncStart::NoIntegrations)
                .then_some(text::syncs::NOTHING_TO_SYNC),
            as_of: context.as_of().await,
        };
        let sentence = match answer.start {
            SyncStart::Triggered => text::syncs::queued(new),
            SyncStart::AlreadyRunning => text::syncs::ALREADY_RUNNING.to_owned(),
            SyncStart::NoIntegrations => text::syncs::no_integrations(platform),
        };
        let sentence = match repeat {
            Some(repeat) => text::syncs::after_repeat(&repeat, &sentence),
            None => sentence,
        };
        let sentence = output.as_of.dated(&sentence);
        let mut done = Answer::new(sentence, &output)?.of_change(answer.receipt);
        done.follow_up = FollowUp::of_syncs(&answer);
        Ok(done)
    }
}

/// The answer once all requested syncs have ended. Each job comes with whether the call queued it.
pub(crate) async fn ended(caller: Caller<'_>, jobs: &[(JobRow, bool)]) -> Result<Answer, Failure> {
    let mut rows = Vec::with_capacity(jobs.len());
    for (job, _) in jobs {
        let Some(id) = job.integration else { continue };
        // The integration may have been removed in the meantime.
        let found = caller.watchpost.integration(caller.scope, id).await;
        let Some(integration) = caller.open(found)? else {
            continue;
        };
        rows.push(Job {
            job_id: Text(job.id),
            platform: integration.platform.as_str(),
            integration_id: Text(id),
            state: job.state.as_str(),
        });
    }
    let mut platforms: Vec<&'static str> = rows.iter().map(|job| job.platform).collect();
    platforms.sort_unstable();
    platforms.dedup();
    let is_triggered = jobs.iter().any(|(_, is_new)| *is_new);
    let failed = jobs
        .iter()
        .filter(|(job, _)| job.state != RunState::Completed)
        .count();
    let freshness = caller.open(caller.watchpost.freshness(caller.scope).await)?;
    let output = Output {
        status: if is_triggered {
            "triggered"
        } else {
            "already_running"
        },
        changed: is_triggered,
        platforms,
        jobs: rows,
        next_step: None,
        as_of: AsOf::new(&freshness, caller.watchpost.clock().now()),
    };
    let sentence = output.as_of.dated(&text::syncs::ended(len(jobs), failed));
    Answer::new(sentence, &output)
}
