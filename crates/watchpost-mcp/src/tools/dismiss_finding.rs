//! `dismiss_finding`: closes a finding until a person reopens it.

use crate::{
    arguments::{FindingArg, IdempotencyKey, Line, Word, arguments},
    confirm::{Preview, Risk},
    error::Failure,
    finding_change::{Decision, preview, target},
    text,
    tool::{ActionTool, Answer, Context, Declaration, Hints, Tool, WriteTool},
    wire::{AsOf, Text},
};
use schemars::JsonSchema;
use serde::Serialize;
use watchpost_core::{
    access::Permission,
    value::{
        id::FindingId,
        word::{DismissReason, FindingStatus, Severity},
    },
};

pub(super) struct DismissFinding;

arguments! {
    pub(super) struct Input {
        /// id from list_findings.
        finding_id: FindingArg,
        /// Reason why the finding needs no work.
        reason: Word<DismissReason>,
        /// Explanation for later readers.
        note: Option<Line<1000>>,
        /// Makes retries safe.
        idempotency_key: Option<IdempotencyKey>,
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Output {
    finding_id: Text<FindingId>,
    status: Text<FindingStatus>,
    changed: bool,
    reason: Text<DismissReason>,
    reopen_command: String,
    #[serde(flatten)]
    as_of: AsOf,
}

impl Tool for DismissFinding {
    const DECLARATION: Declaration = Declaration {
        name: "dismiss_finding",
        title: "Dismiss a finding",
        description: "Closes one finding permanently, as accepted or wrong. It stays closed even if the condition persists; only a person can reopen it. To postpone a finding, use snooze_finding. Ask the user first.",
        permission: Permission::DismissFinding,
        hints: Hints {
            read_only: false,
            destructive: true,
            idempotent: true,
            open_world: false,
        },
    };
    type Input = Input;
    type Output = Output;
}

impl WriteTool for DismissFinding {
    const RISK: Risk = Risk::FindingFrom(Severity::High);

    async fn preview(context: &Context<'_>, input: &Input) -> Result<Preview, Failure> {
        let FindingArg(id) = input.finding_id;
        preview(context, id, &text::findings::confirm_dismissal(input.reason.0)).await
    }
}

impl ActionTool for DismissFinding {
    async fn run(context: &Context<'_>, input: Input) -> Result<Answer, Failure> {
        let FindingArg(id) = input.finding_id;
        let Word(reason) = input.reason;
        let note = input.note.as_ref().map(Line::as_str);
        let result = context
            .watchpost
            .dismiss_finding(context.scope, id, reason, note, context.record())
            .await;
        let decision = Decision::new(context, id, "dismissed", result).await?;
        let as_of = decision.as_of;
        let sentence = if let Some(repeat) = decision.repeat {
            text::findings::dismissed_before(&repeat, id, reason)
        } else if decision.changed {
            text::findings::dismissed(id, reason)
        } else {
            text::findings::already_dismissed(id, reason)
        };
        let sentence = as_of.dated(&sentence);
        let output = Output {
            finding_id: Text(id),
            status: Text(FindingStatus::Dismissed),
            changed: decision.changed,
            reason: Text(reason),
            reopen_command: decision.reopen_command,
            as_of,
        };
        Ok(Answer::new(sentence, &output)?
            .about(target(id))
            .of_change(decision.receipt))
    }
}
