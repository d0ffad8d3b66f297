//! The use cases behind tools, commands and routes. Each takes the caller's scope, and each change takes the
//! request's [`CallRecord`](crate::audit::CallRecord), which becomes its audit entry.
//!
//! A query returns an [`Unrecorded`]. The surface that answers the request (the MCP server or the command line)
//! stores the audit entry with [`Watchpost::record`], the only function that opens an `Unrecorded`, after the
//! entry is committed. No other code has access to the store behind the use cases.

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
pub use findings::{Detector, EvidenceSource, FindingAnswer};
pub use freshness::{NotReady, PostureState, Warning};
pub use identities::IdentityAnswer;
pub use imports::{DisagreementAnswer, ImportAnswer, ImportRequest};
pub use jobs::Queue;
pub use manage::{ACTIVE_KEYS_MAX, ConfirmedShrink, IntegrationAdded, KeyIssued};
pub use posture::{Change, PostureAnswer, RiskAnswer, Scored, TopFinding};
pub use rules::{BlindRule, RuleAnswer};
pub use scans::{
    ComparisonAnswer, NamedResults, NewFailures, Replay, ResultAnswer, ResultChoice, ResultsAnswer,
    ScanAnswer, ScanOrder, ScanRequest, ScanStarted, ScanSummary, ScanTarget, TrendAnswer,
};
pub use unrecorded::{Exporting, OwedEntry, Reader, Unrecorded};

use crate::{
    check::CheckEngine,
    integration::connector::Connector,
    port::{Clock, Random, Store},
    report::ReportRenderer,
    rule::RuleEngine,
};
use std::sync::Arc;

/// The engines and the renderer, which are the ports without stored data.
#[derive(Clone)]
pub struct Engines {
    /// The rule engine, for people, apps and platforms.
    pub rules: Arc<dyn RuleEngine>,
    /// The check engine, for settings.
    pub checks: Arc<dyn CheckEngine>,
    /// The renderer of reports.
    pub renderer: Arc<dyn ReportRenderer>,
}

impl std::fmt::Debug for Engines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Engines")
    }
}

/// Watchpost's use cases over its ports: the product without I/O.
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
    /// Combines the ports.
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

    /// Returns the store. Must not be accessible outside the use cases: see [`Unrecorded`].
    fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }
    /// Returns the rule engine.
    pub fn engine(&self) -> &dyn RuleEngine {
        self.engine.as_ref()
    }
    /// Returns the check engine.
    pub fn checks(&self) -> &dyn CheckEngine {
        self.checks.as_ref()
    }
    /// Returns the renderer of reports.
    pub fn renderer(&self) -> &dyn ReportRenderer {
        self.renderer.as_ref()
    }
    /// Returns the connectors.
    pub fn connectors(&self) -> &[Arc<dyn Connector>] {
        &self.connectors
    }
    /// Returns the clock.
    pub fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }
    /// Returns the random source.
    pub fn random(&self) -> &dyn Random {
        self.random.as_ref()
    }
}
