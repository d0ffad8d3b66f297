//! Remediations: requested actions on a finding that wait for a person's approval. This version records requests
//! and executes none of them.

use crate::{
    access::{Audited, AuthorizedWrite, Command, Permission, WorkspaceScope},
    audit::{AuditOutcome, AuditTarget},
    error::StoreError,
    finding::FindingSummary,
    value::{
        id::{FindingId, RemediationId},
        text::ForeignText,
        time::Timestamp,
        word::{FindingStatus, RemediationState},
    },
};
use async_trait::async_trait;

/// A requested remediation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remediation {
    /// The remediation's id.
    pub id: RemediationId,
    /// The finding.
    pub finding: FindingId,
    /// The finding's title at the time of the request.
    pub finding_title: ForeignText,
    /// The action's API name (`suspend_user`).
    pub action: String,
    /// The display name of the entity that the action would affect.
    pub target: ForeignText,
    /// The state.
    pub state: RemediationState,
    /// The requester's note.
    pub note: Option<ForeignText>,
    /// The time of the request.
    pub requested_at: Timestamp,
    /// The requester: the id of the key, or empty for the local operator.
    pub requested_by: String,
    /// The time of a person's decision.
    pub decided_at: Option<Timestamp>,
}

/// Requests a remediation.
#[derive(Debug)]
pub struct RequestRemediation {
    /// The id of the new remediation.
    pub id: RemediationId,
    /// The finding. The store checks inside the transaction that it is live or snoozed.
    pub finding: FindingId,
    /// The action's API name.
    pub action: String,
    /// The requester's note.
    pub note: Option<ForeignText>,
    /// The current time.
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

/// The outcome of [`RequestRemediation`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemediationOutcome {
    /// The remediation now waits for approval.
    Requested(Box<Remediation>),
    /// The same action on this finding waits for approval already.
    AlreadyWaiting(Box<Remediation>),
    /// The finding is closed.
    FindingClosed(FindingStatus),
    /// The workspace has no such finding.
    NotFound,
}

/// Rejects a remediation.
#[derive(Debug)]
pub struct RejectRemediation {
    /// The remediation.
    pub id: RemediationId,
    /// The current time.
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

/// The outcome of [`RejectRemediation`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectOutcome {
    /// The remediation was rejected.
    Rejected,
    /// The remediation had been rejected before.
    Unchanged,
    /// The remediation can't be rejected in this state.
    NotPossible(RemediationState),
    /// The workspace has no such remediation.
    NotFound,
}

/// Returns the name and email address of the entity that an action on a finding would affect.
pub fn target_of(finding: &FindingSummary) -> ForeignText {
    match &finding.subject.email {
        Some(email) if finding.subject.name.is_empty() => ForeignText::name(email),
        Some(email) => ForeignText::sentence(&format!("{} ({email})", finding.subject.name.untrusted())),
        None => finding.subject.name.clone(),
    }
}

/// Decides a [`RequestRemediation`]. `finding` is `None` if there is no such finding, `waiting` is a remediation
/// with the same action on it that waits for approval already, and `requested_by` is the requester as in
/// [`Remediation`].
pub fn decide_request(
    command: RequestRemediation,
    finding: Option<FindingSummary>,
    waiting: Option<Remediation>,
    requested_by: String,
) -> RemediationOutcome {
    let Some(finding) = finding else {
        return RemediationOutcome::NotFound;
    };
    if !finding.status.can_end() {
        return RemediationOutcome::FindingClosed(finding.status);
    }
    if let Some(waiting) = waiting {
        return RemediationOutcome::AlreadyWaiting(Box::new(waiting));
    }
    RemediationOutcome::Requested(Box::new(Remediation {
        id: command.id,
        finding: command.finding,
        target: target_of(&finding),
        finding_title: finding.title,
        action: command.action,
        state: RemediationState::PendingApproval,
        note: command.note,
        requested_at: command.now,
        requested_by,
        decided_at: None,
    }))
}

/// Decides a [`RejectRemediation`]. `current` is the state, or `None` if there is no such remediation.
pub const fn decide_rejection(current: Option<RemediationState>) -> RejectOutcome {
    match current {
        None => RejectOutcome::NotFound,
        Some(RemediationState::Rejected) => RejectOutcome::Unchanged,
        Some(RemediationState::PendingApproval) => RejectOutcome::Rejected,
        Some(state) => RejectOutcome::NotPossible(state),
    }
}

impl RemediationOutcome {
    /// Returns the outcome for the audit entry.
    pub const fn audit_outcome(&self) -> AuditOutcome {
        match self {
            Self::Requested(_) => AuditOutcome::Ok,
            Self::AlreadyWaiting(_) => AuditOutcome::Unchanged,
            Self::FindingClosed(_) => AuditOutcome::Conflict,
            Self::NotFound => AuditOutcome::NotFound,
        }
    }
}

impl RejectOutcome {
    /// Returns the outcome for the audit entry.
    pub const fn audit_outcome(self) -> AuditOutcome {
        match self {
            Self::Rejected => AuditOutcome::Ok,
            Self::Unchanged => AuditOutcome::Unchanged,
            Self::NotPossible(_) => AuditOutcome::Conflict,
            Self::NotFound => AuditOutcome::NotFound,
        }
    }
}

/// Storage of remediations.
#[async_trait]
pub trait RemediationStore: Send + Sync {
    /// Records a request that waits for approval.
    async fn request_remediation(
        &self,
        write: AuthorizedWrite<RequestRemediation>,
    ) -> Result<Audited<RemediationOutcome>, StoreError>;
    /// Rejects a remediation.
    async fn reject_remediation(
        &self,
        write: AuthorizedWrite<RejectRemediation>,
    ) -> Result<Audited<RejectOutcome>, StoreError>;
    /// Returns at most `limit` remediations, newest first; only those in `state`, if given.
    async fn list_remediations(
        &self,
        scope: &WorkspaceScope,
        state: Option<RemediationState>,
        limit: usize,
    ) -> Result<Vec<Remediation>, StoreError>;
    /// Returns one remediation.
    async fn remediation(
        &self,
        scope: &WorkspaceScope,
        id: RemediationId,
    ) -> Result<Option<Remediation>, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        finding::Subject,
        rule::document::EntityRef,
        value::{
            id::IdentityId,
            word::{Category, Severity},
        },
    };

    fn finding(status: FindingStatus, name: &str, email: Option<&str>) -> FindingSummary {
        FindingSummary {
            id: FindingId::from_bytes([1; 16]),
            title: ForeignText::sentence("Somebody has no second factor."),
            severity: Severity::High,
            category: Category::IdentitySecurity,
            status,
            rule_id: "r".into(),
            also: Vec::new(),
            service: None,
            scored: true,
            subject: Subject {
                entity: EntityRef::Identity(IdentityId::from_bytes([2; 16])),
                name: ForeignText::name(name),
                email: email.map(str::to_owned),
            },
            apps: Vec::new(),
            first_seen_at: Timestamp::default(),
        }
    }

    fn ask(finding: Option<FindingSummary>, waiting: Option<Remediation>) -> RemediationOutcome {
        let command = RequestRemediation {
            id: RemediationId::from_bytes([3; 16]),
            finding: FindingId::from_bytes([1; 16]),
            action: "suspend_user".into(),
            note: None,
            now: Timestamp::from_millis(7),
        };
        decide_request(command, finding, waiting, "key".into())
    }

    #[test]
    fn an_action_is_requested_once_and_only_on_a_finding_that_is_not_closed() {
        use FindingStatus::{Dismissed, InProgress, Open, Resolved, Snoozed};
        assert_eq!(ask(None, None), RemediationOutcome::NotFound);
        for status in [Dismissed, Resolved] {
            assert_eq!(
                ask(Some(finding(status, "Ann", None)), None),
                RemediationOutcome::FindingClosed(status)
            );
        }
        for status in [Open, InProgress, Snoozed] {
            let asked = ask(Some(finding(status, "Ann", Some("ann@birch.example"))), None);
            let RemediationOutcome::Requested(made) = asked else {
                panic!("{asked:?}");
            };
            assert_eq!(made.state, RemediationState::PendingApproval);
            assert_eq!(made.target.untrusted(), "Ann (ann@birch.example)");
            let again = ask(Some(finding(status, "Ann", None)), Some((*made).clone()));
            assert_eq!(again, RemediationOutcome::AlreadyWaiting(made));
        }
        let nameless = finding(Open, "", Some("ann@birch.example"));
        assert_eq!(target_of(&nameless).untrusted(), "ann@birch.example");
    }

    #[test]
    fn only_a_remediation_that_waits_for_approval_can_be_rejected() {
        for (current, expected) in [
            (None, RejectOutcome::NotFound),
            (Some(RemediationState::PendingApproval), RejectOutcome::Rejected),
            (Some(RemediationState::Rejected), RejectOutcome::Unchanged),
            (
                Some(RemediationState::Executed),
                RejectOutcome::NotPossible(RemediationState::Executed),
            ),
        ] {
            assert_eq!(decide_rejection(current), expected);
        }
    }
}
