//! Posture: the workspace's numbers after an analysis, and what the answers about them are made of.

pub mod coverage;
pub mod score;

use crate::{
    access::{Audited, AuthorizedWrite, Command, Permission, WorkspaceScope},
    audit::AuditTarget,
    error::StoreError,
    finding::{FindingCount, FindingSummary},
    value::{
        id::{AnalysisId, IntegrationId},
        text::ForeignText,
        time::Timestamp,
        word::{IntegrationStatus, Platform},
    },
};
use async_trait::async_trait;

/// A ratio over the population that can be known. Unknown is counted, never taken for "off".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Coverage {
    /// How many have it.
    pub on: u64,
    /// How many don't.
    pub off: u64,
    /// How many nobody could tell.
    pub unknown: u64,
}

impl Coverage {
    /// Percent of the known ones, one decimal, as tenths of a percent; `None` if nothing is known.
    pub const fn tenths_of_percent(&self) -> Option<u64> {
        let known = self.on.saturating_add(self.off);
        self.on
            .saturating_mul(1_000)
            .saturating_add(known / 2)
            .checked_div(known)
    }
}

/// The workspace's numbers after an analysis. Trends are made of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The analysis.
    pub analysis: AnalysisId,
    /// When it ended: answers' `as_of`.
    pub at: Timestamp,
    /// Risk score at that time.
    pub score: u8,
    /// Live findings by severity, worst first.
    pub live_by_severity: [u64; 5],
    /// Identities with an account that isn't retired.
    pub identities: u64,
    /// MFA over active people.
    pub mfa: Coverage,
    /// MFA over active people with a privileged role.
    pub admin_mfa: Coverage,
    /// Single sign-on over active people: those with an account at an identity provider other than Microsoft 365's
    /// own directory that signs them in, where one is connected.
    pub sso: Coverage,
    /// Active people with a privileged role.
    pub admins: u64,
    /// Apps with a grant and without a decision, not made by the platform's vendor.
    pub unreviewed_apps: u64,
    /// Active people without a sign-in for 30 days on any platform, where that is known.
    pub stale_accounts: u64,
}

/// How an integration stands, as answers about posture mention it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceState {
    /// The integration.
    pub id: IntegrationId,
    /// Platform.
    pub platform: Platform,
    /// Its name.
    pub name: ForeignText,
    /// State.
    pub status: IntegrationStatus,
    /// Last completed sync.
    pub last_completed_at: Option<Timestamp>,
    /// Reason and beginning of a failure.
    pub failure: Option<crate::integration::Failure>,
    /// How many datasets are complete.
    pub readable: u32,
    /// How many datasets aren't.
    pub unreadable: u32,
}

/// How old and how whole the data behind an answer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freshness {
    /// When the last analysis ended.
    pub as_of: Option<Timestamp>,
    /// All integrations, by platform, then name.
    pub sources: Vec<SourceState>,
}

/// How many findings the risk score's answer names.
pub const TOP_FINDINGS: usize = 5;

/// Everything that the risk score's answer is made of, read in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RiskFacts {
    /// Live findings' kept counts (other statuses left out).
    pub counts: Vec<FindingCount>,
    /// Identities with an account that isn't retired.
    pub identities: u64,
    /// At most five live findings, in the order of [`crate::finding::repair_rank`], the oldest first where that is equal.
    pub top: Vec<FindingSummary>,
    /// The last analysis.
    pub latest: Option<Snapshot>,
    /// The analysis before the last.
    pub previous: Option<Snapshot>,
    /// The last analysis at least 7 days before the last one.
    pub week_ago: Option<Snapshot>,
    /// The last analysis at least 30 days before the last one.
    pub month_ago: Option<Snapshot>,
    /// All integrations.
    pub sources: Vec<SourceState>,
}

/// Posture's port.
#[async_trait]
pub trait PostureStore: Send + Sync {
    /// What the risk score is made of. Costs the same at a thousand and at a million findings.
    async fn risk_facts(&self, scope: &WorkspaceScope) -> Result<RiskFacts, StoreError>;
    /// The last analysis and the state of all sources: part of every answer, so a bounded read of a few rows.
    async fn freshness(&self, scope: &WorkspaceScope) -> Result<Freshness, StoreError>;
    /// The coverage numbers as they are in the facts now: the input of a snapshot. A long read.
    async fn measure_coverage(
        &self,
        scope: &WorkspaceScope,
        now: Timestamp,
    ) -> Result<CoverageNumbers, StoreError>;
    /// Snapshots since a time, oldest first, at most 1,000.
    async fn snapshots(&self, scope: &WorkspaceScope, since: Timestamp) -> Result<Vec<Snapshot>, StoreError>;
    /// The generation of the workspace's data: moved by each change that an answer could show, never by audit entries,
    /// uses of keys or heartbeats.
    async fn generation(&self, scope: &WorkspaceScope) -> Result<u64, StoreError>;
    /// Ends an analysis: writes the snapshot (score and counts are computed by `score` on the counts as they are in
    /// the transaction) and moves `as_of`.
    async fn record_analysis(
        &self,
        write: AuthorizedWrite<RecordAnalysis>,
    ) -> Result<Audited<Snapshot>, StoreError>;
}

/// Coverage as measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CoverageNumbers {
    /// MFA over active people.
    pub mfa: Coverage,
    /// MFA over active people with a privileged role.
    pub admin_mfa: Coverage,
    /// Single sign-on over active people.
    pub sso: Coverage,
    /// Active people with a privileged role.
    pub admins: u64,
    /// Apps without a decision.
    pub unreviewed_apps: u64,
    /// People without a sign-in for 30 days.
    pub stale_accounts: u64,
}

/// Record the end of an analysis.
#[derive(Debug)]
pub struct RecordAnalysis {
    /// The analysis.
    pub analysis: AnalysisId,
    /// What was measured.
    pub coverage: CoverageNumbers,
    /// When.
    pub now: Timestamp,
}

impl RecordAnalysis {
    /// The snapshot of an analysis, of all kept counts and the number of identities as they are in its transaction.
    pub fn snapshot(&self, counts: &[FindingCount], identities: u64) -> Snapshot {
        Snapshot {
            analysis: self.analysis,
            at: self.now,
            score: score::risk_score(counts, identities).score,
            live_by_severity: score::live_by_severity(counts),
            identities,
            mfa: self.coverage.mfa,
            admin_mfa: self.coverage.admin_mfa,
            sso: self.coverage.sso,
            admins: self.coverage.admins,
            unreviewed_apps: self.coverage.unreviewed_apps,
            stale_accounts: self.coverage.stale_accounts,
        }
    }
}

impl Command for RecordAnalysis {
    fn permission(&self) -> Permission {
        Permission::RunJob
    }
    fn action(&self) -> &'static str {
        "analysis.completed"
    }
    fn target(&self) -> AuditTarget {
        AuditTarget::new("analysis", &self.analysis)
    }
}
