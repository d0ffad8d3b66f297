//! What the tools that change one finding share: what a person is asked, and how a decision ended.

use crate::{
    confirm::{Affected, Preview, quoted},
    error::{self, Failure},
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

/// The target of an entry about a finding.
pub(crate) fn target(id: FindingId) -> AuditTarget {
    AuditTarget::new("finding", &id)
}

/// The preview of a change of a finding. `what` is what a person is asked, up to the question mark.
pub(crate) async fn preview(context: &Context<'_>, id: FindingId, what: &str) -> Result<Preview, Failure> {
    let found = context.open(context.watchpost.finding(context.scope, id).await);
    let (affected, question) = match found {
        // Then the change says so.
        Err(Error::NotFound { .. }) => (Affected::Nothing, None),
        Err(error) => return Err(Failure::from(error).about(target(id))),
        Ok((found, _)) => {
            let finding = &found.summary;
            let question = format!(
                "{what}? It is {} and says {}. Its id is {id}.",
                finding.severity,
                quoted(&finding.title)
            );
            (Affected::Finding(finding.severity), Some(question))
        }
    };
    Ok(Preview {
        affected,
        question,
        target: target(id),
    })
}

/// How a decision on a finding ended.
pub(crate) struct Decision {
    /// Whether this call changed it.
    pub(crate) changed: bool,
    /// What the answer begins with if the call was a repeat.
    pub(crate) repeat: Option<String>,
    /// The proof that its entry is stored.
    pub(crate) made: ChangeReceipt,
    /// How it stands.
    pub(crate) state: StateChange,
    pub(crate) as_of: AsOf,
    /// What a person can type to take it back.
    pub(crate) reopen_command: String,
}

impl Decision {
    /// `done` says what couldn't be done, as in `the finding can't be snoozed`.
    ///
    /// # Errors
    /// The store's, and a finding that isn't there or that can't be decided on.
    pub(crate) async fn new(
        context: &Context<'_>,
        id: FindingId,
        done: &str,
        result: Result<(FindingOutcome, ChangeReceipt), Error>,
    ) -> Result<Self, Failure> {
        let (outcome, made) = result.map_err(|error| Failure::from(error).about(target(id)))?;
        let repeat = context.repeat(made);
        let (changed, state) = match outcome {
            FindingOutcome::Changed { now, .. } => (repeat.is_none(), now),
            FindingOutcome::Unchanged { state } => (false, state),
            FindingOutcome::NotPossible { status } => {
                return Err(error::not_possible(status, id, done, made));
            }
            FindingOutcome::NotFound => return Err(error::finding_gone(made)),
        };
        Ok(Self {
            changed,
            repeat,
            made,
            state,
            as_of: context.as_of().await,
            reopen_command: format!("watchpost findings reopen {id}"),
        })
    }
}
