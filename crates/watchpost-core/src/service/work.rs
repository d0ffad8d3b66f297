//! Execution of the jobs that the worker leases.

use super::Watchpost;
use crate::{
    access::JobPermit,
    error::{Error, StoreError},
    integration::sync::{self, SyncEnd},
    job::{ATTEMPTS_MAX, JobEnd, JobKind, LeasedJob, retry_at},
    rule::analysis,
    scan, text,
    value::id::{IntegrationId, ScanId},
};

/// A callback for the progress of a job.
type Progress<'a> = dyn Fn(String) + Send + Sync + 'a;

/// Returns the end of a job whose failure a retry can't fix.
fn failed(reason: impl Into<String>) -> JobEnd {
    JobEnd::Failed {
        reason: reason.into(),
        retry_at: None,
    }
}

impl Watchpost {
    /// Runs a leased job to its end. The runtime extends the lease in the meantime and drops this future if the
    /// lease is lost. Every job can safely run again.
    pub async fn run_job(&self, job: &LeasedJob, permit: &JobPermit, progress: &Progress<'_>) -> JobEnd {
        let row = job.row();
        let done = match row.kind {
            JobKind::Sync => match row.integration {
                Some(integration) => self.run_sync(permit, integration, progress).await,
                None => Ok(failed(text::job::NO_INTEGRATION)),
            },
            JobKind::Analyse => self.run_analysis(permit, progress).await,
            JobKind::Scan => match row.scan {
                Some(scan) => self.run_scan(job, permit, scan, progress).await,
                None => Ok(failed(text::job::NO_SCAN)),
            },
            JobKind::WakeSnoozed => self.wake_snoozed(permit).await,
        };
        done.unwrap_or_else(|error| JobEnd::Failed {
            reason: match &error {
                Error::Internal(source) if source.downcast_ref().is_some_and(StoreError::is_damage) => {
                    text::job::VALUE_DAMAGED.into()
                }
                _ => error.to_string(),
            },
            retry_at: Some(retry_at(row.attempts, self.clock().now())),
        })
    }

    async fn run_sync(
        &self,
        permit: &JobPermit,
        integration: IntegrationId,
        progress: &Progress<'_>,
    ) -> Result<JobEnd, Error> {
        let end = sync::run_sync(
            self.store(),
            self.connectors(),
            self.clock(),
            self.random(),
            permit,
            integration,
            progress,
        )
        .await?;
        Ok(match end {
            // The failure is stored with the integration, and the schedule retries.
            SyncEnd::Failed { reason } => failed(reason),
            SyncEnd::Completed { .. } | SyncEnd::Skipped => JobEnd::Completed,
        })
    }

    async fn run_analysis(&self, permit: &JobPermit, progress: &Progress<'_>) -> Result<JobEnd, Error> {
        analysis::run_analysis(
            self.store(),
            self.engine(),
            self.clock(),
            self.random(),
            permit,
            progress,
        )
        .await?;
        Ok(JobEnd::Completed)
    }

    async fn run_scan(
        &self,
        job: &LeasedJob,
        permit: &JobPermit,
        id: ScanId,
        progress: &Progress<'_>,
    ) -> Result<JobEnd, Error> {
        let ran = scan::run_scan(
            self.store(),
            self.checks(),
            self.connectors(),
            self.clock(),
            permit,
            id,
            progress,
        )
        .await;
        match ran {
            Ok(()) => Ok(JobEnd::Completed),
            // After the last attempt, the failure is stored with the scan, so that no caller waits for it.
            Err(error) if job.row().attempts >= ATTEMPTS_MAX => {
                let reason = error.to_string();
                let ended = scan::fail_scan(self.store(), self.clock(), permit, id, reason).await;
                Ok(failed(ended.err().unwrap_or(error).to_string()))
            }
            Err(error) => Err(error),
        }
    }

    async fn wake_snoozed(&self, permit: &JobPermit) -> Result<JobEnd, Error> {
        self.store().wake_snoozed(permit, self.clock().now()).await?;
        Ok(JobEnd::Completed)
    }
}
