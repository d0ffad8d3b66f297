//! Imports on their way: staged, kept, given up.

use super::row::{counts_text, errors_text, scans_text};
use crate::{
    fault::{Fault, Res},
    row::{Word, stored},
    writer::Tx,
};
use rusqlite::{OptionalExtension as _, params};
use watchpost_core::{
    audit::{AuditOutcome, PendingEntry},
    error::StoreError,
    import::{
        BatchPlace, CheckVerdict, ImportRefusal, ImportedRow, KeepImport, KeepOutcome, NewBatch, places,
    },
    value::{
        id::{ImportId, IntegrationId, ScanId},
        text::ForeignText,
        time::Timestamp,
        word::{IntegrationStatus, Platform},
    },
};

/// Nobody sees it yet.
const STAGED: i64 = 0;
/// Kept.
pub(super) const KEPT: i64 = 1;
/// Its rows are being deleted.
const GIVEN_UP: i64 = 2;
/// An import to which nothing was added for so long has no process any more.
const ABANDONED_MS: i64 = 15 * 60 * 1_000;
/// Rows that a slice deletes.
const DELETED_PER_SLICE: i64 = 400;

/// The number of an import that nobody sees yet.
fn staged(tx: &Tx<'_>, workspace: i64, id: ImportId) -> Res<Option<i64>> {
    Ok(tx
        .conn
        .prepare_cached("SELECT import FROM imports WHERE workspace_id = ?1 AND id = ?2 AND state = ?3")?
        .query_row(params![workspace, id.as_bytes(), STAGED], |row| row.get(0))
        .optional()?)
}

pub(super) fn begin(tx: &Tx<'_>, workspace: i64, id: ImportId, now: Timestamp) -> Res<()> {
    tx.conn.execute(
        "UPDATE imports SET state = ?3 WHERE workspace_id = ?1 AND state = ?2 AND touched_at < ?4",
        params![
            workspace,
            STAGED,
            GIVEN_UP,
            now.plus_millis(-ABANDONED_MS).as_millis()
        ],
    )?;
    tx.conn.execute(
        "INSERT INTO imports (workspace_id, import, id, state, touched_at) \
         SELECT ?1, coalesce(max(import), 0) + 1, ?2, ?3, ?4 FROM imports WHERE workspace_id = ?1",
        params![workspace, id.as_bytes(), STAGED, now.as_millis()],
    )?;
    Ok(())
}

/// Rows on their way into a batch: as many as a slice takes at a time.
pub(super) struct Staging {
    pub(super) import: ImportId,
    pub(super) position: i64,
    pub(super) rows: std::vec::IntoIter<(usize, ImportedRow)>,
    pub(super) now: Timestamp,
}

impl Staging {
    /// Gives whether all are in.
    pub(super) fn slice(&mut self, tx: &Tx<'_>, workspace: i64) -> Res<bool> {
        let Some(import) = staged(tx, workspace, self.import)? else {
            return Err(Fault::Store(StoreError::Conflict));
        };
        tx.conn
            .prepare_cached("UPDATE imports SET touched_at = ?3 WHERE workspace_id = ?1 AND import = ?2")?
            .execute(params![workspace, import, self.now.as_millis()])?;
        let mut insert = tx.conn.prepare_cached(
            "INSERT INTO import_results (workspace_id, import, batch, position, control, check_id, title, result, skip, \
             severity, service, details, entity_kind, entity_id, entity_name, frameworks, exception, exception_reason, \
             exception_until, fingerprint) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)",
        )?;
        while let Some((batch, row)) = self.rows.next() {
            let entity = row.entity.as_ref();
            let exception = row.exception.as_ref();
            insert.execute(params![
                workspace,
                import,
                stored(batch as u64),
                self.position,
                row.control,
                row.check,
                row.title.untrusted(),
                row.result.position(),
                row.skip.map(Word::position),
                row.severity.position(),
                row.service.position(),
                row.details.untrusted(),
                entity.map(|entity| entity.kind.as_str()),
                entity.map(|entity| entity.id.as_str()),
                entity.map(|entity| entity.name.untrusted()),
                super::row::frameworks_text(&row.frameworks)?,
                exception.map(|exception| exception.kind.position()),
                exception.map(|exception| exception.reason.untrusted()),
                exception
                    .and_then(|exception| exception.until)
                    .map(Timestamp::as_millis),
                row.fingerprint,
            ])?;
            self.position += 1;
            if !tx.may_go_on() {
                return Ok(self.rows.len() == 0);
            }
        }
        Ok(true)
    }
}

/// Gives a staged import up. `false`: there is none.
pub(super) fn give_up(tx: &Tx<'_>, workspace: i64, id: ImportId) -> Res<bool> {
    let Some(import) = staged(tx, workspace, id)? else {
        return Ok(false);
    };
    tx.conn.execute(
        "UPDATE imports SET state = ?3 WHERE workspace_id = ?1 AND import = ?2",
        params![workspace, import, GIVEN_UP],
    )?;
    Ok(true)
}

/// Deletes some rows of imports that were given up. Gives whether there may be more.
pub(super) fn clear(tx: &Tx<'_>, workspace: i64) -> Res<bool> {
    let import: Option<i64> = tx
        .conn
        .prepare_cached("SELECT import FROM imports WHERE workspace_id = ?1 AND state = ?2 LIMIT 1")?
        .query_row([workspace, GIVEN_UP], |row| row.get(0))
        .optional()?;
    let Some(import) = import else {
        return Ok(false);
    };
    if delete_rows(tx, workspace, import, None)? == 0 {
        tx.conn.execute(
            "DELETE FROM imports WHERE workspace_id = ?1 AND import = ?2",
            [workspace, import],
        )?;
    }
    Ok(true)
}

fn delete_rows(tx: &Tx<'_>, workspace: i64, import: i64, batch: Option<i64>) -> Res<usize> {
    Ok(tx
        .conn
        .prepare_cached(
            "DELETE FROM import_results WHERE workspace_id = ?1 AND import = ?2 AND (batch, position) IN ( \
             SELECT batch, position FROM import_results WHERE workspace_id = ?1 AND import = ?2 \
             AND batch BETWEEN coalesce(?3, 0) AND coalesce(?3, 9223372036854775807) LIMIT ?4)",
        )?
        .execute(params![workspace, import, batch, DELETED_PER_SLICE])?)
}

/// Lets the files of an integration that goes be imported again.
pub(crate) fn forget_files(tx: &Tx<'_>, workspace: i64, integration: i64) -> Res<()> {
    tx.conn.execute(
        "UPDATE imports SET sha256 = NULL WHERE workspace_id = ?1 AND import IN ( \
         SELECT import FROM import_batches WHERE workspace_id = ?1 AND integration = ?2)",
        [workspace, integration],
    )?;
    Ok(())
}

/// Deletes some of what was imported about a removed integration. Gives whether there may be more.
pub(crate) fn purge_some(tx: &Tx<'_>, workspace: i64, integration: i64) -> Res<bool> {
    let found: Option<([u8; 16], i64, i64)> = tx
        .conn
        .prepare_cached(
            "SELECT id, import, batch FROM import_batches WHERE workspace_id = ?1 AND integration = ?2 LIMIT 1",
        )?
        .query_row([workspace, integration], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    let Some((id, import, batch)) = found else {
        return Ok(false);
    };
    if delete_rows(tx, workspace, import, Some(batch))? > 0 {
        return Ok(true);
    }
    tx.conn.execute(
        "DELETE FROM import_verdicts WHERE workspace_id = ?1 AND batch_id = ?2",
        params![workspace, id],
    )?;
    tx.conn.execute(
        "DELETE FROM import_batches WHERE workspace_id = ?1 AND id = ?2",
        params![workspace, id],
    )?;
    tx.conn.execute(
        "DELETE FROM imports WHERE workspace_id = ?1 AND import = ?2 AND NOT EXISTS ( \
         SELECT 1 FROM import_batches WHERE workspace_id = ?1 AND import = ?2)",
        [workspace, import],
    )?;
    Ok(true)
}

pub(super) fn keep(
    tx: &Tx<'_>,
    workspace: i64,
    command: &KeepImport,
    entry: &mut PendingEntry,
) -> Res<KeepOutcome> {
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
        entry.set_outcome(AuditOutcome::Unchanged);
        return Ok(KeepOutcome::AlreadyImported(ImportId::from_bytes(before)));
    }
    let existing = crate::integrations::all(tx.conn, workspace)?;
    let asked: Vec<_> = command
        .batches
        .iter()
        .map(|batch| (&batch.header, batch.integration))
        .collect();
    let found = match places(&existing, command.named, command.any_tenant, &asked) {
        Ok(found) => found,
        Err(refusal) => {
            entry.set_outcome(match refusal {
                ImportRefusal::NoIntegration => AuditOutcome::NotFound,
                ImportRefusal::OtherTenant { .. } => AuditOutcome::Conflict,
            });
            return Ok(KeepOutcome::Refused(refusal));
        }
    };
    for place in &found {
        if let Some((name, tenant)) = &place.new {
            add_integration(
                tx,
                workspace,
                place.integration,
                name,
                tenant.as_deref(),
                command.now,
            )?;
        }
    }
    for (number, (batch, place)) in command.batches.iter().zip(&found).enumerate() {
        keep_batch(
            tx,
            (workspace, import),
            stored(number as u64),
            batch,
            place,
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

/// Makes the integration of a tenant that only imports speak of. Nothing is ever read from it.
fn add_integration(
    tx: &Tx<'_>,
    workspace: i64,
    id: IntegrationId,
    name: &ForeignText,
    tenant: Option<&str>,
    now: Timestamp,
) -> Res<()> {
    let number = crate::integrations::next_number(tx, workspace)?;
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
            IntegrationStatus::Connected.position(),
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
    place: &BatchPlace,
    now: Timestamp,
) -> Res<()> {
    let Some(integration) = crate::integrations::number_of(tx.conn, workspace, place.integration)? else {
        return Err(Fault::Store(StoreError::Conflict));
    };
    let scans: Vec<ScanId> = batch.scans.iter().map(|scan| scan.id).collect();
    for scan in &batch.scans {
        crate::scans::record(tx, workspace, integration, scan)?;
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
