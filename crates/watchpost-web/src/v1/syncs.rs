//! Syncs.

use crate::{
    answer::Answer,
    context::Context,
    failure::Failure,
    fields::{Id, IdempotencyKey, Word, fields},
    operation::{Declaration, Endpoint, Form, Method},
    wire::{AsOf, Time},
};
use schemars::JsonSchema;
use serde::Serialize;
use watchpost_core::{
    access::Permission,
    service::SyncStart,
    value::{
        id::{IntegrationId, JobId},
        word::Platform,
    },
};

pub(crate) struct TriggerSync;

fields! {
    pub(crate) struct SyncFields {
        /// Default: all.
        platform: Option<Word<Platform>>,
        /// Makes a repeat of the request safe.
        idempotency_key: Option<IdempotencyKey>,
    }
}

/// The syncs that were requested.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SyncRequest")]
pub(crate) struct Output {
    /// `triggered`, `already_running` or `no_integrations`.
    status: &'static str,
    /// Whether this request queued any of them.
    changed: bool,
    /// The time of the first request with this idempotency key, if this one repeats it.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_requested_at: Option<Time>,
    jobs: Vec<Job>,
    #[serde(flatten)]
    as_of: AsOf,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SyncJob")]
struct Job {
    job_id: Id<JobId>,
    platform: Word<Platform>,
    integration_id: Id<IntegrationId>,
    /// `queued` or `already_running`.
    state: &'static str,
}

/// The word for the effect of a request.
pub(crate) const fn word(start: &SyncStart) -> &'static str {
    match start {
        SyncStart::Triggered => "triggered",
        SyncStart::AlreadyRunning => "already_running",
        SyncStart::NoIntegrations => "no_integrations",
    }
}

impl Endpoint for TriggerSync {
    const DECLARATION: Declaration = Declaration {
        method: Method::Post,
        path: "/api/v1/syncs",
        name: "trigger_sync",
        group: "integrations",
        summary: "Queues a sync of all connected platforms, or of one",
        permission: Some(Permission::TriggerSync),
        form: Form::Own,
    };
    const STATUS: u16 = 202;
    type Input = SyncFields;
    type Output = Output;

    async fn run(context: &Context<'_>, input: SyncFields) -> Result<Answer, Failure> {
        let platform = input.platform.map(|word| word.0);
        let answer = context
            .watchpost
            .trigger_sync(context.scope, platform, None, context.record())
            .await?;
        let is_new = answer.syncs.iter().any(|sync| sync.is_new);
        let output = Output {
            status: word(&answer.start),
            changed: is_new && answer.receipt.earlier.is_none(),
            first_requested_at: context.repeat_of(answer.receipt).map(Time),
            jobs: answer
                .syncs
                .iter()
                .map(|sync| Job {
                    job_id: Id(sync.job),
                    platform: Word(sync.platform),
                    integration_id: Id(sync.integration),
                    state: if sync.is_new { "queued" } else { "already_running" },
                })
                .collect(),
            as_of: context.as_of().await,
        };
        Ok(Answer::json(&output)?.of_change(answer.receipt))
    }
}
