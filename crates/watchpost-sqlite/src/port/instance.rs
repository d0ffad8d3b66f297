//! The [`InstanceStore`] port, which isn't bound to a workspace: leases, workspaces, schedules.

use crate::{
    port::store::SqliteStore,
    table::{
        audit, removal,
        work::{lease, schedule},
        workspaces,
    },
};
use async_trait::async_trait;
use watchpost_core::{
    audit::checkpoint::ChainHead,
    error::StoreError,
    job::{InstanceStore, JobEnd, LeaseRow, LeasedJob, WorkspaceRow},
    value::time::Timestamp,
};

#[async_trait]
impl InstanceStore for SqliteStore {
    async fn workspaces(&self) -> Result<Vec<WorkspaceRow>, StoreError> {
        self.inner
            .pool
            .read_one(workspaces::all)
            .map_err(|fault| fault.into_store("workspaces"))
    }

    async fn create_workspace(&self, row: &WorkspaceRow) -> Result<(), StoreError> {
        let row = row.clone();
        self.inner
            .writer
            .call("workspaces", true, move |tx| workspaces::create(tx, &row))
            .await
    }

    async fn lease_job(&self, owner: &str, now: Timestamp) -> Result<Option<LeaseRow>, StoreError> {
        // Checking needs no write transaction; only leasing does.
        let any = self
            .inner
            .pool
            .read_one(|conn| lease::is_any_due(conn, now))
            .map_err(|fault| fault.into_store("jobs"))?;
        if !any {
            return Ok(None);
        }
        let owner = owner.to_owned();
        self.inner
            .writer
            .call("jobs", true, move |tx| lease::lease(tx, &owner, now))
            .await
    }

    async fn heartbeat(
        &self,
        job: &LeasedJob,
        owner: &str,
        progress: Option<&str>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (job, owner, progress) = (job.clone(), owner.to_owned(), progress.map(str::to_owned));
        self.inner
            .writer
            .call("jobs", false, move |tx| {
                lease::extend(tx, &job, &owner, progress.as_deref(), now)
            })
            .await
    }

    async fn finish_job(
        &self,
        job: &LeasedJob,
        owner: &str,
        ended: JobEnd,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (job, owner) = (job.clone(), owner.to_owned());
        self.inner
            .writer
            .call("jobs", true, move |tx| {
                lease::finish(tx, &job, &owner, ended, now)
            })
            .await
    }

    async fn enqueue_due(&self, sync_every_ms: i64, now: Timestamp) -> Result<u64, StoreError> {
        let (is_due, removed) = self
            .inner
            .pool
            .read(|conn| {
                let is_due = schedule::is_any_due(conn, sync_every_ms, now)?;
                Ok((is_due, removal::unfinished(conn)?))
            })
            .map_err(|fault| fault.into_store("jobs"))?;
        // Continues removals that were interrupted, and deletes the rows of imports that were.
        for (workspace, integration) in removed {
            self.purge(workspace, integration).await?;
        }
        self.clear_unfinished(None, now).await?;
        if !is_due {
            return Ok(0);
        }
        self.inner
            .writer
            .call("jobs", true, move |tx| {
                schedule::enqueue_all(tx, sync_every_ms, now)
            })
            .await
    }

    async fn next_due(&self, sync_every_ms: i64, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.inner
            .pool
            .read(|conn| schedule::next_due(conn, sync_every_ms, now))
            .map_err(|fault| fault.into_store("jobs"))
    }

    async fn data_version(&self) -> Result<u64, StoreError> {
        self.inner
            .pool
            .read_one(workspaces::data_version)
            .map_err(|fault| fault.into_store("workspaces"))
    }

    async fn chain_heads(&self, durable: bool) -> Result<Vec<ChainHead>, StoreError> {
        if !durable {
            return self
                .inner
                .pool
                .read_one(audit::heads)
                .map_err(|fault| fault.into_store("audit_entries"));
        }
        self.inner
            .writer
            .call("audit_entries", true, |tx| {
                // Only a transaction that writes makes the earlier ones durable.
                workspaces::write_ready(tx, tx.clock.now())?;
                audit::heads(tx.conn)
            })
            .await
    }

    async fn check_ready(&self, now: Timestamp) -> Result<(), StoreError> {
        // Durable like a change: a disk that takes writes but can't synchronize them fails every change. The write comes
        // first, since a read would block this thread for as long as another process has locked the file exclusively.
        self.inner
            .writer
            .call("instance", true, move |tx| workspaces::write_ready(tx, now))
            .await?;
        self.inner
            .pool
            .read_one(workspaces::read_ready)
            .map_err(|fault| fault.into_store("instance"))
    }
}
