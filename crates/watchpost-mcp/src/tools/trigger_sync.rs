//! `trigger_sync`.

use crate::{
    arguments::{OnceKey, Word, arguments},
    confirm::{Affected, Preview, Risk},
    error::Failure,
    tool::{ActionTool, Answer, Caller, Context, Declaration, FollowUp, Hints, Tool, WriteTool},
    wire::{AsOf, Text, count, len},
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
        /// Makes a repeat safe.
        idempotency_key: Option<OnceKey>,
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
    /// How it stands.
    state: &'static str,
}

const NOTHING_TO_SYNC: &str = "Connect a platform: run `watchpost integrations add okta` or `watchpost integrations add m365`; a paused one goes on after `watchpost integrations resume`";

impl Tool for TriggerSync {
    const DECLARATION: Declaration = Declaration {
        name: "trigger_sync",
        title: "Sync now",
        description: "Reads the connected platforms anew, all or one; the findings follow by themselves. Answers at once with jobs; get_integrations shows their progress. A sync that is queued or running is joined, not repeated.",
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
            question: Some(match &input.platform {
                Some(Word(platform)) => format!("Read {} anew now?", platform.title()),
                None => "Read all connected platforms anew now?".to_owned(),
            }),
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
            next_step: matches!(answer.start, SyncStart::NoIntegrations).then_some(NOTHING_TO_SYNC),
            as_of: context.as_of().await,
        };
        let sentence = match answer.start {
            SyncStart::Triggered => format!(
                "Queued: {}; get_integrations shows the progress.",
                count(u64::try_from(new).unwrap_or(u64::MAX), "sync"),
            ),
            SyncStart::AlreadyRunning => {
                "Nothing was changed: every sync asked for is queued or running already.".to_owned()
            }
            SyncStart::NoIntegrations => match platform {
                Some(platform) => format!(
                    "Nothing to sync: no active {} integration. {NOTHING_TO_SYNC}.",
                    platform.title()
                ),
                None => format!("Nothing to sync: no active integration. {NOTHING_TO_SYNC}."),
            },
        };
        let repeat = repeat.map(|repeat| format!("{repeat} ")).unwrap_or_default();
        let sentence = format!("{repeat}{sentence}{}", output.as_of.sentence());
        let mut done = Answer::new(sentence, &output)?.of_change(answer.receipt);
        done.follow_up = FollowUp::of_syncs(&answer);
        Ok(done)
    }
}

/// The answer when all syncs that were asked for have ended, each with whether the call had queued it.
pub(crate) async fn ended(caller: Caller<'_>, jobs: &[(JobRow, bool)]) -> Result<Answer, Failure> {
    let mut rows = Vec::with_capacity(jobs.len());
    for (job, _) in jobs {
        let Some(id) = job.integration else { continue };
        // A removed integration has nothing more to tell.
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
    let all = count(len(jobs), "sync");
    let sentence = match failed {
        0 => format!(
            "Completed: {all}, and the analysis after it.{}",
            output.as_of.sentence()
        ),
        n => format!(
            "Ended: {all}, of which {n} did not complete; get_integrations says why.{}",
            output.as_of.sentence()
        ),
    };
    Answer::new(sentence, &output)
}
