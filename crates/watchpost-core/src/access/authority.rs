//! What only the wiring of a process holds: the right to work on jobs, and the right to act as the local operator.

use super::{
    gate::{AccessGate, KeyDirectory},
    scope::{Actor, JobPermit, KeyScope, WorkspaceScope},
};
use crate::{
    error::StoreError,
    job::{InstanceStore, LeasedJob},
    port::Clock,
    value::{id::WorkspaceId, time::Timestamp},
};
use std::sync::Arc;

/// All ways into the workspaces of a store. The wiring opens it once and passes on each part only to what needs it:
/// the gate to what serves clients, the authority over jobs to the worker, that of the operator to the command line.
#[derive(Debug)]
pub struct Access {
    /// Turns presented keys into scopes.
    pub gate: AccessGate,
    /// The right to work on jobs.
    pub jobs: JobAuthority,
    /// The right to act as the local operator.
    pub operator: OperatorAuthority,
}

impl Access {
    /// Opens the access to the store that this directory of keys belongs to.
    pub fn open(directory: Arc<dyn KeyDirectory>, clock: Arc<dyn Clock>) -> Self {
        Self {
            gate: AccessGate::new(directory, clock),
            jobs: JobAuthority(()),
            operator: OperatorAuthority(()),
        }
    }
}

/// The right to work on jobs: only with it a job is leased, and a leased one entered. For the worker.
#[derive(Debug, Clone)]
pub struct JobAuthority(());

impl JobAuthority {
    /// Leases the oldest job that is due, for [`crate::job::LEASE_MS`]. `owner` names the process.
    ///
    /// # Errors
    /// The store's.
    pub async fn lease(
        &self,
        store: &(impl InstanceStore + ?Sized),
        owner: &str,
        now: Timestamp,
    ) -> Result<Option<LeasedJob>, StoreError> {
        Ok(store.lease_job(owner, now).await?.map(LeasedJob::new))
    }

    /// The permit of a job that this process has leased.
    pub fn enter(&self, job: &LeasedJob) -> JobPermit {
        let scope = WorkspaceScope::new(job.workspace(), Actor::Worker { job: job.id() });
        JobPermit::new(scope, job.id())
    }
}

/// The right to act as the person who opened the store on this machine. For the command line, and for a server with
/// one local client.
#[derive(Debug, Clone)]
pub struct OperatorAuthority(());

impl OperatorAuthority {
    /// The operator's scope in a workspace. `manages` is for the command line alone.
    pub fn enter(&self, workspace: WorkspaceId, scope: KeyScope, manages: bool) -> Arc<WorkspaceScope> {
        Arc::new(WorkspaceScope::new(
            workspace,
            Actor::LocalOperator { scope, manages },
        ))
    }
}
