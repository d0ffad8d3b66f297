//! `tools/call`: finds the tool, checks its permission, and runs it. Each call has one audit entry, and is answered
//! once that is committed.

use super::{McpServer, may_act};
use crate::{
    arguments::{AuditArguments, Reduced},
    confirm::Confirmation,
    error::{self, Failure, Retry, UserError},
    fence,
    reply_cache::{CacheKey, CachedReply},
    tasks,
    tool::{Answer, Context, Kind, NOT_PARSED, Prepare, Prepared, RunAction, RunQuery},
    tools::{TOOLS, ToolEntry},
};
use std::sync::Arc;
use watchpost_core::{
    access::WorkspaceScope,
    audit::{AuditOutcome, AuditTarget, CallRecord},
};
use watchpost_protocol::{CallError, Completed, Outcome, RequestMeta, ToolResult};

/// The audit action of a call that changes nothing.
const CALLED: &str = "tool.called";

/// What a call came to, for its one audit entry.
pub(super) struct Entry<'a> {
    pub(super) tool: &'static str,
    pub(super) target: &'a AuditTarget,
    pub(super) outcome: AuditOutcome,
    pub(super) reduced: String,
}

impl McpServer {
    /// Stores the entry of a call. Until it is committed nothing is answered; if it can't be, the error's text is.
    pub(super) async fn record(&self, scope: &WorkspaceScope, entry: Entry<'_>) -> Result<(), &'static str> {
        let call = CallRecord::new("mcp", entry.tool, entry.reduced);
        self.watchpost
            .record(scope, CALLED, entry.target.clone(), entry.outcome, call)
            .await
            .map_err(|error| {
                tracing::error!(%error, tool = entry.tool, "an audit entry could not be stored; the call is not answered");
                error::AUDIT_UNAVAILABLE
            })
    }

    pub(super) async fn call_tool(
        &self,
        scope: &WorkspaceScope,
        name: &str,
        raw: Option<&str>,
        meta: &RequestMeta<'_>,
    ) -> Outcome {
        let found = TOOLS.binary_search_by(|tool| tool.declaration.name.cmp(name));
        let Some((index, tool)) = found.ok().and_then(|index| Some((index, TOOLS.get(index)?))) else {
            return self.unknown(scope, name).await;
        };
        if !scope.may(tool.declaration.permission) {
            return self.denied(scope, tool, raw).await;
        }
        match &tool.kind {
            Kind::Query(prepare) => {
                let key = CacheKey::new(scope, may_act(scope), index, raw.unwrap_or("{}"));
                self.query(scope, tool, *prepare, key, raw, meta).await
            }
            Kind::Action(prepare) => match prepare(raw, &self.audit_key) {
                Ok(call) => self.act(scope, tool, call, None, meta).await,
                Err(failure) => self.fail(scope, tool, None, failure).await,
            },
            Kind::Write { risk, prepare } => match prepare(raw, &self.audit_key) {
                Ok(call) => self.write(scope, tool, *risk, call, meta).await,
                Err(failure) => self.fail(scope, tool, None, failure).await,
            },
        }
    }

    async fn unknown(&self, scope: &WorkspaceScope, name: &str) -> Outcome {
        let mut reduced = Reduced::new(&self.audit_key);
        reduced.secret("tool", name);
        let entry = Entry {
            tool: "unknown",
            target: &AuditTarget::default(),
            outcome: AuditOutcome::Invalid,
            reduced: reduced.finish(),
        };
        match self.record(scope, entry).await {
            Ok(()) => Outcome::Error(CallError::UnknownTool),
            Err(unrecorded) => complete(tool_error(unrecorded)),
        }
    }

    async fn denied(&self, scope: &WorkspaceScope, tool: &'static ToolEntry, raw: Option<&str>) -> Outcome {
        let name = tool.declaration.name;
        let entry = Entry {
            tool: name,
            target: &AuditTarget::default(),
            outcome: AuditOutcome::Denied,
            reduced: tool.reduce(raw, &self.audit_key),
        };
        let recorded = self.record(scope, entry).await;
        let required = error::write_scope_required(name, scope.actor());
        let message = match &recorded {
            Ok(()) => required.as_str(),
            Err(unrecorded) => unrecorded,
        };
        complete(error_of(tool, message, Retry::Unchanged))
    }

    /// A query: a cached reply if one is good, else a new one; its own audit entry in each case.
    async fn query(
        &self,
        scope: &WorkspaceScope,
        tool: &'static ToolEntry,
        prepare: Prepare<dyn RunQuery>,
        key: Option<CacheKey>,
        raw: Option<&str>,
        meta: &RequestMeta<'_>,
    ) -> Outcome {
        let clock = self.watchpost.clock();
        // Read before the answer is made: whatever changes from here on ends the reply.
        let generation = self
            .replies
            .generation(self.watchpost.store(), clock, scope)
            .await
            .inspect_err(
                |error| tracing::warn!(%error, "the generation could not be read; nothing is cached"),
            )
            .ok();
        let place = key.zip(generation);
        if let Some((key, generation)) = &place
            && let Some(reply) = self.replies.get(key, *generation, clock.now())
        {
            let recorded = self.record_reply(scope, tool, &reply).await;
            return complete(recorded.unwrap_or_else(tool_error));
        }
        let Prepared { arguments, call } = match prepare(raw, &self.audit_key) {
            Ok(prepared) => prepared,
            Err(failure) => return self.fail(scope, tool, None, failure).await,
        };
        let context = Context::new(self.caller_with(scope, meta), &arguments, None);
        let answer = match call.run(&context).await {
            Ok(answer) => answer,
            Err(failure) => return self.fail(scope, tool, Some((&arguments, None)), failure).await,
        };
        let reply = Arc::new(CachedReply {
            result: answer.result(self.watchpost.random()),
            reduced: arguments.text(None),
            target: answer.target,
            generation: generation.unwrap_or_default(),
            good_until: answer.good_until,
        });
        let recorded = self.record_reply(scope, tool, &reply).await;
        if let (Some((key, _)), Ok(_)) = (place, &recorded) {
            self.replies.insert(key, reply);
        }
        complete(recorded.unwrap_or_else(tool_error))
    }

    /// The result of a query's reply, once its entry is stored.
    async fn record_reply(
        &self,
        scope: &WorkspaceScope,
        tool: &'static ToolEntry,
        reply: &CachedReply,
    ) -> Result<ToolResult, &'static str> {
        let entry = Entry {
            tool: tool.declaration.name,
            target: &reply.target,
            outcome: AuditOutcome::Ok,
            reduced: reply.reduced.clone(),
        };
        self.record(scope, entry).await?;
        Ok(reply.result.clone())
    }

    /// An action: its use case stores the entry together with the change.
    pub(super) async fn act<R: RunAction + ?Sized>(
        &self,
        scope: &WorkspaceScope,
        tool: &'static ToolEntry,
        Prepared { arguments, call }: Prepared<'_, R>,
        confirmation: Option<Confirmation>,
        meta: &RequestMeta<'_>,
    ) -> Outcome {
        let context = Context::new(self.caller(scope), &arguments, confirmation);
        let answer = call.run(&context).await;
        self.replies.invalidate(scope);
        match answer {
            Ok(Answer {
                follow_up: Some(follow_up),
                ..
            }) if meta.capabilities().tasks => Outcome::Task(tasks::begin(self.caller(scope), follow_up)),
            Ok(answer) => complete(answer.result(self.watchpost.random())),
            Err(failure) => {
                let entry = Some((&arguments, confirmation));
                self.fail(scope, tool, entry, failure).await
            }
        }
    }

    /// Stores the entry of a call that failed, unless that is done, and answers it. `arguments`: those of the entry,
    /// with how the change was confirmed, if they could be parsed.
    pub(super) async fn fail(
        &self,
        scope: &WorkspaceScope,
        tool: &'static ToolEntry,
        arguments: Option<(&AuditArguments<'_>, Option<Confirmation>)>,
        failure: Failure,
    ) -> Outcome {
        let name = tool.declaration.name;
        let (error, stored, may_be_done) = match failure {
            Failure::User(error) => {
                let stored = error.stored;
                (Ok(error), stored, false)
            }
            Failure::Internal {
                source,
                stored,
                may_be_done,
            } => (Err(source), stored, may_be_done),
        };
        let has_key = arguments.is_some_and(|(arguments, _)| arguments.has_idempotency_key());
        let retry = match (may_be_done, has_key) {
            (false, _) => Retry::Unchanged,
            (true, true) => Retry::ByKey,
            (true, false) => Retry::Unsafe,
        };
        let recorded = if stored {
            Ok(())
        } else {
            let nothing = AuditTarget::default();
            let (target, outcome) = match &error {
                Ok(error) => (&error.target, error.outcome),
                Err(_) => (&nothing, AuditOutcome::Error),
            };
            let entry = Entry {
                tool: name,
                target,
                outcome,
                reduced: arguments.map_or_else(
                    || NOT_PARSED.to_owned(),
                    |(arguments, confirmation)| arguments.text(confirmation),
                ),
            };
            self.record(scope, entry).await
        };
        // A bug is logged whether its entry could be stored or not.
        let error = error.map_err(|source| self.log_incident(name, source.as_ref()));
        let message = match (recorded, error) {
            (Err(unrecorded), _) => unrecorded.to_owned(),
            (Ok(()), Ok(UserError { message, .. })) => message,
            // Clients show a protocol error to nobody who could tell what may have happened.
            (Ok(()), Err(id)) if tool.takes_write_key() => error::incident(&id),
            (Ok(()), Err(id)) => return Outcome::Error(CallError::Incident(id)),
        };
        complete(error_of(tool, &message, retry))
    }
}

/// An error of a tool; one of a write tool says whether the call can be repeated.
fn error_of(tool: &ToolEntry, message: &str, retry: Retry) -> ToolResult {
    if tool.takes_write_key() {
        write_error(message, retry)
    } else {
        tool_error(message)
    }
}

fn tool_error(message: &str) -> ToolResult {
    ToolResult {
        content: fence::plain(message).into(),
        more: Vec::new(),
        structured: None,
        is_error: true,
    }
}

/// An error of a write tool: in words and as fields, with whether the call can be repeated.
pub(super) fn write_error(message: &str, retry: Retry) -> ToolResult {
    let structured = serde_json::json!({ "error": message, "safe_to_retry": retry.is_safe() });
    ToolResult {
        content: fence::plain(&retry.advise(message)).into(),
        more: Vec::new(),
        structured: Some(structured.to_string().into_bytes().into()),
        is_error: true,
    }
}

/// A change that a person was asked about and that wasn't made. An error to the model, so that it doesn't report it
/// as done.
pub(super) fn unconfirmed(message: &str, confirmation: Confirmation) -> ToolResult {
    let structured = serde_json::json!({
        "error": message,
        "changed": false,
        "confirmation": confirmation.as_str(),
        "safe_to_retry": true,
    });
    ToolResult {
        structured: Some(structured.to_string().into_bytes().into()),
        ..write_error(message, Retry::Unchanged)
    }
}

pub(super) const fn complete(result: ToolResult) -> Outcome {
    Outcome::Complete(Completed::Tool(result))
}
