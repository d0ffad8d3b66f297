//! `get_integrations`: the connected platforms and the state of their data.

use crate::{
    arguments::NoArguments,
    error::Failure,
    text::{self, next_step},
    tool::{Answer, Context, Declaration, QUERY, QueryTool, Tool},
    wire::{AsOf, Text, len},
};
use schemars::JsonSchema;
use serde::Serialize;
use watchpost_core::{
    access::Permission,
    integration::Integration,
    job::JobRow,
    posture::Freshness,
    service::RuleAnswer,
    value::{
        id::IntegrationId,
        text::ForeignText,
        time::Timestamp,
        word::{CollectionState, IntegrationStatus, RunState},
    },
};

/// The maximum number of integrations that the answer shows.
const SHOWN: usize = 50;

pub(super) struct GetIntegrations;

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Output<'a> {
    integrations: Vec<IntegrationOut<'a>>,
    connected_count: u64,
    total_count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_step: Option<String>,
    #[serde(flatten)]
    as_of: AsOf,
}

#[derive(Debug, Serialize, JsonSchema)]
struct IntegrationOut<'a> {
    platform: &'static str,
    id: Text<IntegrationId>,
    name: Text<&'a ForeignText>,
    status: &'static str,
    /// queued, in_progress, completed, failed or never.
    sync_status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_sync_at: Option<Text<Timestamp>>,
    stale: bool,
    identity_provider: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<FailureOut<'a>>,
    /// Datasets that were not read completely.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<Problem<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rules_blind: Vec<&'a str>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct FailureOut<'a> {
    reason: &'a str,
    since: Text<Timestamp>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Problem<'a> {
    dataset: &'static str,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

fn sync_status(row: &Integration, jobs: &[JobRow]) -> &'static str {
    let running = jobs
        .iter()
        .filter(|job| job.integration == Some(row.id))
        .map(|job| job.state)
        .find(|state| matches!(state, RunState::InProgress | RunState::Queued));
    match running {
        Some(state) => state.as_str(),
        None if row.failure.is_some() => RunState::Failed.as_str(),
        None if row.last_completed_at.is_some() => RunState::Completed.as_str(),
        None => "never",
    }
}

fn integration<'a>(
    row: &'a Integration,
    jobs: &[JobRow],
    rules: &'a [RuleAnswer<'a>],
    now: Timestamp,
) -> IntegrationOut<'a> {
    IntegrationOut {
        platform: row.platform.as_str(),
        id: Text(row.id),
        name: Text(&row.name),
        status: row.status.as_str(),
        sync_status: sync_status(row, jobs),
        last_sync_at: row.last_completed_at.map(Text),
        stale: row.is_stale(now),
        identity_provider: row.platform.is_identity_provider(),
        failure: row.failure.as_ref().map(|failure| FailureOut {
            reason: &failure.reason,
            since: Text(failure.since),
        }),
        problems: row
            .collections
            .iter()
            .filter(|collection| collection.state != CollectionState::Complete)
            .map(|collection| Problem {
                dataset: collection.dataset.as_str(),
                state: collection.state.as_str(),
                detail: collection.detail.as_deref(),
            })
            .collect(),
        rules_blind: rules
            .iter()
            .filter(|rule| rule.blind.iter().any(|blind| blind.integration == row.id))
            .map(|rule| rule.rule.id.as_str())
            .collect(),
    }
}

/// Returns the steps that end the failures of integrations or, if none is known, the step towards the first score.
fn next_step(rows: &[Integration], freshness: &Freshness) -> Option<String> {
    let known = rows.iter().take(SHOWN).filter_map(|row| {
        let failure = row.failure.as_ref()?;
        failure.next_step(row.platform).map(next_step::step)
    });
    let mut steps: Vec<String> = known.collect();
    steps.dedup();
    if steps.is_empty() {
        return freshness.not_ready().map(|why| next_step::step(why.next_step));
    }
    Some(steps.join("; "))
}

impl Tool for GetIntegrations {
    const DECLARATION: Declaration = Declaration {
        name: "get_integrations",
        title: "Integrations",
        description: "Lists the connected platforms (Okta, Microsoft 365, ...): connection status, sync status, last sync, whether the data is stale, why and since when syncs fail, what could not be read, and which rules are blind as a result. Use for \"what is connected\", \"is the data fresh\", \"why is data missing\".",
        permission: Permission::ReadPosture,
        hints: QUERY,
    };
    type Input = NoArguments;
    type Output = Output<'static>;
}

impl QueryTool for GetIntegrations {
    async fn run(context: &Context<'_>, _: NoArguments) -> Result<Answer, Failure> {
        let (rows, jobs, freshness) = context.open(context.watchpost.integrations(context.scope).await)?;
        let (rules, _) = context.open(context.watchpost.rules(context.scope).await)?;
        let connected = rows
            .iter()
            .filter(|row| row.status == IntegrationStatus::Connected)
            .count();
        let failing = rows.iter().filter(|row| row.failure.is_some()).count();
        let stale = rows.iter().filter(|row| row.is_stale(context.now)).count();
        let output = Output {
            integrations: rows
                .iter()
                .take(SHOWN)
                .map(|row| integration(row, &jobs, &rules, context.now))
                .collect(),
            connected_count: u64::try_from(connected).unwrap_or(u64::MAX),
            total_count: len(&rows),
            next_step: next_step(&rows, &freshness),
            as_of: AsOf::new(&freshness, context.now),
        };
        let sentence = if rows.is_empty() {
            text::posture::no_integrations(output.next_step.as_deref().unwrap_or_default())
        } else {
            text::posture::integrations(output.total_count, connected, failing, stale)
        };
        let sentence = output.as_of.dated(&sentence);
        Ok(Answer::new(sentence, &output)?.until(&freshness, context.now))
    }
}
