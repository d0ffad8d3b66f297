//! The write tools: whether a person is asked before a change, and what their answer means.

use super::{
    McpServer,
    calls::{Done, Ended},
};
use crate::{
    confirm::{self, ConfirmMode, Confirmation, Preview, Risk},
    error::Failure,
    tool::{Context, Prepared, RunWrite},
    tools::ToolEntry,
};
use watchpost_core::{access::WorkspaceScope, audit::AuditTarget, service::Unrecorded};
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
        Prepared { arguments, call }: Prepared<'_, dyn RunWrite>,
        meta: &RequestMeta<'_>,
    ) -> Outcome {
        let ended = Unrecorded::gather(async |reader| {
            let context = Context::new(self.caller(scope, reader), &arguments, None);
            match self.consent(risk, call.as_ref(), &context, meta).await {
                Err(failure) => Ended::new(None, Err(failure)),
                Ok(Consent::Awaited(question, target)) => {
                    Ended::new(Some(Confirmation::Awaited), Ok(Done::Asked(question, target)))
                }
                Ok(Consent::Refused(confirmation, target)) => {
                    Ended::new(Some(confirmation), Ok(Done::Refused(target)))
                }
                Ok(Consent::Given(confirmation)) => {
                    let context = Context::new(self.caller(scope, reader), &arguments, Some(confirmation));
                    let answer = call.run(&context).await;
                    Ended::new(Some(confirmation), answer.map(Done::Answered))
                }
            }
        })
        .await;
        self.replies.invalidate(scope);
        match self.settle(scope, tool, Some(&arguments), ended).await {
            Ok(answer) => self.answered(scope, answer, meta),
            Err(outcome) => outcome,
        }
    }

    /// The one place where it is decided whether a person is asked, and what their answer means.
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
        // What can't be previewed isn't done.
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
            (None, Some(question)) if meta.can_ask_form() => Consent::Awaited(question, target),
            (None, _) => Consent::Given(Confirmation::NobodyAsked),
        })
    }
}
