//! The additional apps of findings.

use crate::base::{fault::Res, row::Columns};
use rusqlite::{Connection, params};
use watchpost_core::value::id::{AppId, FindingId};

/// Returns the ids of a finding's additional apps, in ascending order.
pub(super) fn stored_apps(conn: &Connection, workspace: i64, finding: FindingId) -> Res<Vec<AppId>> {
    let mut statement = conn.prepare_cached(
        "SELECT app_id FROM finding_apps WHERE workspace_id = ?1 AND finding_id = ?2 ORDER BY app_id",
    )?;
    let mut rows = statement.query(params![workspace, finding.as_bytes()])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push(row.id(0, AppId::from_bytes)?);
    }
    Ok(out)
}

pub(super) fn add_apps(conn: &Connection, workspace: i64, finding: FindingId, apps: &[AppId]) -> Res<()> {
    for app in apps {
        conn.prepare_cached(
            "INSERT INTO finding_apps (workspace_id, finding_id, app_id) VALUES (?1, ?2, ?3)",
        )?
        .execute(params![workspace, finding.as_bytes(), app.as_bytes()])?;
    }
    Ok(())
}
