//! Reads scans, their results and their settings.

use super::row;
use crate::{
    base::{
        fault::Res,
        row::{Columns, Word, stored},
        unknown::known_rows,
    },
    table::integrations,
};
use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter, types::Value};
use watchpost_core::{
    check::ScanType,
    scan::{
        ResultDetail, ResultRow, Scan, ScanPage, ScanPoint, ScanQuery, SettingRow, SettingValue,
        TREND_POINTS_MAX,
    },
    value::{
        id::{IntegrationId, ScanId},
        time::Timestamp,
        word::RunState,
    },
};

pub(crate) fn by_id(conn: &Connection, workspace: i64, id: ScanId) -> Res<Option<Scan>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {} FROM {} WHERE s.workspace_id = ?1 AND s.id = ?2",
        row::SCAN,
        row::FROM
    ))?;
    let mut rows = statement.query(params![workspace, id.as_bytes()])?;
    rows.next()?.map(row::scan).transpose()
}

pub(crate) fn page(conn: &Connection, workspace: i64, query: &ScanQuery) -> Res<ScanPage> {
    let mut conditions = String::from("s.workspace_id = ?");
    let mut values = vec![Value::Integer(workspace)];
    if let Some(id) = query.integration {
        let Some(number) = integrations::number_of(conn, workspace, id)? else {
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
    let limit = query.limit.clamp(1, 200);
    values.push(Value::Integer(stored(limit as u64).saturating_add(1)));
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {} FROM {} WHERE {conditions} ORDER BY s.id DESC LIMIT ?",
        row::SCAN,
        row::FROM
    ))?;
    let mut rows = statement.query(params_from_iter(&values))?;
    let mut read = 0;
    let mut scans = known_rows(&mut rows, "scans", |row| {
        read += 1;
        row::scan(row)
    })?;
    let more = read > limit;
    scans.truncate(limit);
    Ok(ScanPage {
        scans,
        total: u64::try_from(total).unwrap_or(0),
        more,
    })
}

pub(crate) fn latest(
    conn: &Connection,
    workspace: i64,
    integration: IntegrationId,
    scan_type: ScanType,
    (before, completed_before): (Option<ScanId>, Option<Timestamp>),
) -> Res<Option<Scan>> {
    let Some(number) = integrations::number_of(conn, workspace, integration)? else {
        return Ok(None);
    };
    let below = before.map_or([0xff; 16], |id| *id.as_bytes());
    let id: Option<[u8; 16]> = conn
        .prepare_cached(
            "SELECT id FROM scans WHERE workspace_id = ?1 AND integration = ?2 AND scan_type = ?3 AND state = ?4 \
             AND id < ?5 AND completed_at < ?6 ORDER BY id DESC LIMIT 1",
        )?
        .query_row(
            params![
                workspace,
                number,
                scan_type.position(),
                RunState::Completed.position(),
                below,
                completed_before.map_or(i64::MAX, Timestamp::as_millis)
            ],
            |row| row.get(0),
        )
        .optional()?;
    match id {
        Some(id) => by_id(conn, workspace, ScanId::from_bytes(id)),
        None => Ok(None),
    }
}

pub(crate) fn results(conn: &Connection, workspace: i64, id: ScanId) -> Res<Vec<ResultRow>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {} FROM {} WHERE r.workspace_id = ?1 AND r.scan_id = ?2 ORDER BY r.check_id",
        row::RESULT,
        row::RESULTS_FROM
    ))?;
    known_rows(
        &mut statement.query(params![workspace, id.as_bytes()])?,
        "scan_results",
        row::result,
    )
}

pub(crate) fn details(
    conn: &Connection,
    workspace: i64,
    id: ScanId,
    check: Option<&str>,
) -> Res<Vec<ResultDetail>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {}, {} FROM {} WHERE r.workspace_id = ?1 AND r.scan_id = ?2 AND (?3 IS NULL OR r.check_id = ?3) \
         ORDER BY r.check_id",
        row::RESULT,
        row::DETAIL,
        row::RESULTS_FROM
    ))?;
    known_rows(
        &mut statement.query(params![workspace, id.as_bytes(), check])?,
        "scan_results",
        row::detail,
    )
}

pub(crate) fn settings(conn: &Connection, workspace: i64, id: ScanId) -> Res<Vec<SettingRow>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {} FROM scan_settings t WHERE t.workspace_id = ?1 AND t.scan_id = ?2 ORDER BY t.path",
        row::SETTING
    ))?;
    known_rows(
        &mut statement.query(params![workspace, id.as_bytes()])?,
        "scan_settings",
        row::setting,
    )
}

pub(crate) fn values(
    conn: &Connection,
    workspace: i64,
    id: ScanId,
    paths: &[String],
) -> Res<Vec<SettingValue>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {}, b.document FROM scan_settings t LEFT JOIN setting_bodies b ON b.workspace_id = t.workspace_id \
         AND b.hash = t.hash WHERE t.workspace_id = ?1 AND t.scan_id = ?2 AND (?3 IS NULL OR t.path = ?3) \
         ORDER BY t.path",
        row::SETTING
    ))?;
    let mut out = Vec::new();
    let mut read = |path: Option<&str>| -> Res<()> {
        let mut rows = statement.query(params![workspace, id.as_bytes(), path])?;
        out.extend(known_rows(&mut rows, "scan_settings", |row| {
            Ok(SettingValue {
                row: row::setting(row)?,
                document: row.get(7)?,
            })
        })?);
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

pub(crate) fn points(
    conn: &Connection,
    workspace: i64,
    integration: IntegrationId,
    scan_type: ScanType,
    since: Timestamp,
) -> Res<Vec<ScanPoint>> {
    let Some(number) = integrations::number_of(conn, workspace, integration)? else {
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
        stored(TREND_POINTS_MAX)
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
