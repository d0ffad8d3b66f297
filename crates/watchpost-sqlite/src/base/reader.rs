//! Reading: bounded reads on the caller's thread with pooled connections, long reads on threads of their own.

use crate::{
    base::{
        fault::{Fault, Res, unavailable},
        lock::lock,
        open::{Access, connect},
    },
    text,
};
use rusqlite::Connection;
use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::oneshot;
use watchpost_core::error::StoreError;

/// The most idle connections that the pool keeps. There are never more connections than threads that read at once.
const IDLE_MAX: usize = 16;

/// The most threads for long reads.
const LONG_THREADS: usize = 2;

/// The most long reads that may wait for a thread.
const LONG_MAX: usize = 64;

/// The time without work after which a thread ends and frees its memory.
const LONG_IDLE: Duration = Duration::from_secs(10);

/// The pool of read connections. The connection returned last is taken first, since its cache is warm. An uncontended
/// lock is cheaper here than a connection per thread, and the connections close with the store.
pub(crate) struct Pool {
    path: PathBuf,
    access: Access,
    idle: Mutex<Vec<Connection>>,
}

impl Pool {
    pub(crate) fn new(path: PathBuf, access: Access) -> Self {
        Self {
            path,
            access,
            idle: Mutex::default(),
        }
    }

    fn take(&self) -> Res<Connection> {
        let idle = lock(&self.idle).pop();
        idle.map_or_else(|| connect(&self.path, self.access).map_err(Fault::from), Ok)
    }

    fn put(&self, conn: Connection) {
        let mut idle = lock(&self.idle);
        if idle.len() < IDLE_MAX {
            idle.push(conn);
        }
    }

    /// Runs a read of one statement, which is its own transaction.
    pub(crate) fn read_one<T>(&self, read: impl FnOnce(&Connection) -> Res<T>) -> Res<T> {
        let conn = self.take()?;
        let value = read(&conn);
        self.put(conn);
        value
    }

    /// Runs a read of several statements in one transaction, so that they see one state of the file.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&Connection) -> Res<T>) -> Res<T> {
        let conn = self.take()?;
        let value = in_transaction(&conn, read);
        // A connection that couldn't end its transaction isn't reused.
        if conn.is_autocommit() {
            self.put(conn);
        }
        value
    }

    pub(crate) fn clear(&self) {
        lock(&self.idle).clear();
    }
}

fn in_transaction<T>(conn: &Connection, read: impl FnOnce(&Connection) -> Res<T>) -> Res<T> {
    conn.prepare_cached("BEGIN")?.execute([])?;
    let value = read(conn);
    let ended = conn.prepare_cached("COMMIT").and_then(|mut end| end.execute([]));
    let value = value?;
    ended?;
    Ok(value)
}

type Read = Box<dyn FnOnce(&Connection) + Send>;

#[derive(Default)]
struct Waiting {
    reads: VecDeque<(Read, Fail)>,
    idle: usize,
    threads: usize,
    closing: bool,
}

/// Completes a read with an error because its connection can't be opened.
type Fail = Box<dyn FnOnce(StoreError) + Send>;

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    ready: Condvar,
}

/// The threads for long reads. They start when needed and end when idle.
pub(crate) struct LongReads {
    path: PathBuf,
    access: Access,
    shared: Arc<Shared>,
}

impl LongReads {
    /// Returns how this store's file is opened for reading.
    pub(crate) const fn access(&self) -> Access {
        self.access
    }

    pub(crate) fn new(path: PathBuf, access: Access) -> Self {
        Self {
            path,
            access,
            shared: Arc::default(),
        }
    }

    pub(crate) async fn read<T: Send + 'static>(
        &self,
        table: &'static str,
        read: impl FnOnce(&Connection) -> Res<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let reply = Arc::new(Mutex::new(Some(reply)));
        let reply_failed = Arc::clone(&reply);
        let send = move |reply: &Mutex<Option<oneshot::Sender<_>>>, value| {
            if let Some(reply) = lock(reply).take() {
                // The caller may have stopped waiting.
                let _ = reply.send(value);
            }
        };
        let run: Read = Box::new(move |conn| {
            send(
                &reply,
                in_transaction(conn, read).map_err(|fault| fault.into_store(table)),
            );
        });
        let fail: Fail = Box::new(move |error| send(&reply_failed, Err(error)));
        self.enqueue(run, fail)?;
        answer
            .await
            .unwrap_or_else(|_| Err(unavailable(text::STORE_CLOSED)))
    }

    fn enqueue(&self, run: Read, fail: Fail) -> Result<(), StoreError> {
        let mut waiting = lock(&self.shared.waiting);
        if waiting.closing {
            return Err(unavailable(text::STORE_CLOSED));
        }
        if waiting.reads.len() >= LONG_MAX {
            return Err(unavailable(text::TOO_MANY_READS));
        }
        waiting.reads.push_back((run, fail));
        if waiting.idle == 0 && waiting.threads < LONG_THREADS {
            let shared = Arc::clone(&self.shared);
            let path = self.path.clone();
            let access = self.access;
            std::thread::Builder::new()
                .name("store-reader".into())
                .spawn(move || serve(&shared, &path, access))
                .map_err(|error| StoreError::Unavailable(Box::new(error)))?;
            waiting.threads += 1;
        }
        drop(waiting);
        self.shared.ready.notify_one();
        Ok(())
    }

    pub(crate) fn close(&self) {
        let mut waiting = lock(&self.shared.waiting);
        waiting.closing = true;
        self.shared.ready.notify_all();
        while waiting.threads > 0 {
            waiting = self
                .shared
                .ready
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn serve(shared: &Shared, path: &std::path::Path, access: Access) {
    let mut conn = None;
    loop {
        let mut waiting = lock(&shared.waiting);
        let next = loop {
            if let Some(next) = waiting.reads.pop_front() {
                break Some(next);
            }
            if waiting.closing {
                break None;
            }
            waiting.idle += 1;
            let (woken, timeout) = shared
                .ready
                .wait_timeout(waiting, LONG_IDLE)
                .unwrap_or_else(PoisonError::into_inner);
            waiting = woken;
            waiting.idle -= 1;
            if timeout.timed_out() && waiting.reads.is_empty() {
                break None;
            }
        };
        let Some((run, fail)) = next else {
            drop(conn.take());
            waiting.threads -= 1;
            shared.ready.notify_all();
            return;
        };
        drop(waiting);
        if conn.is_none() {
            match connect(path, access) {
                Ok(fresh) => conn = Some(fresh),
                Err(error) => {
                    fail(Fault::from(error).into_store("store"));
                    continue;
                }
            }
        }
        if let Some(open) = &conn {
            // A panic drops the reply with the closure, and the caller then reports a closed store.
            let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(open)));
            if ran.is_err() || !open.is_autocommit() {
                conn = None;
            }
        }
    }
}
