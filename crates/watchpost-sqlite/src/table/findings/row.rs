//! Rows of findings.

use crate::base::{
    fault::Res,
    row::{Columns, str_of},
    unknown::known_rows,
};
use rusqlite::{Connection, Row, params, types::ValueRef};
use watchpost_core::{
    app::AppRef,
    check::{Framework, FrameworkId, Service},
    finding::{Finding, FindingSummary, Subject},
    rule::document::EntityRef,
    value::id::{AppId, FindingId},
};

/// The columns of `findings f` that [`summary`] reads.
pub(crate) const SUMMARY: &str = "f.id, f.title, f.severity, f.category, f.status, f.rule_id, f.entity_type, \
                                  f.entity_id, f.subject_name, f.subject_email, f.first_seen_at, f.apps, f.service, f.scored, f.also";

/// The number of columns in [`SUMMARY`].
pub(super) const SUMMARY_COLUMNS: usize = 15;

/// Reads a finding and the number of its additional apps. The apps themselves are read separately.
pub(crate) fn summary(row: &Row<'_>) -> Res<(FindingSummary, u64)> {
    let entity = EntityRef::from_parts(row.word(6)?, row.id(7, |bytes| bytes)?);
    let summary = FindingSummary {
        id: row.id(0, FindingId::from_bytes)?,
        title: row.text(1)?,
        severity: row.word(2)?,
        category: row.word(3)?,
        status: row.word(4)?,
        scored: row.get(13)?,
        rule_id: str_of(row.get_ref(5)?)?.to_owned(),
        also: match row.get_ref(14)? {
            ValueRef::Null => Vec::new(),
            ids => str_of(ids)?.split(' ').map(str::to_owned).collect(),
        },
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

/// Reads the additional apps of a finding that still exist, by name.
pub(super) fn apps(conn: &Connection, workspace: i64, finding: FindingId) -> Res<Vec<AppRef>> {
    let mut statement = conn.prepare_cached(
        "SELECT a.id, a.name, a.policy FROM finding_apps x \
         JOIN apps a ON a.workspace_id = x.workspace_id AND a.id = x.app_id \
         WHERE x.workspace_id = ?1 AND x.finding_id = ?2 ORDER BY a.name_key, a.id",
    )?;
    known_rows(
        &mut statement.query(params![workspace, finding.as_bytes()])?,
        "apps",
        |row| {
            Ok(AppRef {
                id: row.id(0, AppId::from_bytes)?,
                name: row.text(1)?,
                policy: row.word(2)?,
            })
        },
    )
}

/// Reads one finding with all its details.
pub(crate) fn one(conn: &Connection, workspace: i64, id: FindingId) -> Res<Option<Finding>> {
    let mut finding = {
        let mut statement = conn.prepare_cached(&format!(
            "SELECT {SUMMARY}, d.evidence, d.last_seen_at, f.status_changed_at, f.snoozed_until, f.dismiss_reason, \
             d.note, f.auto_resolved, f.reopen_count \
             FROM findings f JOIN finding_details d ON d.workspace_id = f.workspace_id AND d.finding_id = f.id \
             WHERE f.workspace_id = ?1 AND f.id = ?2"
        ))?;
        let mut rows = statement.query(params![workspace, id.as_bytes()])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let (summary, apps) = summary(row)?;
        let first = SUMMARY_COLUMNS;
        let reopen_count: i64 = row.get(first + 7)?;
        (
            Finding {
                summary,
                evidence: row.get(first)?,
                last_seen_at: row.time(first + 1)?,
                status_changed_at: row.time(first + 2)?,
                snoozed_until: row.time_opt(first + 3)?,
                dismiss_reason: row.word_opt(first + 4)?,
                note: row.text_opt(first + 5)?,
                auto_resolved: row.get(first + 6)?,
                reopen_count: u32::try_from(reopen_count).unwrap_or(u32::MAX),
            },
            apps,
        )
    };
    if finding.1 > 0 {
        finding.0.summary.apps = apps(conn, workspace, id)?;
    }
    Ok(Some(finding.0))
}

/// Returns the bits of the frameworks that the ids belong to.
pub(super) fn framework_bits(ids: &[FrameworkId]) -> i64 {
    ids.iter()
        .fold(0, |bits, id| bits | framework_bit(id.framework()))
}

/// Returns the bit of a framework.
pub(super) const fn framework_bit(framework: Framework) -> i64 {
    1 << framework.code()
}

/// Returns the bit of a service.
pub(super) const fn service_bit(service: Service) -> i64 {
    1 << service.code()
}

/// Returns the stored code of a service.
pub(super) fn service_code(service: Option<Service>) -> Option<u8> {
    service.map(Service::code)
}
