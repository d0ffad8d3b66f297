//! The fake's scan port, which has no scans.

use crate::store::Fake;
use async_trait::async_trait;
use watchpost_core::{
    access::{Audited, AuthorizedWrite, WorkspaceScope},
    check::ScanType,
    error::StoreError,
    finding::ObserveCounts,
    integration::{connector::ConnectorConfig, setting::SettingDocument},
    scan::{
        AddExemption, AddSchedule, CancelOutcome, CancelScan, ChangeSchedule, Exemption, FinishScan,
        RemoveExemption, ResultDetail, ResultRow, Scan, ScanPage, ScanPermit, ScanPoint, ScanQuery,
        ScanStart, ScanStore, Schedule, SettingRow, SettingValue, StartScan,
    },
    value::{
        id::{ExemptionId, IntegrationId, ScanId},
        time::Timestamp,
    },
};

fn conflict() -> StoreError {
    StoreError::Conflict
}

#[async_trait]
impl ScanStore for Fake {
    async fn start_scan(&self, _: AuthorizedWrite<StartScan>) -> Result<Audited<ScanStart>, StoreError> {
        Err(conflict())
    }
    async fn cancel_scan(
        &self,
        _: AuthorizedWrite<CancelScan>,
    ) -> Result<Audited<CancelOutcome>, StoreError> {
        Err(conflict())
    }
    async fn begin_scan(&self, _: &ScanPermit, _: Timestamp) -> Result<bool, StoreError> {
        Err(conflict())
    }
    async fn open_config_for_scan(&self, _: &ScanPermit) -> Result<Option<ConnectorConfig>, StoreError> {
        Err(conflict())
    }
    async fn store_setting(
        &self,
        _: &ScanPermit,
        _: SettingDocument,
        _: Timestamp,
    ) -> Result<(), StoreError> {
        Err(conflict())
    }
    async fn copy_settings(&self, _: &ScanPermit, _: ScanId) -> Result<(), StoreError> {
        Err(conflict())
    }
    async fn finish_scan(
        &self,
        _: AuthorizedWrite<FinishScan>,
    ) -> Result<Audited<ObserveCounts>, StoreError> {
        Err(conflict())
    }
    async fn scan(&self, _: &WorkspaceScope, _: ScanId) -> Result<Option<Scan>, StoreError> {
        Ok(None)
    }
    async fn list_scans(&self, _: &WorkspaceScope, _: &ScanQuery) -> Result<ScanPage, StoreError> {
        Ok(ScanPage {
            scans: Vec::new(),
            total: 0,
            more: false,
        })
    }
    async fn latest_scan(
        &self,
        _: &WorkspaceScope,
        _: IntegrationId,
        _: ScanType,
        _: Option<ScanId>,
        _: Option<Timestamp>,
    ) -> Result<Option<Scan>, StoreError> {
        Ok(None)
    }
    async fn scan_results(&self, _: &WorkspaceScope, _: ScanId) -> Result<Vec<ResultRow>, StoreError> {
        Ok(Vec::new())
    }
    async fn scan_result(
        &self,
        _: &WorkspaceScope,
        _: ScanId,
        _: &str,
    ) -> Result<Option<ResultDetail>, StoreError> {
        Ok(None)
    }
    async fn scan_details(&self, _: &WorkspaceScope, _: ScanId) -> Result<Vec<ResultDetail>, StoreError> {
        Ok(Vec::new())
    }
    async fn scan_settings(&self, _: &WorkspaceScope, _: ScanId) -> Result<Vec<SettingRow>, StoreError> {
        Ok(Vec::new())
    }
    async fn setting_values(
        &self,
        _: &WorkspaceScope,
        _: ScanId,
        _: &[String],
    ) -> Result<Vec<SettingValue>, StoreError> {
        Ok(Vec::new())
    }
    async fn scan_points(
        &self,
        _: &WorkspaceScope,
        _: IntegrationId,
        _: ScanType,
        _: Timestamp,
    ) -> Result<Vec<ScanPoint>, StoreError> {
        Ok(Vec::new())
    }
    async fn schedules(&self, _: &WorkspaceScope) -> Result<Vec<Schedule>, StoreError> {
        Ok(Vec::new())
    }
    async fn add_schedule(&self, _: AuthorizedWrite<AddSchedule>) -> Result<Audited<bool>, StoreError> {
        Err(conflict())
    }
    async fn change_schedule(&self, _: AuthorizedWrite<ChangeSchedule>) -> Result<Audited<bool>, StoreError> {
        Err(conflict())
    }
    async fn exemptions(&self, _: &WorkspaceScope) -> Result<Vec<Exemption>, StoreError> {
        Ok(Vec::new())
    }
    async fn add_exemption(&self, _: AuthorizedWrite<AddExemption>) -> Result<Audited<bool>, StoreError> {
        Err(conflict())
    }
    async fn remove_exemption(
        &self,
        _: AuthorizedWrite<RemoveExemption>,
    ) -> Result<Audited<bool>, StoreError> {
        Err(conflict())
    }
    async fn exemption(&self, _: &WorkspaceScope, _: ExemptionId) -> Result<Option<Exemption>, StoreError> {
        Ok(None)
    }
}
