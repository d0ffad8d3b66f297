//! `dismiss_finding`.

use crate::{
    arguments::{FindingArg, Line, OnceKey, Word, arguments},
    confirm::{Preview, Risk},
    error::Failure,
    finding_change::{Decision, preview, target},
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
        reason: Word<DismissReason>,
        /// Why, for the people who read it later.
        note: Option<Line<1000>>,
        /// Makes a repeat safe.
        idempotency_key: Option<OnceKey>,
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
        description: "Closes one finding for good as accepted or wrong; it does not come back by itself, even if the condition stays; only a person can reopen it. Use snooze_finding to only put it off. Ask the person first.",
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
        let what = format!(
            "Close this finding for good ({}), so that it does not come back by itself",
            input.reason.0
        );
        preview(context, id, &what).await
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
        let sentence = format!(
            "{} A person can take that back with `watchpost findings reopen {id}`.{}",
            if let Some(repeat) = decision.repeat {
                format!("{repeat} The finding was dismissed ({reason}).")
            } else if decision.changed {
                format!("The finding is dismissed ({reason}) and left lists and score.")
            } else {
                format!("Nothing was changed: the finding is dismissed already ({reason}).")
            },
            as_of.sentence()
        );
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
            .of_change(decision.made))
    }
}
