//! Scopes, permissions, authorised writes.

use super::once::Made;
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
        /// Queries, and starting a scan.
        Read = "read",
        /// Actions too.
        Write = "write",
    }
    /// What can be permitted. The one table of who may do what is [`Permission::granted_to`].
    Permission {
        /// Every query.
        ReadPosture = "read_posture",
        /// Start a read-only scan.
        StartScan = "start_scan",
        /// Ask for a sync.
        TriggerSync = "trigger_sync",
        /// Snooze a finding.
        SnoozeFinding = "snooze_finding",
        /// Dismiss a finding.
        DismissFinding = "dismiss_finding",
        /// Put a remediation into the queue for approval.
        RequestRemediation = "request_remediation",
        /// Set an app's policy.
        SetAppPolicy = "set_app_policy",
        /// Resolve or reopen a finding: a person's decision.
        DecideFinding = "decide_finding",
        /// Refuse a remediation.
        DecideRemediation = "decide_remediation",
        /// Create and revoke keys.
        ManageKeys = "manage_keys",
        /// Add, verify, pause, resume and remove integrations.
        ManageIntegrations = "manage_integrations",
        /// Read and export the audit log.
        ReadAudit = "read_audit",
        /// Tag identities (break-glass accounts).
        TagIdentity = "tag_identity",
        /// What only a leased job does: record the end of a sync or an analysis.
        RunJob = "run_job",
        /// Make, switch and delete schedules of scans.
        ManageSchedules = "manage_schedules",
        /// Agree to exemptions and take them back.
        ManageExemptions = "manage_exemptions",
        /// Take in other scanners' result files.
        ImportResults = "import_results",
    }
}

/// Who is acting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// An API key.
    Key {
        /// Its id.
        id: KeyId,
        /// Its scope.
        scope: KeyScope,
    },
    /// The worker, for a job.
    Worker {
        /// The job.
        job: JobId,
    },
    /// The person who opened the file on this machine.
    LocalOperator {
        /// What this process was allowed at its start. The command line has everything; a stdio server has what its
        /// `--scope` gave.
        scope: KeyScope,
        /// Whether it is the command line itself: may manage keys and integrations.
        manages: bool,
    },
}

impl Permission {
    /// Whether an actor has this permission.
    pub const fn granted_to(self, actor: &Actor) -> bool {
        match actor {
            Actor::Key { scope, .. } => self.granted_to_scope(*scope),
            Actor::Worker { .. } => matches!(self, Self::ReadPosture | Self::RunJob),
            Actor::LocalOperator { scope, manages } => {
                self.granted_to_scope(*scope) || (*manages && !matches!(self, Self::RunJob))
            }
        }
    }
    /// Whether a key of this scope has this permission.
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

/// The caller may not do this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not permitted: {0}")]
pub struct Denied(pub Permission);

/// A principal inside one workspace: the proof that a caller may read it.
///
/// Made only by [`crate::access`]; there is no constructor, not even for tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceScope {
    workspace: WorkspaceId,
    actor: Actor,
}

impl WorkspaceScope {
    pub(super) const fn new(workspace: WorkspaceId, actor: Actor) -> Self {
        Self { workspace, actor }
    }
    /// The workspace. For stores to select rows by; no answer shows it.
    pub const fn workspace(&self) -> WorkspaceId {
        self.workspace
    }
    /// Who is acting.
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }
    /// Whether this caller has a permission.
    pub const fn may(&self, permission: Permission) -> bool {
        permission.granted_to(&self.actor)
    }
    /// Demands a permission.
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
    /// Allows a command, or refuses it. The record becomes the change's audit entry.
    ///
    /// # Errors
    /// [`Denied`] with the permission that is missing. The caller records the refusal with
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
    /// The entry of a request that changes nothing: a query, or a refusal.
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

/// Something that changes a workspace.
pub trait Command: Send + Sync {
    /// What the caller needs.
    fn permission(&self) -> Permission;
    /// The audit action, `noun.verb`.
    fn action(&self) -> &'static str;
    /// What it is about.
    fn target(&self) -> AuditTarget;
}

/// A command that was allowed, with the audit entry that must be stored with it. Used once, by value.
#[must_use = "an authorised write does nothing until a store takes it"]
#[derive(Debug)]
pub struct AuthorizedWrite<C> {
    workspace: WorkspaceId,
    command: C,
    entry: PendingEntry,
}

impl<C: Command> AuthorizedWrite<C> {
    /// For stores: the workspace, the command, and the entry to store in the same transaction.
    pub fn open(self) -> (WorkspaceId, C, PendingEntry) {
        (self.workspace, self.command, self.entry)
    }
}

/// The result of a change whose audit entry is stored. Built only by [`PendingEntry::stored`].
#[derive(Debug)]
pub struct Audited<T> {
    made: Made,
    value: T,
}

impl<T> Audited<T> {
    pub(crate) const fn new(made: Made, value: T) -> Self {
        Self { made, value }
    }
    /// The number of the audit row.
    pub const fn seq(&self) -> u64 {
        self.made.seq
    }
    /// How it was stored: whether it was made now or by an earlier call with the same [`super::Once`].
    pub const fn made(&self) -> Made {
        self.made
    }
    /// The result.
    pub fn into_value(self) -> T {
        self.value
    }
}

/// The proof that a job is leased by this process: the bulk writes of a sync and of an analysis take one. They have
/// no entry of their own; the job's end has one, with the counts (see `FinishSync` and `RecordAnalysis`).
#[derive(Debug, Clone)]
pub struct JobPermit {
    scope: WorkspaceScope,
    job: JobId,
}

impl JobPermit {
    pub(super) const fn new(scope: WorkspaceScope, job: JobId) -> Self {
        Self { scope, job }
    }
    /// The worker's scope in the job's workspace.
    pub const fn scope(&self) -> &WorkspaceScope {
        &self.scope
    }
    /// The leased job.
    pub const fn job(&self) -> JobId {
        self.job
    }
}
