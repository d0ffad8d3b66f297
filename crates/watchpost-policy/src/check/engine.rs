//! The engine: a pool of threads behind the port.

use super::{judge::CheckJudge, view::View};
use crate::{pack::PolicyPack, program::STACK_BYTES};
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
use watchpost_core::{
    check::{Check, CheckDocument, CheckEngine, Profile, Verdict},
    rule::PolicyError,
};

/// Threads that a pool has at the most: few scans run at a time, and each is short.
const THREADS_MAX: usize = 4;
/// Checks that a thread takes at a time.
const CHUNK: usize = 16;

/// The engine that evaluates checks. Its threads start at the first evaluation and end when it is dropped.
pub struct RegoChecks {
    pack: PolicyPack,
    shared: Arc<Shared>,
    threads: usize,
    started: OnceLock<bool>,
}

struct Shared {
    pack: PolicyPack,
    queue: Mutex<Queue>,
    wake: Condvar,
}

#[derive(Default)]
struct Queue {
    tasks: VecDeque<Task>,
    closed: bool,
}

/// Some checks on a document.
struct Task {
    work: Arc<Work>,
    checks: Range<usize>,
}

/// A document under evaluation.
struct Work {
    document: Arc<CheckDocument>,
    /// Converted by the thread that comes first.
    view: OnceLock<Result<View, String>>,
    checks: Vec<usize>,
    profile: Profile,
    now_ms: i64,
    /// The caller went away: what isn't begun needn't be.
    abandoned: AtomicBool,
    progress: Mutex<Progress>,
}

struct Progress {
    verdicts: Vec<Option<Verdict>>,
    left: usize,
    answer: Option<oneshot::Sender<Result<Vec<Verdict>, PolicyError>>>,
}

impl std::fmt::Debug for RegoChecks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RegoChecks")
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}

impl RegoChecks {
    /// An engine with as many threads as the machine has processors, at most 4. Give it a clone of the pack that the
    /// rule engine has: a pack is loaded once.
    pub fn new(pack: PolicyPack) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self::with_threads(pack, threads)
    }

    /// An engine with so many threads (1 to 4).
    pub fn with_threads(pack: PolicyPack, threads: usize) -> Self {
        Self {
            shared: Arc::new(Shared {
                pack: pack.clone(),
                queue: Mutex::default(),
                wake: Condvar::new(),
            }),
            pack,
            threads: threads.clamp(1, THREADS_MAX),
            started: OnceLock::new(),
        }
    }

    /// Its checks' pack.
    pub const fn pack(&self) -> &PolicyPack {
        &self.pack
    }

    /// Starts the threads once; whether at least one runs.
    fn start(&self) -> bool {
        *self.started.get_or_init(|| {
            let running = (0..self.threads).filter(|number| {
                let shared = Arc::clone(&self.shared);
                let spawned = std::thread::Builder::new()
                    .name(format!("watchpost-checks-{number}"))
                    .stack_size(STACK_BYTES)
                    .spawn(move || work(&shared));
                if let Err(error) = &spawned {
                    tracing::error!(%error, "a thread of the check engine doesn't start");
                }
                spawned.is_ok()
            });
            running.count() > 0
        })
    }
}

impl Drop for RegoChecks {
    fn drop(&mut self) {
        lock(&self.shared.queue).closed = true;
        self.shared.wake.notify_all();
    }
}

#[async_trait]
impl CheckEngine for RegoChecks {
    fn checks(&self) -> &[Check] {
        self.pack.checks().checks()
    }

    async fn evaluate_checks(
        &self,
        document: Arc<CheckDocument>,
        checks: Vec<usize>,
        profile: Profile,
        now_ms: i64,
    ) -> Result<Vec<Verdict>, PolicyError> {
        if checks.is_empty() {
            return Ok(Vec::new());
        }
        if !self.start() {
            return Err(PolicyError::Stopped);
        }
        let (answer, answered) = oneshot::channel();
        let count = checks.len();
        let work = Arc::new(Work {
            document,
            view: OnceLock::new(),
            checks,
            profile,
            now_ms,
            abandoned: AtomicBool::new(false),
            progress: Mutex::new(Progress {
                verdicts: (0..count).map(|_| None).collect(),
                left: count,
                answer: Some(answer),
            }),
        });
        let _caller = Caller(Arc::clone(&work));
        {
            let mut queue = lock(&self.shared.queue);
            for from in (0..count).step_by(CHUNK) {
                queue.tasks.push_back(Task {
                    work: Arc::clone(&work),
                    checks: from..from.saturating_add(CHUNK).min(count),
                });
            }
        }
        self.shared.wake.notify_all();
        answered.await.unwrap_or(Err(PolicyError::Stopped))
    }
}

/// Lives as long as somebody waits for the verdicts.
struct Caller(Arc<Work>);

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
        if task.work.abandoned.load(Ordering::Relaxed) {
            continue;
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            task.evaluate(judge.get_or_insert_with(|| CheckJudge::new(&shared.pack)), shared)
        }));
        if outcome.is_err() {
            judge = None;
        }
        task.finish(outcome.map_err(|_| PolicyError::Stopped));
    }
}

impl Task {
    fn evaluate(&self, judge: &mut CheckJudge, shared: &Shared) -> Vec<Verdict> {
        let work = &self.work;
        let view = work
            .view
            .get_or_init(|| View::new(shared.pack.checks(), &work.document, work.profile, work.now_ms));
        let checks = work.checks.get(self.checks.clone()).unwrap_or_default();
        judge.judge_view(view.as_ref().map_err(String::as_str), checks)
    }

    /// Keeps the chunk's verdicts; the last one, or the first error, answers.
    fn finish(self, outcome: Result<Vec<Verdict>, PolicyError>) {
        let mut progress = lock(&self.work.progress);
        let answer = match outcome {
            Ok(verdicts) => {
                for (slot, verdict) in progress.verdicts.iter_mut().skip(self.checks.start).zip(verdicts) {
                    *slot = Some(verdict);
                }
                progress.left = progress.left.saturating_sub(self.checks.len());
                if progress.left > 0 {
                    return;
                }
                Ok(progress.verdicts.drain(..).flatten().collect())
            }
            Err(error) => {
                self.work.abandoned.store(true, Ordering::Relaxed);
                Err(error)
            }
        };
        if let Some(sender) = progress.answer.take() {
            // Nobody waits any more: nothing to do about it.
            drop(sender.send(answer));
        }
    }
}

/// A panic while a lock is held can't leave these values half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
