//! The audit log: appending to the chains and reading them.

use crate::{
    fault::{Fault, Res},
    row::{Columns, Word, stored},
    store::SqliteStore,
};
use async_trait::async_trait;
use rusqlite::{Connection, Row, params, types::ToSql};
use std::{borrow::Cow, collections::HashMap};
use watchpost_core::{
    access::{Audited, WorkspaceScope},
    audit::{AuditQuery, AuditRow, AuditStore, PendingEntry},
    error::StoreError,
    value::{id::WorkspaceId, time::Timestamp},
};

/// What the writer knows of the chains' ends. Dropped when another process has written.
#[derive(Debug, Default, Clone)]
pub(crate) struct Chain {
    workspaces: HashMap<WorkspaceId, i64>,
    tips: HashMap<i64, (u64, [u8; 32])>,
    data_version: i64,
}

impl Chain {
    /// Forgets the ends if another connection has written since the last transaction. Called inside one.
    pub(crate) fn notice_others(&mut self, conn: &Connection) -> Res<()> {
        let version: i64 = conn
            .prepare_cached("PRAGMA data_version")?
            .query_row([], |row| row.get(0))?;
        if version != self.data_version {
            self.tips.clear();
            self.data_version = version;
        }
        Ok(())
    }

    /// Forgets the ends: a transaction was rolled back.
    pub(crate) fn forget(&mut self) {
        self.tips.clear();
    }

    pub(crate) fn workspace(&mut self, conn: &Connection, id: WorkspaceId) -> Res<i64> {
        if let Some(number) = self.workspaces.get(&id) {
            return Ok(*number);
        }
        let number = conn
            .prepare_cached("SELECT workspace_id FROM workspaces WHERE id = ?1")?
            .query_row([id.as_bytes()], |row| row.get(0))
            .map_err(|error| match error {
                rusqlite::Error::QueryReturnedNoRows => Fault::Store(crate::fault::unavailable(
                    "there is no such workspace in this store",
                )),
                other => other.into(),
            })?;
        self.workspaces.insert(id, number);
        Ok(number)
    }

    pub(crate) fn append(&mut self, conn: &Connection, entry: &PendingEntry, at: Timestamp) -> Res<u64> {
        let workspace = self.workspace(conn, entry.workspace())?;
        let (seq, hash) = match self.tips.get(&workspace) {
            Some(tip) => *tip,
            None => tip_of(conn, workspace)?,
        };
        let row = entry.to_row(seq.saturating_add(1), at, hash);
        insert(conn, workspace, &row)?;
        self.tips.insert(workspace, (row.seq, row.row_hash));
        Ok(row.seq)
    }
}

fn tip_of(conn: &Connection, workspace: i64) -> Res<(u64, [u8; 32])> {
    let tip = conn
        .prepare_cached(
            "SELECT seq, row_hash FROM audit_entries WHERE workspace_id = ?1 ORDER BY seq DESC LIMIT 1",
        )?
        .query_row([workspace], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)));
    match tip {
        Ok((seq, hash)) => Ok((u64::try_from(seq).unwrap_or(0), hash)),
        // Going on without the rows before would make a chain that looks whole.
        Err(rusqlite::Error::QueryReturnedNoRows) => Err(Fault::Damaged(
            "audit_entries",
            "the genesis entry is missing".into(),
        )),
        Err(error) => Err(error.into()),
    }
}

/// Stores a row of a chain.
pub(crate) fn insert(conn: &Connection, workspace: i64, row: &AuditRow) -> Res<()> {
    conn.prepare_cached(
        "INSERT INTO audit_entries (workspace_id, seq, at, actor_kind, actor_id, action, target_kind, target_id, \
         outcome, channel, operation, arguments, prev_hash, row_hash) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?
    .execute(params![
        workspace,
        stored(row.seq),
        row.at.as_millis(),
        row.actor_kind.position(),
        row.actor_id,
        row.action.as_ref(),
        row.target_kind.as_ref(),
        row.target_id,
        row.outcome.position(),
        row.channel.as_ref(),
        row.operation.as_ref(),
        row.arguments,
        row.prev_hash,
        row.row_hash,
    ])?;
    Ok(())
}

const COLUMNS: &str = "seq, at, actor_kind, actor_id, action, target_kind, target_id, outcome, channel, operation, \
                       arguments, prev_hash, row_hash";

fn audit_row(row: &Row<'_>) -> Res<AuditRow> {
    let owned = |i| -> Res<Cow<'static, str>> { Ok(Cow::Owned(row.get(i)?)) };
    Ok(AuditRow {
        seq: row.count(0)?,
        at: row.time(1)?,
        actor_kind: row.word(2)?,
        actor_id: row.get(3)?,
        action: owned(4)?,
        target_kind: owned(5)?,
        target_id: row.get(6)?,
        outcome: row.word(7)?,
        channel: owned(8)?,
        operation: owned(9)?,
        arguments: row.get(10)?,
        prev_hash: row.get(11)?,
        row_hash: row.get(12)?,
    })
}

fn page(conn: &Connection, workspace: i64, after: u64, limit: usize) -> Res<Vec<AuditRow>> {
    let mut out: Vec<AuditRow> = Vec::new();
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM audit_entries WHERE workspace_id = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3"
    ))?;
    let mut rows = statement.query(params![workspace, stored(after), stored(limit as u64)])?;
    loop {
        let next = out.last().map_or(after, |row| row.seq).saturating_add(1);
        let damaged = |fault: Fault| {
            Fault::Damaged(
                "audit_entries",
                format!(
                    "row {next} can't be read: {}",
                    match fault {
                        Fault::Damaged(_, what) => what,
                        other => other.into_store("audit_entries").to_string(),
                    }
                ),
            )
        };
        match rows.next() {
            Ok(None) => return Ok(out),
            Ok(Some(row)) => out.push(audit_row(row).map_err(damaged)?),
            Err(error) => {
                let fault = Fault::from(error);
                let is_damage = matches!(&fault, Fault::Sql(e) if matches!(
                    e.sqlite_error_code(),
                    Some(rusqlite::ErrorCode::DatabaseCorrupt)
                ));
                return Err(if is_damage { damaged(fault) } else { fault });
            }
        }
    }
}

fn list(conn: &Connection, workspace: i64, query: &AuditQuery) -> Res<Vec<AuditRow>> {
    let mut sql = format!("SELECT {COLUMNS} FROM audit_entries WHERE workspace_id = ?1");
    let mut values: Vec<Box<dyn ToSql>> = vec![Box::new(workspace)];
    let mut add = |condition: &str, value: Box<dyn ToSql>| {
        values.push(value);
        sql.push_str(&condition.replace("?", &format!("?{}", values.len())));
    };
    if let Some(action) = &query.action {
        if action.ends_with('.') {
            add(" AND substr(action, 1, length(?)) = ?", Box::new(action.clone()));
        } else {
            add(" AND action = ?", Box::new(action.clone()));
        }
    }
    if let Some(actor) = &query.actor_id {
        add(" AND actor_id = ?", Box::new(actor.clone()));
    }
    if let Some(from) = query.from {
        add(" AND at >= ?", Box::new(from.as_millis()));
    }
    if let Some(to) = query.to {
        add(" AND at < ?", Box::new(to.as_millis()));
    }
    if let Some(before) = query.before_seq {
        add(" AND seq < ?", Box::new(stored(before)));
    }
    let limit = query.limit.clamp(1, 1_000);
    add(" ORDER BY seq DESC LIMIT ?", Box::new(stored(limit as u64)));
    let mut statement = conn.prepare(&sql)?;
    let mut rows = statement.query(rusqlite::params_from_iter(values))?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push(audit_row(row)?);
    }
    Ok(out)
}

#[async_trait]
impl AuditStore for SqliteStore {
    async fn append(&self, entry: PendingEntry) -> Result<Audited<()>, StoreError> {
        self.inner.writer.append(entry)?.await
    }
    async fn list_entries(
        &self,
        scope: &WorkspaceScope,
        query: &AuditQuery,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let query = query.clone();
        self.long(scope, "audit_entries", move |conn, workspace| {
            list(conn, workspace, &query)
        })
        .await
    }
    async fn audit_page(
        &self,
        scope: &WorkspaceScope,
        after_seq: u64,
        limit: usize,
    ) -> Result<Vec<AuditRow>, StoreError> {
        self.long(scope, "audit_entries", move |conn, workspace| {
            page(conn, workspace, after_seq, limit)
        })
        .await
    }
}
