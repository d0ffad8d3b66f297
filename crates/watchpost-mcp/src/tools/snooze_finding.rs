//! `snooze_finding`.

use crate::{
    arguments::{FindingArg, Line, OnceKey, Whole, arguments},
    confirm::{Preview, Risk},
    error::Failure,
    finding_change::{Decision, preview, target},
    tool::{ActionTool, Answer, Context, Declaration, Hints, Tool, WriteTool},
    wire::{AsOf, Text, count},
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
        days: Whole<1, 90>,
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
        description: "Hides one open finding from lists and score for 1 to 90 days; then it is open again by itself. Use when it can't be fixed now but must come back.",
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
        let days = count(input.days.0.unsigned_abs(), "day");
        let what = format!("Hide this finding from lists and score for {days}");
        preview(context, id, &what).await
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
        let until_text = until.map_or_else(|| "its time is over".to_owned(), |until| until.to_string());
        let sentence = if let Some(repeat) = decision.repeat {
            format!(
                "{repeat} The finding was snoozed until {until_text}.{}",
                as_of.sentence()
            )
        } else if decision.changed {
            format!(
                "The finding is snoozed for {}, until {until_text}, and left lists and score.{}",
                count(input.days.0.unsigned_abs(), "day"),
                as_of.sentence()
            )
        } else {
            format!(
                "Nothing was changed: the finding is snoozed already, until {until_text}.{}",
                as_of.sentence()
            )
        };
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
            .of_change(decision.made))
    }
}
