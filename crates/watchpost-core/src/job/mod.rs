//! Background work. Jobs are rows that are leased with a heartbeat, so that several processes on one store never
//! run a job twice, and another process takes over the job of a killed one. Handlers read the whole state and are
//! idempotent.

mod lease;
mod queue;
mod schedule;

pub use lease::{
    ATTEMPTS_MAX, AttemptEnd, DueJob, ENDED_KEPT_MS, INTERRUPTED, KEY_NOT_ACTIVE, LEASE_MS, LeaseDecision,
    RETRY_AFTER_MS, decide_end, decide_lease, retry_at,
};
pub use queue::{Enqueue, decide_enqueue};
pub use schedule::sync_due_at;

use crate::{
    access::{Audited, AuthorizedWrite, Command, Permission, WorkspaceScope},
    audit::{AuditOutcome, AuditTarget, checkpoint::ChainHead},
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
    /// The work that a job does.
    JobKind {
        /// Syncs one integration, which is the subject.
        Sync = "sync",
        /// Runs the rules and reconciles the findings.
        Analyse = "analyse",
        /// Reopens findings whose snooze is over.
        WakeSnoozed = "wake_snoozed",
        /// Runs the checks of a type against an integration. The subject is the scan.
        Scan = "scan",
    }
}

/// A job in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRow {
    /// The job's id.
    pub id: JobId,
    /// The kind of work.
    pub kind: JobKind,
    /// The integration to sync.
    pub integration: Option<IntegrationId>,
    /// The scan to run.
    pub scan: Option<ScanId>,
    /// The state.
    pub state: RunState,
    /// The number of attempts so far.
    pub attempts: u32,
    /// The time at which the job was queued.
    pub queued_at: Timestamp,
    /// The time at which the job ended.
    pub finished_at: Option<Timestamp>,
    /// The reason for the failure, written by Watchpost and not by a vendor.
    pub reason: Option<String>,
    /// The progress so far, for people (`1,200 users read`).
    pub progress: Option<String>,
}

/// A job that a store has leased, with its workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseRow {
    /// The job's workspace.
    pub workspace: WorkspaceId,
    /// The job.
    pub job: JobRow,
}

/// A job that this process has leased. Created only by
/// [`JobAuthority::lease`](crate::access::JobAuthority::lease).
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
    /// Returns the job's workspace.
    pub const fn workspace(&self) -> WorkspaceId {
        self.workspace
    }
    /// Returns the job's id.
    pub const fn id(&self) -> JobId {
        self.row.id
    }
    /// Returns the job's row.
    pub const fn row(&self) -> &JobRow {
        &self.row
    }
}

/// The result of one attempt at a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobEnd {
    /// The work is done.
    Completed,
    /// The attempt failed. The job is retried at the given time, up to [`ATTEMPTS_MAX`] attempts.
    Failed {
        /// The reason, written by Watchpost and not by a vendor.
        reason: String,
        /// The earliest time of the next attempt; `None` if a retry can't help.
        retry_at: Option<Timestamp>,
    },
}

/// A workspace of the instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceRow {
    /// The workspace's id.
    pub id: WorkspaceId,
    /// The workspace's name, unique in the instance.
    pub name: String,
    /// The time of creation.
    pub created_at: Timestamp,
}

/// Storage of what belongs to no workspace: leases, workspaces and schedules. One of the two ports without a
/// scope: only `core::job` and the runtime use it.
#[async_trait]
pub trait InstanceStore: Send + Sync {
    /// Returns all workspaces, ordered by name.
    async fn workspaces(&self) -> Result<Vec<WorkspaceRow>, StoreError>;
    /// Creates a workspace with its genesis audit entry. Fails with `Conflict` if the name is taken.
    async fn create_workspace(&self, row: &WorkspaceRow) -> Result<(), StoreError>;
    /// Leases the oldest job that is due (queued, or with an expired lease) for [`LEASE_MS`]. `owner` names the
    /// process. Called through [`JobAuthority::lease`](crate::access::JobAuthority::lease), which returns a
    /// [`LeasedJob`].
    async fn lease_job(&self, owner: &str, now: Timestamp) -> Result<Option<LeaseRow>, StoreError>;
    /// Extends a lease and stores the progress. Returns `false` if the lease is lost and the work must stop.
    async fn heartbeat(
        &self,
        job: &LeasedJob,
        owner: &str,
        progress: Option<&str>,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
    /// Ends a leased job. Does nothing if the lease is lost.
    async fn finish_job(
        &self,
        job: &LeasedJob,
        owner: &str,
        end: JobEnd,
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// Queues everything that is due, and returns the number of queued jobs:
    /// - a sync of each active integration whose last sync began `sync_every_ms` ago (spread by a part of its id,
    ///   so that the syncs don't start at the same time);
    /// - a job that reopens findings, if a snooze is over;
    /// - the scans of due schedules, whose next time is then set to a time after `now`. If a scan of the
    ///   integration is in progress, the schedule skips this one.
    async fn enqueue_due(&self, sync_every_ms: i64, now: Timestamp) -> Result<u64, StoreError>;
    /// Returns the time at which the next job or schedule is due; `None` if none is.
    async fn next_due(&self, sync_every_ms: i64, now: Timestamp) -> Result<Option<Timestamp>, StoreError>;
    /// Returns a number that changes with every change of any workspace's data, including changes by other
    /// processes, so that waiting needs no polling of tables.
    async fn data_version(&self) -> Result<u64, StoreError>;
    /// Returns the head of each workspace's audit chain with the generation of its keys, ordered by workspace, all in one
    /// state of the store. With `durable`, everything that they stand for survives a power cut once this returns.
    async fn chain_heads(&self, durable: bool) -> Result<Vec<ChainHead>, StoreError>;
    /// Checks that durable writes and reads work right now, by a write of its own that doesn't grow the store. For the
    /// readiness probe.
    async fn check_ready(&self, now: Timestamp) -> Result<(), StoreError>;
}

/// Triggers a sync of one integration or of every active one.
#[derive(Debug)]
pub struct TriggerSync {
    /// Only this integration.
    pub integration: Option<IntegrationId>,
    /// Only integrations of this platform.
    pub platform: Option<Platform>,
    /// Ids for the new jobs, one for each possible integration (at most 100).
    pub jobs: Vec<JobId>,
    /// The current time.
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
    /// Returns whether an integration is selected by the request. It must be active and of a platform that syncs
    /// read.
    pub fn selects(&self, integration: &Integration) -> bool {
        integration.is_synced()
            && self.integration.is_none_or(|id| id == integration.id)
            && self
                .platform
                .is_none_or(|platform| platform == integration.platform)
    }
    /// Returns the outcome for the audit entry.
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

/// The job of one integration in a triggered sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriggeredSync {
    /// The integration.
    pub integration: IntegrationId,
    /// The integration's platform.
    pub platform: Platform,
    /// The integration's name.
    pub name: ForeignText,
    /// The job: a new one, or the one that was queued or in progress already.
    pub job: JobId,
    /// Whether the job is new.
    pub is_new: bool,
}

/// Storage of a workspace's jobs.
#[async_trait]
pub trait JobStore: Send + Sync {
    /// Queues a sync for each active integration that has none queued or in progress. Returns an empty list if no
    /// integration is active.
    async fn trigger_sync(
        &self,
        write: AuthorizedWrite<TriggerSync>,
    ) -> Result<Audited<Vec<TriggeredSync>>, StoreError>;
    /// Returns one job.
    async fn job(&self, scope: &WorkspaceScope, id: JobId) -> Result<Option<JobRow>, StoreError>;
    /// Returns the jobs that are queued or in progress, oldest first; at most 100.
    async fn unfinished_jobs(&self, scope: &WorkspaceScope) -> Result<Vec<JobRow>, StoreError>;
}
