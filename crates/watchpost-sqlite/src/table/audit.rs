//! Reading the audit log.

use crate::{
    base::{
        fault::{Fault, Res},
        row::{Columns, stored},
    },
    text,
};
use rusqlite::{Connection, Row, params, types::ToSql};
use std::borrow::Cow;
use watchpost_core::{
    audit::{AuditQuery, AuditRow, checkpoint::ChainHead},
    value::id::WorkspaceId,
};

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

/// Returns entries after a sequence number, oldest first. An entry that can't be read is reported with its number.
pub(crate) fn page(conn: &Connection, workspace: i64, after: u64, limit: usize) -> Res<Vec<AuditRow>> {
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
                text::unreadable_entry(
                    next,
                    &match fault {
                        Fault::Damaged(_, problem) | Fault::Value(problem) | Fault::Unknown(problem) => {
                            problem
                        }
                        other => other.into_store("audit_entries").to_string(),
                    },
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

/// Returns the head of each workspace's chain with the generation of its keys, ordered by workspace: one statement, so that
/// all are of one state of the file.
pub(crate) fn heads(conn: &Connection) -> Res<Vec<ChainHead>> {
    let mut statement = conn.prepare_cached(
        "SELECT w.id, w.key_generation, a.seq, a.row_hash FROM workspaces w \
         LEFT JOIN audit_entries a ON a.workspace_id = w.workspace_id AND a.seq = \
         (SELECT max(seq) FROM audit_entries b WHERE b.workspace_id = w.workspace_id) ORDER BY w.id",
    )?;
    let mut rows = statement.query([])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push(ChainHead {
            workspace: row.id(0, WorkspaceId::from_bytes)?,
            key_generation: row.count(1)?,
            rows: row.get::<_, Option<i64>>(2)?.map_or(Ok(0), |_| row.count(2))?,
            tip: row.get::<_, Option<[u8; 32]>>(3)?.unwrap_or_default(),
        });
    }
    Ok(out)
}

/// Returns the entries that match a query, newest first.
pub(crate) fn list(conn: &Connection, workspace: i64, query: &AuditQuery) -> Res<Vec<AuditRow>> {
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
