//! Scopes, permissions and authorized writes.

use super::once::ChangeReceipt;
use crate::{
    audit::{ActorKind, AuditOutcome, AuditTarget, CallRecord, PendingEntry},
    value::{
        id::{JobId, KeyId, WorkspaceId},
        word::words,
    },
};

words! {
    /// The scope of an API key.
    KeyScope {
        /// Permits queries and starting a scan.
        Read = "read",
        /// Also permits actions.
        Write = "write",
    }
    /// A permission. [`Permission::granted_to`] is the only table of the permissions of each actor.
    Permission {
        /// Run queries.
        ReadPosture = "read_posture",
        /// Start a read-only scan.
        StartScan = "start_scan",
        /// Trigger a sync.
        TriggerSync = "trigger_sync",
        /// Snooze a finding.
        SnoozeFinding = "snooze_finding",
        /// Dismiss a finding.
        DismissFinding = "dismiss_finding",
        /// Request a remediation, which then waits for approval.
        RequestRemediation = "request_remediation",
        /// Set an app's policy.
        SetAppPolicy = "set_app_policy",
        /// Resolve or reopen a finding, which is a person's decision.
        DecideFinding = "decide_finding",
        /// Reject a remediation.
        DecideRemediation = "decide_remediation",
        /// Create and revoke keys.
        ManageKeys = "manage_keys",
        /// Add, verify, pause, resume and remove integrations, and set their credentials.
        ManageIntegrations = "manage_integrations",
        /// Read and export the audit log.
        ReadAudit = "read_audit",
        /// Tag identities (break-glass accounts).
        TagIdentity = "tag_identity",
        /// Record the end of a sync or an analysis, which only a leased job does.
        RunJob = "run_job",
        /// Create, enable, disable and delete schedules of scans.
        ManageSchedules = "manage_schedules",
        /// Create and remove exemptions.
        ManageExemptions = "manage_exemptions",
        /// Import result files of other scanners.
        ImportResults = "import_results",
        /// Confirm that a list at a vendor is as small as it was last read.
        ConfirmShrink = "confirm_shrink",
    }
}

/// The actor of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// An API key.
    Key {
        /// The key's id.
        id: KeyId,
        /// The key's scope.
        scope: KeyScope,
    },
    /// The worker, on behalf of a job.
    Worker {
        /// The job.
        job: JobId,
    },
    /// The person who opened the file on this machine.
    LocalOperator {
        /// The scope given to this process at its start. The command line has every scope; a stdio server has the
        /// scope of its `--scope` option.
        scope: KeyScope,
        /// Whether the process is the command line itself, which may manage keys and integrations.
        manages: bool,
    },
}

impl Permission {
    /// Returns whether an actor has this permission.
    pub const fn granted_to(self, actor: &Actor) -> bool {
        match actor {
            Actor::Key { scope, .. } => self.granted_to_scope(*scope),
            Actor::Worker { .. } => matches!(self, Self::ReadPosture | Self::RunJob),
            Actor::LocalOperator { scope, manages } => {
                self.granted_to_scope(*scope) || (*manages && !matches!(self, Self::RunJob))
            }
        }
    }
    /// Returns whether a key with this scope has this permission.
    pub const fn granted_to_scope(self, scope: KeyScope) -> bool {
        match self {
            Self::ReadPosture | Self::StartScan => true,
            Self::TriggerSync
            | Self::SnoozeFinding
            | Self::DismissFinding
            | Self::RequestRemediation
            | Self::SetAppPolicy => matches!(scope, KeyScope::Write),
            _ => false,
        }
    }
}

/// The error of a caller that lacks a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not permitted: {0}")]
pub struct Denied(pub Permission);

/// An actor inside one workspace: the proof that a caller may read it.
///
/// Created only by [`crate::access`]; there is no other constructor, not even for tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceScope {
    workspace: WorkspaceId,
    actor: Actor,
}

impl WorkspaceScope {
    pub(super) const fn new(workspace: WorkspaceId, actor: Actor) -> Self {
        Self { workspace, actor }
    }
    /// Returns the workspace. Stores use it to select rows; it is never shown to a caller.
    pub const fn workspace(&self) -> WorkspaceId {
        self.workspace
    }
    /// Returns the actor.
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }
    /// Returns whether this caller has a permission.
    pub const fn may(&self, permission: Permission) -> bool {
        permission.granted_to(&self.actor)
    }
    /// Requires a permission.
    ///
    /// # Errors
    /// [`Denied`] if the caller doesn't have it.
    pub fn require(&self, permission: Permission) -> Result<(), Denied> {
        if self.may(permission) {
            Ok(())
        } else {
            Err(Denied(permission))
        }
    }
    /// Authorizes a command. The record becomes the change's audit entry.
    ///
    /// # Errors
    /// [`Denied`] with the missing permission. The caller records the denied request with
    /// [`WorkspaceScope::observe`].
    pub fn authorize<C: Command>(&self, command: C, call: CallRecord) -> Result<AuthorizedWrite<C>, Denied> {
        self.require(command.permission())?;
        let mut entry = self.observe(command.action(), command.target(), AuditOutcome::Ok, call);
        entry.change = true;
        Ok(AuthorizedWrite {
            workspace: self.workspace,
            command,
            entry,
        })
    }
    /// Creates the audit entry of a request that changes nothing: a query or a denied request.
    pub fn observe(
        &self,
        action: &'static str,
        target: AuditTarget,
        outcome: AuditOutcome,
        call: CallRecord,
    ) -> PendingEntry {
        let (actor_kind, actor_id) = match &self.actor {
            Actor::Key { id, .. } => (ActorKind::Key, id.to_string()),
            Actor::Worker { job } => (ActorKind::Worker, job.to_string()),
            Actor::LocalOperator { .. } => (ActorKind::LocalOperator, String::new()),
        };
        PendingEntry {
            workspace: self.workspace,
            actor_kind,
            actor_id,
            action,
            target,
            outcome,
            call,
            change: false,
        }
    }
}

/// A change to a workspace.
pub trait Command: Send + Sync {
    /// Returns the permission that the caller needs.
    fn permission(&self) -> Permission;
    /// Returns the audit action as `noun.verb`.
    fn action(&self) -> &'static str;
    /// Returns the entity that the command changes.
    fn target(&self) -> AuditTarget;
}

/// An authorized command together with the audit entry that must be stored with it. Used once, by value.
#[must_use = "an authorized write does nothing until a store takes it"]
#[derive(Debug)]
pub struct AuthorizedWrite<C> {
    workspace: WorkspaceId,
    command: C,
    entry: PendingEntry,
}

impl<C: Command> AuthorizedWrite<C> {
    /// Returns the workspace, the command, and the entry to store in the same transaction. For stores.
    pub fn open(self) -> (WorkspaceId, C, PendingEntry) {
        (self.workspace, self.command, self.entry)
    }
}

/// The result of a change whose audit entry is stored. Built only by [`PendingEntry::stored`] and
/// [`PendingEntry::stored_again`].
#[derive(Debug)]
pub struct Audited<T> {
    receipt: ChangeReceipt,
    value: T,
}

impl<T> Audited<T> {
    pub(crate) const fn new(receipt: ChangeReceipt, value: T) -> Self {
        Self { receipt, value }
    }
    /// Returns the sequence number of the audit row.
    pub const fn seq(&self) -> u64 {
        self.receipt.seq
    }
    /// Returns whether the change was made now or by an earlier call with the same [`super::OnceToken`].
    pub const fn receipt(&self) -> ChangeReceipt {
        self.receipt
    }
    /// Returns the result.
    pub fn into_value(self) -> T {
        self.value
    }
}

/// The proof that this process has leased a job. The bulk writes of a sync or an analysis take one. They have no
/// audit entry of their own; the end of the job has one, with the counts (see `FinishSync` and `RecordAnalysis`).
#[derive(Debug, Clone)]
pub struct JobPermit {
    scope: WorkspaceScope,
    job: JobId,
}

impl JobPermit {
    pub(super) const fn new(scope: WorkspaceScope, job: JobId) -> Self {
        Self { scope, job }
    }
    /// Returns the worker's scope in the job's workspace.
    pub const fn scope(&self) -> &WorkspaceScope {
        &self.scope
    }
    /// Returns the leased job.
    pub const fn job(&self) -> JobId {
        self.job
    }
}
