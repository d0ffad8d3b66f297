//! Starting and cancelling.

use super::not_found;
use crate::{
    access::WorkspaceScope,
    audit::CallRecord,
    check::ScanType,
    error::Error,
    integration::Integration,
    scan::{CancelOutcome, CancelScan, Scan, ScanStart, StartScan},
    service::Watchpost,
    value::id::{JobId, ScanId},
};

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
    /// [`Error::NotFound`], [`Error::Conflict`] if it takes part in nothing, [`Error::Denied`]; the store's.
    pub async fn start_scan(
        &self,
        scope: &WorkspaceScope,
        integration: &Integration,
        scan_type: ScanType,
        fresh: bool,
        call: CallRecord,
    ) -> Result<ScanStarted, Error> {
        if !self.has_checks(integration.platform, None) {
            return Err(Error::Conflict {
                reason: format!(
                    "this version has nothing to scan on {}; import its results with `watchpost import FILE`",
                    integration.platform.title()
                ),
            });
        }
        if !self.can_scan(integration, scan_type) {
            return Err(Error::Conflict {
                reason: format!(
                    "there are no {scan_type} checks for {}",
                    integration.platform.title()
                ),
            });
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
        let (id, is_new) = match self.store().start_scan(write).await?.into_value() {
            ScanStart::Started => (id, true),
            ScanStart::AlreadyRunning(running) => (running, false),
            ScanStart::NoIntegration => {
                return Err(Error::Conflict {
                    reason: "this integration is paused or disconnected: `watchpost integrations resume` brings it back"
                        .into(),
                });
            }
        };
        let scan = self.store().scan(scope, id).await?.ok_or_else(not_found)?;
        Ok(ScanStarted { scan, is_new })
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
            CancelOutcome::Ended(state) => Err(Error::Conflict {
                reason: format!("the scan is {state}: it can't be cancelled any more"),
            }),
            CancelOutcome::NotFound => Err(not_found()),
        }
    }
}
