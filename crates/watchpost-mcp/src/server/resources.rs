//! `resources/list` and `resources/read`.

use super::McpServer;
use crate::{arguments::Reduced, resources::ReadError};
use watchpost_core::{
    access::WorkspaceScope,
    audit::{AuditOutcome, AuditTarget},
};
use watchpost_protocol::{CallError, Completed, Outcome};

impl McpServer {
    pub(super) async fn list_resources(&self, scope: &WorkspaceScope) -> Outcome {
        const WHAT: &str = "resources/list";
        match crate::resources::list(&self.watchpost, scope).await {
            Ok(page) => Outcome::Complete(Completed::Resources(page)),
            Err(error) => self.incident(WHAT, &error),
        }
    }

    /// Reading is audited like a query; what can't be read is told apart from what failed.
    pub(super) async fn read_resource(&self, scope: &WorkspaceScope, uri: &str) -> Outcome {
        const WHAT: &str = "resources/read";
        let read = crate::resources::read(self.caller(scope), uri).await;
        let (target, outcome) = match &read {
            Ok((_, target)) => (target.clone(), AuditOutcome::Ok),
            Err(ReadError::NotFound) => (AuditTarget::default(), AuditOutcome::NotFound),
            Err(ReadError::Denied) => (AuditTarget::default(), AuditOutcome::Denied),
            Err(ReadError::Failed(_)) => (AuditTarget::default(), AuditOutcome::Error),
        };
        let mut reduced = Reduced::new(&self.audit_key);
        reduced.secret("uri", uri);
        let recorded = self
            .record_request(scope, ("resource.read", WHAT), target, outcome, reduced)
            .await;
        if let Err(error) = recorded {
            return Outcome::Error(error);
        }
        match read {
            Ok((text, _)) => Outcome::Complete(Completed::Resource(text)),
            Err(ReadError::Failed(error)) => self.incident(WHAT, error.as_ref()),
            // The same answer for what doesn't exist and for what isn't theirs.
            Err(ReadError::NotFound | ReadError::Denied) => Outcome::Error(CallError::UnknownResource),
        }
    }
}
