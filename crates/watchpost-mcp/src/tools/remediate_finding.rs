//! `remediate_finding`.

use crate::{
    arguments::{FindingArg, Line, OnceKey, arguments},
    confirm::{Preview, Risk},
    error::{self, Failure},
    finding_change::{preview, target},
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
        /// Why, for the person who approves.
        note: Option<Line<1000>>,
        /// Makes a repeat safe.
        idempotency_key: Option<OnceKey>,
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
    /// To do by hand meanwhile.
    steps: &'a [String],
    note: &'static str,
    reject_command: String,
    #[serde(flatten)]
    as_of: AsOf,
}

const TRUTH: &str = "This version only records the request: nothing was changed on any platform. Approving and carrying out come with the dashboard; until then a person does the steps by hand";

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
        note: TRUTH,
        reject_command: format!("watchpost remediations reject {}", remediation.id),
        as_of,
    }
}

impl Tool for RemediateFinding {
    const DECLARATION: Declaration = Declaration {
        name: "remediate_finding",
        title: "Ask for a remediation",
        description: "Puts the fix for one open finding (e.g. suspend the account, revoke the grant) into the queue, where it waits for a person's approval, and gives the steps to do by hand. This version only records the request: nothing changes on any platform.",
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
        let what = "Put the fix for this finding into the queue for approval, which changes nothing on a platform yet";
        preview(context, id, what).await
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
            RemediationAnswer::NoAction { steps } => return Err(error::no_action(steps).about(target(id))),
            RemediationAnswer::Closed { status, receipt } => {
                return Err(error::closed(*status, id, *receipt));
            }
            RemediationAnswer::Gone { receipt } => return Err(error::finding_gone(*receipt)),
        };
        let repeat = context.repeat(receipt);
        let changed = changed && repeat.is_none();
        let as_of = context.as_of().await;
        let sentence = format!(
            "{} the action `{}` is {}. {TRUTH}.{}",
            match (&repeat, changed) {
                (Some(repeat), _) => format!("{repeat} The request was recorded;"),
                (None, true) => "The request is recorded:".to_owned(),
                (None, false) => "Nothing was changed: the same request waits already;".to_owned(),
            },
            remediation.action,
            remediation.state,
            as_of.sentence()
        );
        let output = output(remediation, steps, changed, as_of);
        Ok(Answer::new(sentence, &output)?
            .about(target(id))
            .of_change(receipt))
    }
}
