//! `tools/call`: finds the tool, checks its permission, and runs it. Each call has one audit entry, and is answered
//! once that is committed.

use super::{McpServer, may_act};
use crate::{
    arguments::{AuditArguments, Reduced},
    confirm::{self, Confirmation},
    error::{self, Failure, Retry, UserError},
    fence,
    reply_cache::{CacheKey, CachedReply},
    tasks,
    tool::{Answer, Context, Kind, NOT_PARSED, Prepare, Prepared, RunAction, RunQuery},
    tools::{TOOLS, ToolEntry},
};
use std::sync::Arc;
use watchpost_core::{
    access::{ChangeReceipt, WorkspaceScope},
    audit::{AuditOutcome, AuditTarget, CallRecord, ReadRecord},
    service::Unrecorded,
};
use watchpost_protocol::{CallError, Completed, Outcome, RequestMeta, ToolResult};

/// The audit action of a call that changes nothing.
const CALLED: &str = "tool.called";

/// The audit entry of a call that has none of a change.
pub(super) struct Entry {
    pub(super) target: AuditTarget,
    pub(super) outcome: AuditOutcome,
    pub(super) reduced: String,
}

/// How a call of a tool ended.
pub(super) struct Ended {
    /// How a change was confirmed; `None` for a tool that nobody is ever asked about.
    pub(super) confirmation: Option<Confirmation>,
    pub(super) result: Result<Done, Failure>,
    /// Under which id the log says what a bug did.
    incident: Option<String>,
}

/// What a call did that didn't fail.
pub(super) enum Done {
    /// It is answered.
    Answered(Answer),
    /// A person is asked first.
    Asked(String, AuditTarget),
    /// A person was asked and didn't agree.
    Refused(AuditTarget),
}

impl Ended {
    pub(super) const fn new(confirmation: Option<Confirmation>, result: Result<Done, Failure>) -> Self {
        Self {
            confirmation,
            result,
            incident: None,
        }
    }

    /// The proof that the entry of a change is stored, which is then the call's.
    fn made(&self) -> Option<ChangeReceipt> {
        match &self.result {
            Ok(Done::Answered(answer)) => answer.made,
            Ok(Done::Asked(..) | Done::Refused(_)) => None,
            Err(failure) => failure.made(),
        }
    }

    fn entry(&self) -> (AuditTarget, AuditOutcome) {
        match &self.result {
            Ok(Done::Answered(answer)) => (answer.target.clone(), AuditOutcome::Ok),
            Ok(Done::Asked(_, target) | Done::Refused(target)) => (target.clone(), AuditOutcome::Unchanged),
            Err(failure) => failure.entry(),
        }
    }

    /// Whether a failed call can be repeated.
    const fn retry(&self, has_key: bool) -> Retry {
        match (&self.result, has_key) {
            (
                Err(Failure::Internal {
                    may_be_done: true, ..
                }),
                true,
            ) => Retry::ByKey,
            (
                Err(Failure::Internal {
                    may_be_done: true, ..
                }),
                false,
            ) => Retry::Unsafe,
            _ => Retry::Unchanged,
        }
    }
}

impl McpServer {
    /// Stores the entry of a call, and opens what it read once that is committed; if it can't be, the error's text is
    /// the answer.
    pub(super) async fn record<T>(
        &self,
        scope: &WorkspaceScope,
        tool: &'static str,
        read: Unrecorded<T>,
        describe: impl FnOnce(&T) -> Entry,
    ) -> Result<T, &'static str> {
        let describe = |read: &T| {
            let Entry {
                target,
                outcome,
                reduced,
            } = describe(read);
            ReadRecord {
                action: CALLED,
                target,
                outcome,
                call: CallRecord::new("mcp", tool, reduced),
            }
        };
        self.watchpost
            .record(scope, read, describe)
            .await
            .map_err(|error| {
                tracing::error!(%error, tool, "an audit entry could not be stored; the call is not answered");
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
                Ok(call) => self.act(scope, tool, call, meta).await,
                Err(failure) => self.unparsed(scope, tool, failure).await,
            },
            Kind::Write { risk, prepare } => match prepare(raw, &self.audit_key) {
                Ok(call) => self.write(scope, tool, *risk, call, meta).await,
                Err(failure) => self.unparsed(scope, tool, failure).await,
            },
        }
    }

    async fn unknown(&self, scope: &WorkspaceScope, name: &str) -> Outcome {
        let mut reduced = Reduced::new(&self.audit_key);
        reduced.secret("tool", name);
        let describe = |(): &()| Entry {
            target: AuditTarget::default(),
            outcome: AuditOutcome::Invalid,
            reduced: reduced.finish(),
        };
        match self.record(scope, "unknown", Unrecorded::new(()), describe).await {
            Ok(()) => Outcome::Error(CallError::UnknownTool),
            Err(unrecorded) => complete(tool_error(unrecorded)),
        }
    }

    async fn denied(&self, scope: &WorkspaceScope, tool: &'static ToolEntry, raw: Option<&str>) -> Outcome {
        let name = tool.declaration.name;
        let required = Unrecorded::new(error::write_scope_required(name, scope.actor()));
        let describe = |_: &String| Entry {
            target: AuditTarget::default(),
            outcome: AuditOutcome::Denied,
            reduced: tool.reduce(raw, &self.audit_key),
        };
        let recorded = self.record(scope, name, required, describe).await;
        let message = recorded.unwrap_or_else(str::to_owned);
        complete(error_of(tool, &message, Retry::Unchanged))
    }

    /// A call whose arguments are none of the tool's.
    async fn unparsed(&self, scope: &WorkspaceScope, tool: &'static ToolEntry, failure: Failure) -> Outcome {
        let ended = Unrecorded::new(Ended::new(None, Err(failure)));
        match self.settle(scope, tool, None, ended).await {
            Ok(answer) => complete(answer.result(self.watchpost.random())),
            Err(outcome) => outcome,
        }
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
            .generation(&self.watchpost, scope)
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
            Err(failure) => return self.unparsed(scope, tool, failure).await,
        };
        let ended = Unrecorded::gather(async |reader| {
            let context = Context::new(self.caller_with(scope, reader, meta), &arguments, None);
            Ended::new(None, call.run(&context).await.map(Done::Answered))
        });
        let answer = match self.settle(scope, tool, Some(&arguments), ended.await).await {
            Ok(answer) => answer,
            Err(outcome) => return outcome,
        };
        let result = answer.result(self.watchpost.random());
        if let Some((key, generation)) = place {
            let reduced = arguments.text(None);
            let reply = CachedReply::new(
                result.clone(),
                reduced,
                answer.target,
                generation,
                answer.good_until,
            );
            self.replies.insert(key, Arc::new(reply));
        }
        complete(result)
    }

    /// The result of a cached reply, once the entry of this call is stored.
    async fn record_reply(
        &self,
        scope: &WorkspaceScope,
        tool: &'static ToolEntry,
        reply: &CachedReply,
    ) -> Result<ToolResult, &'static str> {
        let describe = |_: &ToolResult| Entry {
            target: reply.target.clone(),
            outcome: AuditOutcome::Ok,
            reduced: reply.reduced.clone(),
        };
        self.record(scope, tool.declaration.name, reply.result.clone(), describe)
            .await
    }

    /// An action: its use case stores the entry together with the change.
    async fn act(
        &self,
        scope: &WorkspaceScope,
        tool: &'static ToolEntry,
        Prepared { arguments, call }: Prepared<'_, dyn RunAction>,
        meta: &RequestMeta<'_>,
    ) -> Outcome {
        let ended = Unrecorded::gather(async |reader| {
            let context = Context::new(self.caller(scope, reader), &arguments, None);
            Ended::new(None, call.run(&context).await.map(Done::Answered))
        })
        .await;
        self.replies.invalidate(scope);
        match self.settle(scope, tool, Some(&arguments), ended).await {
            Ok(answer) => self.answered(scope, answer, meta),
            Err(outcome) => outcome,
        }
    }

    /// The answer of an action: a task, if it goes on and the client takes those.
    pub(super) fn answered(&self, scope: &WorkspaceScope, answer: Answer, meta: &RequestMeta<'_>) -> Outcome {
        match answer.follow_up {
            Some(follow_up) if meta.capabilities().tasks => {
                let now = self.watchpost.clock().now();
                Outcome::Task(tasks::begin(&self.cursors, scope, now, follow_up))
            }
            _ => complete(answer.result(self.watchpost.random())),
        }
    }

    /// The answer of a call, once its entry is stored: that of the change, or else one of its own. `arguments`: those
    /// of the entry, if they could be parsed.
    ///
    /// # Errors
    /// What is sent instead of an answer.
    pub(super) async fn settle(
        &self,
        scope: &WorkspaceScope,
        tool: &'static ToolEntry,
        arguments: Option<&AuditArguments<'_>>,
        ended: Unrecorded<Ended>,
    ) -> Result<Answer, Outcome> {
        let name = tool.declaration.name;
        let has_key = arguments.is_some_and(AuditArguments::has_idempotency_key);
        let mut retry = Retry::Unchanged;
        let ended = ended.map(|mut ended| {
            retry = ended.retry(has_key);
            // A bug is logged whether its entry can be stored or not.
            if let Err(Failure::Internal { source, .. }) = &ended.result {
                ended.incident = Some(self.log_incident(name, source.as_ref()));
            }
            ended
        });
        let describe = |ended: &Ended| {
            let (target, outcome) = ended.entry();
            let text = |arguments: &AuditArguments<'_>| arguments.text(ended.confirmation);
            Entry {
                target,
                outcome,
                reduced: arguments.map_or_else(|| NOT_PARSED.to_owned(), text),
            }
        };
        let recorded = match ended.open_with(Ended::made) {
            Ok(ended) => Ok(ended),
            Err(unrecorded) => self.record(scope, name, unrecorded, describe).await,
        };
        let ended = recorded.map_err(|message| complete(error_of(tool, message, retry)))?;
        match ended.result {
            Ok(Done::Answered(answer)) => Ok(answer),
            Ok(Done::Asked(question, _)) => {
                let ask = confirm::ask(question, self.watchpost.random());
                Err(Outcome::InputRequired(ask))
            }
            Ok(Done::Refused(_)) => Err(complete(unconfirmed(ended.confirmation))),
            Err(Failure::User(UserError { message, .. })) => Err(complete(error_of(tool, &message, retry))),
            Err(Failure::Internal { .. }) => {
                let id = ended.incident.unwrap_or_default();
                // Clients show a protocol error to nobody who could tell what may have happened.
                Err(if tool.takes_write_key() {
                    complete(error_of(tool, &error::incident(&id), retry))
                } else {
                    Outcome::Error(CallError::Incident(id))
                })
            }
        }
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
fn write_error(message: &str, retry: Retry) -> ToolResult {
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
fn unconfirmed(confirmation: Option<Confirmation>) -> ToolResult {
    let message = match confirmation {
        Some(Confirmation::Declined) => error::DECLINED,
        _ => error::CANCELLED,
    };
    let structured = serde_json::json!({
        "error": message,
        "changed": false,
        "confirmation": confirmation.map(Confirmation::as_str),
        "safe_to_retry": true,
    });
    ToolResult {
        structured: Some(structured.to_string().into_bytes().into()),
        ..write_error(message, Retry::Unchanged)
    }
}

const fn complete(result: ToolResult) -> Outcome {
    Outcome::Complete(Completed::Tool(result))
}
