//! The worker: leases a job, runs its handler while it renews the lease, and drops the handler if the lease is lost. Any
//! number of processes can run a worker on the same store.

use crate::{clock::ClockWatch, instance::Instance, metrics::Counters, text};
use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    task::Poll,
    time::Duration,
};
use tokio::{sync::watch, time::Instant};
use watchpost_core::{
    access::{AccessGate, JobAuthority},
    error::StoreError,
    job::{InstanceStore, JobEnd, LEASE_MS, LeasedJob},
    log_sample::LogSample,
    port::Clock,
    service::Watchpost,
    value::time::Timestamp,
};
use watchpost_sqlite::SqliteStore;

/// Time between two polls of the store, and between two writes of the uses of keys.
const TICK: Duration = Duration::from_millis(500);
/// Time between two heartbeats while there is progress to report.
const PROGRESS_EVERY: Duration = Duration::from_secs(2);
/// Maximum time between two heartbeats.
const HEARTBEAT_EVERY: Duration = Duration::from_millis(LEASE_MS.unsigned_abs() / 3);
/// Time without a heartbeat after which the lease counts as lost.
const LEASE: Duration = Duration::from_millis(LEASE_MS.unsigned_abs());
/// Time to wait after the store failed.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(5);

/// A worker.
pub struct Worker {
    instance: Instance,
    store: SqliteStore,
    /// Set by the first job, since an idle process needs neither an HTTP client nor certificates.
    watchpost: OnceLock<Watchpost>,
    jobs: JobAuthority,
    clock: Arc<dyn Clock>,
    sync_every_ms: i64,
    owner: String,
    counters: Arc<Counters>,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker")
            .field("owner", &self.owner)
            .finish_non_exhaustive()
    }
}

/// The end of the work on one job.
enum RunOutcome {
    Ended(JobEnd),
    LeaseLost,
    Stopped,
}

impl Worker {
    /// A worker for an instance that runs jobs with the given use cases.
    pub fn with_watchpost(instance: &Instance, watchpost: Watchpost, counters: Arc<Counters>) -> Self {
        Self {
            watchpost: OnceLock::from(watchpost),
            ..Self::new(instance, counters)
        }
    }

    /// A worker for an instance.
    pub fn new(instance: &Instance, counters: Arc<Counters>) -> Self {
        let mut name = [0; 8];
        instance.environment().random.fill(&mut name);
        let every = instance.settings().sync.every;
        Self {
            instance: instance.clone(),
            store: instance.store().clone(),
            watchpost: OnceLock::new(),
            jobs: instance.jobs().clone(),
            clock: Arc::clone(&instance.environment().clock),
            sync_every_ms: i64::try_from(every.as_millis()).unwrap_or(i64::MAX),
            owner: format!("{:016x}", u64::from_le_bytes(name)),
            counters,
        }
    }

    /// Runs jobs until `stop` is set. Errors of the store are logged, and the worker tries again.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) {
        let failures = LogSample::new();
        while !*stop.borrow() {
            if let Err(error) = self.run_once(&stop).await {
                if let Some(left_out) = failures.take(self.clock.now()) {
                    tracing::error!(left_out, error = %error, source = ?std::error::Error::source(&error), "the worker can't use the store; trying again");
                }
                tokio::select! {
                    () = tokio::time::sleep(PAUSE_AFTER_FAILURE) => {}
                    _ = stop.changed() => {}
                }
            }
        }
    }

    /// Runs all jobs that are due. If there are none, waits for a change or until the next job is due.
    async fn run_once(&self, stop: &watch::Receiver<bool>) -> Result<(), StoreError> {
        if self.instance.access().suspension().is_some() {
            // What a job stores in a database that was deleted or replaced is lost.
            let _ = stop.clone().wait_for(|stop| *stop).await;
            return Ok(());
        }
        if let Err(error) = self.instance.settle_owed().await {
            // It must not stop the jobs, which report a store that fails.
            tracing::debug!(error = %error, "owed audit entries can't be stored yet");
        }
        // Read before the search for jobs, so that any later change ends the wait.
        let version = self.store.data_version().await?;
        self.store
            .enqueue_due(self.sync_every_ms, self.clock.now())
            .await?;
        if self.drain(stop).await? > 0 {
            return Ok(());
        }
        let due = self.store.next_due(self.sync_every_ms, self.clock.now()).await?;
        self.wait(version, due, stop.clone()).await
    }

    /// Runs jobs until none is due. Returns their number.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn drain(&self, stop: &watch::Receiver<bool>) -> Result<u64, StoreError> {
        let mut done = 0;
        while !*stop.borrow() {
            let Some(job) = self
                .jobs
                .lease(&self.store, &self.owner, self.clock.now())
                .await?
            else {
                break;
            };
            self.run_leased(&job, stop.clone()).await?;
            done += 1;
        }
        Ok(done)
    }

    /// Waits until the store changes, the time `due` has come, or `stop` is set.
    async fn wait(
        &self,
        version: u64,
        due: Option<Timestamp>,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), StoreError> {
        loop {
            tokio::select! {
                () = tokio::time::sleep(TICK) => {}
                _ = stop.changed() => return Ok(()),
            }
            if due.is_some_and(|due| due <= self.clock.now()) || self.store.data_version().await? != version {
                return Ok(());
            }
        }
    }

    async fn run_leased(&self, job: &LeasedJob, stop: watch::Receiver<bool>) -> Result<(), StoreError> {
        let kind = job.row().kind;
        tracing::debug!(job.id = %job.id(), job.kind = %kind, attempt = job.row().attempts, "job started");
        let end = match self.drive(job, stop).await {
            RunOutcome::Ended(end) => end,
            RunOutcome::LeaseLost => {
                self.counters.jobs_lost.add();
                tracing::warn!(job.id = %job.id(), job.kind = %kind, "the job's lease was lost; the handler is dropped");
                return Ok(());
            }
            // Returned to the queue immediately, so that another process needn't wait until the lease expires.
            RunOutcome::Stopped => JobEnd::Failed {
                reason: text::SERVER_STOPPED.into(),
                retry_at: Some(self.clock.now()),
            },
        };
        match &end {
            JobEnd::Completed => {
                self.counters.jobs_completed.add();
                tracing::info!(job.id = %job.id(), job.kind = %kind, "job completed");
            }
            JobEnd::Failed { reason, .. } => {
                self.counters.jobs_failed.add();
                tracing::warn!(job.id = %job.id(), job.kind = %kind, reason, "job failed");
            }
        }
        self.store
            .finish_job(job, &self.owner, end, self.clock.now())
            .await
    }

    fn watchpost(&self) -> anyhow::Result<&Watchpost> {
        if let Some(made) = self.watchpost.get() {
            return Ok(made);
        }
        let made = self.instance.watchpost_with_connectors()?;
        Ok(self.watchpost.get_or_init(|| made))
    }

    /// Runs the handler of a job and sends heartbeats while it runs.
    async fn drive(&self, job: &LeasedJob, mut stop: watch::Receiver<bool>) -> RunOutcome {
        let permit = self.jobs.enter(job);
        let latest: Mutex<Option<String>> = Mutex::new(None);
        let progress = |text: String| *latest.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
        let watchpost = match self.watchpost() {
            Ok(watchpost) => watchpost,
            Err(error) => {
                return RunOutcome::Ended(JobEnd::Failed {
                    reason: format!("{error:#}"),
                    retry_at: None,
                });
            }
        };
        let mut work = pin!(catch_panic(watchpost.run_job(job, &permit, &progress)));
        let mut last_heartbeat = Instant::now();
        loop {
            tokio::select! {
                end = &mut work => return RunOutcome::Ended(end),
                _ = stop.wait_for(|stop| *stop) => return RunOutcome::Stopped,
                () = tokio::time::sleep(PROGRESS_EVERY) => {}
            }
            let text = latest.lock().unwrap_or_else(PoisonError::into_inner).take();
            if text.is_none() && last_heartbeat.elapsed() < HEARTBEAT_EVERY {
                continue;
            }
            match self
                .store
                .heartbeat(job, &self.owner, text.as_deref(), self.clock.now())
                .await
            {
                Ok(true) => last_heartbeat = Instant::now(),
                Ok(false) => return RunOutcome::LeaseLost,
                Err(error) => {
                    tracing::warn!(job.id = %job.id(), error = %error, "a heartbeat failed");
                    if last_heartbeat.elapsed() >= LEASE {
                        return RunOutcome::LeaseLost;
                    }
                }
            }
        }
    }
}

/// Runs the jobs that are due in this process, until all remaining ones are leased by other processes, or `stop` is set:
/// then the running job returns to the queue. For the command line.
///
/// # Errors
/// If the store fails.
pub async fn work_until_idle(instance: &Instance, stop: &watch::Receiver<bool>) -> anyhow::Result<()> {
    let worker = Worker::new(instance, Arc::new(Counters::default()));
    while worker.drain(stop).await? > 0 {}
    Ok(())
}

/// Converts a panic of a handler to a failed job, so that the worker continues.
async fn catch_panic(work: impl Future<Output = JobEnd>) -> JobEnd {
    let mut work = pin!(work);
    poll_fn(|cx| {
        catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))).unwrap_or_else(|_| {
            Poll::Ready(JobEnd::Failed {
                reason: text::JOB_PANICKED.into(),
                retry_at: None,
            })
        })
    })
    .await
}

/// Writes the uses of keys every half second, and a last time when `stop` is set. Logs when the clock is set back.
pub async fn flush_key_uses(access: &AccessGate, clock: &dyn Clock, mut stop: watch::Receiver<bool>) {
    let mut clock_watch = ClockWatch::default();
    let (unmarked, unrecorded) = (LogSample::new(), LogSample::new());
    loop {
        if let Some(back_ms) = clock_watch.set_back_by(clock) {
            tracing::warn!(
                seconds = back_ms / 1_000,
                "the system clock was set back; keys that had expired stay expired"
            );
        }
        let stopped = tokio::select! {
            () = tokio::time::sleep(TICK) => false,
            _ = stop.wait_for(|stop| *stop) => true,
        };
        if let Err(error) = access.mark_expired().await
            && let Some(left_out) = unmarked.take(clock.now())
        {
            tracing::warn!(left_out, error = %error, "expired keys can't be marked");
        }
        if let Err(error) = access.flush_uses().await
            && let Some(left_out) = unrecorded.take(clock.now())
        {
            tracing::warn!(left_out, error = %error, "uses of keys can't be recorded");
        }
        if stopped {
            return;
        }
    }
}

/// Starts a thread that records the uses of keys and, once `begin` completes, runs a worker.
///
/// # Errors
/// If the system provides no thread or no event loop.
pub fn spawn(
    instance: Instance,
    counters: Arc<Counters>,
    begin: impl Future<Output = ()> + Send + 'static,
    mut stop: watch::Receiver<bool>,
) -> anyhow::Result<std::thread::JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let work = async move {
        let uses = flush_key_uses(
            instance.access(),
            instance.environment().clock.as_ref(),
            stop.clone(),
        );
        let jobs = async {
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return,
                () = begin => {}
            }
            if let Err(error) = instance.record_exemptions().await {
                tracing::error!(error = %error, "no jobs run: the exemptions from the outbound rules can't be recorded");
                return;
            }
            Worker::new(&instance, counters).run(stop).await;
        };
        tokio::join!(uses, jobs);
    };
    Ok(std::thread::Builder::new()
        .name("watchpost-worker".into())
        .spawn(move || runtime.block_on(work))?)
}
