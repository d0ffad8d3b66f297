//! The stored counts of findings.

use crate::base::{
    fault::Res,
    row::{Columns, code},
    unknown::known_rows,
};
use rusqlite::{Connection, Statement, params};
use std::collections::BTreeMap;
use watchpost_core::{
    finding::FindingCount,
    value::word::{Category, FindingStatus, Severity},
};

/// The values that findings are counted by: status, severity, category, and whether the finding is scored.
pub(super) type Key = (FindingStatus, Severity, Category, bool);

/// The changes of counts in a transaction, which are written once at its end.
#[derive(Debug, Default)]
pub(super) struct Changes(BTreeMap<Key, i64>);

impl Changes {
    pub(super) fn add(&mut self, key: Key, by: i64) {
        *self.0.entry(key).or_default() += by;
    }
    /// Moves one finding from one count to another.
    pub(super) fn shift(&mut self, from: Key, to: Key) {
        if from != to {
            self.add(from, -1);
            self.add(to, 1);
        }
    }
    pub(super) fn write(self, conn: &Connection, workspace: i64) -> Res<()> {
        for ((status, severity, category, scored), by) in self.0 {
            if by != 0 {
                conn.prepare_cached(
                        "INSERT INTO finding_counts (workspace_id, status, severity, category, scored, count) \
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
                         ON CONFLICT (workspace_id, status, severity, category, scored) DO UPDATE SET count = count + ?6",
                    )?
                    .execute(params![
                        workspace,
                        code(status),
                        code(severity),
                        code(category),
                        scored,
                        by
                    ])?;
            }
        }
        Ok(())
    }
}

/// Returns all counts that aren't zero.
pub(crate) fn all(conn: &Connection, workspace: i64) -> Res<Vec<FindingCount>> {
    let mut statement = conn.prepare_cached(
        "SELECT status, severity, category, scored, count FROM finding_counts WHERE workspace_id = ?1",
    )?;
    rows(&mut statement, workspace)
}

/// Returns the counts of live findings that aren't zero.
pub(crate) fn live(conn: &Connection, workspace: i64) -> Res<Vec<FindingCount>> {
    let mut statement = conn.prepare_cached(
        "SELECT status, severity, category, scored, count FROM finding_counts WHERE workspace_id = ?1 AND status <= 1",
    )?;
    rows(&mut statement, workspace)
}

// The condition `status <= 1` above depends on the codes of the two live words.
const _: () = assert!(FindingStatus::Open.code() == 0 && FindingStatus::InProgress.code() == 1);

fn rows(statement: &mut Statement<'_>, workspace: i64) -> Res<Vec<FindingCount>> {
    let counts = known_rows(&mut statement.query([workspace])?, "finding_counts", |row| {
        Ok(FindingCount {
            status: row.word(0)?,
            severity: row.word(1)?,
            category: row.word(2)?,
            scored: row.get(3)?,
            count: row.count(4)?,
        })
    })?;
    Ok(counts.into_iter().filter(|count| count.count > 0).collect())
}
