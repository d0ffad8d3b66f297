//! Staged imports: rows that are stored but not visible yet.

use super::row::frameworks_text;
use crate::base::{
    fault::{Fault, Res},
    row::{Word, stored},
    writer::Tx,
};
use rusqlite::{OptionalExtension as _, params};
use watchpost_core::{
    error::StoreError,
    import::ImportedRow,
    value::{id::ImportId, time::Timestamp},
};

/// The state of an import that isn't visible yet.
pub(super) const STAGED: i64 = 0;

/// The state of an import that was kept.
pub(super) const KEPT: i64 = 1;

/// The state of an import whose rows are being deleted.
pub(super) const ABANDONED: i64 = 2;

/// Returns the number of a staged import.
pub(super) fn staged(tx: &Tx<'_>, workspace: i64, id: ImportId) -> Res<Option<i64>> {
    Ok(tx
        .conn
        .prepare_cached("SELECT import FROM imports WHERE workspace_id = ?1 AND id = ?2 AND state = ?3")?
        .query_row(params![workspace, id.as_bytes(), STAGED], |row| row.get(0))
        .optional()?)
}

/// Begins an import.
pub(crate) fn begin(tx: &Tx<'_>, workspace: i64, id: ImportId, now: Timestamp) -> Res<()> {
    tx.conn.execute(
        "INSERT INTO imports (workspace_id, import, id, state, touched_at) \
         SELECT ?1, coalesce(max(import), 0) + 1, ?2, ?3, ?4 FROM imports WHERE workspace_id = ?1",
        params![workspace, id.as_bytes(), STAGED, now.as_millis()],
    )?;
    Ok(())
}

/// Stores the rows of a staged import in slices.
pub(crate) struct ImportWriter {
    import: ImportId,
    position: i64,
    rows: std::vec::IntoIter<(usize, ImportedRow)>,
    now: Timestamp,
}

impl ImportWriter {
    /// Creates the writer of rows whose first one has the position `first`.
    pub(crate) fn new(import: ImportId, first: u64, rows: Vec<(usize, ImportedRow)>, now: Timestamp) -> Self {
        Self {
            import,
            position: stored(first),
            rows: rows.into_iter(),
            now,
        }
    }

    /// Runs a slice. Returns whether all rows are stored.
    pub(crate) fn slice(&mut self, tx: &Tx<'_>, workspace: i64) -> Res<bool> {
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
                frameworks_text(&row.frameworks)?,
                exception.map(|exception| exception.kind.position()),
                exception.map(|exception| exception.reason.untrusted()),
                exception
                    .and_then(|exception| exception.until)
                    .map(Timestamp::as_millis),
                row.fingerprint,
            ])?;
            self.position += 1;
            if !tx.count_row() {
                return Ok(self.rows.len() == 0);
            }
        }
        Ok(true)
    }
}
