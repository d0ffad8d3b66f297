//! `tasks/get`, `tasks/update` and `tasks/cancel`.

use super::McpServer;
use crate::{arguments::Reduced, error::Failure, tasks};
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
        const WHAT: &str = "tasks/get";
        let found = Unrecorded::gather(async |reader| tasks::state(self.caller(scope, reader), id).await);
        let describe = |found: &Result<Option<_>, Failure>| {
            let outcome = match found {
                Ok(Some(_)) => AuditOutcome::Ok,
                Ok(None) => AuditOutcome::NotFound,
                Err(_) => AuditOutcome::Error,
            };
            (AuditTarget::default(), outcome)
        };
        let what = ("task.get", WHAT);
        let recorded = self
            .record_request(scope, what, self.reduced_task(id), found.await, describe)
            .await;
        match recorded {
            Err(unrecorded) => Outcome::Error(unrecorded),
            Ok(Ok(Some(state))) => Outcome::Complete(Completed::Task(state)),
            Ok(Ok(None)) => Outcome::Error(CallError::UnknownTask),
            Ok(Err(failure)) => self.task_failed(WHAT, failure),
        }
    }

    /// No task of ours asks anything, so answers to it are none of anything.
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

    /// A wish: the change's entry is the call's, and where nothing can be ended the call has one of its own.
    pub(super) async fn cancel_task(&self, scope: &WorkspaceScope, id: &str) -> Outcome {
        const WHAT: &str = "tasks/cancel";
        let record = || CallRecord::new("mcp", WHAT, self.reduced_task(id).finish());
        let cancelled = tasks::cancel(&self.watchpost, &self.cursors, scope, id, record).await;
        self.replies.invalidate(scope);
        if !matches!(cancelled, Ok(Some(true))) {
            let outcome = match &cancelled {
                Ok(Some(_)) => AuditOutcome::Ok,
                Ok(None) => AuditOutcome::NotFound,
                Err(_) => AuditOutcome::Error,
            };
            let recorded = self
                .record_outcome(scope, ("task.cancel", WHAT), self.reduced_task(id), outcome)
                .await;
            if let Err(error) = recorded {
                return Outcome::Error(error);
            }
        }
        match cancelled {
            Ok(Some(_)) => Outcome::Complete(Completed::Acknowledged),
            Ok(None) => Outcome::Error(CallError::UnknownTask),
            Err(failure) => self.task_failed(WHAT, failure),
        }
    }

    fn task_failed(&self, what: &'static str, failure: Failure) -> Outcome {
        match failure {
            Failure::Internal { source, .. } => self.incident(what, source.as_ref()),
            Failure::User(error) => {
                tracing::warn!(what, reason = error.message, "a task could not be answered");
                Outcome::Error(CallError::Internal)
            }
        }
    }
}
