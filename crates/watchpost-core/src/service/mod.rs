//! The use cases: what a tool, a command or a route asks for. Each takes the caller's scope; each change takes the
//! request's [`CallRecord`], which becomes its audit entry.
//!
//! Queries here write no audit entry. Whoever answers a query (the MCP server, later REST) first stores one with
//! [`Watchpost::record`], and answers only once that is committed.

mod act;
mod apps;
mod complete;
mod findings;
mod freshness;
mod identities;
mod imports;
mod integrations;
mod manage;
mod posture;
mod rules;
mod scans;

pub use act::{RemediationAnswer, SyncAnswer, SyncStart};
pub use apps::AppAnswer;
pub use complete::Completable;
pub use freshness::{NotReady, PostureState};
pub use identities::IdentityAnswer;
pub use imports::{DisagreementAnswer, ImportAnswer, ImportRequest};
pub use manage::{ACTIVE_KEYS_MAX, IntegrationAdded, KeyIssued};
pub use posture::{Change, PostureAnswer, RiskAnswer, Scored, TopFinding};
pub use rules::{BlindRule, RuleAnswer};
pub use scans::{
    ComparisonAnswer, NewFailures, Replay, ResultAnswer, ResultsAnswer, ScanAnswer, ScanStarted, ScanSummary,
    TrendAnswer,
};

use crate::{
    access::{JobPermit, WorkspaceScope},
    audit::{AuditOutcome, AuditTarget, CallRecord},
    check::CheckEngine,
    error::{Error, StoreError},
    integration::{
        connector::Connector,
        sync::{self, SyncEnd},
    },
    job::{ATTEMPTS_MAX, JobEnd, JobKind, LeasedJob},
    port::{Clock, Random, Store},
    report::ReportRenderer,
    rule::{PolicyEngine, analysis},
    scan,
};
use std::sync::Arc;

/// How long a failed job waits before another try, in milliseconds, times its attempts.
const RETRY_AFTER_MS: i64 = 60_000;

/// What judges and what draws: the ports behind which there is no data.
#[derive(Clone)]
pub struct Engines {
    /// Rules over people, apps and platforms.
    pub rules: Arc<dyn PolicyEngine>,
    /// Checks over settings.
    pub checks: Arc<dyn CheckEngine>,
    /// Reports.
    pub renderer: Arc<dyn ReportRenderer>,
}

impl std::fmt::Debug for Engines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Engines")
    }
}

/// The product minus I/O.
#[derive(Clone)]
pub struct Watchpost {
    store: Arc<dyn Store>,
    engine: Arc<dyn PolicyEngine>,
    checks: Arc<dyn CheckEngine>,
    renderer: Arc<dyn ReportRenderer>,
    connectors: Arc<[Arc<dyn Connector>]>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl std::fmt::Debug for Watchpost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watchpost")
    }
}

impl Watchpost {
    /// Joins the ports.
    pub fn new(
        store: Arc<dyn Store>,
        engines: Engines,
        connectors: Vec<Arc<dyn Connector>>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self {
            store,
            engine: engines.rules,
            checks: engines.checks,
            renderer: engines.renderer,
            connectors: connectors.into(),
            clock,
            random,
        }
    }

    /// The store.
    pub fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }
    /// The rule engine.
    pub fn engine(&self) -> &dyn PolicyEngine {
        self.engine.as_ref()
    }
    /// The check engine.
    pub fn checks(&self) -> &dyn CheckEngine {
        self.checks.as_ref()
    }
    /// What draws reports.
    pub fn renderer(&self) -> &dyn ReportRenderer {
        self.renderer.as_ref()
    }
    /// The connectors.
    pub fn connectors(&self) -> &[Arc<dyn Connector>] {
        &self.connectors
    }
    /// The clock.
    pub fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }
    /// The random source.
    pub fn random(&self) -> &dyn Random {
        self.random.as_ref()
    }

    /// Stores the audit entry of a request that changed nothing (a query, a refusal, wrong arguments). Returns once it
    /// is committed; until then nothing may be answered.
    ///
    /// # Errors
    /// [`StoreError::AuditUnavailable`].
    pub async fn record(
        &self,
        scope: &WorkspaceScope,
        action: &'static str,
        target: AuditTarget,
        outcome: AuditOutcome,
        call: CallRecord,
    ) -> Result<(), StoreError> {
        self.store
            .append(scope.observe(action, target, outcome, call))
            .await
            .map(|audited| audited.into_value())
    }

    /// Runs a leased job to its end. The runtime keeps the lease alive beside it and drops this future if it is lost;
    /// every job is safe to run again.
    pub async fn run_job(
        &self,
        job: &LeasedJob,
        permit: &JobPermit,
        progress: &(dyn Fn(String) + Send + Sync),
    ) -> JobEnd {
        let done = match (job.row().kind, job.row().integration) {
            (JobKind::Sync, Some(integration)) => {
                let end = sync::run_sync(
                    self.store(),
                    &self.connectors,
                    self.clock(),
                    self.random(),
                    permit,
                    integration,
                    progress,
                )
                .await;
                match end {
                    // The failure stands with the integration; the schedule tries again.
                    Ok(SyncEnd::Failed { reason }) => {
                        return JobEnd::Failed {
                            reason,
                            retry_at: None,
                        };
                    }
                    other => other.map(|_| ()),
                }
            }
            (JobKind::Sync, None) => {
                return JobEnd::Failed {
                    reason: "the job names no integration".into(),
                    retry_at: None,
                };
            }
            (JobKind::Analyse, _) => analysis::run_analysis(
                self.store(),
                self.engine(),
                self.clock(),
                self.random(),
                permit,
                progress,
            )
            .await
            .map(|_| ()),
            (JobKind::Scan, _) => {
                let Some(id) = job.row().scan else {
                    return JobEnd::Failed {
                        reason: "the job names no scan".into(),
                        retry_at: None,
                    };
                };
                let ran = scan::run_scan(
                    self.store(),
                    self.checks(),
                    &self.connectors,
                    self.clock(),
                    permit,
                    id,
                    progress,
                )
                .await;
                match ran {
                    Ok(()) => return JobEnd::Completed,
                    // The last try: the scan says why, so that nobody waits for it.
                    Err(error) if job.row().attempts >= ATTEMPTS_MAX => {
                        let reason = error.to_string();
                        let told = scan::fail_scan(self.store(), self.clock(), permit, id, reason).await;
                        return JobEnd::Failed {
                            reason: told.err().unwrap_or(error).to_string(),
                            retry_at: None,
                        };
                    }
                    Err(error) => Err(error),
                }
            }
            (JobKind::WakeSnoozed, _) => self
                .store
                .wake_snoozed(permit, self.clock.now())
                .await
                .map(|_| ())
                .map_err(Error::from),
        };
        match done {
            Ok(()) => JobEnd::Completed,
            Err(error) => {
                let wait = RETRY_AFTER_MS.saturating_mul(i64::from(job.row().attempts.max(1)));
                JobEnd::Failed {
                    reason: error.to_string(),
                    retry_at: Some(self.clock.now().plus_millis(wait)),
                }
            }
        }
    }
}
