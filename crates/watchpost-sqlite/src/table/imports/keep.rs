//! Keeps a staged import: its batches, verdicts and scans become visible.

use super::{
    row::{counts_text, errors_text, scans_text},
    stage::{KEPT, staged},
};
use crate::{
    base::{
        fault::{Fault, Res},
        row::{Word, stored},
        writer::Tx,
    },
    table::{integrations, scans},
};
use rusqlite::{OptionalExtension as _, params};
use watchpost_core::{
    error::StoreError,
    import::{BatchTarget, CheckVerdict, KeepImport, KeepOutcome, NewBatch, targets},
    integration::first_status,
    value::{
        id::{ImportId, IntegrationId, ScanId},
        text::ForeignText,
        time::Timestamp,
        word::Platform,
    },
};

/// Keeps a staged import unless the same file has been kept before or its batches have no valid target.
pub(crate) fn keep(tx: &Tx<'_>, workspace: i64, command: &KeepImport) -> Res<KeepOutcome> {
    let Some(import) = staged(tx, workspace, command.id)? else {
        return Err(Fault::Store(StoreError::Conflict));
    };
    let before: Option<[u8; 16]> = tx
        .conn
        .query_row(
            "SELECT id FROM imports WHERE workspace_id = ?1 AND sha256 = ?2 AND state = ?3",
            params![workspace, command.sha256, KEPT],
            |row| row.get(0),
        )
        .optional()?;
    if let Some(before) = before {
        return Ok(KeepOutcome::AlreadyImported(ImportId::from_bytes(before)));
    }
    let existing = integrations::all(tx.conn, workspace)?;
    let asked: Vec<_> = command
        .batches
        .iter()
        .map(|batch| (&batch.header, batch.integration))
        .collect();
    let found = match targets(&existing, command.named, command.any_tenant, &asked) {
        Ok(found) => found,
        Err(refusal) => return Ok(KeepOutcome::Rejected(refusal)),
    };
    for target in &found {
        if let Some((name, tenant)) = &target.new {
            add_integration(
                tx,
                workspace,
                target.integration,
                name,
                tenant.as_deref(),
                command.now,
            )?;
        }
    }
    for (number, (batch, target)) in command.batches.iter().zip(&found).enumerate() {
        keep_batch(
            tx,
            (workspace, import),
            stored(number as u64),
            batch,
            target,
            command.now,
        )?;
    }
    tx.conn.execute(
        "UPDATE imports SET state = ?3, name = ?4, sha256 = ?5, bytes = ?6, kept_at = ?7 \
         WHERE workspace_id = ?1 AND import = ?2",
        params![
            workspace,
            import,
            KEPT,
            command.file_name.untrusted(),
            command.sha256,
            stored(command.bytes),
            command.now.as_millis()
        ],
    )?;
    tx.bump(workspace)?;
    Ok(KeepOutcome::Kept(found))
}

/// Creates the integration for a tenant that is known only from imports. It is never synced.
fn add_integration(
    tx: &Tx<'_>,
    workspace: i64,
    id: IntegrationId,
    name: &ForeignText,
    tenant: Option<&str>,
    now: Timestamp,
) -> Res<()> {
    let number = integrations::next_number(tx, workspace)?;
    tx.conn.execute(
        "INSERT INTO integrations (workspace_id, integration, id, platform, name, tenant_key, status, config, created_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, '{}', ?8)",
        params![
            workspace,
            number,
            id.as_bytes(),
            Platform::Import.position(),
            name.untrusted(),
            tenant,
            first_status(Platform::Import).position(),
            now.as_millis(),
        ],
    )?;
    Ok(())
}

fn keep_batch(
    tx: &Tx<'_>,
    (workspace, import): (i64, i64),
    number: i64,
    batch: &NewBatch,
    target: &BatchTarget,
    now: Timestamp,
) -> Res<()> {
    let Some(integration) = integrations::number_of(tx.conn, workspace, target.integration)? else {
        return Err(Fault::Store(StoreError::Conflict));
    };
    let scans: Vec<ScanId> = batch.scans.iter().map(|scan| scan.id).collect();
    for scan in &batch.scans {
        scans::record(tx, workspace, integration, scan)?;
    }
    tx.conn.execute(
        "UPDATE integrations SET last_completed_at = ?3 WHERE workspace_id = ?1 AND integration = ?2 AND platform = ?4",
        params![workspace, integration, now.as_millis(), Platform::Import.position()],
    )?;
    let (header, counts) = (&batch.header, &batch.counts);
    let as_of = header.ran_at.unwrap_or(now);
    tx.conn.execute(
        "INSERT INTO import_batches (workspace_id, id, import, batch, integration, format, tool, tool_version, \
         tenant_key, tenant_name, ran_at, as_of, row_count, rows_ok, rows_skipped, rows_not_run, partial, errors, \
         settings, results, checks, scans) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)",
        params![
            workspace,
            batch.id.as_bytes(),
            import,
            number,
            integration,
            header.format.position(),
            header.tool.position(),
            header.tool_version.untrusted(),
            header.tenant_key,
            header.tenant_name.untrusted(),
            header.ran_at.map(Timestamp::as_millis),
            as_of.as_millis(),
            stored(counts.rows),
            stored(counts.rows_ok),
            stored(counts.rows_skipped),
            stored(counts.rows_not_run),
            counts.partial,
            errors_text(&counts.errors)?,
            stored(batch.settings),
            counts_text(&batch.results),
            stored(batch.verdicts.len() as u64),
            scans_text(&scans)?,
        ],
    )?;
    for verdict in &batch.verdicts {
        keep_verdict(tx, workspace, batch.id.as_bytes(), verdict)?;
    }
    Ok(())
}

fn keep_verdict(tx: &Tx<'_>, workspace: i64, batch: &[u8; 16], verdict: &CheckVerdict) -> Res<()> {
    tx.conn
        .prepare_cached(
            "INSERT INTO import_verdicts (workspace_id, batch_id, check_id, control, result, skip, exception, reason, rows) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            workspace,
            batch,
            verdict.check,
            verdict.control,
            verdict.result.position(),
            verdict.skip.map(Word::position),
            verdict.exception.map(Word::position),
            verdict.reason.untrusted(),
            counts_text(&verdict.rows),
        ])?;
    Ok(())
}
