//! `resources/list` and `resources/read`.

use super::McpServer;
use crate::{arguments::Reduced, resources::ReadError};
use watchpost_core::{
    access::WorkspaceScope,
    audit::{AuditOutcome, AuditTarget},
    error::Error,
    service::Unrecorded,
};
use watchpost_protocol::{CallError, Completed, Outcome};

/// The audit action and the method of a listing.
const LIST: (&str, &str) = ("resource.listed", "resources/list");
/// The audit action and the method of a read.
const READ: (&str, &str) = ("resource.read", "resources/read");

impl McpServer {
    /// Lists the resources. The list names the latest scans, so it has an audit entry.
    pub(super) async fn list_resources(&self, scope: &WorkspaceScope) -> Outcome {
        let read = crate::resources::list(&self.watchpost, scope).await;
        let reduced = Reduced::new(&self.audit_key);
        let describe = |read: &Result<_, Error>| {
            let outcome = read.as_ref().map_or_else(Error::outcome, |_| AuditOutcome::Ok);
            (AuditTarget::default(), outcome)
        };
        match self.record_request(scope, LIST, reduced, read, describe).await {
            Err(unrecorded) => Outcome::Error(unrecorded),
            Ok(Ok(page)) => Outcome::Complete(Completed::Resources(page)),
            Ok(Err(error)) => self.incident(LIST.1, &error),
        }
    }

    /// Reads a resource. Each read has an audit entry, whose outcome distinguishes unknown, denied and failed ones.
    pub(super) async fn read_resource(&self, scope: &WorkspaceScope, uri: &str) -> Outcome {
        let read =
            Unrecorded::gather(async |reader| crate::resources::read(self.caller(scope, reader), uri).await)
                .await;
        let mut reduced = Reduced::new(&self.audit_key);
        reduced.secret("uri", uri);
        let describe = |read: &Result<(_, AuditTarget), ReadError>| match read {
            Ok((_, target)) => (target.clone(), AuditOutcome::Ok),
            Err(ReadError::NotFound) => (AuditTarget::default(), AuditOutcome::NotFound),
            Err(ReadError::Denied) => (AuditTarget::default(), AuditOutcome::Denied),
            Err(ReadError::Failed(_)) => (AuditTarget::default(), AuditOutcome::Error),
        };
        match self.record_request(scope, READ, reduced, read, describe).await {
            Err(unrecorded) => Outcome::Error(unrecorded),
            Ok(Ok((text, _))) => Outcome::Complete(Completed::Resource(text)),
            Ok(Err(ReadError::Failed(error))) => self.incident(READ.1, error.as_ref()),
            // A denied resource is reported as unknown, so that its existence isn't disclosed.
            Ok(Err(ReadError::NotFound | ReadError::Denied)) => Outcome::Error(CallError::UnknownResource),
        }
    }
}
