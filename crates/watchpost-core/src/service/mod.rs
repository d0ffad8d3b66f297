//! The use cases: what a tool, a command or a route asks for. Each takes the caller's scope; each change takes the
//! request's [`CallRecord`], which becomes its audit entry.
//!
//! A query gives an [`Unrecorded`]: whoever answers it (the MCP server, the command line, later REST) stores its audit
//! entry with [`Watchpost::record`], which alone opens it, once the entry is committed. The store behind the use cases
//! can be reached from nowhere else.

mod act;
mod apps;
mod audit;
mod complete;
mod findings;
mod freshness;
mod identities;
mod imports;
mod integrations;
mod jobs;
mod manage;
mod posture;
mod rules;
mod scans;
mod unrecorded;
mod work;

pub use act::{RemediationAnswer, SyncAnswer, SyncStart};
pub use apps::AppAnswer;
pub use audit::AuditExport;
pub use complete::Completable;
pub use freshness::{NotReady, PostureState, Warning};
pub use identities::IdentityAnswer;
pub use imports::{DisagreementAnswer, ImportAnswer, ImportRequest};
pub use jobs::Queue;
pub use manage::{ACTIVE_KEYS_MAX, IntegrationAdded, KeyIssued};
pub use posture::{Change, PostureAnswer, RiskAnswer, Scored, TopFinding};
pub use rules::{BlindRule, RuleAnswer};
pub use scans::{
    ComparisonAnswer, NewFailures, Replay, ResultAnswer, ResultsAnswer, ScanAnswer, ScanStarted, ScanSummary,
    ScanTarget, TrendAnswer,
};
pub use unrecorded::{Reader, Unrecorded};

use crate::{
    check::CheckEngine,
    integration::connector::Connector,
    port::{Clock, Random, Store},
    report::ReportRenderer,
    rule::RuleEngine,
};
use std::sync::Arc;

/// What judges and what draws: the ports behind which there is no data.
#[derive(Clone)]
pub struct Engines {
    /// Rules over people, apps and platforms.
    pub rules: Arc<dyn RuleEngine>,
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
    engine: Arc<dyn RuleEngine>,
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

    /// The store. Never to be seen outside the use cases: see [`Unrecorded`].
    fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }
    /// The rule engine.
    pub fn engine(&self) -> &dyn RuleEngine {
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
}
