//! The [`ScanStore`] port: scans, schedules, exemptions.

use crate::{
    port::store::SqliteStore,
    table::scans::{exemption, finish, read, schedule, start},
};
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

#[async_trait]
impl ScanStore for SqliteStore {
    async fn start_scan(&self, write: AuthorizedWrite<StartScan>) -> Result<Audited<ScanStart>, StoreError> {
        self.change("scans", write, |tx, workspace, command, entry| {
            start::start(tx, workspace, &command, entry)
        })
        .await
    }

    async fn cancel_scan(
        &self,
        write: AuthorizedWrite<CancelScan>,
    ) -> Result<Audited<CancelOutcome>, StoreError> {
        self.change("scans", write, |tx, workspace, command, entry| {
            start::cancel(tx, workspace, &command, entry)
        })
        .await
    }

    async fn begin_scan(&self, permit: &ScanPermit, now: Timestamp) -> Result<bool, StoreError> {
        let scan = permit.scan();
        self.call("scans", permit.workspace(), move |tx, workspace| {
            start::begin(tx, workspace, scan, now)
        })
        .await
    }

    async fn open_config_for_scan(&self, permit: &ScanPermit) -> Result<Option<ConnectorConfig>, StoreError> {
        let (workspace_id, scan) = (permit.workspace(), permit.scan());
        self.number(workspace_id)
            .and_then(|workspace| {
                self.inner
                    .pool
                    .read(|conn| match read::by_id(conn, workspace, scan)? {
                        Some(scan) => self.open_secrets(conn, workspace, workspace_id, scan.integration),
                        None => Ok(None),
                    })
            })
            .map_err(|fault| fault.into_store("integrations"))
    }

    async fn store_setting(
        &self,
        permit: &ScanPermit,
        setting: SettingDocument,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let scan = permit.scan();
        self.call("scan_settings", permit.workspace(), move |tx, workspace| {
            finish::store_setting(tx, workspace, scan, &setting, now)
        })
        .await
    }

    async fn copy_settings(&self, permit: &ScanPermit, from: ScanId) -> Result<(), StoreError> {
        let scan = permit.scan();
        self.call("scan_settings", permit.workspace(), move |tx, workspace| {
            finish::copy_settings(tx, workspace, scan, from)
        })
        .await
    }

    async fn finish_scan(
        &self,
        write: AuthorizedWrite<FinishScan>,
    ) -> Result<Audited<ObserveCounts>, StoreError> {
        self.change("scans", write, finish::finish).await
    }

    async fn scan(&self, scope: &WorkspaceScope, id: ScanId) -> Result<Option<Scan>, StoreError> {
        self.read_one(scope, "scans", |conn, workspace| read::by_id(conn, workspace, id))
    }

    async fn list_scans(&self, scope: &WorkspaceScope, query: &ScanQuery) -> Result<ScanPage, StoreError> {
        self.read(scope, "scans", |conn, workspace| {
            read::page(conn, workspace, query)
        })
    }

    async fn latest_scan(
        &self,
        scope: &WorkspaceScope,
        integration: IntegrationId,
        scan_type: ScanType,
        before: Option<ScanId>,
        completed_before: Option<Timestamp>,
    ) -> Result<Option<Scan>, StoreError> {
        self.read(scope, "scans", |conn, workspace| {
            let older = (before, completed_before);
            read::latest(conn, workspace, integration, scan_type, older)
        })
    }

    async fn scan_results(&self, scope: &WorkspaceScope, id: ScanId) -> Result<Vec<ResultRow>, StoreError> {
        self.read_one(scope, "scan_results", |conn, workspace| {
            read::results(conn, workspace, id)
        })
    }

    async fn scan_result(
        &self,
        scope: &WorkspaceScope,
        id: ScanId,
        check_id: &str,
    ) -> Result<Option<ResultDetail>, StoreError> {
        self.read_one(scope, "scan_results", |conn, workspace| {
            Ok(read::details(conn, workspace, id, Some(check_id))?.pop())
        })
    }

    async fn scan_details(
        &self,
        scope: &WorkspaceScope,
        id: ScanId,
    ) -> Result<Vec<ResultDetail>, StoreError> {
        self.long(scope, "scan_results", move |conn, workspace| {
            read::details(conn, workspace, id, None)
        })
        .await
    }

    async fn scan_settings(&self, scope: &WorkspaceScope, id: ScanId) -> Result<Vec<SettingRow>, StoreError> {
        self.read_one(scope, "scan_settings", |conn, workspace| {
            read::settings(conn, workspace, id)
        })
    }

    async fn setting_values(
        &self,
        scope: &WorkspaceScope,
        id: ScanId,
        paths: &[String],
    ) -> Result<Vec<SettingValue>, StoreError> {
        let paths = paths.to_vec();
        self.long(scope, "scan_settings", move |conn, workspace| {
            read::values(conn, workspace, id, &paths)
        })
        .await
    }

    async fn scan_points(
        &self,
        scope: &WorkspaceScope,
        integration: IntegrationId,
        scan_type: ScanType,
        since: Timestamp,
    ) -> Result<Vec<ScanPoint>, StoreError> {
        self.read(scope, "scans", |conn, workspace| {
            read::points(conn, workspace, integration, scan_type, since)
        })
    }

    async fn schedules(&self, scope: &WorkspaceScope) -> Result<Vec<Schedule>, StoreError> {
        self.read_one(scope, "schedules", schedule::schedules)
    }

    async fn add_schedule(&self, write: AuthorizedWrite<AddSchedule>) -> Result<Audited<bool>, StoreError> {
        self.change("schedules", write, |tx, workspace, command, entry| {
            schedule::add_schedule(tx, workspace, &command.schedule, entry)
        })
        .await
    }

    async fn change_schedule(
        &self,
        write: AuthorizedWrite<ChangeSchedule>,
    ) -> Result<Audited<bool>, StoreError> {
        self.change("schedules", write, |tx, workspace, command, entry| {
            schedule::change_schedule(tx, workspace, &command, entry)
        })
        .await
    }

    async fn exemptions(&self, scope: &WorkspaceScope) -> Result<Vec<Exemption>, StoreError> {
        self.read_one(scope, "exemptions", |conn, workspace| {
            exemption::exemptions(conn, workspace, None)
        })
    }

    async fn add_exemption(&self, write: AuthorizedWrite<AddExemption>) -> Result<Audited<bool>, StoreError> {
        self.change("exemptions", write, |tx, workspace, command, entry| {
            exemption::add_exemption(tx, workspace, &command.exemption, entry)
        })
        .await
    }

    async fn remove_exemption(
        &self,
        write: AuthorizedWrite<RemoveExemption>,
    ) -> Result<Audited<bool>, StoreError> {
        self.change("exemptions", write, |tx, workspace, command, entry| {
            exemption::remove_exemption(tx, workspace, command.id, entry)
        })
        .await
    }

    async fn exemption(
        &self,
        scope: &WorkspaceScope,
        id: ExemptionId,
    ) -> Result<Option<Exemption>, StoreError> {
        self.read_one(scope, "exemptions", |conn, workspace| {
            Ok(exemption::exemptions(conn, workspace, Some(id))?.pop())
        })
    }
}
