//! `remediate_finding`: requests the fix for a finding.

use crate::{
    arguments::{FindingArg, IdempotencyKey, Line, arguments},
    confirm::{Preview, Risk},
    error::{self, Failure},
    finding_change::{preview, target},
    text,
    tool::{ActionTool, Answer, Context, Declaration, Hints, Tool, WriteTool},
    wire::{AsOf, Text},
};
use schemars::JsonSchema;
use serde::Serialize;
use watchpost_core::{
    access::Permission,
    remediation::Remediation,
    service::RemediationAnswer,
    value::{
        id::{FindingId, RemediationId},
        text::ForeignText,
        word::RemediationState,
    },
};

pub(super) struct RemediateFinding;

arguments! {
    pub(super) struct Input {
        /// id from list_findings.
        finding_id: FindingArg,
        /// Explanation for the approver.
        note: Option<Line<1000>>,
        /// Makes retries safe.
        idempotency_key: Option<IdempotencyKey>,
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Output<'a> {
    /// pending_approval.
    status: Text<RemediationState>,
    changed: bool,
    remediation_id: Text<RemediationId>,
    finding_id: Text<FindingId>,
    action: &'a str,
    target: Text<&'a ForeignText>,
    executed: bool,
    /// Steps to do by hand.
    steps: &'a [String],
    note: &'static str,
    reject_command: String,
    #[serde(flatten)]
    as_of: AsOf,
}

fn output<'a>(remediation: &'a Remediation, steps: &'a [String], changed: bool, as_of: AsOf) -> Output<'a> {
    Output {
        status: Text(remediation.state),
        changed,
        remediation_id: Text(remediation.id),
        finding_id: Text(remediation.finding),
        action: &remediation.action,
        target: Text(&remediation.target),
        executed: false,
        steps,
        note: text::findings::REQUEST_ONLY,
        reject_command: text::findings::reject_command(remediation),
        as_of,
    }
}

impl Tool for RemediateFinding {
    const DECLARATION: Declaration = Declaration {
        name: "remediate_finding",
        title: "Request a remediation",
        description: "Requests the fix for one open finding (e.g. suspend the account, revoke the grant), which waits for a person's approval, and returns the steps to do by hand. This version only records the request: nothing changes on any platform.",
        permission: Permission::RequestRemediation,
        hints: Hints {
            read_only: false,
            destructive: false,
            idempotent: true,
            open_world: false,
        },
    };
    type Input = Input;
    type Output = Output<'static>;
}

impl WriteTool for RemediateFinding {
    const RISK: Risk = Risk::High;

    async fn preview(context: &Context<'_>, input: &Input) -> Result<Preview, Failure> {
        let FindingArg(id) = input.finding_id;
        preview(context, id, text::findings::CONFIRM_REMEDIATION).await
    }
}

impl ActionTool for RemediateFinding {
    async fn run(context: &Context<'_>, input: Input) -> Result<Answer, Failure> {
        let FindingArg(id) = input.finding_id;
        let note = input.note.as_ref().map(Line::as_str);
        let answer = context
            .watchpost
            .remediate_finding(context.scope, id, note, context.record())
            .await
            .map_err(|error| Failure::from(error).about(target(id)))?;
        let (remediation, steps, receipt, changed) = match &answer {
            RemediationAnswer::Requested {
                remediation,
                steps,
                receipt,
            } => (remediation, steps, *receipt, true),
            RemediationAnswer::AlreadyWaiting {
                remediation,
                steps,
                receipt,
            } => (remediation, steps, *receipt, false),
            RemediationAnswer::NoAction { steps } => {
                return Err(error::no_action(steps, id).about(target(id)));
            }
            RemediationAnswer::Closed { status, receipt } => {
                return Err(error::closed(*status, id, *receipt));
            }
            RemediationAnswer::Gone { receipt } => return Err(error::finding_not_found(*receipt)),
        };
        let repeat = context.repeat(receipt);
        let changed = changed && repeat.is_none();
        let as_of = context.as_of().await;
        let sentence = match (&repeat, changed) {
            (Some(repeat), _) => text::findings::remediation_requested_before(repeat, remediation),
            (None, true) => text::findings::remediation_requested(remediation),
            (None, false) => text::findings::remediation_waiting(remediation),
        };
        let sentence = as_of.dated(&sentence);
        let output = output(remediation, steps, changed, as_of);
        Ok(Answer::new(sentence, &output)?
            .about(target(id))
            .of_change(receipt))
    }
}
