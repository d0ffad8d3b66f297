//! `tasks/get`, `tasks/update` and `tasks/cancel`.

use super::McpServer;
use crate::{
    arguments::Reduced,
    error::{Failure, UserError},
    tasks,
};
use watchpost_core::{
    access::WorkspaceScope,
    audit::{AuditOutcome, AuditTarget, CallRecord},
    service::Unrecorded,
};
use watchpost_protocol::{CallError, Completed, Outcome};

impl McpServer {
    fn reduced_task(&self, id: &str) -> Reduced<'_> {
        let mut reduced = Reduced::new(&self.audit_key);
        reduced.secret("task", id);
        reduced
    }

    pub(super) async fn get_task(&self, scope: &WorkspaceScope, id: &str) -> Outcome {
        const METHOD: &str = "tasks/get";
        let found = Unrecorded::gather(async |reader| tasks::state(self.caller(scope, reader), id).await);
        let describe = |found: &Result<Option<_>, Failure>| {
            let outcome = match found {
                Ok(Some(_)) => AuditOutcome::Ok,
                Ok(None) => AuditOutcome::NotFound,
                Err(_) => AuditOutcome::Error,
            };
            (AuditTarget::default(), outcome)
        };
        let names = ("task.get", METHOD);
        let recorded = self
            .record_request(scope, names, self.reduced_task(id), found.await, describe)
            .await;
        match recorded {
            Err(unrecorded) => Outcome::Error(unrecorded),
            Ok(Ok(Some(state))) => Outcome::Complete(Completed::Task(state)),
            Ok(Ok(None)) => Outcome::Error(CallError::UnknownTask),
            Ok(Err(failure)) => self.task_failed(METHOD, failure),
        }
    }

    /// Acknowledges input for a task and ignores it, since Watchpost's tasks never request any.
    pub(super) async fn update_task(&self, scope: &WorkspaceScope, id: &str) -> Outcome {
        let is_ours = tasks::belongs_to(&self.cursors, scope, id);
        let outcome = if is_ours {
            AuditOutcome::Ok
        } else {
            AuditOutcome::NotFound
        };
        let recorded = self
            .record_outcome(
                scope,
                ("task.update", "tasks/update"),
                self.reduced_task(id),
                outcome,
            )
            .await;
        match recorded {
            Err(error) => Outcome::Error(error),
            Ok(()) if is_ours => Outcome::Complete(Completed::Acknowledged),
            Ok(()) => Outcome::Error(CallError::UnknownTask),
        }
    }

    /// Cancels a task if that is possible. The use case stores the audit entry of a cancelled scan; otherwise the entry is
    /// stored here.
    pub(super) async fn cancel_task(&self, scope: &WorkspaceScope, id: &str) -> Outcome {
        const METHOD: &str = "tasks/cancel";
        let record = || CallRecord::new("mcp", METHOD, self.reduced_task(id).text());
        let cancelled = tasks::cancel(&self.watchpost, &self.cursors, scope, id, record).await;
        self.replies.invalidate(scope);
        if !matches!(cancelled, Ok(Some(true))) {
            let outcome = match &cancelled {
                Ok(Some(_)) => AuditOutcome::Ok,
                Ok(None) => AuditOutcome::NotFound,
                Err(_) => AuditOutcome::Error,
            };
            let recorded = self
                .record_outcome(scope, ("task.cancel", METHOD), self.reduced_task(id), outcome)
                .await;
            if let Err(error) = recorded {
                return Outcome::Error(error);
            }
        }
        match cancelled {
            Ok(Some(_)) => Outcome::Complete(Completed::Acknowledged),
            Ok(None) => Outcome::Error(CallError::UnknownTask),
            Err(failure) => self.task_failed(METHOD, failure),
        }
    }

    fn task_failed(&self, method: &'static str, failure: Failure) -> Outcome {
        match failure {
            Failure::Internal { source, .. } => self.incident(method, source.as_ref()),
            Failure::User(UserError {
                message,
                outage: Some(outage),
                ..
            }) => {
                self.log_outage(method, outage.source.as_ref());
                Outcome::Error(CallError::Unavailable(message.into()))
            }
            Failure::User(error) => {
                tracing::warn!(
                    method,
                    reason = error.message,
                    "a request about a task could not be answered"
                );
                Outcome::Error(CallError::Internal)
            }
        }
    }
}
