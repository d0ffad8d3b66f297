//! `snooze_finding`.

use super::{Answer, Context, Declaration, Hints, Tool};
use crate::{
    arguments::{Arguments, FindingArg, Line, OnceKey, Reduced, Whole},
    confirm::Stake,
    error::{self, Failure},
    wire::{AsOf, Text, count},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use watchpost_core::{
    access::Permission,
    audit::AuditTarget,
    finding::{FindingOutcome, LifeChange},
    value::{id::FindingId, time::Timestamp, word::FindingStatus},
};

pub(super) struct SnoozeFinding;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    /// id from list_findings.
    finding_id: FindingArg,
    days: Whole<1, 90>,
    /// Why, for the people who read it later.
    note: Option<Line<1000>>,
    /// Makes a repeat safe.
    idempotency_key: Option<OnceKey>,
}

impl Arguments for Input {
    fn reduce(&self, out: &mut Reduced<'_>) {
        out.finding(self.finding_id);
        out.number("days", Some(self.days.0));
        out.secret("note", self.note.as_ref().map(Line::as_str));
    }
    fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_ref().map(OnceKey::as_str)
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

    async fn stake(context: &Context<'_>, input: &Input) -> Result<Stake, Failure> {
        let FindingArg(id) = input.finding_id;
        let days = count(input.days.0.unsigned_abs(), "day");
        let what = format!("Hide this finding from lists and score for {days}");
        context.finding_stake(id, &what).await
    }

    async fn run(context: &Context<'_>, input: Input) -> Result<Answer, Failure> {
        let FindingArg(id) = input.finding_id;
        let target = AuditTarget::new("finding", &id);
        let note = input.note.as_ref().map(Line::as_str);
        let (outcome, made) = context
            .watchpost
            .snooze_finding(context.scope, id, input.days.0, note, context.record())
            .await
            .map_err(|error| Failure::from(error).about(target.clone()))?;
        if let Some(failure) = error::not_done(&outcome, id, "snoozed") {
            return Err(failure);
        }
        let repeat = context.repeat(made);
        let (changed, state) = match outcome {
            FindingOutcome::Changed { now, .. } => (repeat.is_none(), Some(now)),
            FindingOutcome::Unchanged { state } => (false, Some(state)),
            FindingOutcome::NotPossible { .. } | FindingOutcome::NotFound => (false, None),
        };
        let until = state.and_then(|state: LifeChange| state.snoozed_until);
        let as_of = context.as_of().await;
        let until_text = until.map_or_else(|| "its time is over".to_owned(), |until| until.to_string());
        let sentence = if let Some(repeat) = repeat {
            format!(
                "{repeat} The finding was snoozed until {until_text}.{}",
                as_of.sentence()
            )
        } else if changed {
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
            status: Text(state.map_or(FindingStatus::Snoozed, |state| state.status)),
            changed,
            snoozed_until: until.map(Text),
            reopen_command: format!("watchpost findings reopen {id}"),
            as_of,
        };
        Ok(Answer::new(sentence, &output)?.about(target))
    }
}
