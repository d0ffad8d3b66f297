//! `tools/call`: finds the tool, checks its permission, and runs it. Each call has one audit entry and is answered only
//! after it is committed.

use super::{McpServer, may_write};
use crate::{
    arguments::{AuditArguments, Reduced},
    confirm::{self, Confirmation},
    error::{Failure, Retry, UserError},
    fence,
    reply_cache::{CacheKey, CachedReply},
    tasks, text,
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

/// The contents of the audit entry of a call, if the use case stores no entry with a change.
pub(super) struct Entry {
    pub(super) target: AuditTarget,
    pub(super) outcome: AuditOutcome,
    pub(super) reduced: String,
}

/// A finished tool call.
pub(super) struct FinishedCall {
    /// The confirmation of a change; `None` for a tool that needs none.
    pub(super) confirmation: Option<Confirmation>,
    pub(super) result: Result<Done, Failure>,
    /// The id of an internal error in the log.
    incident: Option<String>,
}

/// The result of a call without a failure.
pub(super) enum Done {
    /// The tool ran.
    Answered(Answer),
    /// A person must answer this question first.
    NeedsConfirmation(String, AuditTarget),
    /// A person was asked and did not agree.
    NotConfirmed(AuditTarget),
}

impl FinishedCall {
    pub(super) const fn new(confirmation: Option<Confirmation>, result: Result<Done, Failure>) -> Self {
        Self {
            confirmation,
            result,
            incident: None,
        }
    }

    /// The receipt of the audit entry that the use case has stored.
    fn receipt(&self) -> Option<ChangeReceipt> {
        match &self.result {
            Ok(Done::Answered(answer)) => answer.receipt,
            Ok(Done::NeedsConfirmation(..) | Done::NotConfirmed(_)) => None,
            Err(failure) => failure.receipt(),
        }
    }

    fn entry(&self) -> (AuditTarget, AuditOutcome) {
        match &self.result {
            Ok(Done::Answered(answer)) => (answer.target.clone(), AuditOutcome::Ok),
            Ok(Done::NeedsConfirmation(_, target) | Done::NotConfirmed(target)) => {
                (target.clone(), AuditOutcome::Unchanged)
            }
            Err(failure) => failure.entry(),
        }
    }

    /// Whether a failed call can be retried.
    const fn retry(&self, has_key: bool) -> Retry {
        let may_be_done = match &self.result {
            Err(Failure::Internal { may_be_done, .. }) => *may_be_done,
            Err(Failure::User(UserError {
                outage: Some(outage), ..
            })) => outage.may_be_done,
            _ => false,
        };
        match &self.result {
            Err(_) if may_be_done && has_key => Retry::ByKey,
            Err(_) if may_be_done => Retry::Unsafe,
            Err(Failure::User(error)) => match error.outcome {
                AuditOutcome::NotFound
                | AuditOutcome::Denied
                | AuditOutcome::Invalid
                | AuditOutcome::Conflict => Retry::Refused,
                AuditOutcome::Ok | AuditOutcome::Unchanged | AuditOutcome::Error => Retry::Unchanged,
            },
            _ => Retry::Unchanged,
        }
    }
}

impl McpServer {
    /// Stores the audit entry of a call and returns what the call read once the entry is committed.
    ///
    /// # Errors
    /// The entry can't be stored, which is logged. The error is the message for the caller.
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
                self.log_outage(tool, &error);
                text::errors::AUDIT_UNAVAILABLE
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
                let key = CacheKey::new(scope, may_write(scope), index, raw.unwrap_or("{}"));
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
            reduced: reduced.text(),
        };
        match self.record(scope, "unknown", Unrecorded::new(()), describe).await {
            Ok(()) => Outcome::Error(CallError::UnknownTool),
            Err(unrecorded) => unavailable(unrecorded),
        }
    }

    async fn denied(&self, scope: &WorkspaceScope, tool: &'static ToolEntry, raw: Option<&str>) -> Outcome {
        let name = tool.declaration.name;
        let required = Unrecorded::new(text::errors::write_scope_required(name, scope.actor()));
        let describe = |_: &String| Entry {
            target: AuditTarget::default(),
            outcome: AuditOutcome::Denied,
            reduced: tool.reduce(raw, &self.audit_key),
        };
        let recorded = self.record(scope, name, required, describe).await;
        match recorded {
            Ok(required) => complete(error_of(tool, &required, Retry::Refused)),
            Err(unrecorded) => unavailable_of(tool, unrecorded, Retry::Unchanged),
        }
    }

    /// Answers a call whose arguments can't be parsed.
    async fn unparsed(&self, scope: &WorkspaceScope, tool: &'static ToolEntry, failure: Failure) -> Outcome {
        let finished = Unrecorded::new(FinishedCall::new(None, Err(failure)));
        match self.settle(scope, tool, None, finished).await {
            Ok(answer) => complete(answer.result(self.watchpost.random())),
            Err(outcome) => outcome,
        }
    }

    /// Answers a query from the cache if a valid reply is there, or runs it. Each call has its own audit entry.
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
        // Read before the answer is made, so that any later change invalidates the reply.
        let generation = self
            .replies
            .generation(&self.watchpost, scope)
            .await
            // Nothing is cached then.
            .inspect_err(|error| self.log_outage(tool.declaration.name, error))
            .ok();
        let slot = key.zip(generation);
        if let Some((key, generation)) = &slot
            && let Some(reply) = self.replies.get(key, *generation, clock.now())
        {
            let recorded = self.record_reply(scope, tool, &reply).await;
            return recorded.map_or_else(unavailable, complete);
        }
        let Prepared {
            arguments,
            call,
            ignored,
        } = match prepare(raw, &self.audit_key) {
            Ok(prepared) => prepared,
            Err(failure) => return self.unparsed(scope, tool, failure).await,
        };
        let finished = Unrecorded::gather(async |reader| {
            let context = Context::new(self.caller_with_progress(scope, reader, meta), &arguments, None);
            FinishedCall::new(None, call.run(&context).await.map(Done::Answered))
        });
        let answer = match self.settle(scope, tool, Some(&arguments), finished.await).await {
            Ok(answer) => answer.without_arguments(tool.declaration.name, &ignored),
            Err(outcome) => return outcome,
        };
        let result = answer.result(self.watchpost.random());
        if let Some((key, generation)) = slot {
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

    /// Returns the result of a cached reply once the audit entry of this call is stored.
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

    /// Runs an action. Its use case stores the audit entry together with the change.
    async fn act(
        &self,
        scope: &WorkspaceScope,
        tool: &'static ToolEntry,
        Prepared { arguments, call, .. }: Prepared<'_, dyn RunAction>,
        meta: &RequestMeta<'_>,
    ) -> Outcome {
        let finished = Unrecorded::gather(async |reader| {
            let context = Context::new(self.caller(scope, reader), &arguments, None);
            FinishedCall::new(None, call.run(&context).await.map(Done::Answered))
        })
        .await;
        self.replies.invalidate(scope);
        match self.settle(scope, tool, Some(&arguments), finished).await {
            Ok(answer) => self.answered(scope, answer, meta),
            Err(outcome) => outcome,
        }
    }

    /// Returns the answer of an action: a task, if the action continues and the client supports tasks.
    pub(super) fn answered(&self, scope: &WorkspaceScope, answer: Answer, meta: &RequestMeta<'_>) -> Outcome {
        match answer.follow_up {
            Some(follow_up) if meta.capabilities().tasks => {
                let now = self.watchpost.clock().now();
                Outcome::Task(tasks::begin(&self.cursors, scope, now, follow_up))
            }
            _ => complete(answer.result(self.watchpost.random())),
        }
    }

    /// Returns the answer of a call once its audit entry is stored, by the use case or here. `arguments` are those of the
    /// entry; `None` if they could not be parsed.
    ///
    /// # Errors
    /// The call has no answer; the error is the outcome to send instead.
    pub(super) async fn settle(
        &self,
        scope: &WorkspaceScope,
        tool: &'static ToolEntry,
        arguments: Option<&AuditArguments<'_>>,
        finished: Unrecorded<FinishedCall>,
    ) -> Result<Answer, Outcome> {
        let name = tool.declaration.name;
        let has_key = arguments.is_some_and(AuditArguments::has_idempotency_key);
        let mut retry = Retry::Unchanged;
        let finished = finished.map(|mut finished| {
            retry = finished.retry(has_key);
            // Internal errors are logged even if the audit entry can't be stored.
            match &finished.result {
                Err(Failure::Internal { source, .. }) => {
                    finished.incident = Some(self.log_incident(name, source.as_ref()));
                }
                Err(Failure::User(UserError {
                    outage: Some(outage), ..
                })) => self.log_outage(name, outage.source.as_ref()),
                _ => {}
            }
            finished
        });
        let describe = |finished: &FinishedCall| {
            let (target, outcome) = finished.entry();
            let text = |arguments: &AuditArguments<'_>| arguments.text(finished.confirmation);
            Entry {
                target,
                outcome,
                reduced: arguments.map_or_else(|| NOT_PARSED.to_owned(), text),
            }
        };
        let recorded = match finished.open_with(FinishedCall::receipt) {
            Ok(finished) => Ok(finished),
            Err(unrecorded) => self.record(scope, name, unrecorded, describe).await,
        };
        let finished = recorded.map_err(|message| {
            let retry = match retry {
                Retry::ByKey | Retry::Unsafe => retry,
                // The audit log can be written again later.
                Retry::Unchanged | Retry::Refused | Retry::Decided => Retry::Unchanged,
            };
            unavailable_of(tool, message, retry)
        })?;
        match finished.result {
            Ok(Done::Answered(answer)) => Ok(answer),
            Ok(Done::NeedsConfirmation(question, _)) => {
                let ask = confirm::ask(question, self.watchpost.random());
                Err(Outcome::InputRequired(ask))
            }
            Ok(Done::NotConfirmed(_)) => Err(complete(unconfirmed(finished.confirmation))),
            Err(Failure::User(UserError {
                message,
                outage: Some(_),
                ..
            })) => Err(unavailable_of(tool, &message, retry)),
            Err(Failure::User(UserError { message, .. })) => Err(complete(error_of(tool, &message, retry))),
            Err(Failure::Internal { .. }) => {
                let id = finished.incident.unwrap_or_default();
                // Clients don't pass protocol errors on to the model, which must know whether a retry is safe.
                Err(if tool.takes_write_key() {
                    complete(error_of(tool, &text::errors::internal_error(&id), retry))
                } else {
                    Outcome::Error(CallError::Incident(id))
                })
            }
        }
    }
}

/// Returns a tool error. For a write tool, it says whether the call can be retried.
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

/// Returns the error of a write tool, with whether the call can be retried. The advice is part of the text, because the
/// fields of an error would not conform to the tool's output schema, and clients that validate them drop the text.
fn write_error(message: &str, retry: Retry) -> ToolResult {
    tool_error(&retry.advise(message))
}

/// Returns the error of a call that can't be answered because the store can't be used.
fn unavailable(message: &str) -> Outcome {
    Outcome::Error(CallError::Unavailable(message.to_owned().into()))
}

/// As [`unavailable`]. For a write tool, the error says whether the call can be retried.
fn unavailable_of(tool: &ToolEntry, message: &str, retry: Retry) -> Outcome {
    if tool.takes_write_key() {
        unavailable(&retry.advise(message))
    } else {
        unavailable(message)
    }
}

/// Returns the result of a change that the person did not confirm: an error, so that the model doesn't report the change
/// as made.
fn unconfirmed(confirmation: Option<Confirmation>) -> ToolResult {
    let message = match confirmation {
        Some(Confirmation::Declined) => text::confirm::DECLINED,
        _ => text::confirm::CANCELLED,
    };
    write_error(message, Retry::Decided)
}

const fn complete(result: ToolResult) -> Outcome {
    Outcome::Complete(Completed::Tool(result))
}
