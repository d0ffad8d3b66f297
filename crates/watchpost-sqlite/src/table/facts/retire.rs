//! Finishes a dataset in slices: rows that a complete dataset no longer contains are retired. Also deletes the accounts of
//! a removed integration.

use super::{
    identity::{decrement_accounts, update_profile},
    reading,
    table::{ACCOUNTS, APPS, FactContext, GRANTS, MFA, OWNERS, ROLES, SETTINGS, Table},
};
use crate::{
    base::{
        fault::Res,
        row::{Columns, Word},
        writer::Tx,
    },
    table::integrations::{baseline, record_collection, running_sync},
};
use rusqlite::params;
use watchpost_core::{
    integration::{
        DatasetEnd, Judged,
        fact::Collection,
        reading::{EntityMark, is_gone},
    },
    value::{
        id::{IdentityId, IntegrationId, SyncId},
        time::Timestamp,
        word::CollectionState,
    },
};

/// The most rows that a slice reads; most of them need no change.
const ROWS_READ_MAX: i64 = 2_000;

/// Finishes a dataset in slices.
pub(crate) struct DatasetFinisher {
    sync: SyncId,
    integration: IntegrationId,
    end: DatasetEnd,
    now: Timestamp,
    /// The decision of the first slice.
    judged: Option<Judged>,
    left: Vec<&'static Table>,
    after: String,
}

impl DatasetFinisher {
    pub(crate) fn new(sync: SyncId, integration: IntegrationId, end: DatasetEnd, now: Timestamp) -> Self {
        Self {
            sync,
            integration,
            end,
            now,
            judged: None,
            left: Vec::new(),
            after: String::new(),
        }
    }

    /// Runs a slice. Returns the result once the dataset is finished.
    pub(crate) fn slice(&mut self, tx: &Tx<'_>, workspace: i64) -> Res<Option<Judged>> {
        let (sync, integration) = running_sync(tx.conn, workspace, self.sync, self.integration)?;
        let dataset = self.end.collection.dataset;
        let judged = match self.judged.clone() {
            Some(judged) => judged,
            None => {
                let before = baseline(tx, workspace, integration, dataset)?;
                let judged = self.end.clone().judge(before);
                self.left = retired_by(&judged.collection);
                self.judged.insert(judged).clone()
            }
        };
        let key = DatasetKey {
            workspace,
            integration,
            dataset: dataset.position(),
        };
        while let Some(table) = self.left.last().copied() {
            match retire(tx, table, key, sync, &mut self.after)? {
                Slice::Ended => {
                    self.left.pop();
                    self.after.clear();
                }
                Slice::Full => return Ok(None),
            }
        }
        if judged.collection.state == CollectionState::Complete {
            let context = FactContext {
                workspace,
                integration,
                dataset: key.dataset,
                sync,
            };
            reading::forget_unlisted(tx, context)?;
        }
        record_collection(tx, workspace, integration, &judged, self.now)?;
        Ok(Some(judged))
    }
}

/// Returns the tables with rows that a collection retires.
fn retired_by(collection: &Collection) -> Vec<&'static Table> {
    if collection.state != CollectionState::Complete {
        return Vec::new();
    }
    let mut tables: Vec<&'static Table> = [&MFA, &ROLES, &OWNERS, &GRANTS, &SETTINGS].into();
    // Accounts and apps belong to one dataset each.
    if collection.dataset.holds_accounts() {
        tables.push(&ACCOUNTS);
    }
    if collection.dataset.holds_apps() {
        tables.push(&APPS);
    }
    tables
}

#[derive(Clone, Copy)]
struct DatasetKey {
    workspace: i64,
    integration: i64,
    dataset: u8,
}

enum Slice {
    /// No rows are left.
    Ended,
    /// There may be more rows.
    Full,
}

/// Returns the query for the rows of a table in the order of their ids, each with the reading of its account or app.
fn rows_sql(table: &Table) -> String {
    let name = table.name;
    let dataset = if table.by_dataset {
        "t.dataset = ?3"
    } else {
        "?3 IS NOT NULL"
    };
    let (retired, identity) = match name {
        "accounts" => ("t.retired", "t.identity_id"),
        "apps" => ("t.retired", "NULL"),
        _ => ("0", "NULL"),
    };
    let (marks, join) = match table.entity {
        Some(entity) => (
            "r.listed_in, r.read_in",
            format!(
                "LEFT JOIN entity_readings r ON r.workspace_id = t.workspace_id AND r.integration = t.integration \
                 AND r.dataset = t.dataset AND r.entity = t.{entity}"
            ),
        ),
        None => ("NULL, NULL", String::new()),
    };
    format!(
        "SELECT t.rowid, t.vendor_id, t.seen, {retired}, {identity}, {marks} FROM {name} t {join} \
         WHERE t.workspace_id = ?1 AND t.integration = ?2 AND {dataset} AND t.vendor_id > ?4 \
         ORDER BY t.vendor_id LIMIT ?5"
    )
}

/// Retires the rows after `after` that the sync hasn't seen, and advances `after`.
fn retire(tx: &Tx<'_>, table: &Table, key: DatasetKey, sync: i64, after: &mut String) -> Res<Slice> {
    let mut unseen: Vec<(i64, Option<IdentityId>)> = Vec::new();
    let mut rows_read = 0;
    let mut full = false;
    {
        let mut statement = tx.conn.prepare_cached(&rows_sql(table))?;
        let mut rows = statement.query(params![
            key.workspace,
            key.integration,
            key.dataset,
            after.as_str(),
            ROWS_READ_MAX
        ])?;
        while let Some(row) = rows.next()? {
            rows_read += 1;
            let seen: i64 = row.get(2)?;
            let mark = match (row.get(5)?, row.get(6)?) {
                (Some(listed_in), Some(read_in)) => Some(EntityMark { listed_in, read_in }),
                _ => None,
            };
            if seen != sync && !row.get::<_, bool>(3)? && is_gone(sync, seen, mark) {
                let identity = match row.get_ref(4)? {
                    rusqlite::types::ValueRef::Null => None,
                    _ => Some(row.id(4, IdentityId::from_bytes)?),
                };
                unseen.push((row.get(0)?, identity));
            }
            *after = row.get(1)?;
            if (!unseen.is_empty() || rows_read % 16 == 0) && !tx.count_row() {
                full = true;
                break;
            }
        }
    }
    let name = table.name;
    for (rowid, identity) in &unseen {
        let sql = if table.by_dataset {
            format!("DELETE FROM {name} WHERE rowid = ?1")
        } else {
            format!("UPDATE {name} SET retired = 1 WHERE rowid = ?1")
        };
        tx.conn.prepare_cached(&sql)?.execute([rowid])?;
        if let Some(identity) = identity {
            decrement_accounts(tx, key.workspace, *identity)?;
            update_profile(tx, key.workspace, *identity)?;
        }
    }
    if !unseen.is_empty() {
        tx.bump(key.workspace)?;
    }
    Ok(if full || rows_read == ROWS_READ_MAX {
        Slice::Full
    } else {
        Slice::Ended
    })
}

/// Deletes some accounts, and the identities that have none left. Returns whether there may be more.
pub(crate) fn purge_accounts(tx: &Tx<'_>, workspace: i64, integration: i64) -> Res<bool> {
    let mut accounts = Vec::new();
    {
        let mut statement = tx.conn.prepare_cached(
            "SELECT rowid, identity_id, retired FROM accounts WHERE workspace_id = ?1 AND integration = ?2 LIMIT 200",
        )?;
        let mut rows = statement.query([workspace, integration])?;
        while let Some(row) = rows.next()? {
            accounts.push((
                row.get::<_, i64>(0)?,
                row.id(1, IdentityId::from_bytes)?,
                row.get::<_, bool>(2)?,
            ));
        }
    }
    for (rowid, identity, retired) in &accounts {
        tx.conn
            .prepare_cached("DELETE FROM accounts WHERE rowid = ?1")?
            .execute([rowid])?;
        if !retired {
            decrement_accounts(tx, workspace, *identity)?;
        }
        let has_none_left: bool = tx
            .conn
            .prepare_cached(
                "SELECT NOT EXISTS (SELECT 1 FROM accounts WHERE workspace_id = ?1 AND identity_id = ?2)",
            )?
            .query_row(params![workspace, identity.as_bytes()], |row| row.get(0))?;
        if has_none_left {
            for sql in [
                "DELETE FROM identity_addresses WHERE workspace_id = ?1 AND identity_id = ?2",
                "DELETE FROM identities WHERE workspace_id = ?1 AND id = ?2",
            ] {
                tx.conn
                    .prepare_cached(sql)?
                    .execute(params![workspace, identity.as_bytes()])?;
            }
        } else {
            update_profile(tx, workspace, *identity)?;
        }
    }
    Ok(!accounts.is_empty())
}
