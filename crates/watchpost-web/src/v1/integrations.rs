//! The connected platforms.

use crate::{
    answer::Answer,
    context::Context,
    failure::{Code, Failure},
    fields::{Id, NoFields, Word, fields},
    operation::{Declaration, Endpoint, Form, Method},
    text::{self, next_step},
    wire::{AsOf, Foreign, Time, len},
};
use schemars::JsonSchema;
use serde::Serialize;
use watchpost_core::{
    access::Permission,
    audit::{AuditOutcome, AuditTarget},
    integration::{CollectionRow, Integration},
    job::JobRow,
    posture::Freshness,
    service::RuleAnswer,
    value::{
        id::IntegrationId,
        time::Timestamp,
        word::{CollectionState, IntegrationStatus, Platform, RunState},
    },
};

pub(crate) struct GetIntegrations;

/// The connected platforms.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "IntegrationList")]
pub(crate) struct Output<'a> {
    integrations: Vec<IntegrationOut<'a>>,
    connected_count: u64,
    total_count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_step: Option<String>,
    #[serde(flatten)]
    as_of: AsOf,
}

/// A connected platform.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Integration")]
pub(crate) struct IntegrationOut<'a> {
    pub(crate) id: Id<IntegrationId>,
    platform: Word<Platform>,
    name: Foreign<'a>,
    /// The vendor's id of the tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<&'a str>,
    status: Word<IntegrationStatus>,
    /// `queued`, `in_progress`, `completed`, `failed` or `never`.
    sync_status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_sync_at: Option<Time>,
    stale: bool,
    identity_provider: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<FailureOut<'a>>,
    /// Datasets that were not read completely.
    problems: Vec<DatasetOut<'a>>,
    /// Rules that lack data from this platform.
    rules_blind: Vec<&'a str>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SyncFailure")]
struct FailureOut<'a> {
    reason: &'a str,
    since: Time,
}

/// The result of reading one dataset.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Dataset")]
struct DatasetOut<'a> {
    dataset: &'static str,
    state: Word<CollectionState>,
    rows: u64,
    read_at: Time,
    /// The missing permission or another reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

impl<'a> From<&'a CollectionRow> for DatasetOut<'a> {
    fn from(row: &'a CollectionRow) -> Self {
        Self {
            dataset: row.dataset.as_str(),
            state: Word(row.state),
            rows: row.rows,
            read_at: Time(row.finished_at),
            detail: row.detail.as_deref(),
        }
    }
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

/// Returns an integration as answers show it.
pub(crate) fn integration<'a>(
    row: &'a Integration,
    jobs: &[JobRow],
    rules: &'a [RuleAnswer<'a>],
    now: Timestamp,
) -> IntegrationOut<'a> {
    IntegrationOut {
        id: Id(row.id),
        platform: Word(row.platform),
        name: Foreign(&row.name),
        tenant: row.tenant_key.as_deref(),
        status: Word(row.status),
        sync_status: sync_status(row, jobs),
        last_sync_at: row.last_completed_at.map(Time),
        stale: row.is_stale(now),
        identity_provider: row.platform.is_identity_provider(),
        failure: row.failure.as_ref().map(|failure| FailureOut {
            reason: &failure.reason,
            since: Time(failure.since),
        }),
        problems: row
            .collections
            .iter()
            .filter(|collection| collection.state != CollectionState::Complete)
            .map(DatasetOut::from)
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
    let known = rows.iter().filter_map(|row| {
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

/// The number of integrations that are connected.
pub(crate) fn connected(rows: &[Integration]) -> u64 {
    let is_connected = |row: &&Integration| row.status == IntegrationStatus::Connected;
    u64::try_from(rows.iter().filter(is_connected).count()).unwrap_or(u64::MAX)
}

impl Endpoint for GetIntegrations {
    const DECLARATION: Declaration = Declaration {
        method: Method::Get,
        path: "/api/v1/integrations",
        name: "get_integrations",
        group: "integrations",
        summary: "Lists the connected platforms and the state of their data",
        permission: Some(Permission::ReadPosture),
        form: Form::Own,
    };
    type Input = NoFields;
    type Output = Output<'static>;

    async fn run(context: &Context<'_>, _: NoFields) -> Result<Answer, Failure> {
        let (rows, jobs, freshness) = context.open(context.watchpost.integrations(context.scope).await)?;
        let (rules, _) = context.open(context.watchpost.rules(context.scope).await)?;
        Answer::json(&Output {
            integrations: rows
                .iter()
                .map(|row| integration(row, &jobs, &rules, context.now))
                .collect(),
            connected_count: connected(&rows),
            total_count: len(&rows),
            next_step: next_step(&rows, &freshness),
            as_of: AsOf::new(&freshness, context.now),
        })
    }
}

pub(crate) struct GetIntegration;

fields! {
    pub(crate) struct IntegrationById {
        /// The integration's id.
        id: Id<IntegrationId>,
    }
}

/// A connected platform with all its datasets.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "IntegrationDetail")]
pub(crate) struct Detail<'a> {
    #[serde(flatten)]
    integration: IntegrationOut<'a>,
    datasets: Vec<DatasetOut<'a>>,
    created_at: Time,
}

impl Endpoint for GetIntegration {
    const DECLARATION: Declaration = Declaration {
        method: Method::Get,
        path: "/api/v1/integrations/{id}",
        name: "get_integration",
        group: "integrations",
        summary: "Returns one connected platform with the datasets that are read from it",
        permission: Some(Permission::ReadPosture),
        form: Form::Own,
    };
    type Input = IntegrationById;
    type Output = Detail<'static>;

    async fn run(context: &Context<'_>, input: IntegrationById) -> Result<Answer, Failure> {
        let Id(id) = input.id;
        let target = AuditTarget::new("integration", &id);
        let (rows, jobs, _) = context.open(context.watchpost.integrations(context.scope).await)?;
        let (rules, _) = context.open(context.watchpost.rules(context.scope).await)?;
        let Some(row) = rows.iter().find(|row| row.id == id) else {
            let detail = text::INTEGRATION_NOT_FOUND.to_owned();
            return Err(Failure::new(Code::NotFound, AuditOutcome::NotFound, detail).about(target));
        };
        let output = Detail {
            integration: integration(row, &jobs, &rules, context.now),
            datasets: row.collections.iter().map(DatasetOut::from).collect(),
            created_at: Time(row.created_at),
        };
        Ok(Answer::json(&output)?.about(target))
    }
}
