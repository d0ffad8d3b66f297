//! Starting and cancelling scans.

use super::not_found;
use crate::{
    access::{ChangeReceipt, WorkspaceScope},
    audit::CallRecord,
    check::ScanType,
    error::{Error, NextStep},
    scan::{CancelOutcome, CancelScan, Scan, ScanStart, StartScan},
    service::Watchpost,
    text,
    value::{
        id::{IntegrationId, JobId, ScanId},
        word::{Platform, words},
    },
};

/// The integration to scan: the given one, or the only one that can be scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScanTarget {
    /// The id of the integration.
    pub integration: Option<IntegrationId>,
    /// The platform, used if no id is given.
    pub platform: Option<Platform>,
}

words! {
    /// The effect of a request for a scan.
    ScanRequest {
        /// The scan was started.
        Started = "started",
        /// Nothing was started, since this scan of the integration is queued or in progress.
        AlreadyRunning = "already_running",
        /// Nothing was started, since the same scan has just been completed.
        JustCompleted = "just_completed",
    }
}

/// The parameters of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScanOrder {
    /// The integration.
    pub target: ScanTarget,
    /// The type of scan.
    pub scan_type: ScanType,
    /// Whether the scan reads the settings again.
    pub fresh: bool,
    /// Whether the scan starts even if the same one has just been completed.
    pub again: bool,
}

/// The result of [`Watchpost::start_scan`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanStarted {
    /// The scan.
    pub scan: Scan,
    /// The effect of the request.
    pub request: ScanRequest,
}

impl Watchpost {
    /// Queues a scan, unless a scan of the integration is queued or in progress, or the same one has just been
    /// completed.
    ///
    /// # Errors
    /// The same as of [`Watchpost::scannable`]; [`Error::Conflict`] if there are no checks for the integration,
    /// or it is paused or disconnected; [`Error::Denied`]; or the store's error.
    pub async fn start_scan(
        &self,
        scope: &WorkspaceScope,
        order: ScanOrder,
        call: CallRecord,
    ) -> Result<(ScanStarted, ChangeReceipt), Error> {
        let ScanOrder {
            target,
            scan_type,
            fresh,
            again,
        } = order;
        let integration = self
            .scannable(scope, target.integration, target.platform)
            .await
            .into_inner()?;
        if !self.has_checks(integration.platform, None) {
            return Err(
                Error::conflict(text::scan::nothing_to_scan(integration.platform.title()))
                    .with_next_step(NextStep::ImportResults),
            );
        }
        if !self.can_scan(&integration, scan_type) {
            return Err(Error::conflict(text::scan::no_checks(
                scan_type,
                integration.platform.title(),
            )));
        }
        let id = ScanId::generate(self.clock(), self.random());
        let command = StartScan {
            id,
            integration: integration.id,
            scan_type,
            fresh,
            again,
            job: JobId::generate(self.clock(), self.random()),
            now: self.clock().now(),
        };
        let write = scope.authorize(command, call)?;
        let done = self.store().start_scan(write).await?;
        let receipt = done.receipt();
        let (id, request) = match done.into_value() {
            ScanStart::Started => (id, ScanRequest::Started),
            ScanStart::AlreadyRunning(running) => (running, ScanRequest::AlreadyRunning),
            ScanStart::JustCompleted(completed) => (completed, ScanRequest::JustCompleted),
            ScanStart::NoIntegration => {
                return Err(
                    Error::conflict(text::integration::INACTIVE).with_next_step(NextStep::ResumeIntegration)
                );
            }
        };
        let scan = self.store().scan(scope, id).await?.ok_or_else(not_found)?;
        Ok((ScanStarted { scan, request }, receipt))
    }

    /// Cancels a scan that is queued or in progress.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] if the scan has ended; [`Error::Denied`]; or the store's error.
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
            CancelOutcome::Ended(state) => Err(Error::conflict(text::scan::already_ended(state))),
            CancelOutcome::NotFound => Err(not_found()),
        }
    }
}
