//! Changes.

use crate::{
    answer::Answer,
    context::Context,
    failure::{Failure, of_lookup},
    fields::{Id, IdempotencyKey, Line, Whole, Word, fields},
    operation::{Declaration, Endpoint, Form, Method},
    text,
    v1::{
        apps::{find, set},
        finding_changes::{decided, request, target},
        syncs::word,
    },
    wire::{Foreign, Time},
};
use schemars::JsonSchema;
use serde::Serialize;
use watchpost_core::{
    access::Permission,
    audit::AuditTarget,
    value::{
        id::{FindingId, RemediationId},
        word::{AppPolicy, DismissReason, FindingStatus, Platform, RemediationState},
    },
};

pub(crate) struct Sync;

fields! {
    pub(crate) struct SyncFields {
        /// Makes a repeat of the request safe.
        idempotency_key: Option<IdempotencyKey>,
    }
}

/// A triggered sync in the compatible form.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CompatSync")]
pub(crate) struct SyncOut {
    /// `triggered`, `already_running` or `no_integrations`.
    status: &'static str,
    integrations_queued: u64,
    platforms: Vec<Word<Platform>>,
    message: String,
}

impl Endpoint for Sync {
    const DECLARATION: Declaration = Declaration {
        method: Method::Post,
        path: "/api/mcp/sync",
        name: "trigger_sync",
        group: "compatible",
        summary: "Queues a sync of all connected platforms in the compatible form",
        permission: Some(Permission::TriggerSync),
        form: Form::Compatible,
    };
    type Input = SyncFields;
    type Output = SyncOut;

    async fn run(context: &Context<'_>, _: SyncFields) -> Result<Answer, Failure> {
        let answer = context
            .watchpost
            .trigger_sync(context.scope, None, None, context.record())
            .await?;
        let queued = answer.syncs.iter().filter(|sync| sync.is_new).count();
        let mut platforms: Vec<Platform> = answer.syncs.iter().map(|sync| sync.platform).collect();
        platforms.sort_unstable();
        platforms.dedup();
        let output = SyncOut {
            status: word(&answer.start),
            integrations_queued: u64::try_from(queued).unwrap_or(u64::MAX),
            message: text::sync_message(queued, answer.syncs.len()),
            platforms: platforms.into_iter().map(Word).collect(),
        };
        Ok(Answer::json(&output)?.of_change(answer.receipt))
    }
}

pub(crate) struct SetAppPolicy;

fields! {
    pub(crate) struct PolicyFields {
        /// The app's name.
        app_name: Line<200>,
        /// `none` withdraws the decision.
        status: Word<AppPolicy>,
        /// Makes a repeat of the request safe.
        idempotency_key: Option<IdempotencyKey>,
    }
}

/// The policy of an app after a change.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CompatAppPolicyChange")]
pub(crate) struct PolicyOut<'a> {
    app_name: Foreign<'a>,
    status: Word<AppPolicy>,
    previous_status: Word<AppPolicy>,
}

impl Endpoint for SetAppPolicy {
    const DECLARATION: Declaration = Declaration {
        method: Method::Post,
        path: "/api/mcp/app-policy",
        name: "set_app_policy",
        group: "compatible",
        summary: "Sets the policy of one app by name in the compatible form",
        permission: Some(Permission::SetAppPolicy),
        form: Form::Compatible,
    };
    type Input = PolicyFields;
    type Output = PolicyOut<'static>;

    async fn run(context: &Context<'_>, input: PolicyFields) -> Result<Answer, Failure> {
        let Word(policy) = input.status;
        let app = find(context, input.app_name.as_str())
            .await?
            .found
            .one("app_name")
            .map_err(of_lookup)?;
        let set = set(context, app.id, policy).await?;
        let output = PolicyOut {
            app_name: Foreign(&set.app.name),
            status: Word(policy),
            previous_status: Word(set.before),
        };
        Ok(Answer::json(&output)?
            .about(AuditTarget::new("app", &app.id))
            .of_change(set.receipt))
    }
}

/// The status of a finding after a change.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CompatFindingState")]
pub(crate) struct StateOut {
    finding_id: Id<FindingId>,
    status: Word<FindingStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    snoozed_until: Option<Time>,
}

pub(crate) struct Snooze;

fields! {
    pub(crate) struct SnoozeFields {
        /// The finding's id.
        finding_id: Id<FindingId>,
        /// Days until it is open again.
        days: Whole<1, 90>,
        /// Makes a repeat of the request safe.
        idempotency_key: Option<IdempotencyKey>,
    }
}

impl Endpoint for Snooze {
    const DECLARATION: Declaration = Declaration {
        method: Method::Post,
        path: "/api/mcp/findings/snooze",
        name: "snooze_finding",
        group: "compatible",
        summary: "Hides a finding for 1 to 90 days in the compatible form",
        permission: Some(Permission::SnoozeFinding),
        form: Form::Compatible,
    };
    type Input = SnoozeFields;
    type Output = StateOut;

    async fn run(context: &Context<'_>, input: SnoozeFields) -> Result<Answer, Failure> {
        let (Id(id), Whole(days)) = (input.finding_id, input.days);
        let result = context
            .watchpost
            .snooze_finding(context.scope, id, days, None, context.record())
            .await;
        let decided = decided(id, "snoozed", result)?;
        let output = StateOut {
            finding_id: Id(id),
            status: Word(decided.state.status),
            snoozed_until: decided.state.snoozed_until.map(Time),
        };
        Ok(Answer::json(&output)?
            .about(target(id))
            .of_change(decided.receipt))
    }
}

pub(crate) struct Dismiss;

fields! {
    pub(crate) struct DismissFields {
        /// The finding's id.
        finding_id: Id<FindingId>,
        /// Default: accepted_risk.
        reason: Option<Word<DismissReason>>,
        /// Makes a repeat of the request safe.
        idempotency_key: Option<IdempotencyKey>,
    }
}

impl Endpoint for Dismiss {
    const DECLARATION: Declaration = Declaration {
        method: Method::Post,
        path: "/api/mcp/findings/dismiss",
        name: "dismiss_finding",
        group: "compatible",
        summary: "Closes a finding as accepted or wrong in the compatible form",
        permission: Some(Permission::DismissFinding),
        form: Form::Compatible,
    };
    type Input = DismissFields;
    type Output = StateOut;

    async fn run(context: &Context<'_>, input: DismissFields) -> Result<Answer, Failure> {
        let Id(id) = input.finding_id;
        let reason = input.reason.map_or(DismissReason::AcceptedRisk, |word| word.0);
        let result = context
            .watchpost
            .dismiss_finding(context.scope, id, reason, None, context.record())
            .await;
        let decided = decided(id, "dismissed", result)?;
        let output = StateOut {
            finding_id: Id(id),
            status: Word(decided.state.status),
            snoozed_until: None,
        };
        Ok(Answer::json(&output)?
            .about(target(id))
            .of_change(decided.receipt))
    }
}

pub(crate) struct Remediate;

fields! {
    pub(crate) struct RemediateFields {
        /// The finding's id.
        finding_id: Id<FindingId>,
        /// Makes a repeat of the request safe.
        idempotency_key: Option<IdempotencyKey>,
    }
}

/// A remediation that waits for a person's approval.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CompatRemediation")]
pub(crate) struct RemediationOut<'a> {
    finding_id: Id<FindingId>,
    action_id: Id<RemediationId>,
    action_type: &'a str,
    status: Word<RemediationState>,
}

impl Endpoint for Remediate {
    const DECLARATION: Declaration = Declaration {
        method: Method::Post,
        path: "/api/mcp/findings/remediate",
        name: "remediate_finding",
        group: "compatible",
        summary: "Requests the fix for a finding in the compatible form",
        permission: Some(Permission::RequestRemediation),
        form: Form::Compatible,
    };
    type Input = RemediateFields;
    type Output = RemediationOut<'static>;

    async fn run(context: &Context<'_>, input: RemediateFields) -> Result<Answer, Failure> {
        let Id(id) = input.finding_id;
        let requested = request(context, id, None).await?;
        let remediation = &requested.remediation;
        let output = RemediationOut {
            finding_id: Id(id),
            action_id: Id(remediation.id),
            action_type: &remediation.action,
            status: Word(remediation.state),
        };
        Ok(Answer::json(&output)?
            .about(target(id))
            .of_change(requested.receipt))
    }
}
