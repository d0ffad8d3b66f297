//! `dismiss_finding`.

use super::{Answer, Context, Declaration, Hints, Tool};
use crate::{
    arguments::{Arguments, FindingArg, Line, OnceKey, Reduced, Word},
    confirm::Stake,
    error::{self, Failure},
    wire::{AsOf, Text},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use watchpost_core::{
    access::Permission,
    audit::AuditTarget,
    finding::FindingOutcome,
    value::{
        id::FindingId,
        word::{DismissReason, FindingStatus},
    },
};

pub(super) struct DismissFinding;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    /// id from list_findings.
    finding_id: FindingArg,
    reason: Word<DismissReason>,
    /// Why, for the people who read it later.
    note: Option<Line<1000>>,
    /// Makes a repeat safe.
    idempotency_key: Option<OnceKey>,
}

impl Arguments for Input {
    fn reduce(&self, out: &mut Reduced<'_>) {
        out.finding(self.finding_id);
        out.word("reason", self.reason.0.as_str());
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

    async fn stake(context: &Context<'_>, input: &Input) -> Result<Stake, Failure> {
        let FindingArg(id) = input.finding_id;
        let what = format!(
            "Close this finding for good ({}), so that it does not come back by itself",
            input.reason.0
        );
        context.finding_stake(id, &what).await
    }

    async fn run(context: &Context<'_>, input: Input) -> Result<Answer, Failure> {
        let FindingArg(id) = input.finding_id;
        let target = AuditTarget::new("finding", &id);
        let note = input.note.as_ref().map(Line::as_str);
        let (outcome, made) = context
            .watchpost
            .dismiss_finding(context.scope, id, input.reason.0, note, context.record())
            .await
            .map_err(|error| Failure::from(error).about(target.clone()))?;
        if let Some(failure) = error::not_done(&outcome, id, "dismissed") {
            return Err(failure);
        }
        let repeat = context.repeat(made);
        let changed = repeat.is_none() && matches!(outcome, FindingOutcome::Changed { .. });
        let as_of = context.as_of().await;
        let reason = input.reason.0;
        let sentence = format!(
            "{} A person can take that back with `watchpost findings reopen {id}`.{}",
            if let Some(repeat) = repeat {
                format!("{repeat} The finding was dismissed ({reason}).")
            } else if changed {
                format!("The finding is dismissed ({reason}) and left lists and score.")
            } else {
                format!("Nothing was changed: the finding is dismissed already ({reason}).")
            },
            as_of.sentence()
        );
        let output = Output {
            finding_id: Text(id),
            status: Text(FindingStatus::Dismissed),
            changed,
            reason: Text(reason),
            reopen_command: format!("watchpost findings reopen {id}"),
            as_of,
        };
        Ok(Answer::new(sentence, &output)?.about(target))
    }
}
