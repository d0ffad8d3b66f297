//! Remediations: actions on a finding that were asked for and wait for a person. This version records requests; it
//! carries nothing out.

use crate::{
    access::{Audited, AuthorizedWrite, Command, Permission, WorkspaceScope},
    audit::AuditTarget,
    error::StoreError,
    value::{
        id::{FindingId, RemediationId},
        text::ForeignText,
        time::Timestamp,
        word::{FindingStatus, RemediationState},
    },
};
use async_trait::async_trait;

/// A remediation that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remediation {
    /// Its id.
    pub id: RemediationId,
    /// On which finding.
    pub finding: FindingId,
    /// The finding's sentence when it was asked for.
    pub finding_title: ForeignText,
    /// The action's API name (`suspend_user`).
    pub action: String,
    /// Whom or what it would act on, for people.
    pub target: ForeignText,
    /// State.
    pub state: RemediationState,
    /// The asker's words.
    pub note: Option<ForeignText>,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// Who asked: the acting key's id, or empty for the local operator.
    pub requested_by: String,
    /// When a person decided.
    pub decided_at: Option<Timestamp>,
}

/// Ask for a remediation.
#[derive(Debug)]
pub struct RequestRemediation {
    /// The id it gets.
    pub id: RemediationId,
    /// On which finding. The store checks, inside the transaction, that it is live or snoozed.
    pub finding: FindingId,
    /// The action's API name.
    pub action: String,
    /// The asker's words.
    pub note: Option<ForeignText>,
    /// When.
    pub now: Timestamp,
}

impl Command for RequestRemediation {
    fn permission(&self) -> Permission {
        Permission::RequestRemediation
    }
    fn action(&self) -> &'static str {
        "remediation.requested"
    }
    fn target(&self) -> AuditTarget {
        AuditTarget::new("finding", &self.finding)
    }
}

/// What came of asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemediationOutcome {
    /// It waits for approval now.
    Requested(Box<Remediation>),
    /// The same action on this finding waits already.
    AlreadyWaiting(Box<Remediation>),
    /// The finding is closed.
    FindingClosed(FindingStatus),
    /// There is no such finding.
    NotFound,
}

/// Refuse a remediation.
#[derive(Debug)]
pub struct RejectRemediation {
    /// Which.
    pub id: RemediationId,
    /// When.
    pub now: Timestamp,
}

impl Command for RejectRemediation {
    fn permission(&self) -> Permission {
        Permission::DecideRemediation
    }
    fn action(&self) -> &'static str {
        "remediation.rejected"
    }
    fn target(&self) -> AuditTarget {
        AuditTarget::new("remediation", &self.id)
    }
}

/// What came of refusing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectOutcome {
    /// Refused.
    Rejected,
    /// It was refused already.
    Unchanged,
    /// It is past that.
    NotPossible(RemediationState),
    /// There is no such remediation.
    NotFound,
}

/// Remediations' port.
#[async_trait]
pub trait RemediationStore: Send + Sync {
    /// Records a request as waiting for approval.
    async fn request_remediation(
        &self,
        write: AuthorizedWrite<RequestRemediation>,
    ) -> Result<Audited<RemediationOutcome>, StoreError>;
    /// Refuses one.
    async fn reject_remediation(
        &self,
        write: AuthorizedWrite<RejectRemediation>,
    ) -> Result<Audited<RejectOutcome>, StoreError>;
    /// Remediations, newest first, at most `limit`; only in this state, if given.
    async fn list_remediations(
        &self,
        scope: &WorkspaceScope,
        state: Option<RemediationState>,
        limit: usize,
    ) -> Result<Vec<Remediation>, StoreError>;
    /// One.
    async fn remediation(
        &self,
        scope: &WorkspaceScope,
        id: RemediationId,
    ) -> Result<Option<Remediation>, StoreError>;
}
