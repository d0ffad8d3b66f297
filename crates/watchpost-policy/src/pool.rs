//! A pool of threads with large stacks, which evaluate work in chunks.

use crate::program::STACK_BYTES;
use std::{
    collections::VecDeque,
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::oneshot;
use watchpost_core::rule::EngineError;

/// Work that is cut into chunks.
pub(crate) trait Work: Send + Sync + 'static {
    /// State that all threads of the pool share.
    type Shared: Send + Sync + 'static;
    /// State that a thread keeps between chunks. It is dropped after a panic.
    type Judge;
    /// The result of a chunk.
    type Part: Send + 'static;

    /// Evaluates a chunk. It may stop between items once `abandoned` is set, because the caller no longer waits.
    fn chunk(
        &self,
        shared: &Self::Shared,
        judge: &mut Option<Self::Judge>,
        items: Range<usize>,
        abandoned: &AtomicBool,
    ) -> Result<Self::Part, EngineError>;
}

/// The pool. Its threads start with the first work; dropping the pool stops them.
pub(crate) struct Pool<W: Work> {
    inner: Arc<Inner<W>>,
    name: &'static str,
    threads: usize,
    started: OnceLock<bool>,
}

struct Inner<W: Work> {
    shared: W::Shared,
    queue: Mutex<Queue<W>>,
    wake: Condvar,
}

struct Queue<W: Work> {
    tasks: VecDeque<Task<W>>,
    closed: bool,
}

/// A chunk of a job.
struct Task<W: Work> {
    job: Arc<Job<W>>,
    chunk: usize,
    items: Range<usize>,
}

/// Work in progress.
struct Job<W: Work> {
    work: W,
    /// Set when the caller no longer waits. Chunks that haven't started are skipped.
    abandoned: AtomicBool,
    progress: Mutex<Progress<W::Part>>,
}

struct Progress<P> {
    parts: Vec<Option<P>>,
    left: usize,
    answer: Option<oneshot::Sender<Result<Vec<P>, EngineError>>>,
}

impl<W: Work> Pool<W> {
    /// Creates a pool of `threads` threads, which are named `name` and a number.
    pub(crate) fn new(name: &'static str, threads: usize, shared: W::Shared) -> Self {
        Self {
            inner: Arc::new(Inner {
                shared,
                queue: Mutex::new(Queue {
                    tasks: VecDeque::new(),
                    closed: false,
                }),
                wake: Condvar::new(),
            }),
            name,
            threads: threads.max(1),
            started: OnceLock::new(),
        }
    }

    pub(crate) const fn threads(&self) -> usize {
        self.threads
    }

    pub(crate) fn shared(&self) -> &W::Shared {
        &self.inner.shared
    }

    /// Evaluates work on `items` items in chunks of `size`. Returns the parts in order.
    pub(crate) async fn run(&self, work: W, items: usize, size: usize) -> Result<Vec<W::Part>, EngineError> {
        let size = size.max(1);
        let chunks = items.div_ceil(size);
        if chunks == 0 {
            return Ok(Vec::new());
        }
        if !self.start() {
            return Err(EngineError::Stopped);
        }
        let (answer, answered) = oneshot::channel();
        let job = Arc::new(Job {
            work,
            abandoned: AtomicBool::new(false),
            progress: Mutex::new(Progress {
                parts: (0..chunks).map(|_| None).collect(),
                left: chunks,
                answer: Some(answer),
            }),
        });
        let _caller = Caller(Arc::clone(&job));
        {
            let mut queue = lock(&self.inner.queue);
            for chunk in 0..chunks {
                let from = chunk.saturating_mul(size);
                queue.tasks.push_back(Task {
                    job: Arc::clone(&job),
                    chunk,
                    items: from..from.saturating_add(size).min(items),
                });
            }
        }
        self.inner.wake.notify_all();
        answered.await.unwrap_or(Err(EngineError::Stopped))
    }

    /// Starts the threads once. Returns whether at least one thread runs.
    fn start(&self) -> bool {
        *self.started.get_or_init(|| {
            let running = (0..self.threads).filter(|number| {
                let inner = Arc::clone(&self.inner);
                let spawned = std::thread::Builder::new()
                    .name(format!("{}-{number}", self.name))
                    .stack_size(STACK_BYTES)
                    .spawn(move || inner.work());
                if let Err(error) = &spawned {
                    tracing::error!(%error, pool = self.name, "a worker thread could not start");
                }
                spawned.is_ok()
            });
            running.count() > 0
        })
    }
}

impl<W: Work> Drop for Pool<W> {
    fn drop(&mut self) {
        lock(&self.inner.queue).closed = true;
        self.inner.wake.notify_all();
    }
}

/// Exists while the caller waits for the job.
struct Caller<W: Work>(Arc<Job<W>>);

impl<W: Work> Drop for Caller<W> {
    fn drop(&mut self) {
        self.0.abandoned.store(true, Ordering::Relaxed);
    }
}

impl<W: Work> Inner<W> {
    /// The main loop of a thread.
    fn work(&self) {
        let mut judge = None;
        while let Some(task) = self.next() {
            let job = &task.job;
            if job.abandoned.load(Ordering::Relaxed) {
                continue;
            }
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                job.work
                    .chunk(&self.shared, &mut judge, task.items.clone(), &job.abandoned)
            }));
            let outcome = outcome.unwrap_or_else(|_| {
                judge = None;
                Err(EngineError::Stopped)
            });
            task.finish(outcome);
        }
    }

    /// Waits for the next task. Returns `None` once the pool is closed.
    fn next(&self) -> Option<Task<W>> {
        let mut queue = lock(&self.queue);
        loop {
            if queue.closed {
                return None;
            }
            if let Some(task) = queue.tasks.pop_front() {
                return Some(task);
            }
            queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl<W: Work> Task<W> {
    /// Stores the chunk's part. The last part, or the first error, completes the job.
    fn finish(self, outcome: Result<W::Part, EngineError>) {
        let mut progress = lock(&self.job.progress);
        let answer = match outcome {
            Ok(part) => {
                if let Some(slot) = progress.parts.get_mut(self.chunk) {
                    *slot = Some(part);
                }
                progress.left = progress.left.saturating_sub(1);
                if progress.left > 0 {
                    return;
                }
                Ok(progress.parts.drain(..).flatten().collect())
            }
            Err(error) => {
                self.job.abandoned.store(true, Ordering::Relaxed);
                Err(error)
            }
        };
        if let Some(sender) = progress.answer.take() {
            // The send fails if the caller no longer waits.
            drop(sender.send(answer));
        }
    }
}

/// Locks a mutex. Ignores poisoning, because a panic can't leave these values partly changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the number of the machine's processors.
pub(crate) fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
