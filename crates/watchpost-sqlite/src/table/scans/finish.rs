//! Stores the results, settings and findings of scans that end.

use super::{
    read::by_id,
    row::{counts_text, entities_text, grouped_text, would_pass_text},
};
use crate::{
    base::{
        fault::Res,
        row::{Word, stored},
        writer::Tx,
    },
    table::findings::{observe_failed_checks, record_passed_checks},
};
use rusqlite::params;
use sha2::{Digest as _, Sha256};
use watchpost_core::{
    audit::{AuditOutcome, PendingEntry},
    finding::ObserveCounts,
    integration::setting::SettingDocument,
    scan::{
        FinishScan, RecordedScan, ResultDetail, ResultRow, ScanCounts, ScanTrigger, scored_by_framework,
        scored_by_service,
    },
    value::{
        id::ScanId,
        time::Timestamp,
        word::{CollectionState, RunState},
    },
};

pub(crate) fn store_setting(
    tx: &Tx<'_>,
    workspace: i64,
    scan: ScanId,
    setting: &SettingDocument,
    now: Timestamp,
) -> Res<()> {
    let hash: Option<[u8; 32]> = setting
        .document
        .as_ref()
        .map(|document| Sha256::digest(document.as_bytes()).into());
    if let (Some(hash), Some(document)) = (&hash, &setting.document) {
        tx.conn
            .prepare_cached(
                "INSERT INTO setting_bodies (workspace_id, hash, document) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            )?
            .execute(params![workspace, hash, document])?;
    }
    tx.conn
        .prepare_cached(
            "INSERT OR REPLACE INTO scan_settings (workspace_id, scan_id, path, state, detail, source, read_at, hash, \
             bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            workspace,
            scan.as_bytes(),
            setting.path,
            setting.state.position(),
            setting.detail,
            setting.source,
            now.as_millis(),
            hash,
            stored(setting.document.as_ref().map_or(0, String::len) as u64),
        ])?;
    Ok(())
}

fn store_result(tx: &Tx<'_>, workspace: i64, scan: ScanId, result: &ResultDetail) -> Res<()> {
    let row = &result.row;
    let content = row.content.cast_signed();
    tx.conn
        .prepare_cached(
            "INSERT INTO result_bodies (workspace_id, check_id, content, reason, detected, evidence, entities, \
             would_pass) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            workspace,
            row.check_id,
            content,
            row.reason.untrusted(),
            row.detected,
            result.evidence,
            entities_text(&result.entities)?,
            would_pass_text(result.would_pass.as_ref())?,
        ])?;
    let frameworks: Vec<&str> = row.frameworks.iter().map(|id| id.as_str()).collect();
    tx.conn
        .prepare_cached(
            "INSERT INTO scan_results (workspace_id, scan_id, check_id, title, severity, service, frameworks, result, \
             skip, entities, content) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            workspace,
            scan.as_bytes(),
            row.check_id,
            row.title,
            row.severity.position(),
            row.service.position(),
            frameworks.join(" "),
            row.result.position(),
            row.skip.map(Word::position),
            stored(row.entities),
            content,
        ])?;
    Ok(())
}

/// Stores the results and counts of a completed scan, with the number of settings that were read.
fn complete(
    tx: &Tx<'_>,
    workspace: i64,
    scan: ScanId,
    results: &[ResultDetail],
    counts: &ScanCounts,
    now: Timestamp,
) -> Res<()> {
    for result in results {
        store_result(tx, workspace, scan, result)?;
    }
    let rows: Vec<ResultRow> = results.iter().map(|result| result.row.clone()).collect();
    let (frameworks, services) = (scored_by_framework(&rows), scored_by_service(&rows));
    tx.conn.execute(
        "UPDATE scans SET state = ?3, completed_at = ?4, counts = ?5, frameworks = ?6, services = ?7, \
         settings_read = (SELECT count(*) FROM scan_settings t WHERE t.workspace_id = ?1 AND t.scan_id = ?2 \
           AND t.state = ?8), \
         settings_unread = (SELECT count(*) FROM scan_settings t WHERE t.workspace_id = ?1 AND t.scan_id = ?2 \
           AND t.state <> ?8) \
         WHERE workspace_id = ?1 AND id = ?2",
        params![
            workspace,
            scan.as_bytes(),
            RunState::Completed.position(),
            now.as_millis(),
            counts_text(counts),
            grouped_text(&frameworks),
            grouped_text(&services),
            CollectionState::Complete.position(),
        ],
    )?;
    Ok(())
}

/// Ends a scan that is queued or running.
pub(crate) fn finish(
    tx: &Tx<'_>,
    workspace: i64,
    command: FinishScan,
    entry: &mut PendingEntry,
) -> Res<ObserveCounts> {
    let open = by_id(tx.conn, workspace, command.id)?.is_some_and(|scan| scan.is_unfinished());
    if !open {
        entry.set_outcome(AuditOutcome::Conflict);
        return Ok(ObserveCounts::default());
    }
    let mut observed = ObserveCounts::default();
    if command.state == RunState::Completed {
        complete(
            tx,
            workspace,
            command.id,
            &command.results,
            &command.counts,
            command.now,
        )?;
        if let Some(findings) = command.findings {
            observed = observe_failed_checks(tx, workspace, command.id, &findings.failed, command.now)?;
            record_passed_checks(tx, workspace, &findings.clear, false, command.now)?;
            record_passed_checks(tx, workspace, &findings.ended, true, command.now)?;
        }
    } else {
        tx.conn.execute(
            "UPDATE scans SET state = ?3, completed_at = ?4, reason = ?5 WHERE workspace_id = ?1 AND id = ?2",
            params![
                workspace,
                command.id.as_bytes(),
                command.state.position(),
                command.now.as_millis(),
                command.reason
            ],
        )?;
    }
    tx.bump(workspace)?;
    Ok(observed)
}

/// Stores a scan that was imported. Its time is the time at which its settings were read, so that an old export isn't taken
/// for the newest scan.
pub(crate) fn record(tx: &Tx<'_>, workspace: i64, integration: i64, scan: &RecordedScan) -> Res<()> {
    tx.conn.execute(
        "INSERT INTO scans (workspace_id, id, integration, scan_type, state, trigger, fresh, queued_at, started_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?7)",
        params![
            workspace,
            scan.id.as_bytes(),
            integration,
            scan.scan_type.position(),
            RunState::Completed.position(),
            ScanTrigger::Import.position(),
            scan.read_at.as_millis(),
        ],
    )?;
    for setting in &scan.settings {
        store_setting(tx, workspace, scan.id, setting, scan.read_at)?;
    }
    complete(tx, workspace, scan.id, &scan.results, &scan.counts, scan.read_at)
}

/// Copies the settings of another scan.
pub(crate) fn copy_settings(tx: &Tx<'_>, workspace: i64, scan: ScanId, from: ScanId) -> Res<()> {
    tx.conn.execute(
        "INSERT OR REPLACE INTO scan_settings (workspace_id, scan_id, path, state, detail, source, read_at, \
         hash, bytes) SELECT workspace_id, ?2, path, state, detail, source, read_at, hash, bytes \
         FROM scan_settings WHERE workspace_id = ?1 AND scan_id = ?3",
        params![workspace, scan.as_bytes(), from.as_bytes()],
    )?;
    Ok(())
}
