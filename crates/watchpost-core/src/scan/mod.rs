//! Scans: runs of all checks of a type against one integration, their results, and the numbers computed from
//! them.
//!
//! A scan reads the settings again, evaluates them, and stores both, so that any verdict can be explained and
//! reproduced later. It never writes to the vendor: a [`ScanPermit`] authorizes only changes to the scan's own
//! rows.

mod apps;
mod compare;
mod configuration;
mod exemption;
mod result;
mod run;
mod schedule;
mod score;
mod start;
mod store;

pub use apps::Apps;
pub use compare::{
    ComparedWith, Comparison, FrameworkDelta, ResultChange, SettingChange, ValueChange, compare,
    compare_selected, differences,
};
pub use configuration::IMPORTED_CONFIGURATION;
pub(crate) use configuration::configuration_text;
pub use exemption::{AddExemption, EXEMPTIONS_MAX, Exemption, RemoveExemption};
pub use result::{
    ResultDetail, ResultFilter, ResultPage, ResultRow, SettingRow, SettingValue, scored_by_framework,
    scored_by_service, select,
};
pub use run::{SCAN_LIMIT_MS, document_of, evaluate, run_scan};
pub(crate) use run::{exempt_whole, fail_scan};
pub use schedule::{
    AddSchedule, ChangeSchedule, InvalidSchedule, Recurrence, SCHEDULES_MAX, Schedule, ScheduleChange,
    next_after,
};
pub use score::{Band, ComplianceScore, ExposureLabel, exposure_label};
pub use start::{
    CompletedScan, DueSchedule, ENDED_WITH_JOB, REPEAT_MS, ScannedBefore, ScheduledScans, decide_cancel,
    decide_scheduled_scans, decide_start, ended_with_job,
};
pub use store::{
    CancelOutcome, CancelScan, CheckReconciliation, FinishScan, JudgedCheck, RecordedScan, ScanPage,
    ScanPoint, ScanQuery, ScanStart, ScanStore, StartScan, TREND_POINTS_MAX,
};

use crate::{
    access::{JobPermit, WorkspaceScope},
    check::ScanType,
    value::{
        id::{IntegrationId, JobId, ScanId, WorkspaceId},
        text::ForeignText,
        time::Timestamp,
        word::{Platform, RunState, words},
    },
};

words! {
    /// The reason for which a scan was started.
    ScanTrigger {
        /// Started by a person or a client.
        Manual = "manual",
        /// Started by a schedule.
        Schedule = "schedule",
        /// Recorded from an imported settings export.
        Import = "import",
    }
}

/// The number of checks by result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScanCounts {
    /// The number of passed checks.
    pub passed: u64,
    /// The number of failed checks.
    pub failed: u64,
    /// The number of skipped checks by reason, in the order of [`crate::check::SkipReason::ALL`].
    pub skipped: [u64; 4],
    /// The number of checks whose evaluation failed.
    pub errors: u64,
    /// The number of failed checks by severity, worst first.
    pub failed_by_severity: [u64; 5],
}

impl ScanCounts {
    /// Returns the number of skipped checks.
    pub fn skipped_total(&self) -> u64 {
        self.skipped.iter().sum()
    }
}

/// A scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// The scan's id.
    pub id: ScanId,
    /// The scanned integration.
    pub integration: IntegrationId,
    /// The integration's platform.
    pub platform: Platform,
    /// The integration's name.
    pub integration_name: ForeignText,
    /// The type of the checks.
    pub scan_type: ScanType,
    /// The state.
    pub state: RunState,
    /// The reason for which the scan was started.
    pub trigger: ScanTrigger,
    /// Whether the scan reads the settings again. Otherwise it evaluates those of the previous scan.
    pub fresh: bool,
    /// The time of the request.
    pub queued_at: Timestamp,
    /// The time at which a worker first started the scan.
    pub started_at: Option<Timestamp>,
    /// The time at which the scan ended in any way.
    pub completed_at: Option<Timestamp>,
    /// The reason why the scan itself failed, written by Watchpost. Unrelated to failed checks.
    pub reason: Option<String>,
    /// The current step, for people.
    pub progress: Option<String>,
    /// The scan's job; `None` for an imported scan.
    pub job: Option<JobId>,
    /// The number of checks by result. All zero until the scan has completed.
    pub counts: ScanCounts,
    /// The number of settings that were read completely, and of those that weren't.
    pub settings: (u64, u64),
}

impl Scan {
    /// Returns the compliance score of a completed scan; `None` if no check passed or failed.
    pub fn score(&self) -> Option<ComplianceScore> {
        (self.state == RunState::Completed)
            .then(|| ComplianceScore::of(self.counts.passed, self.counts.failed))
            .flatten()
    }
    /// Returns the exposure label of a completed exposure scan.
    pub fn exposure(&self) -> Option<ExposureLabel> {
        (self.state == RunState::Completed && self.scan_type == ScanType::Exposure)
            .then(|| exposure_label(&self.counts))
    }
    /// Returns whether the scan is queued or in progress.
    pub const fn is_unfinished(&self) -> bool {
        matches!(self.state, RunState::Queued | RunState::InProgress)
    }
}

/// The proof that a scan may store its settings and results, and nothing else.
///
/// It provides no scope and authorizes no command, so that code with a permit can't request a remediation, change
/// a finding or open a credential that permits writing:
///
/// ```compile_fail
/// fn repair(permit: &watchpost_core::scan::ScanPermit, ask: watchpost_core::remediation::RequestRemediation) {
///     let call = watchpost_core::audit::CallRecord::new("job", "scan", "{}");
///     permit.authorize(ask, call);
/// }
/// ```
#[derive(Debug, Clone)]
pub struct ScanPermit {
    scope: WorkspaceScope,
    scan: ScanId,
}

impl ScanPermit {
    /// Creates the permit for the worker that leased the scan's job.
    pub fn of_job(permit: &JobPermit, scan: ScanId) -> Self {
        Self {
            scope: permit.scope().clone(),
            scan,
        }
    }
    pub(crate) const fn scope(&self) -> &WorkspaceScope {
        &self.scope
    }
    /// Returns the workspace. For stores.
    pub const fn workspace(&self) -> WorkspaceId {
        self.scope.workspace()
    }
    /// Returns the scan. For stores.
    pub const fn scan(&self) -> ScanId {
        self.scan
    }
}
