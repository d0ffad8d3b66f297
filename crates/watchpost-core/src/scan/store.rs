//! The port of scans, schedules and exemptions, with its commands.

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

/// Start a scan.
#[derive(Debug)]
pub struct StartScan {
    /// The id it gets.
    pub id: ScanId,
    /// What is scanned.
    pub integration: IntegrationId,
    /// What it looks for.
    pub scan_type: ScanType,
    /// Whether it reads settings anew.
    pub fresh: bool,
    /// The job's id.
    pub job: JobId,
    /// When.
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

/// What starting a scan came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScanStart {
    /// It is queued.
    Started,
    /// One of this integration waits or runs already: one at a time.
    AlreadyRunning(ScanId),
    /// There is no such integration, or it takes part in nothing (paused, disconnected).
    NoIntegration,
}

/// Stop a scan that waits or runs.
#[derive(Debug)]
pub struct CancelScan {
    /// Which.
    pub id: ScanId,
    /// When.
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

/// What cancelling came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelOutcome {
    /// It is cancelled, and its job with it: a worker that has it loses the lease.
    Cancelled,
    /// It had ended already, like this.
    Ended(RunState),
    /// There is no such scan.
    NotFound,
}

/// End a scan.
#[derive(Debug)]
pub struct FinishScan {
    /// Which.
    pub id: ScanId,
    /// `Completed` or `Failed`.
    pub state: RunState,
    /// Why it failed.
    pub reason: Option<String>,
    /// All results of a completed one, at most 1,000.
    pub results: Vec<ResultDetail>,
    /// Their counts.
    pub counts: ScanCounts,
    /// What becomes of findings, in the same transaction; `None` for a scan that read nothing anew.
    pub findings: Option<CheckReconciliation>,
    /// When.
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

/// What a scan's results do to the findings of checks. The same life as that of rules' findings: a failure makes,
/// keeps or reopens one; one whose check no longer fails ends after two scans that read its settings anew; what ended
/// by an act in Watchpost (an exemption of the whole check, a check switched off) ends at once.
#[derive(Debug, Clone, Default)]
pub struct CheckReconciliation {
    /// Failed checks. Their marks are empty: the scan itself is the fresh reading.
    pub failed: Vec<Observation>,
    /// Checks that were judged and didn't fail, or didn't apply: what they saw of a live or snoozed finding counts one
    /// miss, and ends at the second in a row. Those in neither list stay as they are.
    pub clear: Vec<JudgedCheck>,
    /// Checks that no longer judge: what they saw ends now.
    pub ended: Vec<JudgedCheck>,
}

/// A check that doesn't fail, with what names the finding that it would have. A finding that another rule or check of
/// the same condition still sees goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedCheck {
    /// The check.
    pub check_id: String,
    /// Its condition.
    pub condition: String,
    /// What was judged.
    pub entity: EntityRef,
}

/// A scan that was not run here: an imported settings export, judged by our checks. It is kept with its import (see
/// [`crate::import::KeepImport`]) and makes no findings.
#[derive(Debug)]
pub struct RecordedScan {
    /// The id it gets. Made of the time at which the settings were read, since scans are ordered by their ids.
    pub id: ScanId,
    /// What it looked for.
    pub scan_type: ScanType,
    /// When the settings were read: its times.
    pub read_at: Timestamp,
    /// The settings.
    pub settings: Vec<SettingDocument>,
    /// All results.
    pub results: Vec<ResultDetail>,
    /// Their counts.
    pub counts: ScanCounts,
}

/// Conditions on scans.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScanQuery {
    /// Only of this integration.
    pub integration: Option<IntegrationId>,
    /// Only of this type.
    pub scan_type: Option<ScanType>,
    /// Only in this state.
    pub state: Option<RunState>,
    /// Only older than this one (scans are listed newest first).
    pub before: Option<ScanId>,
    /// 1 to 100.
    pub limit: usize,
}

/// A page of scans, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanPage {
    /// The scans.
    pub scans: Vec<Scan>,
    /// How many fit in all.
    pub total: u64,
    /// Whether there are older ones.
    pub more: bool,
}

/// Points that a trend has at the most.
pub const TREND_POINTS_MAX: u64 = 1_000;

/// A completed scan's numbers, for trends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanPoint {
    /// The scan.
    pub scan: ScanId,
    /// When it completed.
    pub at: Timestamp,
    /// All its counts.
    pub counts: ScanCounts,
    /// Counts by framework, in the order of [`crate::check::Framework::ALL`], those without checks left out.
    pub frameworks: Vec<(crate::check::Framework, ScanCounts)>,
    /// Counts by service likewise.
    pub services: Vec<(crate::check::Service, ScanCounts)>,
}

/// The port of scans.
#[async_trait]
pub trait ScanStore: Send + Sync {
    /// Makes a queued scan with its job, unless one of the integration waits or runs.
    async fn start_scan(&self, write: AuthorizedWrite<StartScan>) -> Result<Audited<ScanStart>, StoreError>;
    /// Cancels a scan and its job.
    async fn cancel_scan(
        &self,
        write: AuthorizedWrite<CancelScan>,
    ) -> Result<Audited<CancelOutcome>, StoreError>;
    /// Marks a scan as taken up, forgetting the settings of an attempt before. `false`: it has ended meanwhile.
    async fn begin_scan(&self, permit: &ScanPermit, now: Timestamp) -> Result<bool, StoreError>;
    /// Opens the sealed credentials that read the scan's integration. Never one that writes: there are none here.
    async fn open_config_for_scan(&self, permit: &ScanPermit) -> Result<Option<ConnectorConfig>, StoreError>;
    /// Keeps a setting that was read (or couldn't be). Equal documents are stored once.
    async fn store_setting(
        &self,
        permit: &ScanPermit,
        setting: SettingDocument,
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// Gives a scan the settings of another one of the same integration, with their times.
    async fn copy_settings(&self, permit: &ScanPermit, from: ScanId) -> Result<(), StoreError>;
    /// Ends a scan with results, counts and what becomes of findings, in one transaction. A scan that had been
    /// cancelled stays so, and nothing is kept.
    async fn finish_scan(
        &self,
        write: AuthorizedWrite<FinishScan>,
    ) -> Result<Audited<ObserveCounts>, StoreError>;

    /// One scan.
    async fn scan(&self, scope: &WorkspaceScope, id: ScanId) -> Result<Option<Scan>, StoreError>;
    /// A page of scans.
    async fn list_scans(&self, scope: &WorkspaceScope, query: &ScanQuery) -> Result<ScanPage, StoreError>;
    /// The newest completed scan of an integration and type, older than `before` if given.
    async fn latest_scan(
        &self,
        scope: &WorkspaceScope,
        integration: IntegrationId,
        scan_type: ScanType,
        before: Option<ScanId>,
    ) -> Result<Option<Scan>, StoreError>;
    /// All results of a scan, by check id; empty if there is no such scan or it didn't complete.
    async fn scan_results(&self, scope: &WorkspaceScope, id: ScanId) -> Result<Vec<ResultRow>, StoreError>;
    /// One result.
    async fn scan_result(
        &self,
        scope: &WorkspaceScope,
        id: ScanId,
        check_id: &str,
    ) -> Result<Option<ResultDetail>, StoreError>;
    /// All results of a scan with everything, for reports. A long read.
    async fn scan_details(&self, scope: &WorkspaceScope, id: ScanId)
    -> Result<Vec<ResultDetail>, StoreError>;
    /// What a scan read, by path.
    async fn scan_settings(&self, scope: &WorkspaceScope, id: ScanId) -> Result<Vec<SettingRow>, StoreError>;
    /// Settings of a scan with their documents: those at `paths`, or all if it is empty.
    async fn setting_values(
        &self,
        scope: &WorkspaceScope,
        id: ScanId,
        paths: &[String],
    ) -> Result<Vec<SettingValue>, StoreError>;
    /// Numbers of completed scans of an integration and type since a time, oldest first, the newest 1,000.
    async fn scan_points(
        &self,
        scope: &WorkspaceScope,
        integration: IntegrationId,
        scan_type: ScanType,
        since: Timestamp,
    ) -> Result<Vec<ScanPoint>, StoreError>;

    /// All schedules by name.
    async fn schedules(&self, scope: &WorkspaceScope) -> Result<Vec<Schedule>, StoreError>;
    /// Adds a schedule. At most [`SCHEDULES_MAX`](super::SCHEDULES_MAX); `false` past that or if there is no such integration.
    async fn add_schedule(&self, write: AuthorizedWrite<AddSchedule>) -> Result<Audited<bool>, StoreError>;
    /// Switches or deletes one. `false`: there is none.
    async fn change_schedule(
        &self,
        write: AuthorizedWrite<ChangeSchedule>,
    ) -> Result<Audited<bool>, StoreError>;

    /// All exemptions, ended ones too, by check.
    async fn exemptions(&self, scope: &WorkspaceScope) -> Result<Vec<Exemption>, StoreError>;
    /// Adds one. At most [`EXEMPTIONS_MAX`](super::EXEMPTIONS_MAX); `false` past that.
    async fn add_exemption(&self, write: AuthorizedWrite<AddExemption>) -> Result<Audited<bool>, StoreError>;
    /// Removes one. `false`: there is none.
    async fn remove_exemption(
        &self,
        write: AuthorizedWrite<RemoveExemption>,
    ) -> Result<Audited<bool>, StoreError>;
    /// One exemption.
    async fn exemption(
        &self,
        scope: &WorkspaceScope,
        id: ExemptionId,
    ) -> Result<Option<Exemption>, StoreError>;
}
