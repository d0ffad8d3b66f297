//! The one writer: a thread with two queues, calls before bulk.
//!
//! Calls (audit entries and changes) that wait together share a transaction. Each change of a group stands in a
//! savepoint of its own, so that one that fails takes nothing else with it. A group with a change in it is committed
//! with `synchronous=FULL`, one of read entries with `NORMAL`. Bulk work comes in slices, each a transaction of its
//! own, so that a call waits for one slice at the most.

use crate::{
    audit::Chain,
    fault::{Fault, Reason, Res, unavailable},
};
use rusqlite::Connection;
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    thread::JoinHandle,
    time::{Duration, Instant},
};
use tokio::sync::oneshot;
use watchpost_core::{
    access::Audited,
    audit::PendingEntry,
    error::StoreError,
    port::{Clock, Random},
    value::id::WorkspaceId,
};

/// Calls that may wait; past it they are refused.
const CALLS_MAX: usize = 8_192;
/// Bulk commands that may wait.
const BULK_MAX: usize = 64;
/// Calls that share a transaction at the most.
const GROUP_MAX: usize = 512;
/// Groups after which waiting bulk work gets a slice although calls still wait.
const GROUPS_PER_SLICE: u32 = 4;
/// Rows of a bulk transaction.
const SLICE_ROWS: u32 = 500;
/// Time of a bulk transaction.
const SLICE_TIME: Duration = Duration::from_millis(10);
/// Pages in the log at which it is taken into the file: when nothing waits, and in any case.
const CHECKPOINT_IDLE_PAGES: i32 = 256;
const CHECKPOINT_PAGES: i32 = 1_024;

/// Inside a write transaction.
pub(crate) struct Tx<'a> {
    pub(crate) conn: &'a Connection,
    chain: &'a RefCell<Chain>,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) random: &'a dyn Random,
    rows: Cell<u32>,
    until: Instant,
}

impl Tx<'_> {
    /// The number that stands for a workspace in this file.
    pub(crate) fn workspace(&self, id: WorkspaceId) -> Res<i64> {
        self.chain.borrow_mut().workspace(self.conn, id)
    }
    /// Stores an audit entry in this transaction. Gives its number.
    pub(crate) fn audit(&self, entry: &PendingEntry) -> Res<u64> {
        self.chain
            .borrow_mut()
            .append(self.conn, entry, self.clock.now())
            .map_err(|fault| Fault::Audit(Box::new(fault)))
    }
    /// Moves the generation of a workspace's data.
    pub(crate) fn bump(&self, workspace: i64) -> Res<()> {
        self.conn
            .prepare_cached("UPDATE workspaces SET generation = generation + 1 WHERE workspace_id = ?1")?
            .execute([workspace])?;
        Ok(())
    }
    /// Counts a row of bulk work. `false`: the slice is full.
    pub(crate) fn may_go_on(&self) -> bool {
        let rows = self.rows.get() + 1;
        self.rows.set(rows);
        rows < SLICE_ROWS && (!rows.is_multiple_of(16) || Instant::now() < self.until)
    }
}

/// What the writer thread needs besides its connection.
#[derive(Clone)]
pub(crate) struct Ports {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
}

/// A change, from its being queued to its being answered.
trait Work: Send {
    /// Whether it must survive a power cut once it is answered.
    fn is_durable(&self) -> bool;
    /// Does it. An error undoes this work alone.
    fn run(&mut self, tx: &Tx<'_>) -> Res<()>;
    /// Notes that it failed by itself.
    fn fail(&mut self, fault: Fault);
    /// Answers it: with what `run` gave, if the group was committed.
    fn answer(self: Box<Self>, failure: Option<&GroupFailure>);
}

/// Bulk work: a slice at a time.
trait Bulk: Send {
    /// Does a slice. `true`: it was the last.
    fn slice(&mut self, tx: &Tx<'_>) -> Res<bool>;
    fn answer(self: Box<Self>, failure: Option<Fault>);
}

enum Call {
    Append(PendingEntry, Arc<Ticket>),
    Work(Box<dyn Work>),
}

/// Why a whole group failed. Each of its calls gets its own error made of it.
struct GroupFailure {
    corrupt: bool,
    reason: String,
}

impl GroupFailure {
    fn of(fault: Fault) -> Self {
        let error = fault.into_store("store");
        let mut reason = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(inner) = source {
            reason.push_str(": ");
            reason.push_str(&inner.to_string());
            source = inner.source();
        }
        Self {
            corrupt: matches!(error, StoreError::Corrupt { .. }),
            reason,
        }
    }
    fn error(&self) -> StoreError {
        let source = Box::new(Reason(self.reason.clone()));
        if self.corrupt {
            StoreError::Corrupt {
                table: "store",
                source,
            }
        } else {
            StoreError::Unavailable(source)
        }
    }
    fn audit_error(&self) -> StoreError {
        StoreError::AuditUnavailable(Box::new(Reason(self.reason.clone())))
    }
}

#[derive(Default)]
struct Queues {
    calls: VecDeque<Call>,
    bulk: VecDeque<Box<dyn Bulk>>,
    sleeping: bool,
    closing: bool,
}

#[derive(Default)]
struct Shared {
    queues: Mutex<Queues>,
    ready: Condvar,
}

/// The writer's handle.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    ports: Ports,
    /// The connection until the thread starts, which the first write does.
    idle: Mutex<Option<Connection>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic while it was held leaves queues of whole entries: usable.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Writer {
    pub(crate) fn new(conn: Connection, ports: Ports) -> Self {
        Self {
            shared: Arc::default(),
            ports,
            idle: Mutex::new(Some(conn)),
            thread: Mutex::default(),
        }
    }

    fn enqueue(&self, add: impl FnOnce(&mut Queues) -> bool) -> Result<(), StoreError> {
        let mut queues = lock(&self.shared.queues);
        if queues.closing {
            return Err(unavailable("the store is closed"));
        }
        if !add(&mut queues) {
            return Err(unavailable("too many writes are waiting"));
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

    /// Starts the thread if it doesn't run yet.
    fn start(&self) -> Result<(), StoreError> {
        let mut idle = lock(&self.idle);
        let Some(conn) = idle.take() else {
            return Ok(());
        };
        let shared = Arc::clone(&self.shared);
        let ports = self.ports.clone();
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || Running::new(conn, ports, shared).run())
            .map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        *lock(&self.thread) = Some(thread);
        Ok(())
    }

    /// Queues an audit entry; the future ends when it is committed.
    pub(crate) fn append(&self, entry: PendingEntry) -> Result<Appending, StoreError> {
        let ticket = Arc::new(Ticket::default());
        let mine = Arc::clone(&ticket);
        self.enqueue(|queues| {
            let fits = queues.calls.len() < CALLS_MAX;
            if fits {
                queues.calls.push_back(Call::Append(entry, ticket));
            }
            fits
        })
        .map_err(|error| StoreError::AuditUnavailable(Box::new(error)))?;
        Ok(Appending(mine))
    }

    /// Runs a change in a group. `durable`: it survives a power cut once this returns.
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
            result: Err(unavailable("the change was not made")),
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
            .unwrap_or_else(|_| Err(unavailable("the store is closed")))
    }

    /// Runs bulk work slice by slice until `work` gives a value.
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
            .unwrap_or_else(|_| Err(unavailable("the store is closed")))
    }

    /// Does what waits, takes the log into the file and ends the thread.
    pub(crate) fn close(&self) {
        lock(&self.shared.queues).closing = true;
        self.shared.ready.notify_one();
        let thread = lock(&self.thread).take();
        if let Some(thread) = thread {
            // The thread catches panics of its work; there is nothing to do about another.
            let _ = thread.join();
        }
        if let Some(conn) = lock(&self.idle).take() {
            drop(conn);
        }
    }
}

struct Change<T, F> {
    table: &'static str,
    durable: bool,
    work: Option<F>,
    result: Result<T, StoreError>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T: Send, F: FnOnce(&Tx<'_>) -> Res<T> + Send> Work for Change<T, F> {
    fn is_durable(&self) -> bool {
        self.durable
    }
    fn run(&mut self, tx: &Tx<'_>) -> Res<()> {
        if let Some(work) = self.work.take() {
            self.result = Ok(work(tx)?);
        }
        Ok(())
    }
    fn fail(&mut self, fault: Fault) {
        self.result = Err(fault.into_store(self.table));
    }
    fn answer(self: Box<Self>, failure: Option<&GroupFailure>) {
        let result = failure.map_or(self.result, |failure| Err(failure.error()));
        // Nobody may wait any more: the change stands all the same.
        let _ = self.reply.send(result);
    }
}

struct Sliced<T, F> {
    table: &'static str,
    work: F,
    result: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T: Send, F: FnMut(&Tx<'_>) -> Res<Option<T>> + Send> Bulk for Sliced<T, F> {
    fn slice(&mut self, tx: &Tx<'_>) -> Res<bool> {
        self.result = (self.work)(tx)?;
        Ok(self.result.is_some())
    }
    fn answer(self: Box<Self>, failure: Option<Fault>) {
        let result = match (failure, self.result) {
            (Some(fault), _) => Err(fault.into_store(self.table)),
            (None, Some(value)) => Ok(value),
            (None, None) => Err(unavailable("the work was not done")),
        };
        let _ = self.reply.send(result);
    }
}

/// Where an entry's future and the writer meet.
#[derive(Default)]
struct Ticket(Mutex<TicketState>);

#[derive(Default)]
enum TicketState {
    #[default]
    New,
    Waiting(Waker),
    Done(Result<Audited<()>, StoreError>, Arc<Rest>),
    Taken,
}

/// The wakers of a group that are still to be woken. Waking a task from the writer's thread costs a system call, so
/// the writer wakes the first and that one wakes the others from its own thread.
#[derive(Default)]
struct Rest(Mutex<Vec<Waker>>);

impl Rest {
    fn wake(&self) {
        let wakers = std::mem::take(&mut *lock(&self.0));
        for waker in wakers {
            waker.wake();
        }
    }
}

impl Ticket {
    fn finish(&self, result: Result<Audited<()>, StoreError>, rest: &Arc<Rest>) -> Option<Waker> {
        let mut state = lock(&self.0);
        match std::mem::replace(&mut *state, TicketState::Done(result, Arc::clone(rest))) {
            TicketState::Waiting(waker) => Some(waker),
            TicketState::New => None,
            // The future is gone: nobody will take the result.
            TicketState::Taken | TicketState::Done(..) => {
                *state = TicketState::Taken;
                None
            }
        }
    }
}

/// An entry on its way into the log: gives its number once it is committed.
pub(crate) struct Appending(Arc<Ticket>);

impl Future for Appending {
    type Output = Result<Audited<()>, StoreError>;
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = lock(&self.0.0);
        match std::mem::replace(&mut *state, TicketState::Taken) {
            TicketState::Done(result, rest) => {
                drop(state);
                rest.wake();
                Poll::Ready(result)
            }
            TicketState::Waiting(waker) if waker.will_wake(context.waker()) => {
                *state = TicketState::Waiting(waker);
                Poll::Pending
            }
            TicketState::New | TicketState::Waiting(_) => {
                *state = TicketState::Waiting(context.waker().clone());
                Poll::Pending
            }
            TicketState::Taken => Poll::Ready(Err(unavailable("polled after its end"))),
        }
    }
}

impl Drop for Appending {
    fn drop(&mut self) {
        let state = std::mem::replace(&mut *lock(&self.0.0), TicketState::Taken);
        // Its task may have been the one to wake the others.
        if let TicketState::Done(_, rest) = state {
            rest.wake();
        }
    }
}

thread_local! {
    /// Pages in the log after the last commit of this thread.
    static LOG_PAGES: Cell<i32> = const { Cell::new(0) };
}

/// The thread's own state.
struct Running {
    conn: Connection,
    ports: Ports,
    shared: Arc<Shared>,
    chain: RefCell<Chain>,
    full: bool,
    groups_since_slice: u32,
    bulk_since_shrink: bool,
}

impl Running {
    fn new(conn: Connection, ports: Ports, shared: Arc<Shared>) -> Self {
        conn.wal_hook(Some(|_, pages| {
            LOG_PAGES.with(|cell| cell.set(pages));
            Ok(())
        }));
        Self {
            conn,
            ports,
            shared,
            chain: RefCell::default(),
            full: false,
            groups_since_slice: 0,
            bulk_since_shrink: false,
        }
    }

    fn run(mut self) {
        let mut group = Vec::with_capacity(64);
        loop {
            if !self.wait() {
                break;
            }
            // Lets the callers that are ready add theirs: where server and writer share a core this is what makes
            // groups, elsewhere it costs a microsecond.
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

    /// Sleeps until there is something to do; `false` when the store closes and nothing waits.
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
                // Tidies up once nothing came for a moment.
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

    fn checkpoint(&self, mode: &str) {
        let result = self
            .conn
            .query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(()));
        if let Err(error) = result {
            tracing::warn!(%error, "the log can't be taken into the store's file");
        }
    }

    fn begin(&mut self, full: bool) -> Res<()> {
        if self.full != full {
            let mode = if full { "FULL" } else { "NORMAL" };
            self.conn.execute_batch(&format!("PRAGMA synchronous = {mode}"))?;
            self.full = full;
        }
        self.conn.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        self.chain.borrow_mut().notice_others(&self.conn)?;
        Ok(())
    }

    fn commit(&mut self) -> Res<()> {
        self.conn.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }

    fn roll_back(&mut self) {
        if !self.conn.is_autocommit()
            && let Err(error) = self.conn.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "a transaction can't be rolled back");
        }
        self.chain.borrow_mut().forget();
    }

    fn tx(&self) -> Tx<'_> {
        Tx {
            conn: &self.conn,
            chain: &self.chain,
            clock: self.ports.clock.as_ref(),
            random: self.ports.random.as_ref(),
            rows: Cell::new(0),
            until: Instant::now() + SLICE_TIME,
        }
    }

    fn run_group(&mut self, group: &mut Vec<Call>) {
        let full = group.iter().any(|call| match call {
            Call::Append(entry, _) => entry.is_change(),
            Call::Work(work) => work.is_durable(),
        });
        let mut results: Vec<Option<Result<u64, StoreError>>> = Vec::with_capacity(group.len());
        let done = match self.begin(full) {
            Ok(()) => self.run_calls(group, &mut results).and_then(|()| self.commit()),
            Err(fault) => Err(fault),
        };
        let failure = done.err().map(|fault| {
            self.roll_back();
            GroupFailure::of(fault)
        });
        results.resize_with(group.len(), || None);
        let rest = Arc::new(Rest::default());
        let mut wakers = Vec::new();
        for (call, result) in group.drain(..).zip(results) {
            match call {
                Call::Append(entry, ticket) => {
                    let result = match (&failure, result) {
                        (Some(failure), _) => Err(failure.audit_error()),
                        (None, Some(result)) => result.map(|seq| entry.stored(seq, ())),
                        (None, None) => Err(StoreError::AuditUnavailable(Box::new(Reason(
                            "the entry was not stored".into(),
                        )))),
                    };
                    wakers.extend(ticket.finish(result, &rest));
                }
                Call::Work(work) => work.answer(failure.as_ref()),
            }
        }
        if wakers.len() > 4 {
            let first = wakers.pop();
            *lock(&rest.0) = wakers;
            wakers = first.into_iter().collect();
        }
        for waker in wakers {
            waker.wake();
        }
    }

    /// Runs each call of a group. An error ends the whole group.
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
            .unwrap_or_else(|_| Err(Fault::Damaged("store", "a change failed unexpectedly".into())));
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
                    .unwrap_or_else(|_| Err(Fault::Damaged("store", "bulk work failed unexpectedly".into())))
            }
            Err(fault) => Err(fault),
        };
        let done = done.and_then(|last| self.commit().map(|()| last));
        match done {
            Ok(false) => lock(&self.shared.queues).bulk.push_front(work),
            Ok(true) => work.answer(None),
            Err(fault) => {
                self.roll_back();
                work.answer(Some(fault));
            }
        }
    }
}
