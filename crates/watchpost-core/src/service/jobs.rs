//! Background jobs as seen by callers.

use super::{Unrecorded, Watchpost};
use crate::{
    access::WorkspaceScope,
    error::{Error, StoreError},
    job::JobRow,
    value::id::JobId,
};

/// The amount of unfinished work in a workspace, without details of the work.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Queue {
    /// The number of jobs that are queued or in progress.
    pub unfinished: usize,
    /// The progress of one job in progress, written by Watchpost (`1,200 users read`).
    pub progress: Option<String>,
}

impl Watchpost {
    /// Returns the jobs with these ids, in the given order; ids without a job are skipped.
    ///
    /// # Errors
    /// Returns the store's error.
    pub async fn jobs(
        &self,
        scope: &WorkspaceScope,
        ids: &[JobId],
    ) -> Unrecorded<Result<Vec<JobRow>, Error>> {
        Unrecorded::of(async {
            let mut rows = Vec::with_capacity(ids.len());
            for id in ids {
                rows.extend(self.store().job(scope, *id).await?);
            }
            Ok(rows)
        })
        .await
    }

    /// Returns the jobs that are queued or in progress, oldest first; at most 100.
    ///
    /// # Errors
    /// Returns the store's error.
    pub async fn unfinished_jobs(&self, scope: &WorkspaceScope) -> Unrecorded<Result<Vec<JobRow>, Error>> {
        Unrecorded::of(async { Ok(self.store().unfinished_jobs(scope).await?) }).await
    }

    /// Returns the amount of unfinished work. Needs no audit entry: it reveals nothing about the workspace's
    /// data, and a caller that waits for the end of a change calls it many times.
    ///
    /// # Errors
    /// Returns the store's error.
    pub async fn queue(&self, scope: &WorkspaceScope) -> Result<Queue, StoreError> {
        let jobs = self.store().unfinished_jobs(scope).await?;
        Ok(Queue {
            unfinished: jobs.len(),
            progress: jobs.into_iter().find_map(|job| job.progress),
        })
    }

    /// Returns a number that changes with every change of the workspace's data. Needs no audit entry: it only
    /// shows that something changed.
    ///
    /// # Errors
    /// Returns the store's error.
    pub async fn generation(&self, scope: &WorkspaceScope) -> Result<u64, StoreError> {
        self.store().generation(scope).await
    }
}
