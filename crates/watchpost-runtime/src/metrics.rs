//! Counters of a process, and the probes behind `/metrics` and `/readyz`. To count costs one relaxed atomic operation;
//! everything else happens when a probe is requested.

use crate::text;
use async_trait::async_trait;
use metrics::{Key, KeyName, Label, Level, Metadata, Recorder as _, SharedString, Unit};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{sync::Mutex, time::Instant};
use watchpost_core::{access::AccessGate, job::InstanceStore, log_sample::LogSample, port::Clock};
use watchpost_sqlite::SqliteStore;
use watchpost_transport::{Occupancy, Probes};
use watchpost_web::Health;

/// Time for which the result of a readiness check is reused.
const READY_FOR: Duration = Duration::from_secs(1);
/// Maximum time of a readiness check, so that a probe is answered within a second.
const READY_WITHIN: Duration = Duration::from_millis(800);

/// A counter that only increases.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// Adds one and returns the new value.
    pub fn add(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
    }
    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The counters of a process.
#[derive(Debug, Default)]
pub struct Counters {
    /// Requests with a valid key.
    pub admitted: Count,
    /// Requests without a key.
    pub without_key: Count,
    /// Requests with a wrong key.
    pub wrong_keys: Count,
    /// Requests over the limit of their key.
    pub throttled: Count,
    /// Requests that were rejected because the store failed.
    pub unavailable: Count,
    /// The sample of them that is logged.
    pub unchecked_keys: LogSample,
    /// Jobs that completed.
    pub jobs_completed: Count,
    /// Jobs that failed.
    pub jobs_failed: Count,
    /// Jobs whose lease was lost to another process.
    pub jobs_lost: Count,
}

type Gauge = Box<dyn Fn() -> Occupancy + Send + Sync>;

/// The probes behind `/readyz` and `/metrics`.
pub struct StoreProbes {
    store: SqliteStore,
    access: Arc<AccessGate>,
    clock: Arc<dyn Clock>,
    counters: Arc<Counters>,
    occupancy: Arc<OnceLock<Gauge>>,
    last: Mutex<Option<(Instant, Result<(), String>)>>,
    unready: LogSample,
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
}

impl std::fmt::Debug for StoreProbes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StoreProbes")
    }
}

impl StoreProbes {
    /// Makes the probes of a store. `occupancy` returns the numbers of open connections and event streams; it is set once
    /// the service exists.
    pub fn new(
        store: SqliteStore,
        access: Arc<AccessGate>,
        clock: Arc<dyn Clock>,
        counters: Arc<Counters>,
        occupancy: Arc<OnceLock<Gauge>>,
    ) -> Self {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        for (name, about) in [
            ("watchpost_requests_total", text::metric::REQUESTS),
            ("watchpost_jobs_total", text::metric::JOBS),
            ("watchpost_unknown_words_total", text::metric::UNKNOWN_VALUES),
        ] {
            recorder.describe_counter(
                KeyName::from_const_str(name),
                None,
                SharedString::const_str(about),
            );
        }
        for (name, about) in [
            ("watchpost_streams_open", text::metric::STREAMS),
            ("watchpost_streams_max", text::metric::STREAMS_MAX),
            ("watchpost_connections_open", text::metric::CONNECTIONS),
            ("watchpost_connections_max", text::metric::CONNECTIONS_MAX),
        ] {
            recorder.describe_gauge(
                KeyName::from_const_str(name),
                Some(Unit::Count),
                SharedString::const_str(about),
            );
        }
        recorder.describe_gauge(
            KeyName::from_const_str("watchpost_write_ahead_log_bytes"),
            Some(Unit::Bytes),
            SharedString::const_str(text::metric::LOG_BYTES),
        );
        recorder.describe_gauge(
            KeyName::from_const_str("watchpost_ready"),
            None,
            SharedString::const_str(text::metric::READY),
        );
        Self {
            store,
            access,
            clock,
            counters,
            occupancy,
            last: Mutex::new(None),
            unready: LogSample::new(),
            recorder,
            handle,
        }
    }

    fn counter(&self, name: &'static str, label: (&'static str, &'static str), value: u64) {
        let key = Key::from_parts(name, vec![Label::from_static_parts(label.0, label.1)]);
        self.recorder.register_counter(&key, &METADATA).absolute(value);
    }

    fn gauge(&self, name: &'static str, value: f64) {
        self.recorder
            .register_gauge(&Key::from_static_name(name), &METADATA)
            .set(value);
    }
}

static METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, None);

#[async_trait]
impl Health for StoreProbes {
    async fn check(&self) -> Result<(), String> {
        self.ready().await
    }
}

impl Probes for StoreProbes {
    async fn ready(&self) -> Result<(), String> {
        if self.access.suspension().is_some() {
            return Err(text::checkpoint::NOT_READY.to_owned());
        }
        // Only one check runs at a time; concurrent requests wait for its result.
        let mut last = self.last.lock().await;
        if let Some((at, answer)) = last.as_ref()
            && at.elapsed() < READY_FOR
        {
            return answer.clone();
        }
        let check = self.store.check_ready(self.clock.now());
        let answer = match tokio::time::timeout(READY_WITHIN, check).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                if let Some(left_out) = self.unready.take(self.clock.now()) {
                    tracing::error!(error = %error, source = ?std::error::Error::source(&error), left_out, "the store is not ready");
                }
                Err(error.to_string())
            }
            Err(_) => Err(text::STORE_UNRESPONSIVE.to_owned()),
        };
        *last = Some((Instant::now(), answer.clone()));
        answer
    }

    async fn metrics(&self) -> String {
        let ready = self.ready().await.is_ok();
        let counters = &self.counters;
        for (outcome, count) in [
            ("admitted", &counters.admitted),
            ("no_key", &counters.without_key),
            ("wrong_key", &counters.wrong_keys),
            ("throttled", &counters.throttled),
            ("unavailable", &counters.unavailable),
        ] {
            self.counter("watchpost_requests_total", ("outcome", outcome), count.get());
        }
        for (outcome, count) in [
            ("completed", &counters.jobs_completed),
            ("failed", &counters.jobs_failed),
            ("lost", &counters.jobs_lost),
        ] {
            self.counter("watchpost_jobs_total", ("outcome", outcome), count.get());
        }
        self.counter(
            "watchpost_unknown_words_total",
            ("source", "store"),
            watchpost_sqlite::unknown_words(),
        );
        let occupancy = self.occupancy.get().map(|count| count()).unwrap_or_default();
        for (name, count) in [
            ("watchpost_streams_open", occupancy.streams),
            ("watchpost_streams_max", occupancy.streams_max),
            ("watchpost_connections_open", occupancy.connections),
            ("watchpost_connections_max", occupancy.connections_max),
        ] {
            self.gauge(name, f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
        }
        // Whole pages, since 32 bits of bytes would be too few.
        let pages = u32::try_from(self.store.log_bytes() / 4_096).unwrap_or(u32::MAX);
        self.gauge("watchpost_write_ahead_log_bytes", f64::from(pages) * 4_096.0);
        self.gauge("watchpost_ready", if ready { 1.0 } else { 0.0 });
        self.handle.render()
    }
}
