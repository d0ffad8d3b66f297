//! The risk score and the posture of a workspace.

use super::{BlindRule, NotReady, Unrecorded, Watchpost, rules::blind_spots};
use crate::{
    access::WorkspaceScope,
    error::Error,
    finding::FindingSummary,
    posture::{
        Coverage, Freshness, RiskFacts, Snapshot,
        score::{self, RiskScore, Saving},
    },
    value::time::Timestamp,
};

/// A finding with the effect of fixing it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopFinding {
    /// The finding.
    pub finding: FindingSummary,
    /// The effect of fixing the finding on the score.
    pub saving: Saving,
}

/// The change of the score since an earlier analysis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The time of the earlier analysis.
    pub at: Timestamp,
    /// The score of the earlier analysis.
    pub score: u8,
    /// The current score minus the earlier one; above zero is worse.
    pub difference: i16,
}

/// A score with its explanation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scored {
    /// The score.
    pub risk: RiskScore,
    /// Live findings by severity, worst first, scored or not.
    pub severity_counts: [u64; 5],
    /// Live findings that don't count in the score.
    pub not_scored: u64,
    /// The number of identities with an account that isn't retired.
    pub identities: u64,
    /// The findings to fix first, in the order of [`RiskFacts::top`].
    pub top: Vec<TopFinding>,
    /// The change since the previous analysis.
    pub since_last: Option<Change>,
    /// The change in the last 7 days.
    pub since_week: Option<Change>,
    /// The change in the last 30 days.
    pub since_month: Option<Change>,
}

/// The result of [`Watchpost::risk`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RiskAnswer {
    /// The score, or the reason why there is none.
    pub score: Result<Box<Scored>, NotReady>,
    /// The age and completeness of the data.
    pub freshness: Freshness,
}

/// The result of [`Watchpost::posture`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostureAnswer {
    /// The score and the findings to fix first, or the reason why there are none.
    pub risk: RiskAnswer,
    /// The last snapshot, with the coverage numbers.
    pub latest: Option<Snapshot>,
    /// Rules that currently can't evaluate some data.
    pub blind: Vec<BlindRule>,
}

impl Watchpost {
    /// Returns the risk score with its explanation.
    ///
    /// # Errors
    /// Returns the store's error.
    pub async fn risk(&self, scope: &WorkspaceScope) -> Unrecorded<Result<RiskAnswer, Error>> {
        Unrecorded::of(async { Ok(risk_answer(self.store().risk_facts(scope).await?)) }).await
    }

    /// Returns the risk score, the coverage numbers and the blind rules.
    ///
    /// # Errors
    /// Returns the store's error.
    pub async fn posture(&self, scope: &WorkspaceScope) -> Unrecorded<Result<PostureAnswer, Error>> {
        Unrecorded::of(async {
            let facts = self.store().risk_facts(scope).await?;
            let latest = facts.latest.clone();
            let integrations = self.store().list_integrations(scope).await?;
            let blind = self
                .engine()
                .rules()
                .iter()
                .flat_map(|rule| blind_spots(rule, &integrations))
                .collect();
            Ok(PostureAnswer {
                risk: risk_answer(facts),
                latest,
                blind,
            })
        })
        .await
    }
}

fn risk_answer(facts: RiskFacts) -> RiskAnswer {
    let freshness = Freshness {
        as_of: facts.latest.as_ref().map(|snapshot| snapshot.at),
        sources: facts.sources,
    };
    if let Some(not_ready) = freshness.not_ready() {
        return RiskAnswer {
            score: Err(not_ready),
            freshness,
        };
    }
    let risk = score::risk_score(&facts.counts, facts.identities);
    let change = |snapshot: &Option<Snapshot>| {
        snapshot.as_ref().map(|earlier| Change {
            at: earlier.at,
            score: earlier.score,
            difference: i16::from(risk.score) - i16::from(earlier.score),
        })
    };
    let scored = Scored {
        severity_counts: score::live_by_severity(&facts.counts),
        not_scored: score::live_not_scored(&facts.counts),
        identities: facts.identities,
        top: facts
            .top
            .into_iter()
            .map(|finding| TopFinding {
                saving: risk.saving(finding.severity, finding.scored),
                finding,
            })
            .collect(),
        since_last: change(&facts.previous),
        since_week: change(&facts.week_ago),
        since_month: change(&facts.month_ago),
        risk,
    };
    RiskAnswer {
        score: Ok(Box::new(scored)),
        freshness,
    }
}

/// Formats the coverage for use in a sentence: `97.3 %`, or `unknown`.
impl std::fmt::Display for Coverage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.tenths_of_percent() {
            Some(tenths) => write!(f, "{}.{} %", tenths / 10, tenths % 10),
            None => f.write_str("unknown"),
        }
    }
}
