//! Calls of write tools: a person is asked before a risky change, and the change is made only if they agree.

use super::{
    McpServer,
    calls::{Done, FinishedCall},
};
use crate::{
    confirm::{self, ConfirmMode, Confirmation, Preview, Risk},
    error::Failure,
    tool::{Context, Prepared, RunWrite},
    tools::ToolEntry,
};
use watchpost_core::{access::WorkspaceScope, audit::AuditTarget, service::Unrecorded};
use watchpost_protocol::{Outcome, RequestMeta};

/// The consent to a call of a write tool.
enum Consent {
    /// The change may be made.
    Given(Confirmation),
    /// A person must answer this question first.
    Needed(String, AuditTarget),
    /// A person was asked and did not agree.
    Refused(Confirmation, AuditTarget),
}

impl McpServer {
    /// Runs a write tool, after asking a person if the mode requires it and the client can ask.
    pub(super) async fn write(
        &self,
        scope: &WorkspaceScope,
        tool: &'static ToolEntry,
        risk: Risk,
        Prepared { arguments, call, .. }: Prepared<'_, dyn RunWrite>,
        meta: &RequestMeta<'_>,
    ) -> Outcome {
        let finished = Unrecorded::gather(async |reader| {
            let context = Context::new(self.caller(scope, reader), &arguments, None);
            match self.consent(risk, call.as_ref(), &context, meta).await {
                Err(failure) => FinishedCall::new(None, Err(failure)),
                Ok(Consent::Needed(question, target)) => FinishedCall::new(
                    Some(Confirmation::Awaited),
                    Ok(Done::NeedsConfirmation(question, target)),
                ),
                Ok(Consent::Refused(confirmation, target)) => {
                    FinishedCall::new(Some(confirmation), Ok(Done::NotConfirmed(target)))
                }
                Ok(Consent::Given(confirmation)) => {
                    let context = Context::new(self.caller(scope, reader), &arguments, Some(confirmation));
                    let answer = call.run(&context).await;
                    FinishedCall::new(Some(confirmation), answer.map(Done::Answered))
                }
            }
        })
        .await;
        self.replies.invalidate(scope);
        match self.settle(scope, tool, Some(&arguments), finished).await {
            Ok(answer) => self.answered(scope, answer, meta),
            Err(outcome) => outcome,
        }
    }

    /// Decides whether a person is asked, and evaluates their answer. No other code does either.
    async fn consent(
        &self,
        risk: Risk,
        call: &dyn RunWrite,
        context: &Context<'_>,
        meta: &RequestMeta<'_>,
    ) -> Result<Consent, Failure> {
        if self.confirm == ConfirmMode::Never {
            return Ok(Consent::Given(Confirmation::NotNeeded));
        }
        // A call that can't be previewed is not run.
        let Preview {
            affected,
            question,
            target,
        } = call.preview(context).await?;
        if !self.confirm.asks(risk, affected) {
            return Ok(Consent::Given(Confirmation::NotNeeded));
        }
        Ok(match (confirm::answer(meta.inputs()), question) {
            (Some(answer @ Confirmation::Asked(_)), _) => Consent::Given(answer),
            (Some(answer), _) => Consent::Refused(answer, target),
            (None, Some(question)) if meta.can_ask_form() => Consent::Needed(question, target),
            (None, _) => Consent::Given(Confirmation::NobodyAsked),
        })
    }
}
