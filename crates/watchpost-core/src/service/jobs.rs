//! Work in the background, as those who asked for it see it.

use super::{Unrecorded, Watchpost};
use crate::{
    access::WorkspaceScope,
    error::{Error, StoreError},
    job::JobRow,
    value::id::JobId,
};

/// How much work of a workspace is left. Says nothing of what the work is about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Queue {
    /// Jobs that are queued or running.
    pub unfinished: usize,
    /// What one that runs has done so far, in our own words (`1,200 users read`).
    pub progress: Option<String>,
}

impl Watchpost {
    /// Jobs, in the order asked for, as far as there are such.
    ///
    /// # Errors
    /// The store's.
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

    /// Jobs that are queued or running, oldest first, at most 100.
    ///
    /// # Errors
    /// The store's.
    pub async fn unfinished_jobs(&self, scope: &WorkspaceScope) -> Unrecorded<Result<Vec<JobRow>, Error>> {
        Unrecorded::of(async { Ok(self.store().unfinished_jobs(scope).await?) }).await
    }

    /// How much work is left. Needs no entry, since whoever waits for the end of a change looks many times, and it
    /// tells nothing of the workspace's data.
    ///
    /// # Errors
    /// The store's.
    pub async fn queue(&self, scope: &WorkspaceScope) -> Result<Queue, StoreError> {
        let jobs = self.store().unfinished_jobs(scope).await?;
        Ok(Queue {
            unfinished: jobs.len(),
            progress: jobs.into_iter().find_map(|job| job.progress),
        })
    }

    /// A number that any change of the workspace's data moves. Needs no entry: it says that something changed, and
    /// nothing of what.
    ///
    /// # Errors
    /// The store's.
    pub async fn generation(&self, scope: &WorkspaceScope) -> Result<u64, StoreError> {
        self.store().generation(scope).await
    }
}
