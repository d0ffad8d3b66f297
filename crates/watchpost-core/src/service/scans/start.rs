//! Starting and cancelling.

use super::not_found;
use crate::{
    access::{Made, WorkspaceScope},
    audit::CallRecord,
    check::ScanType,
    error::{Error, NextStep},
    scan::{CancelOutcome, CancelScan, Scan, ScanStart, StartScan},
    service::Watchpost,
    value::{
        id::{IntegrationId, JobId, ScanId},
        word::Platform,
    },
};

/// What is to be scanned: the integration named, or the only one that can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScanTarget {
    /// The integration.
    pub integration: Option<IntegrationId>,
    /// Its platform.
    pub platform: Option<Platform>,
}

/// A scan that was started, or the one that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanStarted {
    /// The scan.
    pub scan: Scan,
    /// Whether it is new; otherwise it ran already and nothing was started.
    pub is_new: bool,
}

impl Watchpost {
    /// Queues a scan, unless one of the integration waits or runs.
    ///
    /// # Errors
    /// As [`Watchpost::scannable`]; [`Error::Conflict`] if it takes part in nothing, [`Error::Denied`]; the store's.
    pub async fn start_scan(
        &self,
        scope: &WorkspaceScope,
        target: ScanTarget,
        scan_type: ScanType,
        fresh: bool,
        call: CallRecord,
    ) -> Result<(ScanStarted, Made), Error> {
        let integration = self
            .scannable(scope, target.integration, target.platform)
            .await
            .into_inner()?;
        if !self.has_checks(integration.platform, None) {
            return Err(Error::conflict(format!(
                "this version has nothing to scan on {}",
                integration.platform.title()
            ))
            .advise(NextStep::ImportResults));
        }
        if !self.can_scan(&integration, scan_type) {
            return Err(Error::conflict(format!(
                "there are no {scan_type} checks for {}",
                integration.platform.title()
            )));
        }
        let id = ScanId::generate(self.clock(), self.random());
        let command = StartScan {
            id,
            integration: integration.id,
            scan_type,
            fresh,
            job: JobId::generate(self.clock(), self.random()),
            now: self.clock().now(),
        };
        let write = scope.authorize(command, call)?;
        let done = self.store().start_scan(write).await?;
        let made = done.made();
        let (id, is_new) = match done.into_value() {
            ScanStart::Started => (id, true),
            ScanStart::AlreadyRunning(running) => (running, false),
            ScanStart::NoIntegration => {
                return Err(Error::conflict("this integration is paused or disconnected")
                    .advise(NextStep::ResumeIntegration));
            }
        };
        let scan = self.store().scan(scope, id).await?.ok_or_else(not_found)?;
        Ok((ScanStarted { scan, is_new }, made))
    }

    /// Cancels a scan that waits or runs.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] if it has ended; [`Error::Denied`]; the store's.
    pub async fn cancel_scan(
        &self,
        scope: &WorkspaceScope,
        id: ScanId,
        call: CallRecord,
    ) -> Result<(), Error> {
        let command = CancelScan {
            id,
            now: self.clock().now(),
        };
        let write = scope.authorize(command, call)?;
        match self.store().cancel_scan(write).await?.into_value() {
            CancelOutcome::Cancelled => Ok(()),
            CancelOutcome::Ended(state) => Err(Error::conflict(format!(
                "the scan is {state}: it can't be cancelled any more"
            ))),
            CancelOutcome::NotFound => Err(not_found()),
        }
    }
}
