//! The one writer: a thread with two queues, calls before bulk.
//!
//! Calls (audit entries and changes) that wait at the same time form a group and share a transaction. Each change runs in
//! its own savepoint, so that a change that fails doesn't affect the others. A group that contains a change is committed
//! with `synchronous=FULL`, a group of audit entries for reads with `NORMAL`. Bulk work runs in slices, each in its own
//! transaction, so that a call waits for one slice at most.
//!
//! A commit that fails while the file is synchronized is rolled back, but its pages may be complete in the write-ahead log,
//! where a recovery after a crash would find them. A small commit takes their place at once. Only if that fails too, the
//! outcome of the change is reported as unknown.

mod backlog;
mod entry;
mod outage;
mod queue;
mod thread;
mod tx;
mod work;

pub(crate) use backlog::LARGE_LOG_BYTES;
pub(crate) use entry::Appending;
pub(crate) use tx::{Ports, Tx};

use crate::{
    base::{
        fault::{Res, outcome_unknown, unavailable},
        lock::lock,
    },
    text,
};
use entry::Ticket;
use queue::{Call, Queues, Shared};
use rusqlite::Connection;
use std::{
    sync::{Arc, Mutex},
    thread::JoinHandle,
};
use thread::WriterThread;
use tokio::sync::oneshot;
use watchpost_core::{audit::PendingEntry, error::StoreError, value::time::Timestamp};
use work::{Change, Sliced};

/// The most calls that may wait. Further calls fail as unavailable.
const CALLS_MAX: usize = 8_192;

/// The most bulk commands that may wait. Further ones fail as unavailable.
const BULK_MAX: usize = 64;

/// The writer's handle.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    ports: Ports,
    /// The reason why every write fails.
    refusal: &'static str,
    /// The connection until the first write starts the thread.
    idle: Mutex<Option<Connection>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(crate) fn new(conn: Connection, ports: Ports) -> Self {
        Self {
            shared: Arc::default(),
            ports,
            refusal: text::STORE_CLOSED,
            idle: Mutex::new(Some(conn)),
            thread: Mutex::default(),
        }
    }

    /// Creates the handle of a store that is opened only for reading: every write fails.
    pub(crate) fn closed(ports: Ports) -> Self {
        let shared = Arc::<Shared>::default();
        lock(&shared.queues).closing = true;
        Self {
            shared,
            ports,
            refusal: text::STORE_ONLY_READ,
            idle: Mutex::default(),
            thread: Mutex::default(),
        }
    }

    /// Returns the time since which the write-ahead log can't be emptied.
    pub(crate) fn log_held_since(&self) -> Option<Timestamp> {
        self.shared.held_since.get()
    }

    fn enqueue(&self, add: impl FnOnce(&mut Queues) -> bool) -> Result<(), StoreError> {
        let mut queues = lock(&self.shared.queues);
        if queues.closing {
            return Err(unavailable(self.refusal));
        }
        if !add(&mut queues) {
            return Err(unavailable(text::TOO_MANY_WRITES));
        }
        if queues.sleeping {
            queues.sleeping = false;
            drop(queues);
            self.shared.ready.notify_one();
        } else {
            drop(queues);
            self.start()?;
        }
        Ok(())
    }

    /// Starts the thread unless it is running.
    fn start(&self) -> Result<(), StoreError> {
        let mut idle = lock(&self.idle);
        let Some(conn) = idle.take() else {
            return Ok(());
        };
        let shared = Arc::clone(&self.shared);
        let ports = self.ports.clone();
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || WriterThread::new(conn, ports, shared).run())
            .map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        *lock(&self.thread) = Some(thread);
        Ok(())
    }

    /// Queues an audit entry. The future completes when the entry is committed.
    pub(crate) fn append(&self, entry: PendingEntry) -> Result<Appending, StoreError> {
        let ticket = Arc::new(Ticket::default());
        let appending = Appending(Arc::clone(&ticket));
        self.enqueue(|queues| {
            let fits = queues.calls.len() < CALLS_MAX;
            if fits {
                queues.calls.push_back(Call::Append(entry, ticket));
            }
            fits
        })
        .map_err(|error| StoreError::AuditUnavailable(Box::new(error)))?;
        Ok(appending)
    }

    /// Runs a change in a group. If `durable` is set, the change survives a power cut once this returns.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        table: &'static str,
        durable: bool,
        work: impl FnOnce(&Tx<'_>) -> Res<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let call = Change {
            table,
            durable,
            work: Some(work),
            result: Err(unavailable(text::CHANGE_NOT_MADE)),
            reply,
        };
        self.enqueue(|queues| {
            let fits = queues.calls.len() < CALLS_MAX;
            if fits {
                queues.calls.push_back(Call::Work(Box::new(call)));
            }
            fits
        })?;
        answer
            .await
            .unwrap_or_else(|_| Err(outcome_unknown(text::STORE_CLOSED)))
    }

    /// Runs bulk work slice by slice until `work` returns a value.
    pub(crate) async fn bulk<T: Send + 'static>(
        &self,
        table: &'static str,
        work: impl FnMut(&Tx<'_>) -> Res<Option<T>> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let bulk = Sliced {
            table,
            work,
            result: None,
            reply,
        };
        self.enqueue(|queues| {
            let fits = queues.bulk.len() < BULK_MAX;
            if fits {
                queues.bulk.push_back(Box::new(bulk));
            }
            fits
        })?;
        answer
            .await
            .unwrap_or_else(|_| Err(unavailable(text::STORE_CLOSED)))
    }

    /// Runs everything that is queued, merges the write-ahead log into the file, and ends the thread.
    pub(crate) fn close(&self) {
        lock(&self.shared.queues).closing = true;
        self.shared.ready.notify_one();
        let thread = lock(&self.thread).take();
        if let Some(thread) = thread {
            // The thread catches panics of the work it runs. Nothing can be done about any other panic.
            let _ = thread.join();
        }
        if let Some(conn) = lock(&self.idle).take() {
            drop(conn);
        }
    }
}
