//! Changes of findings: snoozing, dismissing, and requests for a remediation.

use crate::{
    answer::Answer,
    context::Context,
    failure::{Code, Failure},
    fields::{Id, IdempotencyKey, Line, Whole, Word, fields},
    operation::{Declaration, Endpoint, Form, Method},
    text,
    wire::{AsOf, Foreign, Time},
};
use schemars::JsonSchema;
use serde::Serialize;
use watchpost_core::{
    access::{ChangeReceipt, Permission},
    audit::{AuditOutcome, AuditTarget},
    error::Error,
    finding::{FindingOutcome, StateChange},
    remediation::Remediation,
    service::RemediationAnswer,
    value::{
        id::{FindingId, RemediationId},
        word::{DismissReason, FindingStatus, RemediationState},
    },
};

/// The state of a finding after a change.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FindingState")]
pub(crate) struct StateOut {
    finding_id: Id<FindingId>,
    status: Word<FindingStatus>,
    /// Whether this request changed it.
    changed: bool,
    /// The time of the first request with this idempotency key, if this one repeats it.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_requested_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    snoozed_until: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dismiss_reason: Option<Word<DismissReason>>,
    #[serde(flatten)]
    as_of: AsOf,
}

/// A decision on a finding.
pub(crate) struct Decided {
    pub(crate) state: StateChange,
    pub(crate) changed: bool,
    pub(crate) receipt: ChangeReceipt,
}

/// Returns a finding as a target of the audit log.
pub(crate) fn target(id: FindingId) -> AuditTarget {
    AuditTarget::new("finding", &id)
}

/// Interprets the outcome of a decision. `done` is its participle, for errors.
pub(crate) fn decided(
    id: FindingId,
    done: &str,
    result: Result<(FindingOutcome, ChangeReceipt), Error>,
) -> Result<Decided, Failure> {
    let (outcome, receipt) = result.map_err(|error| Failure::from(error).about(target(id)))?;
    let (changed, state) = match outcome {
        FindingOutcome::Changed { now, .. } => (receipt.earlier.is_none(), now),
        FindingOutcome::Unchanged { state } => (false, state),
        FindingOutcome::NotPossible { status } => {
            return Err(Failure::of_change(
                Code::Conflict,
                AuditOutcome::Conflict,
                text::cannot_be(done, status),
                receipt,
            ));
        }
        FindingOutcome::NotFound => return Err(not_found(receipt)),
    };
    Ok(Decided {
        state,
        changed,
        receipt,
    })
}

/// There is no such finding in the caller's workspace. The audit entry is stored.
fn not_found(receipt: ChangeReceipt) -> Failure {
    Failure::of_change(
        Code::NotFound,
        AuditOutcome::NotFound,
        text::FINDING_NOT_FOUND.to_owned(),
        receipt,
    )
}

async fn answer(context: &Context<'_>, id: FindingId, decided: Decided) -> Result<Answer, Failure> {
    let output = StateOut {
        finding_id: Id(id),
        status: Word(decided.state.status),
        changed: decided.changed,
        first_requested_at: context.repeat_of(decided.receipt).map(Time),
        snoozed_until: decided.state.snoozed_until.map(Time),
        dismiss_reason: decided.state.dismiss_reason.map(Word),
        as_of: context.as_of().await,
    };
    Ok(Answer::json(&output)?
        .about(target(id))
        .of_change(decided.receipt))
}

pub(crate) struct SnoozeFinding;

fields! {
    pub(crate) struct SnoozeFields {
        /// The finding's id.
        id: Id<FindingId>,
        /// Days until it is open again.
        days: Whole<1, 90>,
        /// Explanation for later readers.
        note: Option<Line<1000>>,
        /// Makes a repeat of the request safe.
        idempotency_key: Option<IdempotencyKey>,
    }
}

impl Endpoint for SnoozeFinding {
    const DECLARATION: Declaration = Declaration {
        method: Method::Post,
        path: "/api/v1/findings/{id}/snooze",
        name: "snooze_finding",
        group: "findings",
        summary: "Hides a finding from lists and score for 1 to 90 days",
        permission: Some(Permission::SnoozeFinding),
        form: Form::Own,
    };
    type Input = SnoozeFields;
    type Output = StateOut;

    async fn run(context: &Context<'_>, input: SnoozeFields) -> Result<Answer, Failure> {
        let (Id(id), Whole(days)) = (input.id, input.days);
        let note = input.note.as_ref().map(Line::as_str);
        let result = context
            .watchpost
            .snooze_finding(context.scope, id, days, note, context.record())
            .await;
        answer(context, id, decided(id, "snoozed", result)?).await
    }
}

pub(crate) struct DismissFinding;

fields! {
    pub(crate) struct DismissFields {
        /// The finding's id.
        id: Id<FindingId>,
        /// The reason.
        reason: Word<DismissReason>,
        /// Explanation for later readers.
        note: Option<Line<1000>>,
        /// Makes a repeat of the request safe.
        idempotency_key: Option<IdempotencyKey>,
    }
}

impl Endpoint for DismissFinding {
    const DECLARATION: Declaration = Declaration {
        method: Method::Post,
        path: "/api/v1/findings/{id}/dismiss",
        name: "dismiss_finding",
        group: "findings",
        summary: "Closes a finding as accepted or wrong",
        permission: Some(Permission::DismissFinding),
        form: Form::Own,
    };
    type Input = DismissFields;
    type Output = StateOut;

    async fn run(context: &Context<'_>, input: DismissFields) -> Result<Answer, Failure> {
        let (Id(id), Word(reason)) = (input.id, input.reason);
        let note = input.note.as_ref().map(Line::as_str);
        let result = context
            .watchpost
            .dismiss_finding(context.scope, id, reason, note, context.record())
            .await;
        answer(context, id, decided(id, "dismissed", result)?).await
    }
}

pub(crate) struct RemediateFinding;

fields! {
    pub(crate) struct RemediateFields {
        /// The finding's id.
        id: Id<FindingId>,
        /// Explanation for the approver.
        note: Option<Line<1000>>,
        /// Makes a repeat of the request safe.
        idempotency_key: Option<IdempotencyKey>,
    }
}

/// A remediation that waits for a person's approval.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Remediation")]
pub(crate) struct RemediationOut<'a> {
    remediation_id: Id<RemediationId>,
    finding_id: Id<FindingId>,
    status: Word<RemediationState>,
    /// Whether this request made it.
    changed: bool,
    /// The time of the first request with this idempotency key, if this one repeats it.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_requested_at: Option<Time>,
    action: &'a str,
    target: Foreign<'a>,
    /// Always false: nothing is changed on a platform without a person's approval.
    executed: bool,
    /// The steps to do by hand.
    steps: &'a [String],
    #[serde(flatten)]
    as_of: AsOf,
}

/// A requested remediation, and whether this request made it.
pub(crate) struct Requested {
    pub(crate) remediation: Box<Remediation>,
    pub(crate) steps: Vec<String>,
    pub(crate) receipt: ChangeReceipt,
    pub(crate) changed: bool,
}

/// Requests the remediation of a finding.
pub(crate) async fn request(
    context: &Context<'_>,
    id: FindingId,
    note: Option<&str>,
) -> Result<Requested, Failure> {
    let answer = context
        .watchpost
        .remediate_finding(context.scope, id, note, context.record())
        .await
        .map_err(|error| Failure::from(error).about(target(id)))?;
    let (remediation, steps, receipt, is_new) = match answer {
        RemediationAnswer::Requested {
            remediation,
            steps,
            receipt,
        } => (remediation, steps, receipt, true),
        RemediationAnswer::AlreadyWaiting {
            remediation,
            steps,
            receipt,
        } => (remediation, steps, receipt, false),
        RemediationAnswer::NoAction { steps } => {
            let detail = text::no_action(&steps);
            return Err(Failure::new(Code::Conflict, AuditOutcome::Conflict, detail).about(target(id)));
        }
        RemediationAnswer::Closed { status, receipt } => {
            let detail = text::nothing_to_remediate(status);
            return Err(Failure::of_change(
                Code::Conflict,
                AuditOutcome::Conflict,
                detail,
                receipt,
            ));
        }
        RemediationAnswer::Gone { receipt } => return Err(not_found(receipt)),
    };
    Ok(Requested {
        remediation,
        steps,
        receipt,
        changed: is_new && receipt.earlier.is_none(),
    })
}

impl Endpoint for RemediateFinding {
    const DECLARATION: Declaration = Declaration {
        method: Method::Post,
        path: "/api/v1/findings/{id}/remediations",
        name: "remediate_finding",
        group: "findings",
        summary: "Requests the fix for a finding, which waits for a person's approval",
        permission: Some(Permission::RequestRemediation),
        form: Form::Own,
    };
    const STATUS: u16 = 202;
    type Input = RemediateFields;
    type Output = RemediationOut<'static>;

    async fn run(context: &Context<'_>, input: RemediateFields) -> Result<Answer, Failure> {
        let Id(id) = input.id;
        let requested = request(context, id, input.note.as_ref().map(Line::as_str)).await?;
        let remediation = &requested.remediation;
        let output = RemediationOut {
            remediation_id: Id(remediation.id),
            finding_id: Id(remediation.finding),
            status: Word(remediation.state),
            changed: requested.changed,
            first_requested_at: context.repeat_of(requested.receipt).map(Time),
            action: &remediation.action,
            target: Foreign(&remediation.target),
            executed: false,
            steps: &requested.steps,
            as_of: context.as_of().await,
        };
        Ok(Answer::json(&output)?
            .about(target(id))
            .of_change(requested.receipt))
    }
}
