//! The write tools: whether a person is asked before a change, and what their answer means.

use super::{
    McpServer,
    calls::{Entry, complete, unconfirmed, write_error},
};
use crate::{
    confirm::{self, ConfirmPolicy, Confirmation, Preview, Risk},
    error::{self, Failure, Retry},
    tool::{Context, Prepared, RunWrite},
    tools::ToolEntry,
};
use watchpost_core::{
    access::WorkspaceScope,
    audit::{AuditOutcome, AuditTarget},
};
use watchpost_protocol::{Outcome, RequestMeta};

/// What is done with a call of a write tool.
enum Consent {
    /// The change is made.
    Given(Confirmation),
    /// A person is asked first.
    Awaited(String, AuditTarget),
    /// A person was asked and didn't agree.
    Refused(Confirmation, AuditTarget),
}

impl McpServer {
    /// One of the write tools: a person is asked first, where that is wanted and possible.
    pub(super) async fn write(
        &self,
        scope: &WorkspaceScope,
        tool: &'static ToolEntry,
        risk: Risk,
        call: Prepared<'_, dyn RunWrite>,
        meta: &RequestMeta<'_>,
    ) -> Outcome {
        let consent = match self.consent(scope, risk, &call, meta).await {
            Ok(consent) => consent,
            Err(failure) => {
                let arguments = Some((&call.arguments, None));
                return self.fail(scope, tool, arguments, failure).await;
            }
        };
        let (confirmation, target) = match &consent {
            Consent::Given(confirmation) => {
                return self.act(scope, tool, call, Some(*confirmation), meta).await;
            }
            Consent::Awaited(_, target) => (Confirmation::Awaited, target),
            Consent::Refused(confirmation, target) => (*confirmation, target),
        };
        let entry = Entry {
            tool: tool.declaration.name,
            target,
            outcome: AuditOutcome::Unchanged,
            reduced: call.arguments.text(Some(confirmation)),
        };
        if let Err(unrecorded) = self.record(scope, entry).await {
            return complete(write_error(unrecorded, Retry::Unchanged));
        }
        match consent {
            Consent::Awaited(question, _) => {
                Outcome::InputRequired(confirm::ask(question, self.watchpost.random()))
            }
            _ if confirmation == Confirmation::Declined => {
                complete(unconfirmed(error::DECLINED, confirmation))
            }
            _ => complete(unconfirmed(error::CANCELLED, confirmation)),
        }
    }

    /// The one place where it is decided whether a person is asked, and what their answer means.
    async fn consent(
        &self,
        scope: &WorkspaceScope,
        risk: Risk,
        call: &Prepared<'_, dyn RunWrite>,
        meta: &RequestMeta<'_>,
    ) -> Result<Consent, Failure> {
        if self.confirm == ConfirmPolicy::Never {
            return Ok(Consent::Given(Confirmation::NotNeeded));
        }
        // What can't be previewed isn't done.
        let context = Context::new(self.caller(scope), &call.arguments, None);
        let Preview {
            affected,
            question,
            target,
        } = call.call.preview(&context).await?;
        if !self.confirm.asks(risk, affected) {
            return Ok(Consent::Given(Confirmation::NotNeeded));
        }
        Ok(match (confirm::answer(meta.inputs()), question) {
            (Some(answer @ Confirmation::Asked(_)), _) => Consent::Given(answer),
            (Some(answer), _) => Consent::Refused(answer, target),
            (None, Some(question)) if meta.can_ask_form() => Consent::Awaited(question, target),
            (None, _) => Consent::Given(Confirmation::NobodyAsked),
        })
    }
}
