//! The shared part of the tools that change one finding: the preview and the decision.

use crate::{
    confirm::{Affected, Preview, quoted},
    error::{self, Failure},
    text,
    tool::Context,
    wire::AsOf,
};
use watchpost_core::{
    access::ChangeReceipt,
    audit::AuditTarget,
    error::Error,
    finding::{FindingOutcome, StateChange},
    value::id::FindingId,
};

/// Returns the target of an audit entry about a finding.
pub(crate) fn target(id: FindingId) -> AuditTarget {
    AuditTarget::new("finding", &id)
}

/// Previews a change of a finding. `question` asks the person for consent; the finding's description is appended to it.
pub(crate) async fn preview(
    context: &Context<'_>,
    id: FindingId,
    question: &str,
) -> Result<Preview, Failure> {
    let found = context.open(context.watchpost.finding(context.scope, id).await);
    let (affected, question) = match found {
        // The tool itself reports that the finding does not exist.
        Err(Error::NotFound { .. }) => (Affected::Nothing, None),
        Err(error) => return Err(Failure::from(error).about(target(id))),
        Ok((found, _)) => {
            let finding = &found.summary;
            let question =
                text::findings::confirmed_finding(question, finding.severity, &quoted(&finding.title), id);
            (Affected::Finding(finding.severity), Some(question))
        }
    };
    Ok(Preview {
        affected,
        question,
        target: target(id),
    })
}

/// The result of a decision on a finding.
pub(crate) struct Decision {
    /// Whether this call changed the finding.
    pub(crate) changed: bool,
    /// The beginning of the answer, if the call was a repeat.
    pub(crate) repeat: Option<String>,
    /// The receipt of the stored audit entry.
    pub(crate) receipt: ChangeReceipt,
    /// The finding's state after the call.
    pub(crate) state: StateChange,
    pub(crate) as_of: AsOf,
    /// The command with which a person takes the decision back.
    pub(crate) reopen_command: String,
}

impl Decision {
    /// `done` is the participle of the change for errors, as in `the finding can't be snoozed`.
    ///
    /// # Errors
    /// The store fails, the finding does not exist, or its status forbids the decision.
    pub(crate) async fn new(
        context: &Context<'_>,
        id: FindingId,
        done: &str,
        result: Result<(FindingOutcome, ChangeReceipt), Error>,
    ) -> Result<Self, Failure> {
        let (outcome, receipt) = result.map_err(|error| Failure::from(error).about(target(id)))?;
        let repeat = context.repeat(receipt);
        let (changed, state) = match outcome {
            FindingOutcome::Changed { now, .. } => (repeat.is_none(), now),
            FindingOutcome::Unchanged { state } => (false, state),
            FindingOutcome::NotPossible { status } => {
                return Err(error::not_possible(status, id, done, receipt));
            }
            FindingOutcome::NotFound => return Err(error::finding_not_found(receipt)),
        };
        Ok(Self {
            changed,
            repeat,
            receipt,
            state,
            as_of: context.as_of().await,
            reopen_command: text::findings::reopen_command(id),
        })
    }
}
