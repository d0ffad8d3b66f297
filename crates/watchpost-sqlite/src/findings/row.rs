//! Rows of findings as lists show them.

use crate::{
    fault::Res,
    row::{Columns, str_of},
};
use rusqlite::{Connection, Row, params};
use watchpost_core::{
    app::AppRef,
    finding::{FindingSummary, Subject},
    rule::document::EntityRef,
    value::id::{AppId, FindingId},
};

/// The columns that [`summary`] reads, of `findings f`.
pub(crate) const SUMMARY: &str = "f.id, f.title, f.severity, f.category, f.status, f.rule_id, f.entity_type, \
                                  f.entity_id, f.subject_name, f.subject_email, f.first_seen_at, f.apps, f.service";
/// How many they are.
pub(super) const SUMMARY_COLUMNS: usize = 13;

/// A finding, and how many further apps it has; those are read apart.
pub(crate) fn summary(row: &Row<'_>) -> Res<(FindingSummary, u64)> {
    let entity = EntityRef::from_parts(row.word(6)?, row.id(7, |bytes| bytes)?);
    let summary = FindingSummary {
        id: row.id(0, FindingId::from_bytes)?,
        title: row.text(1)?,
        severity: row.word(2)?,
        category: row.word(3)?,
        status: row.word(4)?,
        rule_id: str_of(row.get_ref(5)?)?.to_owned(),
        service: row.word_opt(12)?,
        subject: Subject {
            entity,
            name: row.text(8)?,
            email: row.get(9)?,
        },
        apps: Vec::new(),
        first_seen_at: row.time(10)?,
    };
    Ok((summary, row.count(11)?))
}

/// The further apps of a finding that still exist, by name.
pub(super) fn apps(conn: &Connection, workspace: i64, finding: FindingId) -> Res<Vec<AppRef>> {
    let mut statement = conn.prepare_cached(
        "SELECT a.id, a.name, a.policy FROM finding_apps x \
         JOIN apps a ON a.workspace_id = x.workspace_id AND a.id = x.app_id \
         WHERE x.workspace_id = ?1 AND x.finding_id = ?2 ORDER BY a.name_key, a.id",
    )?;
    let mut rows = statement.query(params![workspace, finding.as_bytes()])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push(AppRef {
            id: row.id(0, AppId::from_bytes)?,
            name: row.text(1)?,
            policy: row.word(2)?,
        });
    }
    Ok(out)
}
