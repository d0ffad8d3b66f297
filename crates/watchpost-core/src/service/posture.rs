//! The risk score and the posture.

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

/// A finding and what repairing it would save.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopFinding {
    /// The finding.
    pub finding: FindingSummary,
    /// What repairing it does to the score.
    pub saving: Saving,
}

/// How the score moved since an earlier analysis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The earlier analysis.
    pub at: Timestamp,
    /// Its score.
    pub score: u8,
    /// The score now minus then: above zero is worse.
    pub difference: i16,
}

/// A score with everything that explains it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scored {
    /// The score.
    pub risk: RiskScore,
    /// Live findings by severity, worst first, scored or not.
    pub severity_counts: [u64; 5],
    /// Live findings that don't count in the score.
    pub not_scored: u64,
    /// Findings that are hidden by a snooze aren't counted; identities are.
    pub identities: u64,
    /// The five whose repair saves most, the oldest first where that is equal.
    pub top: Vec<TopFinding>,
    /// Against the analysis before.
    pub since_last: Option<Change>,
    /// Against 7 days ago.
    pub since_week: Option<Change>,
    /// Against 30 days ago.
    pub since_month: Option<Change>,
}

/// The answer to "what is our risk score?".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RiskAnswer {
    /// The score, or why there is none.
    pub score: Result<Box<Scored>, NotReady>,
    /// How old and whole the data is.
    pub freshness: Freshness,
}

/// The answer to "how do we stand?".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostureAnswer {
    /// Score and findings, or why there are none.
    pub risk: RiskAnswer,
    /// The last analysis' coverage numbers.
    pub latest: Option<Snapshot>,
    /// Rules that can't judge something at present.
    pub blind: Vec<BlindRule>,
}

impl Watchpost {
    /// The risk score with its explanation.
    ///
    /// # Errors
    /// The store's.
    pub async fn risk(&self, scope: &WorkspaceScope) -> Unrecorded<Result<RiskAnswer, Error>> {
        Unrecorded::of(async { Ok(risk_answer(self.store().risk_facts(scope).await?)) }).await
    }

    /// Score, coverage and blind rules.
    ///
    /// # Errors
    /// The store's.
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

/// Coverage as a word for sentences: `97.3 %`, or `unknown`.
impl std::fmt::Display for Coverage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.tenths_of_percent() {
            Some(tenths) => write!(f, "{}.{} %", tenths / 10, tenths % 10),
            None => f.write_str("unknown"),
        }
    }
}
