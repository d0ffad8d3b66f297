//! Reading: bounded reads in place on kept connections, long ones on threads of their own.

use crate::base::{
    fault::{Fault, Res, unavailable},
    lock::lock,
    open::{Access, connect},
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

/// Connections that are kept for reads in place; there are never more than threads that read at once.
const KEPT_MAX: usize = 16;

/// Threads for long reads.
const LONG_THREADS: usize = 2;

/// Long reads that may wait.
const LONG_MAX: usize = 64;

/// After this long without work a thread ends and gives its memory back.
const LONG_IDLE: Duration = Duration::from_secs(10);

/// The kept connections. Taken from the end, so that the warm one is used again; a lock that nobody waits for is
/// cheaper here than a table per thread, and the connections end with the store.
pub(crate) struct Pool {
    path: PathBuf,
    kept: Mutex<Vec<Connection>>,
}

impl Pool {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            kept: Mutex::default(),
        }
    }

    fn take(&self) -> Res<Connection> {
        let kept = lock(&self.kept).pop();
        kept.map_or_else(|| connect(&self.path, Access::Read).map_err(Fault::from), Ok)
    }

    fn put(&self, conn: Connection) {
        let mut kept = lock(&self.kept);
        if kept.len() < KEPT_MAX {
            kept.push(conn);
        }
    }

    /// One statement: it is its own transaction.
    pub(crate) fn read_one<T>(&self, read: impl FnOnce(&Connection) -> Res<T>) -> Res<T> {
        let conn = self.take()?;
        let value = read(&conn);
        self.put(conn);
        value
    }

    /// Several statements over one state of the file.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&Connection) -> Res<T>) -> Res<T> {
        let conn = self.take()?;
        let value = in_transaction(&conn, read);
        // One that can't end its transaction isn't kept.
        if conn.is_autocommit() {
            self.put(conn);
        }
        value
    }

    pub(crate) fn clear(&self) {
        lock(&self.kept).clear();
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
    reads: VecDeque<(Read, Refusal)>,
    idle: usize,
    threads: usize,
    closing: bool,
}

/// Answers a read whose connection can't be opened.
type Refusal = Box<dyn FnOnce(StoreError) + Send>;

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    ready: Condvar,
}

/// The threads for long reads: started when needed, ended when idle.
pub(crate) struct LongReads {
    path: PathBuf,
    shared: Arc<Shared>,
}

impl LongReads {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
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
        let refused = Arc::clone(&reply);
        let send = move |reply: &Mutex<Option<oneshot::Sender<_>>>, value| {
            if let Some(reply) = lock(reply).take() {
                // Nobody may wait any more.
                let _ = reply.send(value);
            }
        };
        let run: Read = Box::new(move |conn| {
            send(
                &reply,
                in_transaction(conn, read).map_err(|fault| fault.into_store(table)),
            );
        });
        let refuse: Refusal = Box::new(move |error| send(&refused, Err(error)));
        self.enqueue(run, refuse)?;
        answer
            .await
            .unwrap_or_else(|_| Err(unavailable("the store is closed")))
    }

    fn enqueue(&self, run: Read, refuse: Refusal) -> Result<(), StoreError> {
        let mut waiting = lock(&self.shared.waiting);
        if waiting.closing {
            return Err(unavailable("the store is closed"));
        }
        if waiting.reads.len() >= LONG_MAX {
            return Err(unavailable("too many long reads are waiting"));
        }
        waiting.reads.push_back((run, refuse));
        if waiting.idle == 0 && waiting.threads < LONG_THREADS {
            let shared = Arc::clone(&self.shared);
            let path = self.path.clone();
            std::thread::Builder::new()
                .name("store-reader".into())
                .spawn(move || serve(&shared, &path))
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

fn serve(shared: &Shared, path: &std::path::Path) {
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
        let Some((run, refuse)) = next else {
            drop(conn.take());
            waiting.threads -= 1;
            shared.ready.notify_all();
            return;
        };
        drop(waiting);
        if conn.is_none() {
            match connect(path, Access::LongRead) {
                Ok(fresh) => conn = Some(fresh),
                Err(error) => {
                    refuse(Fault::from(error).into_store("store"));
                    continue;
                }
            }
        }
        if let Some(open) = &conn {
            // The reply is dropped with the closure, which its reader takes for a closed store.
            let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(open)));
            if ran.is_err() || !open.is_autocommit() {
                conn = None;
            }
        }
    }
}
