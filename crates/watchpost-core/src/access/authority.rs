//! The authorities that only the process wiring holds: working on jobs, and acting as the local operator.

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

/// Every way into the workspaces of a store.
///
/// The wiring opens it once and passes each part only to the component that needs it: the gate to the servers,
/// the job authority to the worker, and the operator authority to the command line.
#[derive(Debug)]
pub struct Access {
    /// Turns presented keys into scopes.
    pub gate: AccessGate,
    /// Permits a worker to lease jobs and enter their workspaces.
    pub jobs: JobAuthority,
    /// Permits the command line or a single-client server to act as the local operator.
    pub operator: OperatorAuthority,
}

impl Access {
    /// Opens the access to the store behind `directory`.
    pub fn open(directory: Arc<dyn KeyDirectory>, clock: Arc<dyn Clock>) -> Self {
        Self {
            gate: AccessGate::new(directory, clock),
            jobs: JobAuthority(()),
            operator: OperatorAuthority(()),
        }
    }
}

/// The right to work on jobs, held by the worker. Without it, a job can neither be leased nor entered.
#[derive(Debug, Clone)]
pub struct JobAuthority(());

impl JobAuthority {
    /// Leases the oldest job that is due for [`crate::job::LEASE_MS`] milliseconds. Returns `None` if no job is
    /// due. `owner` names the process.
    ///
    /// # Errors
    /// Returns the store's error.
    pub async fn lease(
        &self,
        store: &(impl InstanceStore + ?Sized),
        owner: &str,
        now: Timestamp,
    ) -> Result<Option<LeasedJob>, StoreError> {
        Ok(store.lease_job(owner, now).await?.map(LeasedJob::new))
    }

    /// Returns the permit of a job that this process has leased.
    pub fn enter(&self, job: &LeasedJob) -> JobPermit {
        let scope = WorkspaceScope::new(job.workspace(), Actor::Worker { job: job.id() });
        JobPermit::new(scope, job.id())
    }
}

/// The right to act as the person who opened the store on this machine. Held by the command line and by a server
/// that has one local client.
#[derive(Debug, Clone)]
pub struct OperatorAuthority(());

impl OperatorAuthority {
    /// Returns the operator's scope in a workspace. Only the command line sets `manages`.
    pub fn enter(&self, workspace: WorkspaceId, scope: KeyScope, manages: bool) -> Arc<WorkspaceScope> {
        Arc::new(WorkspaceScope::new(
            workspace,
            Actor::LocalOperator { scope, manages },
        ))
    }
}
