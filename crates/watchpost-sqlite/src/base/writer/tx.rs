//! Write transactions.

use crate::base::{
    chain::Chain,
    fault::{Fault, Res},
};
use rusqlite::Connection;
use std::{
    cell::{Cell, RefCell},
    sync::Arc,
    time::{Duration, Instant},
};
use watchpost_core::{
    audit::PendingEntry,
    port::{Clock, Random},
    value::id::WorkspaceId,
};

/// The most rows of a bulk transaction.
const SLICE_ROWS: u32 = 500;

/// The longest that a bulk transaction takes.
const SLICE_TIME: Duration = Duration::from_millis(10);

/// A write transaction that the writer has begun.
pub(crate) struct Tx<'a> {
    pub(crate) conn: &'a Connection,
    chain: &'a RefCell<Chain>,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) random: &'a dyn Random,
    rows: Cell<u32>,
    until: Instant,
}

impl<'a> Tx<'a> {
    /// Creates the handle of a transaction that the writer has begun.
    pub(super) fn new(conn: &'a Connection, chain: &'a RefCell<Chain>, ports: &'a Ports) -> Self {
        Self {
            conn,
            chain,
            clock: ports.clock.as_ref(),
            random: ports.random.as_ref(),
            rows: Cell::new(0),
            until: Instant::now() + SLICE_TIME,
        }
    }
    /// Returns the number of a workspace in this file.
    pub(crate) fn workspace(&self, id: WorkspaceId) -> Res<i64> {
        self.chain.borrow_mut().workspace(self.conn, id)
    }
    /// Stores an audit entry in this transaction and returns its sequence number.
    pub(crate) fn audit(&self, entry: &PendingEntry) -> Res<u64> {
        self.chain
            .borrow_mut()
            .append(self.conn, entry, self.clock.now())
            .map_err(|fault| Fault::Audit(Box::new(fault)))
    }
    /// Increments the generation of a workspace's data.
    pub(crate) fn bump(&self, workspace: i64) -> Res<()> {
        self.conn
            .prepare_cached("UPDATE workspaces SET generation = generation + 1 WHERE workspace_id = ?1")?
            .execute([workspace])?;
        Ok(())
    }
    /// Counts a row of bulk work and returns whether the slice has room for another.
    pub(crate) fn count_row(&self) -> bool {
        let rows = self.rows.get() + 1;
        self.rows.set(rows);
        rows < SLICE_ROWS && (!rows.is_multiple_of(16) || Instant::now() < self.until)
    }
}

/// The ports that the writer's thread uses.
#[derive(Clone)]
pub(crate) struct Ports {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
}
