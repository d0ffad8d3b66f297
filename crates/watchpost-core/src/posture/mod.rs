//! Posture: the workspace's numbers after an analysis, and the data for queries about them.

pub mod coverage;
pub mod score;

use crate::{
    access::{Audited, AuthorizedWrite, Command, Permission, WorkspaceScope},
    audit::AuditTarget,
    error::StoreError,
    finding::{FindingCount, FindingSummary},
    integration::{CollectionRow, Integration, Shrink, fact::Dataset},
    value::{
        id::{AnalysisId, IntegrationId},
        text::ForeignText,
        time::Timestamp,
        word::{CollectionState, IntegrationStatus, Platform},
    },
};
use async_trait::async_trait;

/// A ratio over the population with a known state. Unknown states are counted separately, never as "off".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Coverage {
    /// The number with the feature on.
    pub on: u64,
    /// The number with the feature off.
    pub off: u64,
    /// The number with an unknown state.
    pub unknown: u64,
}

impl Coverage {
    /// Returns the share of `on` among the known ones, in tenths of a percent; `None` if none is known.
    pub const fn tenths_of_percent(&self) -> Option<u64> {
        let known = self.on.saturating_add(self.off);
        self.on
            .saturating_mul(1_000)
            .saturating_add(known / 2)
            .checked_div(known)
    }
}

/// The workspace's numbers after an analysis. Trends consist of snapshots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The analysis.
    pub analysis: AnalysisId,
    /// The end of the analysis, shown as `as_of` in answers.
    pub at: Timestamp,
    /// The risk score.
    pub score: u8,
    /// The number of live findings by severity, worst first.
    pub live_by_severity: [u64; 5],
    /// The number of identities with an account that isn't retired.
    pub identities: u64,
    /// MFA coverage of active people.
    pub mfa: Coverage,
    /// MFA coverage of active people with a privileged role.
    pub admin_mfa: Coverage,
    /// Single sign-on coverage of active people: `on` is the number of those with an account at a connected
    /// identity provider that signs them in to other services. Microsoft 365's own directory doesn't count as
    /// one.
    pub sso: Coverage,
    /// The number of active people with a privileged role.
    pub admins: u64,
    /// The number of third-party apps with a grant and without a policy.
    pub unreviewed_apps: u64,
    /// The number of active people without a sign-in on any platform for 30 days, where sign-ins are known.
    pub stale_accounts: u64,
}

/// The state of an integration as shown in answers about posture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceState {
    /// The integration.
    pub id: IntegrationId,
    /// The platform.
    pub platform: Platform,
    /// The integration's name.
    pub name: ForeignText,
    /// The status.
    pub status: IntegrationStatus,
    /// The end of the last completed sync.
    pub last_completed_at: Option<Timestamp>,
    /// The current failure.
    pub failure: Option<crate::integration::Failure>,
    /// The number of datasets that are complete.
    pub readable: u32,
    /// The number of datasets that are not complete.
    pub unreadable: u32,
    /// Whether the people of the platform are known.
    pub people: People,
    /// The lists that shrank, and that nobody has confirmed.
    pub shrunk: Vec<(Dataset, Shrink)>,
}

/// Whether the people of a platform are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum People {
    /// No sync has tried to read them yet.
    Awaited,
    /// They were read, at least in part.
    Read,
    /// They were read completely before and can't be read now: what is known is from then.
    Outdated(Unread),
    /// They have never been read, so that nothing is known about anybody.
    Unknown(Unread),
}

/// The last attempt to read a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// The state.
    pub state: CollectionState,
    /// The missing permission or another reason.
    pub detail: Option<String>,
}

impl People {
    /// Decides from the last collection of the dataset `users`.
    pub fn of(users: Option<&CollectionRow>) -> Self {
        let Some(row) = users else {
            return Self::Awaited;
        };
        let unread = Unread {
            state: row.state,
            detail: row.detail.clone(),
        };
        match (row.state, row.doubt) {
            (CollectionState::Complete, _) => Self::Read,
            // Some rows were unreadable, or time ran out; the others are known.
            (CollectionState::Partial, None) if row.rows > 0 => Self::Read,
            _ if row.completions > 0 => Self::Outdated(unread),
            _ => Self::Unknown(unread),
        }
    }
}

impl SourceState {
    /// Returns whether people of the platform are known, even if from an earlier read.
    pub const fn knows_people(&self) -> bool {
        matches!(self.people, People::Read | People::Outdated(_))
    }
    /// Returns the state of an integration.
    pub fn of(row: &Integration) -> Self {
        let complete = row
            .collections
            .iter()
            .filter(|collection| collection.state == CollectionState::Complete)
            .count();
        let count = |datasets: usize| u32::try_from(datasets).unwrap_or(u32::MAX);
        Self {
            id: row.id,
            platform: row.platform,
            name: row.name.clone(),
            status: row.status,
            last_completed_at: row.last_completed_at,
            failure: row.failure.clone(),
            readable: count(complete),
            unreadable: count(row.collections.len().saturating_sub(complete)),
            people: People::of(row.collection(Dataset::Users)),
            shrunk: row
                .collections
                .iter()
                .filter(|collection| !collection.is_shrink_confirmed())
                .filter_map(|collection| Some((collection.dataset, collection.shrink()?)))
                .collect(),
        }
    }
}

/// The age and completeness of the data behind an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freshness {
    /// The end of the last analysis.
    pub as_of: Option<Timestamp>,
    /// All integrations, ordered by platform, then name.
    pub sources: Vec<SourceState>,
}

/// Maximum number of findings listed with the risk score.
pub const TOP_FINDINGS: usize = 5;

/// The data for an answer about the risk score, read in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RiskFacts {
    /// The stored counts of live findings.
    pub counts: Vec<FindingCount>,
    /// The number of identities with an account that isn't retired.
    pub identities: u64,
    /// Live findings in the order of [`crate::finding::repair_rank`], then the oldest first; at most
    /// [`TOP_FINDINGS`].
    pub top: Vec<FindingSummary>,
    /// The last analysis.
    pub latest: Option<Snapshot>,
    /// The analysis before the last one.
    pub previous: Option<Snapshot>,
    /// The last analysis up to the end of the day in UTC that is 7 days before the last one.
    pub week_ago: Option<Snapshot>,
    /// The last analysis up to the end of the day in UTC that is 30 days before the last one.
    pub month_ago: Option<Snapshot>,
    /// All integrations.
    pub sources: Vec<SourceState>,
}

/// Storage of posture numbers.
#[async_trait]
pub trait PostureStore: Send + Sync {
    /// Returns the data for the risk score. The cost doesn't depend on the number of findings.
    async fn risk_facts(&self, scope: &WorkspaceScope) -> Result<RiskFacts, StoreError>;
    /// Returns the last analysis and the state of all sources. Part of every answer, therefore a read of a few
    /// rows.
    async fn freshness(&self, scope: &WorkspaceScope) -> Result<Freshness, StoreError>;
    /// Measures the coverage in the current facts, for a snapshot. This is a long read.
    async fn measure_coverage(
        &self,
        scope: &WorkspaceScope,
        now: Timestamp,
    ) -> Result<CoverageNumbers, StoreError>;
    /// Returns the snapshots since a time, oldest first; at most 1,000.
    async fn snapshots(&self, scope: &WorkspaceScope, since: Timestamp) -> Result<Vec<Snapshot>, StoreError>;
    /// Returns the generation of the workspace's data. Each change that an answer could show increments it; audit
    /// entries, uses of keys and heartbeats don't.
    async fn generation(&self, scope: &WorkspaceScope) -> Result<u64, StoreError>;
    /// Ends an analysis: stores the snapshot, for which [`RecordAnalysis::snapshot`] computes score and counts
    /// from the stored counts inside the transaction, and updates `as_of`.
    async fn record_analysis(
        &self,
        write: AuthorizedWrite<RecordAnalysis>,
    ) -> Result<Audited<Snapshot>, StoreError>;
}

/// Measured coverage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CoverageNumbers {
    /// MFA coverage of active people.
    pub mfa: Coverage,
    /// MFA coverage of active people with a privileged role.
    pub admin_mfa: Coverage,
    /// Single sign-on coverage of active people.
    pub sso: Coverage,
    /// The number of active people with a privileged role.
    pub admins: u64,
    /// The number of apps that need a review.
    pub unreviewed_apps: u64,
    /// The number of people without a sign-in for 30 days.
    pub stale_accounts: u64,
}

/// Records the end of an analysis.
#[derive(Debug)]
pub struct RecordAnalysis {
    /// The analysis.
    pub analysis: AnalysisId,
    /// The measured coverage.
    pub coverage: CoverageNumbers,
    /// The current time.
    pub now: Timestamp,
}

impl RecordAnalysis {
    /// Returns the snapshot of the analysis from all stored counts and the number of identities, as read in its
    /// transaction.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integration::{
        Doubt,
        testing::{collected, integration},
    };

    #[test]
    fn people_are_unknown_until_the_accounts_of_a_platform_have_been_read() {
        use CollectionState::{Complete, Denied, Failed, Partial};
        let check = |state, rows, completions, doubt, expected: &str| {
            let row = CollectionRow {
                state,
                rows,
                doubt,
                ..collected(Dataset::Users, completions)
            };
            let found = match People::of(Some(&row)) {
                People::Awaited => "awaited",
                People::Read => "read",
                People::Outdated(_) => "outdated",
                People::Unknown(_) => "unknown",
            };
            assert_eq!(found, expected, "{row:?}");
        };
        check(Complete, 10, 1, None, "read");
        check(Partial, 10, 0, None, "read");
        check(Partial, 0, 0, None, "unknown");
        check(Partial, 0, 2, None, "outdated");
        check(Partial, 10, 2, Some(Doubt::Shrank), "outdated");
        check(Denied, 0, 0, Some(Doubt::Empty), "unknown");
        check(Denied, 0, 3, Some(Doubt::Empty), "outdated");
        check(Failed, 0, 0, None, "unknown");
        check(Failed, 40, 1, None, "outdated");
        assert_eq!(People::of(None), People::Awaited);
    }

    #[test]
    fn a_source_names_the_lists_that_shrank_until_they_are_confirmed() {
        let mut row = integration(Platform::Okta);
        let shrunk = |dataset, confirmed_rows| CollectionRow {
            state: CollectionState::Partial,
            rows: 40,
            doubt: Some(Doubt::Shrank),
            complete_rows: Some(100),
            confirmed_rows,
            ..collected(dataset, 1)
        };
        row.collections = vec![
            shrunk(Dataset::Users, None),
            shrunk(Dataset::Apps, Some(40)),
            shrunk(Dataset::Grants, Some(60)),
            collected(Dataset::Roles, 1),
        ];
        let source = SourceState::of(&row);
        let shrink = Shrink { from: 100, to: 40 };
        assert_eq!(
            source.shrunk,
            [(Dataset::Users, shrink), (Dataset::Grants, shrink)]
        );
        assert_eq!((source.readable, source.unreadable), (1, 3));
    }
}
