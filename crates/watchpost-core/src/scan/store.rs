//! Storage of scans, schedules and exemptions, with its commands.

use super::{
    AddExemption, AddSchedule, ChangeSchedule, Exemption, RemoveExemption, ResultDetail, ResultRow, Scan,
    ScanCounts, ScanPermit, Schedule, SettingRow, SettingValue,
};
use crate::{
    access::{Audited, AuthorizedWrite, Command, Permission, WorkspaceScope},
    audit::AuditTarget,
    check::ScanType,
    error::StoreError,
    finding::{Observation, ObserveCounts},
    integration::{connector::ConnectorConfig, setting::SettingDocument},
    rule::document::EntityRef,
    value::{
        id::{ExemptionId, IntegrationId, JobId, ScanId},
        time::Timestamp,
        word::RunState,
    },
};
use async_trait::async_trait;

/// Starts a scan.
#[derive(Debug)]
pub struct StartScan {
    /// The id of the new scan.
    pub id: ScanId,
    /// The integration to scan.
    pub integration: IntegrationId,
    /// The type of scan.
    pub scan_type: ScanType,
    /// Whether the scan reads the settings again.
    pub fresh: bool,
    /// Whether the scan starts even if the same one has just been completed.
    pub again: bool,
    /// The id of the new job.
    pub job: JobId,
    /// The current time.
    pub now: Timestamp,
}

impl Command for StartScan {
    fn permission(&self) -> Permission {
        Permission::StartScan
    }
    fn action(&self) -> &'static str {
        "scan.started"
    }
    fn target(&self) -> AuditTarget {
        AuditTarget::new("scan", &self.id)
    }
}

/// The outcome of [`StartScan`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScanStart {
    /// The scan is queued.
    Started,
    /// This scan of the integration is queued or in progress already. An integration has one scan at a time.
    AlreadyRunning(ScanId),
    /// The same scan was completed at most [`REPEAT_MS`](super::REPEAT_MS) ago. A repeated request is answered with it.
    JustCompleted(ScanId),
    /// The integration doesn't exist, or is paused or disconnected.
    NoIntegration,
}

/// Cancels a scan that is queued or in progress.
#[derive(Debug)]
pub struct CancelScan {
    /// The scan.
    pub id: ScanId,
    /// The current time.
    pub now: Timestamp,
}

impl Command for CancelScan {
    fn permission(&self) -> Permission {
        Permission::StartScan
    }
    fn action(&self) -> &'static str {
        "scan.cancelled"
    }
    fn target(&self) -> AuditTarget {
        AuditTarget::new("scan", &self.id)
    }
}

/// The outcome of [`CancelScan`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelOutcome {
    /// The scan and its job are cancelled. A worker that runs the job loses its lease.
    Cancelled,
    /// The scan had ended before, in this state.
    Ended(RunState),
    /// The workspace has no such scan.
    NotFound,
}

/// Ends a scan.
#[derive(Debug)]
pub struct FinishScan {
    /// The scan.
    pub id: ScanId,
    /// `Completed` or `Failed`.
    pub state: RunState,
    /// The reason for the failure.
    pub reason: Option<String>,
    /// All results of a completed scan; at most 1,000.
    pub results: Vec<ResultDetail>,
    /// The counts of the results.
    pub counts: ScanCounts,
    /// The effect on findings, applied in the same transaction; `None` for a scan that didn't read the settings
    /// again.
    pub findings: Option<CheckReconciliation>,
    /// The current time.
    pub now: Timestamp,
}

impl Command for FinishScan {
    fn permission(&self) -> Permission {
        Permission::RunJob
    }
    fn action(&self) -> &'static str {
        match self.state {
            RunState::Completed => "scan.completed",
            _ => "scan.failed",
        }
    }
    fn target(&self) -> AuditTarget {
        AuditTarget::new("scan", &self.id)
    }
}

/// The effect of a scan's results on the findings of checks. These findings have the same lifecycle as those of
/// rules: a failed check creates, keeps or reopens a finding. A finding whose check no longer fails is resolved
/// after two scans that read the check's settings again. A finding that ended because of a change in Watchpost
/// (an exemption of the whole check, a disabled check) is resolved at once.
#[derive(Debug, Clone, Default)]
pub struct CheckReconciliation {
    /// The observations of failed checks. Their marks are empty, because the scan has just read the settings.
    pub failed: Vec<Observation>,
    /// Checks that passed or didn't apply. Each counts one miss of its live or snoozed finding, and resolves it
    /// at the second consecutive one. Findings of checks in none of these lists don't change.
    pub clear: Vec<JudgedCheck>,
    /// Checks that are no longer evaluated. Their findings are resolved now.
    pub ended: Vec<JudgedCheck>,
}

/// A check that doesn't fail, with the values that identify its finding. A finding that another rule or check for
/// the same condition still sees stays live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedCheck {
    /// The check's id.
    pub check_id: String,
    /// The check's condition.
    pub condition: String,
    /// The entity that was checked.
    pub entity: EntityRef,
}

/// A scan that Watchpost didn't run: an imported settings export, evaluated with Watchpost's checks. It is stored
/// with its import (see [`crate::import::KeepImport`]) and creates no findings.
#[derive(Debug)]
pub struct RecordedScan {
    /// The id of the new scan. Its time is that at which the settings were read, since scans are ordered by id.
    pub id: ScanId,
    /// The type of scan.
    pub scan_type: ScanType,
    /// The time at which the settings were read, used for all times of the scan.
    pub read_at: Timestamp,
    /// The settings.
    pub settings: Vec<SettingDocument>,
    /// All results.
    pub results: Vec<ResultDetail>,
    /// The counts of the results.
    pub counts: ScanCounts,
}

/// Conditions on scans.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScanQuery {
    /// Only scans of this integration.
    pub integration: Option<IntegrationId>,
    /// Only scans of this type.
    pub scan_type: Option<ScanType>,
    /// Only scans in this state.
    pub state: Option<RunState>,
    /// Only scans that are older than this one. Scans are listed newest first.
    pub before: Option<ScanId>,
    /// Maximum number of scans, 1 to 200.
    pub limit: usize,
}

/// A page of scans, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanPage {
    /// The scans.
    pub scans: Vec<Scan>,
    /// The number of matching scans.
    pub total: u64,
    /// Whether there are older matching scans.
    pub more: bool,
}

/// Maximum number of points in a trend.
pub const TREND_POINTS_MAX: u64 = 1_000;

/// The numbers of a completed scan, for trends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanPoint {
    /// The scan.
    pub scan: ScanId,
    /// The time of completion.
    pub at: Timestamp,
    /// The counts over all results.
    pub counts: ScanCounts,
    /// Counts by framework, in the order of [`crate::check::Framework::ALL`], without frameworks that have no
    /// checks.
    pub frameworks: Vec<(crate::check::Framework, ScanCounts)>,
    /// Counts by service, without services that have no checks.
    pub services: Vec<(crate::check::Service, ScanCounts)>,
}

/// Storage of scans, schedules and exemptions.
#[async_trait]
pub trait ScanStore: Send + Sync {
    /// Creates a queued scan with its job, unless a scan of the integration is queued or in progress, or the same one
    /// has just been completed. Of several requests at the same time, one creates a scan.
    async fn start_scan(&self, write: AuthorizedWrite<StartScan>) -> Result<Audited<ScanStart>, StoreError>;
    /// Cancels a scan and its job.
    async fn cancel_scan(
        &self,
        write: AuthorizedWrite<CancelScan>,
    ) -> Result<Audited<CancelOutcome>, StoreError>;
    /// Marks a scan as in progress and deletes the settings of an earlier attempt. Returns `false` if the scan
    /// has ended in the meantime.
    async fn begin_scan(&self, permit: &ScanPermit, now: Timestamp) -> Result<bool, StoreError>;
    /// Opens the sealed credentials for reading the scan's integration. Watchpost stores no credentials that
    /// permit writing.
    async fn open_config_for_scan(&self, permit: &ScanPermit) -> Result<Option<ConnectorConfig>, StoreError>;
    /// Stores the result of reading a setting. Equal documents are stored once.
    async fn store_setting(
        &self,
        permit: &ScanPermit,
        setting: SettingDocument,
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// Copies the settings of another scan of the same integration, with their times, to this scan.
    async fn copy_settings(&self, permit: &ScanPermit, from: ScanId) -> Result<(), StoreError>;
    /// Ends a scan with its results, counts and effect on findings, in one transaction. A scan that was cancelled
    /// before stays cancelled, and nothing is stored.
    async fn finish_scan(
        &self,
        write: AuthorizedWrite<FinishScan>,
    ) -> Result<Audited<ObserveCounts>, StoreError>;

    /// Returns one scan.
    async fn scan(&self, scope: &WorkspaceScope, id: ScanId) -> Result<Option<Scan>, StoreError>;
    /// Returns a page of scans.
    async fn list_scans(&self, scope: &WorkspaceScope, query: &ScanQuery) -> Result<ScanPage, StoreError>;
    /// Returns the newest completed scan of an integration and type, older than `before` and completed before
    /// `completed_before` if given.
    async fn latest_scan(
        &self,
        scope: &WorkspaceScope,
        integration: IntegrationId,
        scan_type: ScanType,
        before: Option<ScanId>,
        completed_before: Option<Timestamp>,
    ) -> Result<Option<Scan>, StoreError>;
    /// Returns all results of a scan, ordered by check id; empty if the scan doesn't exist or hasn't completed.
    async fn scan_results(&self, scope: &WorkspaceScope, id: ScanId) -> Result<Vec<ResultRow>, StoreError>;
    /// Returns one result.
    async fn scan_result(
        &self,
        scope: &WorkspaceScope,
        id: ScanId,
        check_id: &str,
    ) -> Result<Option<ResultDetail>, StoreError>;
    /// Returns all results of a scan with their details, for reports. This is a long read.
    async fn scan_details(&self, scope: &WorkspaceScope, id: ScanId)
    -> Result<Vec<ResultDetail>, StoreError>;
    /// Returns the results of reading a scan's settings, ordered by path.
    async fn scan_settings(&self, scope: &WorkspaceScope, id: ScanId) -> Result<Vec<SettingRow>, StoreError>;
    /// Returns the settings of a scan with their documents: those at `paths`, or all if `paths` is empty.
    async fn setting_values(
        &self,
        scope: &WorkspaceScope,
        id: ScanId,
        paths: &[String],
    ) -> Result<Vec<SettingValue>, StoreError>;
    /// Returns the numbers of completed scans of an integration and type since a time, oldest first; the newest
    /// [`TREND_POINTS_MAX`].
    async fn scan_points(
        &self,
        scope: &WorkspaceScope,
        integration: IntegrationId,
        scan_type: ScanType,
        since: Timestamp,
    ) -> Result<Vec<ScanPoint>, StoreError>;

    /// Returns all schedules, ordered by name.
    async fn schedules(&self, scope: &WorkspaceScope) -> Result<Vec<Schedule>, StoreError>;
    /// Adds a schedule. Returns `false` if the workspace has [`SCHEDULES_MAX`](super::SCHEDULES_MAX) schedules or
    /// no such integration.
    async fn add_schedule(&self, write: AuthorizedWrite<AddSchedule>) -> Result<Audited<bool>, StoreError>;
    /// Enables, disables or deletes a schedule. Returns `false` if there is no such schedule.
    async fn change_schedule(
        &self,
        write: AuthorizedWrite<ChangeSchedule>,
    ) -> Result<Audited<bool>, StoreError>;

    /// Returns all exemptions, including ended ones, ordered by check.
    async fn exemptions(&self, scope: &WorkspaceScope) -> Result<Vec<Exemption>, StoreError>;
    /// Adds an exemption. Returns `false` if the workspace has [`EXEMPTIONS_MAX`](super::EXEMPTIONS_MAX)
    /// exemptions.
    async fn add_exemption(&self, write: AuthorizedWrite<AddExemption>) -> Result<Audited<bool>, StoreError>;
    /// Removes an exemption. Returns `false` if there is no such exemption.
    async fn remove_exemption(
        &self,
        write: AuthorizedWrite<RemoveExemption>,
    ) -> Result<Audited<bool>, StoreError>;
    /// Returns one exemption.
    async fn exemption(
        &self,
        scope: &WorkspaceScope,
        id: ExemptionId,
    ) -> Result<Option<Exemption>, StoreError>;
}
