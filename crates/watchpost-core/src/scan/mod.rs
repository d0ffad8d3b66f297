//! Scans: one run of all checks of a type against one integration, its results, and what is made of them.
//!
//! A scan reads settings anew, judges them, and keeps both: so that any verdict can be explained and repeated later.
//! It only ever reads: a [`ScanPermit`] authorises no change but the scan's own rows.

mod compare;
mod configuration;
mod exemption;
mod result;
mod run;
mod schedule;
mod score;
mod start;
mod store;

pub use compare::{
    Comparison, FrameworkDelta, ResultChange, SettingChange, ValueChange, compare, differences,
};
pub use configuration::IMPORTED_CONFIGURATION;
pub(crate) use configuration::configuration_text;
pub use exemption::{AddExemption, EXEMPTIONS_MAX, Exemption, RemoveExemption};
pub use result::{
    ResultDetail, ResultFilter, ResultPage, ResultRow, SettingRow, SettingValue, scored_by_framework,
    scored_by_service, select,
};
pub use run::{Apps, SCAN_LIMIT_MS, document_of, evaluate, run_scan};
pub(crate) use run::{exempt_whole, fail_scan};
pub use schedule::{
    AddSchedule, ChangeSchedule, Recurrence, SCHEDULES_MAX, Schedule, ScheduleChange, WrongSchedule,
    next_after,
};
pub use score::{Band, ComplianceScore, ExposureLabel, exposure_label};
pub use start::{
    DueSchedule, ENDED_WITH_JOB, Fired, decide_cancel, decide_fire, decide_start, ended_with_job,
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
    /// What made a scan start.
    ScanTrigger {
        /// Somebody asked.
        Manual = "manual",
        /// A schedule.
        Schedule = "schedule",
        /// An imported settings export.
        Import = "import",
    }
}

/// How many checks ended how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScanCounts {
    /// Passed.
    pub passed: u64,
    /// Failed.
    pub failed: u64,
    /// Skipped, by reason, in the order of [`crate::check::SkipReason::ALL`].
    pub skipped: [u64; 4],
    /// Failed to evaluate.
    pub errors: u64,
    /// Failed, by severity, worst first.
    pub failed_by_severity: [u64; 5],
}

impl ScanCounts {
    /// All skipped ones.
    pub fn skipped_total(&self) -> u64 {
        self.skipped.iter().sum()
    }
}

/// One scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// Its id.
    pub id: ScanId,
    /// What was scanned.
    pub integration: IntegrationId,
    /// Its platform.
    pub platform: Platform,
    /// Its name.
    pub integration_name: ForeignText,
    /// What it looked for.
    pub scan_type: ScanType,
    /// State.
    pub state: RunState,
    /// What made it start.
    pub trigger: ScanTrigger,
    /// Whether it reads settings anew; otherwise it judges those of the scan before.
    pub fresh: bool,
    /// When it was asked for.
    pub queued_at: Timestamp,
    /// When a worker took it up first.
    pub started_at: Option<Timestamp>,
    /// When it ended, however.
    pub completed_at: Option<Timestamp>,
    /// Why it failed (did not finish), in our own words: something else than failed checks.
    pub reason: Option<String>,
    /// What it does right now, for people.
    pub progress: Option<String>,
    /// Its job; none for an imported one.
    pub job: Option<JobId>,
    /// Results. All zero until it completed.
    pub counts: ScanCounts,
    /// How many settings were read wholly, and how many weren't.
    pub settings: (u64, u64),
}

impl Scan {
    /// The compliance score of a completed scan; `None` if no check passed or failed.
    pub fn score(&self) -> Option<ComplianceScore> {
        (self.state == RunState::Completed)
            .then(|| ComplianceScore::of(self.counts.passed, self.counts.failed))
            .flatten()
    }
    /// The exposure label of a completed exposure scan.
    pub fn exposure(&self) -> Option<ExposureLabel> {
        (self.state == RunState::Completed && self.scan_type == ScanType::Exposure)
            .then(|| exposure_label(&self.counts))
    }
    /// Whether it waits or runs.
    pub const fn is_unfinished(&self) -> bool {
        matches!(self.state, RunState::Queued | RunState::InProgress)
    }
}

/// The proof that a scan may store what it read and found, and nothing else.
///
/// It gives no scope and authorises no command, so that code which holds one can't ask for a remediation, change a
/// finding or open a credential that writes:
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
    /// For the worker that leased the scan's job.
    pub fn of_job(permit: &JobPermit, scan: ScanId) -> Self {
        Self {
            scope: permit.scope().clone(),
            scan,
        }
    }
    pub(crate) const fn scope(&self) -> &WorkspaceScope {
        &self.scope
    }
    /// The workspace, for stores.
    pub const fn workspace(&self) -> WorkspaceId {
        self.scope.workspace()
    }
    /// The scan, for stores.
    pub const fn scan(&self) -> ScanId {
        self.scan
    }
}
