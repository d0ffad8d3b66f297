//! `snooze_finding`: hides a finding for some days.

use crate::{
    arguments::{FindingArg, IdempotencyKey, Line, Whole, arguments},
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
    value::{id::FindingId, time::Timestamp, word::FindingStatus},
};

pub(super) struct SnoozeFinding;

arguments! {
    pub(super) struct Input {
        /// id from list_findings.
        finding_id: FindingArg,
        /// Days from now.
        days: Whole<1, 90>,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    snoozed_until: Option<Text<Timestamp>>,
    reopen_command: String,
    #[serde(flatten)]
    as_of: AsOf,
}

impl Tool for SnoozeFinding {
    const DECLARATION: Declaration = Declaration {
        name: "snooze_finding",
        title: "Snooze a finding",
        description: "Hides one open finding from lists and score for 1 to 90 days, then reopens it automatically. Use when it can't be fixed now but must come back.",
        permission: Permission::SnoozeFinding,
        hints: Hints {
            read_only: false,
            destructive: false,
            idempotent: true,
            open_world: false,
        },
    };
    type Input = Input;
    type Output = Output;
}

impl WriteTool for SnoozeFinding {
    const RISK: Risk = Risk::Low;

    async fn preview(context: &Context<'_>, input: &Input) -> Result<Preview, Failure> {
        let FindingArg(id) = input.finding_id;
        let question = text::findings::confirm_snooze(input.days.0.unsigned_abs());
        preview(context, id, &question).await
    }
}

impl ActionTool for SnoozeFinding {
    async fn run(context: &Context<'_>, input: Input) -> Result<Answer, Failure> {
        let FindingArg(id) = input.finding_id;
        let note = input.note.as_ref().map(Line::as_str);
        let result = context
            .watchpost
            .snooze_finding(context.scope, id, input.days.0, note, context.record())
            .await;
        let decision = Decision::new(context, id, "snoozed", result).await?;
        let (until, as_of) = (decision.state.snoozed_until, decision.as_of);
        let sentence = if let Some(repeat) = decision.repeat {
            text::findings::snoozed_before(&repeat, until)
        } else if decision.changed {
            text::findings::snoozed(input.days.0.unsigned_abs(), until)
        } else {
            text::findings::already_snoozed(until)
        };
        let sentence = as_of.dated(&sentence);
        let output = Output {
            finding_id: Text(id),
            status: Text(decision.state.status),
            changed: decision.changed,
            snoozed_until: until.map(Text),
            reopen_command: decision.reopen_command,
            as_of,
        };
        Ok(Answer::new(sentence, &output)?
            .about(target(id))
            .of_change(decision.receipt))
    }
}
