//! Findings and their lifecycle.

mod ending;
mod lifecycle;
mod merge;
mod query;
mod reconcile;
mod sighting;

pub use ending::{CLEAR_SCANS_TO_END, ClearChange, decide_clear, decide_wake, is_clear_enough};
pub use lifecycle::{
    FindingAction, FindingCommand, FindingOutcome, FindingState, SNOOZE_DAYS, StateChange, decide,
};
pub use merge::{Merge, MergeCandidate, decide_merge};
pub use query::{EntityFilter, FindingPage, FindingPosition, FindingQuery, TOTAL_COUNTED_MAX, Total};
pub use reconcile::{
    Completions, Marks, Missed, MissedChange, Observation, ObserveCounts, Observed, SweepCounts, SweepInput,
    SweepRule, decide_missed, decide_observed, fingerprint,
};
pub use sighting::{ShownSighting, Sighting, repair_rank, shown_sighting};

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

/// A finding as shown in lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingSummary {
    /// The finding's id.
    pub id: FindingId,
    /// One sentence with subject, condition and consequence.
    pub title: ForeignText,
    /// The severity.
    pub severity: Severity,
    /// The category.
    pub category: Category,
    /// The status.
    pub status: FindingStatus,
    /// Whether the finding counts in the risk score.
    pub scored: bool,
    /// The id of the rule or check that saw the finding first.
    pub rule_id: String,
    /// The ids of the other rules and checks for the same condition that see the finding too, sorted; usually
    /// empty.
    pub also: Vec<String>,
    /// The service whose settings failed a check; `None` for a rule's finding.
    pub service: Option<Service>,
    /// The entity that the finding is about.
    pub subject: Subject,
    /// Other apps involved.
    pub apps: Vec<AppRef>,
    /// The time at which the finding was first seen.
    pub first_seen_at: Timestamp,
}

/// The entity that a finding is about, with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The entity's type and id.
    pub entity: EntityRef,
    /// The display name.
    pub name: ForeignText,
    /// The email address, if the entity is an identity.
    pub email: Option<String>,
}

/// A finding with all its details.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The fields shown in lists.
    pub summary: FindingSummary,
    /// The observed facts, as the text of a JSON array.
    pub evidence: String,
    /// The time of the last analysis that saw the finding.
    pub last_seen_at: Timestamp,
    /// The time of the last change of status.
    pub status_changed_at: Timestamp,
    /// The end of the snooze.
    pub snoozed_until: Option<Timestamp>,
    /// The reason for the dismissal.
    pub dismiss_reason: Option<DismissReason>,
    /// The note that a person wrote.
    pub note: Option<ForeignText>,
    /// Whether an analysis or a scan resolved the finding, not a person.
    pub auto_resolved: bool,
    /// The number of times the finding was reopened after its resolution.
    pub reopen_count: u32,
}

/// The number of findings with one combination of values. Updated in the transactions that change findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FindingCount {
    /// The status.
    pub status: FindingStatus,
    /// The severity.
    pub severity: Severity,
    /// The category.
    pub category: Category,
    /// Whether the findings count in the risk score.
    pub scored: bool,
    /// The number of findings.
    pub count: u64,
}

/// Storage of findings.
#[async_trait]
pub trait FindingStore: Send + Sync {
    /// Returns a page of findings ordered by severity (worst first), then first seen (newest first), then id.
    async fn list_findings(
        &self,
        scope: &WorkspaceScope,
        query: &FindingQuery,
    ) -> Result<FindingPage, StoreError>;
    /// Returns one finding; `None` if the workspace has no such finding.
    async fn finding(&self, scope: &WorkspaceScope, id: FindingId) -> Result<Option<Finding>, StoreError>;
    /// Returns all counts that aren't zero.
    async fn finding_counts(&self, scope: &WorkspaceScope) -> Result<Vec<FindingCount>, StoreError>;
    /// Changes a finding as [`decide`] decides, in one transaction with its audit entry.
    async fn change_finding(
        &self,
        write: AuthorizedWrite<FindingCommand>,
    ) -> Result<Audited<FindingOutcome>, StoreError>;
    /// Creates, keeps or reopens findings as [`decide_observed`] decides. Takes at most 1,000 observations.
    async fn observe_findings(
        &self,
        permit: &JobPermit,
        analysis: AnalysisId,
        observations: Vec<Observation>,
        now: Timestamp,
    ) -> Result<ObserveCounts, StoreError>;
    /// Visits all live and snoozed findings that `analysis` didn't see, and resolves those for which
    /// [`decide_missed`] decides so.
    async fn sweep_findings(
        &self,
        permit: &JobPermit,
        analysis: AnalysisId,
        input: &SweepInput,
        now: Timestamp,
    ) -> Result<SweepCounts, StoreError>;
    /// Reopens findings whose snooze is over. Returns their number.
    async fn wake_snoozed(&self, permit: &JobPermit, now: Timestamp) -> Result<u64, StoreError>;
}
