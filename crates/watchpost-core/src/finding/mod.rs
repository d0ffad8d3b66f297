//! Findings: what was found wrong, and the life of it.

mod ending;
mod lifecycle;
mod merge;
mod query;
mod reconcile;
mod sighting;

pub use ending::{CLEAR_SCANS_TO_END, ClearChange, decide_clear, decide_wake, is_clear_enough};
pub use lifecycle::{Act, FindingCommand, FindingOutcome, FindingState, LifeChange, SNOOZE_DAYS, decide};
pub use merge::{Merge, Twin, decide_merge};
pub use query::{EntityFilter, FindingPage, FindingPosition, FindingQuery, TOTAL_COUNTED_MAX, Total};
pub use reconcile::{
    Completions, Marks, Missed, MissedChange, Observation, ObserveCounts, Observed, SweepCounts, SweepInput,
    SweepRule, decide_missed, decide_observed, fingerprint,
};
pub use sighting::{Shown, Sighting, repair_rank, shown};

use crate::{
    access::{Audited, AuthorizedWrite, JobPermit, WorkspaceScope},
    app::AppRef,
    check::Service,
    error::StoreError,
    rule::document::EntityRef,
    value::{
        id::{AnalysisId, FindingId},
        text::ForeignText,
        time::Timestamp,
        word::{Category, DismissReason, FindingStatus, Severity},
    },
};
use async_trait::async_trait;

/// A finding as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingSummary {
    /// Its id.
    pub id: FindingId,
    /// One sentence: subject, condition, consequence.
    pub title: ForeignText,
    /// How bad.
    pub severity: Severity,
    /// Which area.
    pub category: Category,
    /// Where in its life.
    pub status: FindingStatus,
    /// Whether it counts in the risk score.
    pub scored: bool,
    /// The rule or check that saw it first.
    pub rule_id: String,
    /// The other rules and checks of the same condition that see it too, by id; mostly none.
    pub also: Vec<String>,
    /// The service whose settings failed a check; `None` for a rule's finding.
    pub service: Option<Service>,
    /// What it is about.
    pub subject: Subject,
    /// Further apps it is about.
    pub apps: Vec<AppRef>,
    /// When it was first seen.
    pub first_seen_at: Timestamp,
}

/// What a finding is about, with names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Type and id.
    pub entity: EntityRef,
    /// The displayed name.
    pub name: ForeignText,
    /// The address of an identity.
    pub email: Option<String>,
}

/// A finding with everything known about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What lists show.
    pub summary: FindingSummary,
    /// What was seen, a JSON array's text.
    pub evidence: String,
    /// Last analysis that saw it.
    pub last_seen_at: Timestamp,
    /// When the status last changed.
    pub status_changed_at: Timestamp,
    /// Until when it is snoozed.
    pub snoozed_until: Option<Timestamp>,
    /// Why it was dismissed.
    pub dismiss_reason: Option<DismissReason>,
    /// What the person wrote.
    pub note: Option<ForeignText>,
    /// Whether it was resolved by an analysis rather than by a person.
    pub auto_resolved: bool,
    /// How often it came back.
    pub reopen_count: u32,
}

/// Numbers of findings by everything that answers ask for. Kept up to date by the transactions that change findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FindingCount {
    /// Status.
    pub status: FindingStatus,
    /// Severity.
    pub severity: Severity,
    /// Category.
    pub category: Category,
    /// Whether they count in the score.
    pub scored: bool,
    /// How many.
    pub count: u64,
}

/// Findings' port.
#[async_trait]
pub trait FindingStore: Send + Sync {
    /// A page of findings: severity (worst first), then first seen (newest first), then id.
    async fn list_findings(
        &self,
        scope: &WorkspaceScope,
        query: &FindingQuery,
    ) -> Result<FindingPage, StoreError>;
    /// One finding.
    async fn finding(&self, scope: &WorkspaceScope, id: FindingId) -> Result<Option<Finding>, StoreError>;
    /// All kept counts that aren't zero.
    async fn finding_counts(&self, scope: &WorkspaceScope) -> Result<Vec<FindingCount>, StoreError>;
    /// Changes a finding as [`decide`] says, inside one transaction with its audit entry.
    async fn change_finding(
        &self,
        write: AuthorizedWrite<FindingCommand>,
    ) -> Result<Audited<FindingOutcome>, StoreError>;
    /// Makes, keeps or reopens findings as [`decide_observed`] says. At most 1,000 observations.
    async fn observe_findings(
        &self,
        permit: &JobPermit,
        analysis: AnalysisId,
        observations: Vec<Observation>,
        now: Timestamp,
    ) -> Result<ObserveCounts, StoreError>;
    /// Goes over all live and snoozed findings that `analysis` didn't see and ends those that [`decide_missed`] ends.
    async fn sweep_findings(
        &self,
        permit: &JobPermit,
        analysis: AnalysisId,
        input: &SweepInput,
        now: Timestamp,
    ) -> Result<SweepCounts, StoreError>;
    /// Wakes findings whose snooze is over. Gives their number.
    async fn wake_snoozed(&self, permit: &JobPermit, now: Timestamp) -> Result<u64, StoreError>;
}
