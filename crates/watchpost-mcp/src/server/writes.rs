//! The write tools: whether a person is asked before a change, and what their answer means.

use super::{Entry, McpServer, complete, unconfirmed, write_error};
use crate::{
    confirm::{self, ConfirmPolicy, Confirmation, Stake, needs_confirmation},
    error::{self, Failure, Retry},
    tools::ToolEntry,
};
use watchpost_core::{access::WorkspaceScope, audit::AuditOutcome};
use watchpost_protocol::{Outcome, RequestMeta};

impl McpServer {
    /// One of the write tools: a person is asked first, where that is wanted and possible.
    pub(super) async fn write(
        &self,
        scope: &WorkspaceScope,
        tool: &'static ToolEntry,
        arguments: Option<&str>,
        meta: &RequestMeta<'_>,
    ) -> Outcome {
        let (confirmation, stake) = match self.confirmation(scope, tool, arguments, meta).await {
            Ok(decided) => decided,
            Err(failure) => {
                let reduced = tool.reduce(arguments, &self.audit_key, None);
                return self.fail(scope, tool, reduced, failure, false).await;
            }
        };
        let said = match confirmation {
            Confirmation::NotNeeded | Confirmation::NobodyAsked | Confirmation::Asked(_) => {
                return self.act(scope, tool, arguments, meta, Some(confirmation)).await;
            }
            Confirmation::Awaited => None,
            Confirmation::Declined => Some(error::DECLINED),
            Confirmation::Cancelled => Some(error::CANCELLED),
        };
        let entry = Entry {
            tool: tool.declaration.name,
            target: &stake.target,
            outcome: AuditOutcome::Unchanged,
            reduced: tool.reduce(arguments, &self.audit_key, Some(confirmation)),
        };
        match (self.record(scope, entry).await, said) {
            (Err(unrecorded), _) => complete(write_error(unrecorded, Retry::Unchanged)),
            (Ok(()), None) => Outcome::InputRequired(confirm::ask(&stake, self.watchpost.random())),
            (Ok(()), Some(said)) => complete(unconfirmed(said, confirmation)),
        }
    }

    /// The one place where it is decided whether a person is asked, and what their answer means.
    async fn confirmation(
        &self,
        scope: &WorkspaceScope,
        tool: &'static ToolEntry,
        arguments: Option<&str>,
        meta: &RequestMeta<'_>,
    ) -> Result<(Confirmation, Stake), Failure> {
        if self.confirm == ConfirmPolicy::Never {
            return Ok((Confirmation::NotNeeded, Stake::default()));
        }
        // What can't be weighed isn't done.
        let stake = tool.stake(self.caller(scope, None), arguments).await?;
        let confirmation = if !needs_confirmation(self.confirm, tool.declaration.name, stake.facts) {
            Confirmation::NotNeeded
        } else if let Some(answered) = confirm::answer(meta.inputs()) {
            answered
        } else if meta.can_ask_form() && !stake.question.is_empty() {
            Confirmation::Awaited
        } else {
            Confirmation::NobodyAsked
        };
        Ok((confirmation, stake))
    }
}
