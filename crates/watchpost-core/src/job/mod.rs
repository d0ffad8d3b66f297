//! Work in the background: jobs are rows, leased with a heartbeat, so that several processes on one store never run
//! one twice and a killed one's job is taken up again. Handlers look at the whole state and are idempotent.

mod lease;
mod queue;
mod schedule;

pub use lease::{
    ATTEMPTS_MAX, DueJob, ENDED_KEPT_MS, Ended, INTERRUPTED, KEY_NOT_ACTIVE, LEASE_MS, RETRY_AFTER_MS,
    TakeUp, decide_end, decide_take_up, retry_at,
};
pub use queue::{Enqueue, decide_enqueue};
pub use schedule::sync_due_at;

use crate::{
    access::{Audited, AuthorizedWrite, Command, Permission, WorkspaceScope},
    audit::{AuditOutcome, AuditTarget},
    error::StoreError,
    integration::Integration,
    value::{
        id::{IntegrationId, JobId, ScanId, WorkspaceId},
        text::ForeignText,
        time::Timestamp,
        word::{Platform, RunState, words},
    },
};
use async_trait::async_trait;

words! {
    /// What a job does.
    JobKind {
        /// Read one integration. Its subject is the integration.
        Sync = "sync",
        /// Run the rules and reconcile the findings.
        Analyse = "analyse",
        /// Wake findings whose snooze is over.
        WakeSnoozed = "wake_snoozed",
        /// Run the checks of a type against an integration. Its subject is the scan.
        Scan = "scan",
    }
}

/// A job of the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRow {
    /// Its id.
    pub id: JobId,
    /// What it does.
    pub kind: JobKind,
    /// The integration of a sync.
    pub integration: Option<IntegrationId>,
    /// The scan of a scan.
    pub scan: Option<ScanId>,
    /// State.
    pub state: RunState,
    /// Times it was taken up.
    pub attempts: u32,
    /// When it was queued.
    pub queued_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Why it failed, in our own words.
    pub reason: Option<String>,
    /// What it has done so far, for people (`1,200 users read`).
    pub progress: Option<String>,
}

/// What a store gives of a job that it has leased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseRow {
    /// The job's workspace.
    pub workspace: WorkspaceId,
    /// The job.
    pub job: JobRow,
}

/// A job that this process has leased. Made only by [`JobAuthority::lease`](crate::access::JobAuthority::lease).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeasedJob {
    workspace: WorkspaceId,
    row: JobRow,
}

impl LeasedJob {
    pub(crate) fn new(lease: LeaseRow) -> Self {
        Self {
            workspace: lease.workspace,
            row: lease.job,
        }
    }
    /// Its workspace.
    pub const fn workspace(&self) -> WorkspaceId {
        self.workspace
    }
    /// Its id.
    pub const fn id(&self) -> JobId {
        self.row.id
    }
    /// The row.
    pub const fn row(&self) -> &JobRow {
        &self.row
    }
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobEnd {
    /// Done.
    Completed,
    /// Failed; tried again until [`ATTEMPTS_MAX`], not before the given time.
    Failed {
        /// Why, in our own words.
        reason: String,
        /// Whether another try can help.
        retry_at: Option<Timestamp>,
    },
}

/// A workspace as the instance sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceRow {
    /// Its id.
    pub id: WorkspaceId,
    /// Its name, unique in the instance.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What belongs to no workspace: leases, workspaces, schedules. One of the two ports without a scope; only
/// `core::job` and the runtime use it.
#[async_trait]
pub trait InstanceStore: Send + Sync {
    /// All workspaces by name.
    async fn workspaces(&self) -> Result<Vec<WorkspaceRow>, StoreError>;
    /// Makes a workspace with its genesis audit entry. `Conflict` if the name is taken.
    async fn create_workspace(&self, row: &WorkspaceRow) -> Result<(), StoreError>;
    /// Leases the oldest job that is due (queued, or its lease ran out), for [`LEASE_MS`]. `owner` names the process.
    /// Called through [`JobAuthority::lease`](crate::access::JobAuthority::lease), which makes a [`LeasedJob`] of it.
    async fn lease_job(&self, owner: &str, now: Timestamp) -> Result<Option<LeaseRow>, StoreError>;
    /// Prolongs a lease and shows progress. `false`: the lease is lost and the work must stop.
    async fn heartbeat(
        &self,
        job: &LeasedJob,
        owner: &str,
        progress: Option<&str>,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
    /// Ends a leased job. A lease that was lost ends nothing.
    async fn finish_job(
        &self,
        job: &LeasedJob,
        owner: &str,
        end: JobEnd,
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// Queues what is due by schedule: a sync of each active integration whose last one began `sync_every_ms` ago
    /// (spread by a part of its id, so that they don't start together), a wake-up where a snooze is over, and the scans
    /// of schedules that are due (whose next time is moved on, past now; a scan of the integration that is under way
    /// makes it pass over this once).
    /// Gives how many jobs it queued.
    async fn enqueue_due(&self, sync_every_ms: i64, now: Timestamp) -> Result<u64, StoreError>;
    /// When the next job or schedule is due, to wait until then; `None` if nothing is in sight.
    async fn next_due(&self, sync_every_ms: i64, now: Timestamp) -> Result<Option<Timestamp>, StoreError>;
    /// A number that any change of any workspace's data moves, also by another process: so that waiting needs no
    /// polling of tables.
    async fn data_version(&self) -> Result<u64, StoreError>;
    /// Whether reads and writes work right now (for readiness): does a real write of its own.
    async fn check_ready(&self, now: Timestamp) -> Result<(), StoreError>;
}

/// Ask for a sync of every active integration, or of one.
#[derive(Debug)]
pub struct TriggerSync {
    /// Only this one.
    pub integration: Option<IntegrationId>,
    /// Only of this platform.
    pub platform: Option<Platform>,
    /// Ids for the jobs to make; as many as there may be integrations (at most 100).
    pub jobs: Vec<JobId>,
    /// When.
    pub now: Timestamp,
}

impl Command for TriggerSync {
    fn permission(&self) -> Permission {
        Permission::TriggerSync
    }
    fn action(&self) -> &'static str {
        "sync.triggered"
    }
    fn target(&self) -> AuditTarget {
        self.integration
            .map_or_else(AuditTarget::default, |id| AuditTarget::new("integration", &id))
    }
}

impl TriggerSync {
    /// Whether an integration is among those that are asked for: active ones that syncs read.
    pub fn selects(&self, integration: &Integration) -> bool {
        integration.takes_syncs()
            && self.integration.is_none_or(|id| id == integration.id)
            && self
                .platform
                .is_none_or(|platform| platform == integration.platform)
    }
    /// How the audit entry ends.
    pub fn audit_outcome(triggered: &[TriggeredSync]) -> AuditOutcome {
        if triggered.is_empty() {
            AuditOutcome::NotFound
        } else if triggered.iter().any(|part| part.is_new) {
            AuditOutcome::Ok
        } else {
            AuditOutcome::Unchanged
        }
    }
}

/// One integration's part of a triggered sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriggeredSync {
    /// The integration.
    pub integration: IntegrationId,
    /// Its platform.
    pub platform: Platform,
    /// Its name.
    pub name: ForeignText,
    /// The job: new, or the one that was queued or running already.
    pub job: JobId,
    /// Whether the job is new.
    pub is_new: bool,
}

/// Jobs of a workspace.
#[async_trait]
pub trait JobStore: Send + Sync {
    /// Queues a sync for each integration that is active and has none queued or running. Empty if none is active.
    async fn trigger_sync(
        &self,
        write: AuthorizedWrite<TriggerSync>,
    ) -> Result<Audited<Vec<TriggeredSync>>, StoreError>;
    /// One job.
    async fn job(&self, scope: &WorkspaceScope, id: JobId) -> Result<Option<JobRow>, StoreError>;
    /// Jobs that are queued or running, oldest first, at most 100.
    async fn unfinished_jobs(&self, scope: &WorkspaceScope) -> Result<Vec<JobRow>, StoreError>;
}
