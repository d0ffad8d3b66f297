//! Scans, schedules, exemptions.

mod finish;
mod plan;
mod row;
mod start;

pub(crate) use finish::record;
pub(crate) use plan::{due_schedules, fire, next_schedule};
pub(crate) use row::{framework_bit, framework_bits, service_code};
pub(crate) use start::{cancel_unfinished, follow_job};

use crate::{
    fault::Res,
    row::{Columns, Word, stored},
    store::SqliteStore,
};
use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter, types::Value};
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
        word::RunState,
    },
};

/// Points of a trend.
const POINTS_MAX: i64 = 1_000;

fn by_id(conn: &Connection, workspace: i64, id: ScanId) -> Res<Option<Scan>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {} FROM {} WHERE s.workspace_id = ?1 AND s.id = ?2",
        row::SCAN,
        row::FROM
    ))?;
    let mut rows = statement.query(params![workspace, id.as_bytes()])?;
    rows.next()?.map(row::scan).transpose()
}

fn page(conn: &Connection, workspace: i64, query: &ScanQuery) -> Res<ScanPage> {
    let mut conditions = String::from("s.workspace_id = ?");
    let mut values = vec![Value::Integer(workspace)];
    if let Some(id) = query.integration {
        let Some(number) = crate::integrations::number_of(conn, workspace, id)? else {
            return Ok(ScanPage {
                scans: Vec::new(),
                total: 0,
                more: false,
            });
        };
        conditions.push_str(" AND s.integration = ?");
        values.push(Value::Integer(number));
    }
    if let Some(scan_type) = query.scan_type {
        conditions.push_str(" AND s.scan_type = ?");
        values.push(Value::Integer(scan_type.position().into()));
    }
    if let Some(state) = query.state {
        conditions.push_str(" AND s.state = ?");
        values.push(Value::Integer(state.position().into()));
    }
    let total: i64 = conn
        .prepare_cached(&format!("SELECT count(*) FROM scans s WHERE {conditions}"))?
        .query_row(params_from_iter(&values), |row| row.get(0))?;
    if let Some(before) = query.before {
        conditions.push_str(" AND s.id < ?");
        values.push(Value::Blob(before.as_bytes().to_vec()));
    }
    let limit = query.limit.clamp(1, 100);
    values.push(Value::Integer(stored(limit as u64).saturating_add(1)));
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {} FROM {} WHERE {conditions} ORDER BY s.id DESC LIMIT ?",
        row::SCAN,
        row::FROM
    ))?;
    let mut rows = statement.query(params_from_iter(&values))?;
    let mut scans = Vec::new();
    while let Some(row) = rows.next()? {
        scans.push(row::scan(row)?);
    }
    let more = scans.len() > limit;
    scans.truncate(limit);
    Ok(ScanPage {
        scans,
        total: u64::try_from(total).unwrap_or(0),
        more,
    })
}

fn latest(
    conn: &Connection,
    workspace: i64,
    integration: IntegrationId,
    scan_type: ScanType,
    before: Option<ScanId>,
) -> Res<Option<Scan>> {
    let Some(number) = crate::integrations::number_of(conn, workspace, integration)? else {
        return Ok(None);
    };
    let below = before.map_or([0xff; 16], |id| *id.as_bytes());
    let id: Option<[u8; 16]> = conn
        .prepare_cached(
            "SELECT id FROM scans WHERE workspace_id = ?1 AND integration = ?2 AND scan_type = ?3 AND state = ?4 \
             AND id < ?5 ORDER BY id DESC LIMIT 1",
        )?
        .query_row(
            params![
                workspace,
                number,
                scan_type.position(),
                RunState::Completed.position(),
                below
            ],
            |row| row.get(0),
        )
        .optional()?;
    match id {
        Some(id) => by_id(conn, workspace, ScanId::from_bytes(id)),
        None => Ok(None),
    }
}

fn results(conn: &Connection, workspace: i64, id: ScanId) -> Res<Vec<ResultRow>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {} FROM {} WHERE r.workspace_id = ?1 AND r.scan_id = ?2 ORDER BY r.check_id",
        row::RESULT,
        row::RESULTS_FROM
    ))?;
    let mut rows = statement.query(params![workspace, id.as_bytes()])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push(row::result(row)?);
    }
    Ok(out)
}

fn details(conn: &Connection, workspace: i64, id: ScanId, check: Option<&str>) -> Res<Vec<ResultDetail>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {}, {} FROM {} WHERE r.workspace_id = ?1 AND r.scan_id = ?2 AND (?3 IS NULL OR r.check_id = ?3) \
         ORDER BY r.check_id",
        row::RESULT,
        row::DETAIL,
        row::RESULTS_FROM
    ))?;
    let mut rows = statement.query(params![workspace, id.as_bytes(), check])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push(row::detail(row)?);
    }
    Ok(out)
}

fn settings(conn: &Connection, workspace: i64, id: ScanId) -> Res<Vec<SettingRow>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {} FROM scan_settings t WHERE t.workspace_id = ?1 AND t.scan_id = ?2 ORDER BY t.path",
        row::SETTING
    ))?;
    let mut rows = statement.query(params![workspace, id.as_bytes()])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push(row::setting(row)?);
    }
    Ok(out)
}

fn values(conn: &Connection, workspace: i64, id: ScanId, paths: &[String]) -> Res<Vec<SettingValue>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {}, b.document FROM scan_settings t LEFT JOIN setting_bodies b ON b.workspace_id = t.workspace_id \
         AND b.hash = t.hash WHERE t.workspace_id = ?1 AND t.scan_id = ?2 AND (?3 IS NULL OR t.path = ?3) \
         ORDER BY t.path",
        row::SETTING
    ))?;
    let mut out = Vec::new();
    let mut read = |path: Option<&str>| -> Res<()> {
        let mut rows = statement.query(params![workspace, id.as_bytes(), path])?;
        while let Some(row) = rows.next()? {
            out.push(SettingValue {
                row: row::setting(row)?,
                document: row.get(7)?,
            });
        }
        Ok(())
    };
    if paths.is_empty() {
        read(None)?;
    } else {
        for path in paths {
            read(Some(path))?;
        }
    }
    Ok(out)
}

fn points(
    conn: &Connection,
    workspace: i64,
    integration: IntegrationId,
    scan_type: ScanType,
    since: Timestamp,
) -> Res<Vec<ScanPoint>> {
    let Some(number) = crate::integrations::number_of(conn, workspace, integration)? else {
        return Ok(Vec::new());
    };
    let mut statement = conn.prepare_cached(
        "SELECT id, completed_at, counts, frameworks, services FROM scans WHERE workspace_id = ?1 AND integration = ?2 \
         AND scan_type = ?3 AND state = ?4 AND completed_at >= ?5 ORDER BY id DESC LIMIT ?6",
    )?;
    let mut rows = statement.query(params![
        workspace,
        number,
        scan_type.position(),
        RunState::Completed.position(),
        since.as_millis(),
        POINTS_MAX
    ])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push(ScanPoint {
            scan: row.id(0, ScanId::from_bytes)?,
            at: row.time(1)?,
            counts: row::counts_at(row, 2)?,
            frameworks: row::groups_at(row, 3)?,
            services: row::groups_at(row, 4)?,
        });
    }
    out.reverse();
    Ok(out)
}

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
        let (id, scan) = (permit.workspace(), permit.scan());
        self.inner
            .writer
            .call("scans", true, move |tx| {
                start::begin(tx, tx.workspace(id)?, scan, now)
            })
            .await
    }

    async fn open_config_for_scan(&self, permit: &ScanPermit) -> Result<Option<ConnectorConfig>, StoreError> {
        let (workspace_id, scan) = (permit.workspace(), permit.scan());
        self.number(workspace_id)
            .and_then(|workspace| {
                self.inner.pool.read(|conn| match by_id(conn, workspace, scan)? {
                    Some(scan) => self.open_secrets(conn, workspace, workspace_id, scan.integration),
                    None => Ok(None),
                })
            })
            .map_err(|fault| fault.into_store("integration_secrets"))
    }

    async fn store_setting(
        &self,
        permit: &ScanPermit,
        setting: SettingDocument,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (id, scan) = (permit.workspace(), permit.scan());
        self.inner
            .writer
            .call("scan_settings", true, move |tx| {
                finish::keep_setting(tx, tx.workspace(id)?, scan, &setting, now)
            })
            .await
    }

    async fn copy_settings(&self, permit: &ScanPermit, from: ScanId) -> Result<(), StoreError> {
        let (id, scan) = (permit.workspace(), permit.scan());
        self.inner
            .writer
            .call("scan_settings", true, move |tx| {
                let workspace = tx.workspace(id)?;
                tx.conn.execute(
                    "INSERT OR REPLACE INTO scan_settings (workspace_id, scan_id, path, state, detail, source, read_at, \
                     hash, bytes) SELECT workspace_id, ?2, path, state, detail, source, read_at, hash, bytes \
                     FROM scan_settings WHERE workspace_id = ?1 AND scan_id = ?3",
                    params![workspace, scan.as_bytes(), from.as_bytes()],
                )?;
                Ok(())
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
        self.read_one(scope, "scans", |conn, workspace| by_id(conn, workspace, id))
    }

    async fn list_scans(&self, scope: &WorkspaceScope, query: &ScanQuery) -> Result<ScanPage, StoreError> {
        self.read(scope, "scans", |conn, workspace| page(conn, workspace, query))
    }

    async fn latest_scan(
        &self,
        scope: &WorkspaceScope,
        integration: IntegrationId,
        scan_type: ScanType,
        before: Option<ScanId>,
    ) -> Result<Option<Scan>, StoreError> {
        self.read(scope, "scans", |conn, workspace| {
            latest(conn, workspace, integration, scan_type, before)
        })
    }

    async fn scan_results(&self, scope: &WorkspaceScope, id: ScanId) -> Result<Vec<ResultRow>, StoreError> {
        self.read_one(scope, "scan_results", |conn, workspace| {
            results(conn, workspace, id)
        })
    }

    async fn scan_result(
        &self,
        scope: &WorkspaceScope,
        id: ScanId,
        check_id: &str,
    ) -> Result<Option<ResultDetail>, StoreError> {
        self.read_one(scope, "scan_results", |conn, workspace| {
            Ok(details(conn, workspace, id, Some(check_id))?.pop())
        })
    }

    async fn scan_details(
        &self,
        scope: &WorkspaceScope,
        id: ScanId,
    ) -> Result<Vec<ResultDetail>, StoreError> {
        self.long(scope, "scan_results", move |conn, workspace| {
            details(conn, workspace, id, None)
        })
        .await
    }

    async fn scan_settings(&self, scope: &WorkspaceScope, id: ScanId) -> Result<Vec<SettingRow>, StoreError> {
        self.read_one(scope, "scan_settings", |conn, workspace| {
            settings(conn, workspace, id)
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
            values(conn, workspace, id, &paths)
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
            points(conn, workspace, integration, scan_type, since)
        })
    }

    async fn schedules(&self, scope: &WorkspaceScope) -> Result<Vec<Schedule>, StoreError> {
        self.read_one(scope, "schedules", plan::schedules)
    }

    async fn add_schedule(&self, write: AuthorizedWrite<AddSchedule>) -> Result<Audited<bool>, StoreError> {
        self.change("schedules", write, |tx, workspace, command, entry| {
            plan::add_schedule(tx, workspace, &command.schedule, entry)
        })
        .await
    }

    async fn change_schedule(
        &self,
        write: AuthorizedWrite<ChangeSchedule>,
    ) -> Result<Audited<bool>, StoreError> {
        self.change("schedules", write, |tx, workspace, command, entry| {
            plan::change_schedule(tx, workspace, &command, entry)
        })
        .await
    }

    async fn exemptions(&self, scope: &WorkspaceScope) -> Result<Vec<Exemption>, StoreError> {
        self.read_one(scope, "exemptions", |conn, workspace| {
            plan::exemptions(conn, workspace, None)
        })
    }

    async fn add_exemption(&self, write: AuthorizedWrite<AddExemption>) -> Result<Audited<bool>, StoreError> {
        self.change("exemptions", write, |tx, workspace, command, entry| {
            plan::add_exemption(tx, workspace, &command.exemption, entry)
        })
        .await
    }

    async fn remove_exemption(
        &self,
        write: AuthorizedWrite<RemoveExemption>,
    ) -> Result<Audited<bool>, StoreError> {
        self.change("exemptions", write, |tx, workspace, command, entry| {
            plan::remove_exemption(tx, workspace, command.id, entry)
        })
        .await
    }

    async fn exemption(
        &self,
        scope: &WorkspaceScope,
        id: ExemptionId,
    ) -> Result<Option<Exemption>, StoreError> {
        self.read_one(scope, "exemptions", |conn, workspace| {
            Ok(plan::exemptions(conn, workspace, Some(id))?.pop())
        })
    }
}
