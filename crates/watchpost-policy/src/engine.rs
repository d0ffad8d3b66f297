//! The engine: a pool of threads behind the port.

use crate::{
    judge::{Judge, Strikes},
    pack::PolicyPack,
    program::STACK_BYTES,
};
use async_trait::async_trait;
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
use watchpost_core::rule::{Evaluation, PolicyEngine, PolicyError, Rule, document::Document};

/// Threads that a pool has at the most.
const THREADS_MAX: usize = 16;

/// The rule engine. Its threads start, and its rules are compiled, at the first evaluation; dropping it ends them.
pub struct RegoEngine {
    shared: Arc<Shared>,
    threads: usize,
    started: OnceLock<bool>,
}

struct Shared {
    pack: PolicyPack,
    strikes: OnceLock<Strikes>,
    queue: Mutex<Queue>,
    wake: Condvar,
}

#[derive(Default)]
struct Queue {
    tasks: VecDeque<Task>,
    closed: bool,
}

/// A chunk of a batch.
struct Task {
    batch: Arc<Batch>,
    chunk: usize,
    documents: Range<usize>,
}

/// A batch under way.
struct Batch {
    documents: Arc<Vec<Document>>,
    now_ms: i64,
    /// The caller went away: what isn't begun needn't be.
    abandoned: AtomicBool,
    progress: Mutex<Progress>,
}

struct Progress {
    chunks: Vec<Option<Evaluation>>,
    left: usize,
    answer: Option<oneshot::Sender<Result<Evaluation, PolicyError>>>,
}

impl std::fmt::Debug for RegoEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RegoEngine")
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}

impl RegoEngine {
    /// An engine with as many threads as the machine has processors.
    pub fn new(pack: PolicyPack) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self::with_threads(pack, threads)
    }

    /// An engine with so many threads (1 to 16).
    pub fn with_threads(pack: PolicyPack, threads: usize) -> Self {
        Self {
            shared: Arc::new(Shared {
                pack,
                strikes: OnceLock::new(),
                queue: Mutex::default(),
                wake: Condvar::new(),
            }),
            threads: threads.clamp(1, THREADS_MAX),
            started: OnceLock::new(),
        }
    }

    /// Its rules' pack.
    pub fn pack(&self) -> &PolicyPack {
        &self.shared.pack
    }

    /// Starts the threads once; whether at least one runs.
    fn start(&self) -> bool {
        *self.started.get_or_init(|| {
            let running = (0..self.threads).filter(|number| {
                let shared = Arc::clone(&self.shared);
                let spawned = std::thread::Builder::new()
                    .name(format!("watchpost-policy-{number}"))
                    .stack_size(STACK_BYTES)
                    .spawn(move || work(&shared));
                if let Err(error) = &spawned {
                    tracing::error!(%error, "a thread of the rule engine doesn't start");
                }
                spawned.is_ok()
            });
            running.count() > 0
        })
    }
}

impl Drop for RegoEngine {
    fn drop(&mut self) {
        lock(&self.shared.queue).closed = true;
        self.shared.wake.notify_all();
    }
}

#[async_trait]
impl PolicyEngine for RegoEngine {
    fn rules(&self) -> &[Rule] {
        self.shared.pack.rules()
    }

    async fn evaluate(&self, batch: Arc<Vec<Document>>, now_ms: i64) -> Result<Evaluation, PolicyError> {
        if batch.is_empty() {
            return Ok(Evaluation::default());
        }
        if !self.start() {
            return Err(PolicyError::Stopped);
        }
        let size = batch.len().div_ceil(self.threads.saturating_mul(4)).clamp(1, 256);
        let chunks = batch.len().div_ceil(size);
        let (answer, answered) = oneshot::channel();
        let batch = Arc::new(Batch {
            documents: batch,
            now_ms,
            abandoned: AtomicBool::new(false),
            progress: Mutex::new(Progress {
                chunks: (0..chunks).map(|_| None).collect(),
                left: chunks,
                answer: Some(answer),
            }),
        });
        let _caller = Caller(Arc::clone(&batch));
        {
            let mut queue = lock(&self.shared.queue);
            for chunk in 0..chunks {
                let from = chunk.saturating_mul(size);
                let to = from.saturating_add(size).min(batch.documents.len());
                queue.tasks.push_back(Task {
                    batch: Arc::clone(&batch),
                    chunk,
                    documents: from..to,
                });
            }
        }
        self.shared.wake.notify_all();
        answered.await.unwrap_or(Err(PolicyError::Stopped))
    }
}

/// Lives as long as somebody waits for the batch.
struct Caller(Arc<Batch>);

impl Drop for Caller {
    fn drop(&mut self) {
        self.0.abandoned.store(true, Ordering::Relaxed);
    }
}

/// A thread's life.
fn work(shared: &Shared) {
    let mut judge = None;
    loop {
        let task = {
            let mut queue = lock(&shared.queue);
            loop {
                if queue.closed {
                    return;
                }
                if let Some(task) = queue.tasks.pop_front() {
                    break task;
                }
                queue = shared.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
        };
        if task.batch.abandoned.load(Ordering::Relaxed) {
            continue;
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| evaluate(shared, &mut judge, &task)));
        let outcome = outcome.unwrap_or_else(|_| {
            judge = None;
            Err(PolicyError::Stopped)
        });
        task.finish(outcome);
    }
}

fn evaluate(shared: &Shared, judge: &mut Option<Judge>, task: &Task) -> Result<Evaluation, PolicyError> {
    if judge.is_none() {
        *judge = Some(Judge::new(&shared.pack)?);
    }
    let judge = judge.as_mut().ok_or(PolicyError::Stopped)?;
    let strikes = shared
        .strikes
        .get_or_init(|| Strikes::new(shared.pack.rules().len()));
    let mut evaluation = Evaluation::default();
    for document in task
        .batch
        .documents
        .get(task.documents.clone())
        .unwrap_or_default()
    {
        if task.batch.abandoned.load(Ordering::Relaxed) {
            break;
        }
        judge.judge(
            &shared.pack,
            strikes,
            document,
            task.batch.now_ms,
            &mut evaluation,
        );
    }
    Ok(evaluation)
}

impl Task {
    /// Keeps the chunk's outcome; the last one, or the first error, answers.
    fn finish(self, outcome: Result<Evaluation, PolicyError>) {
        let mut progress = lock(&self.batch.progress);
        match outcome {
            Ok(evaluation) => {
                if let Some(slot) = progress.chunks.get_mut(self.chunk) {
                    *slot = Some(evaluation);
                }
                progress.left = progress.left.saturating_sub(1);
                if progress.left == 0
                    && let Some(answer) = progress.answer.take()
                {
                    let mut whole = Evaluation::default();
                    for part in progress.chunks.drain(..).flatten() {
                        whole.hits.extend(part.hits);
                        whole.failures.extend(part.failures);
                    }
                    // Nobody waits any more: nothing to do about it.
                    drop(answer.send(Ok(whole)));
                }
            }
            Err(error) => {
                self.batch.abandoned.store(true, Ordering::Relaxed);
                if let Some(answer) = progress.answer.take() {
                    drop(answer.send(Err(error)));
                }
            }
        }
    }
}

/// A panic while a lock is held can't leave these values half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
