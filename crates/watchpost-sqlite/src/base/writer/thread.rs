//! The writer's thread: groups, slices, checkpoints.

use super::{
    backlog::Backlog,
    entry::PendingWakers,
    outage::Outage,
    queue::{Call, Shared},
    tx::{Ports, Tx},
    work::{Bulk, GroupFailure, Work},
};
use crate::{
    base::{
        chain::Chain,
        fault::{Fault, Reason, Res},
        lock::lock,
    },
    text,
};
use rusqlite::Connection;
use std::{
    cell::{Cell, RefCell},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, PoisonError},
    time::Duration,
};
use watchpost_core::{error::StoreError, log_sample::LogSample};

/// The most calls that share a transaction.
const GROUP_MAX: usize = 512;

/// The number of groups after which waiting bulk work gets a slice although calls still wait.
const GROUPS_PER_SLICE: u32 = 4;

/// Pages in the write-ahead log from which on it is merged into the file when the writer is idle.
const CHECKPOINT_IDLE_PAGES: i32 = 256;

/// Pages in the write-ahead log from which on it is merged into the file even if calls wait.
const CHECKPOINT_PAGES: i32 = 1_024;

thread_local! {
    /// Pages in the write-ahead log after the last commit of this thread.
    static LOG_PAGES: Cell<i32> = const { Cell::new(0) };
}

/// The state of the writer's thread.
pub(super) struct WriterThread {
    conn: Connection,
    ports: Ports,
    shared: Arc<Shared>,
    chain: RefCell<Chain>,
    full: bool,
    groups_since_slice: u32,
    bulk_since_shrink: bool,
    outage: Outage,
    unmerged: LogSample,
    backlog: Backlog,
}

impl WriterThread {
    pub(super) fn new(conn: Connection, ports: Ports, shared: Arc<Shared>) -> Self {
        conn.wal_hook(Some(|_, pages| {
            LOG_PAGES.with(|cell| cell.set(pages));
            Ok(())
        }));
        let backlog = Backlog::new(shared.held_since.clone());
        Self {
            conn,
            ports,
            shared,
            chain: RefCell::default(),
            full: false,
            groups_since_slice: 0,
            bulk_since_shrink: false,
            outage: Outage::default(),
            unmerged: LogSample::new(),
            backlog,
        }
    }

    pub(super) fn run(mut self) {
        let mut group = Vec::with_capacity(64);
        loop {
            if !self.wait() {
                break;
            }
            // Lets callers that are ready queue their calls first. Where the server and the writer share a core, this is
            // what forms groups; elsewhere it costs a microsecond.
            std::thread::yield_now();
            let mut bulk = None;
            {
                let mut queues = lock(&self.shared.queues);
                let count = queues.calls.len().min(GROUP_MAX);
                group.extend(queues.calls.drain(..count));
                if group.is_empty() || self.groups_since_slice >= GROUPS_PER_SLICE {
                    bulk = queues.bulk.pop_front();
                }
            }
            if !group.is_empty() {
                self.groups_since_slice += 1;
                self.run_group(&mut group);
                group.clear();
            }
            if let Some(work) = bulk {
                self.groups_since_slice = 0;
                self.run_slice(work);
            }
            if LOG_PAGES.with(Cell::get) >= CHECKPOINT_PAGES {
                self.checkpoint("PASSIVE");
            }
        }
        self.checkpoint("TRUNCATE");
    }

    /// Sleeps until there is work. Returns `false` when the store closes and the queues are empty.
    fn wait(&mut self) -> bool {
        loop {
            let shared = Arc::clone(&self.shared);
            let mut queues = lock(&shared.queues);
            if !queues.calls.is_empty() || !queues.bulk.is_empty() {
                return true;
            }
            if queues.closing {
                return false;
            }
            if LOG_PAGES.with(Cell::get) >= CHECKPOINT_IDLE_PAGES || self.bulk_since_shrink {
                // Cleans up after a moment without work.
                queues.sleeping = true;
                let (woken, timeout) = shared
                    .ready
                    .wait_timeout(queues, Duration::from_millis(200))
                    .unwrap_or_else(PoisonError::into_inner);
                queues = woken;
                queues.sleeping = false;
                if timeout.timed_out() && queues.calls.is_empty() && queues.bulk.is_empty() {
                    drop(queues);
                    self.checkpoint("PASSIVE");
                    LOG_PAGES.with(|cell| cell.set(0));
                    if std::mem::take(&mut self.bulk_since_shrink) {
                        let _ = self.conn.execute_batch("PRAGMA shrink_memory");
                    }
                }
                continue;
            }
            queues.sleeping = true;
            queues = shared.ready.wait(queues).unwrap_or_else(PoisonError::into_inner);
            queues.sleeping = false;
        }
    }

    fn checkpoint(&mut self, mode: &str) {
        let now = self.ports.clock.now();
        // A reader of an older state is no error: the row says how much of the log is merged.
        let result = self
            .conn
            .query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| {
                Ok((row.get(1)?, row.get(2)?))
            });
        match result {
            Ok((pages, merged)) => self.backlog.merged(pages, merged, now),
            Err(error) => {
                if let Some(left_out) = self.unmerged.take(now) {
                    tracing::warn!(%error, left_out, "the write-ahead log can't be merged into the store's file");
                }
            }
        }
    }

    fn begin(&mut self, full: bool) -> Res<()> {
        if self.full != full {
            let mode = if full { "FULL" } else { "NORMAL" };
            self.conn.execute_batch(&format!("PRAGMA synchronous = {mode}"))?;
            self.full = full;
        }
        self.conn.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        self.chain.borrow_mut().drop_stale_tips(&self.conn)?;
        Ok(())
    }

    fn commit(&mut self) -> Res<()> {
        self.conn.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }

    /// Rolls back a transaction whose commit failed. Returns whether it is certain that the transaction isn't stored.
    fn undo_commit(&mut self, fault: &Fault) -> bool {
        self.roll_back();
        if fault.is_incomplete_commit() {
            return true;
        }
        // The next commit is written where this one was.
        let replaced = self.begin(false).and_then(|()| {
            self.conn
                .prepare_cached("UPDATE instance SET ready_at = ready_at + 1 WHERE one = 1")?
                .execute([])?;
            self.commit()
        });
        if replaced.is_err() {
            self.roll_back();
        }
        replaced.is_ok()
    }

    fn roll_back(&mut self) {
        if !self.conn.is_autocommit()
            && let Err(error) = self.conn.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "a transaction can't be rolled back");
        }
        self.chain.borrow_mut().drop_tips();
    }

    fn tx(&self) -> Tx<'_> {
        Tx::new(&self.conn, &self.chain, &self.ports)
    }

    fn run_group(&mut self, group: &mut Vec<Call>) {
        let full = group.iter().any(|call| match call {
            Call::Append(entry, _) => entry.is_change(),
            Call::Work(work) => work.is_durable(),
        });
        let mut results: Vec<Option<Result<u64, StoreError>>> = Vec::with_capacity(group.len());
        let made = self
            .begin(full)
            .and_then(|()| self.run_calls(group, &mut results));
        let failure = match made {
            Err(fault) => {
                self.roll_back();
                Some(GroupFailure::new(fault, true))
            }
            Ok(()) => self.commit().err().map(|fault| {
                let undone = self.undo_commit(&fault);
                GroupFailure::new(fault, undone)
            }),
        };
        let now = self.ports.clock.now();
        match &failure {
            Some(failure) => self.outage.failed(failure.reason(), group.len(), now),
            None if full => self.outage.ended(),
            None => {}
        }
        results.resize_with(group.len(), || None);
        let pending = Arc::new(PendingWakers::default());
        let mut wakers = Vec::new();
        for (call, result) in group.drain(..).zip(results) {
            match call {
                Call::Append(entry, ticket) => {
                    let result = match (&failure, result) {
                        (Some(failure), _) => Err(failure.audit_error()),
                        (None, Some(result)) => result.map(|seq| entry.stored(seq, ())),
                        (None, None) => Err(StoreError::AuditUnavailable(Box::new(Reason(
                            text::ENTRY_NOT_STORED.into(),
                        )))),
                    };
                    wakers.extend(ticket.finish(result, &pending));
                }
                Call::Work(work) => work.finish(failure.as_ref()),
            }
        }
        if wakers.len() > 4 {
            let first = wakers.pop();
            pending.hold(wakers);
            wakers = first.into_iter().collect();
        }
        for waker in wakers {
            waker.wake();
        }
    }

    /// Runs each call of a group. An error means that the whole group failed.
    fn run_calls(&self, group: &mut [Call], results: &mut Vec<Option<Result<u64, StoreError>>>) -> Res<()> {
        let tx = self.tx();
        for call in group {
            let result = match call {
                Call::Append(entry, _) => match tx.audit(entry) {
                    Ok(seq) => Some(Ok(seq)),
                    Err(fault) if fault.ends_transaction() || self.conn.is_autocommit() => {
                        return Err(fault);
                    }
                    Err(fault) => Some(Err(fault.into_store("audit_entries"))),
                },
                Call::Work(work) => {
                    self.run_work(&tx, work.as_mut())?;
                    None
                }
            };
            results.push(result);
        }
        Ok(())
    }

    fn run_work(&self, tx: &Tx<'_>, work: &mut dyn Work) -> Res<()> {
        self.conn.prepare_cached("SAVEPOINT change")?.execute([])?;
        let before = self.chain.borrow().clone();
        let ran = catch_unwind(AssertUnwindSafe(|| work.run(tx)))
            .unwrap_or_else(|_| Err(Fault::Damaged("store", text::CHANGE_PANICKED.into())));
        if let Err(fault) = ran {
            if fault.ends_transaction() || self.conn.is_autocommit() {
                return Err(fault);
            }
            self.conn.execute_batch("ROLLBACK TO change; RELEASE change")?;
            *self.chain.borrow_mut() = before;
            work.fail(fault);
            return Ok(());
        }
        self.conn.prepare_cached("RELEASE change")?.execute([])?;
        Ok(())
    }

    fn run_slice(&mut self, mut work: Box<dyn Bulk>) {
        self.bulk_since_shrink = true;
        let done = match self.begin(false) {
            Ok(()) => {
                let tx = self.tx();
                catch_unwind(AssertUnwindSafe(|| work.slice(&tx)))
                    .unwrap_or_else(|_| Err(Fault::Damaged("store", text::BULK_PANICKED.into())))
            }
            Err(fault) => Err(fault),
        };
        let done = match done {
            Ok(last) => self.commit().map(|()| last).inspect_err(|fault| {
                // The slice is repeated anyway, by the job that it belongs to.
                self.undo_commit(fault);
            }),
            Err(fault) => {
                self.roll_back();
                Err(fault)
            }
        };
        match done {
            Ok(false) => lock(&self.shared.queues).bulk.push_front(work),
            Ok(true) => work.finish(None),
            Err(fault) => work.finish(Some(fault)),
        }
    }
}
