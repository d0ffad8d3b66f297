//! Queries.

use super::Watchpost;
use crate::{
    access::WorkspaceScope,
    app::{App, AppLookup, AppMatch},
    error::Error,
    finding::{EntityFilter, Finding, FindingPage, FindingQuery, FindingSummary, Total},
    identity::{Identity, normal_address},
    integration::{Integration, STALE_AFTER_MS, fact::Dataset},
    job::JobRow,
    posture::{
        Coverage, Freshness, RiskFacts, Snapshot, SourceState,
        score::{self, RiskScore},
    },
    rule::Rule,
    value::{
        id::{FindingId, IntegrationId},
        text::ForeignText,
        time::Timestamp,
        word::{CollectionState, FindingStatus, IntegrationStatus, Platform, words},
    },
};
use std::collections::BTreeMap;

/// Findings of a person that a look-up shows.
const IDENTITY_FINDINGS_SHOWN: usize = 25;

words! {
    /// Why there is no score. Nothing is never "all good".
    PostureState {
        /// No platform is connected.
        NotConnected = "not_connected",
        /// A first sync or analysis is still to come.
        WaitingForFirstSync = "waiting_for_first_sync",
        /// No source can be read.
        Failed = "failed",
    }
}

/// Why there is no score, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotReady {
    /// The state.
    pub state: PostureState,
    /// What to do next: a command, in words.
    pub next_step: String,
}

/// A finding and what repairing it would save.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopFinding {
    /// The finding.
    pub finding: FindingSummary,
    /// The score without it.
    pub score_without: u8,
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
    /// The five worst.
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

/// A rule that can't judge a source at present.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlindRule {
    /// The rule's id.
    pub rule_id: String,
    /// Which integration.
    pub integration: IntegrationId,
    /// Its platform.
    pub platform: Platform,
    /// What it lacks, and why.
    pub datasets: Vec<(Dataset, Option<CollectionState>, Option<String>)>,
}

/// A rule and where it is blind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleAnswer<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// Where it can't judge.
    pub blind: Vec<BlindRule>,
    /// Whether any connected platform feeds it.
    pub has_source: bool,
}

/// A person over all platforms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityAnswer {
    /// The person.
    pub identity: Identity,
    /// The worst live findings.
    pub findings: Vec<FindingSummary>,
    /// How many live findings there are.
    pub total: Total,
    /// How old and whole the data is.
    pub freshness: Freshness,
}

/// An app's policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppAnswer {
    /// What the look-up found.
    pub found: AppMatch,
    /// How old and whole the data is.
    pub freshness: Freshness,
}

impl Freshness {
    /// Sources that are stale, failing, paused or partly unreadable, and connected platforms that were never read: our
    /// own sentences, with no word of a stranger's.
    pub fn warnings(&self, now: Timestamp) -> Vec<String> {
        let mut out = Vec::new();
        for source in &self.sources {
            let title = source.platform.title();
            if let Some(failure) = &source.failure {
                out.push(format!(
                    "{title} has not been read since {}: {}",
                    failure.since, failure.reason
                ));
            } else if source.status == IntegrationStatus::Paused {
                out.push(format!("{title} is paused; its data does not change"));
            } else if let Some(at) = source.last_completed_at {
                if now.millis_since(at) > STALE_AFTER_MS {
                    out.push(format!("{title} was last read at {at}, more than 10 hours ago"));
                }
            } else {
                out.push(format!("{title} has never been read completely"));
            }
            if source.last_completed_at.is_some() && source.unreadable > 0 {
                out.push(format!(
                    "{title}: {} of {} datasets can't be read; `watchpost integrations verify` says why",
                    source.unreadable,
                    source.unreadable.saturating_add(source.readable)
                ));
            }
        }
        out
    }

    /// When the warnings next change by time alone: a kept reply is good until then.
    pub fn text_good_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.sources
            .iter()
            .filter_map(|source| source.last_completed_at)
            .map(|at| at.plus_millis(STALE_AFTER_MS.saturating_add(1)))
            .filter(|turn| *turn > now)
            .min()
    }

    /// Why there is nothing to judge by, if so.
    pub fn not_ready(&self) -> Option<NotReady> {
        let active = |source: &&SourceState| !matches!(source.status, IntegrationStatus::Disconnected);
        let sources: Vec<&SourceState> = self.sources.iter().filter(active).collect();
        if sources.is_empty() {
            return Some(NotReady {
                state: PostureState::NotConnected,
                next_step: "Connect a platform: run `watchpost integrations add okta` or `watchpost integrations add m365`".into(),
            });
        }
        let readable = sources
            .iter()
            .any(|source| source.last_completed_at.is_some() && source.readable > 0);
        if self.as_of.is_some() && readable {
            return None;
        }
        let failing = sources.iter().all(|source| {
            source.failure.is_some() || (source.last_completed_at.is_some() && source.readable == 0)
        });
        Some(if failing {
            NotReady {
                state: PostureState::Failed,
                next_step: "No source can be read: run `watchpost integrations verify` and repair what it names, then `watchpost sync`".into(),
            }
        } else {
            NotReady {
                state: PostureState::WaitingForFirstSync,
                next_step: "The first sync has not finished: wait a minute, or run `watchpost sync --wait`; a server or `watchpost sync` must be running".into(),
            }
        })
    }
}

impl Watchpost {
    /// The risk score with its explanation.
    ///
    /// # Errors
    /// The store's.
    pub async fn risk(&self, scope: &WorkspaceScope) -> Result<RiskAnswer, Error> {
        Ok(risk_answer(self.store().risk_facts(scope).await?))
    }

    /// Score, coverage and blind rules.
    ///
    /// # Errors
    /// The store's.
    pub async fn posture(&self, scope: &WorkspaceScope) -> Result<PostureAnswer, Error> {
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
    }

    /// A page of findings with the freshness of its data.
    ///
    /// # Errors
    /// The store's; [`Error::Invalid`] for a limit outside 1 to 100.
    pub async fn findings(
        &self,
        scope: &WorkspaceScope,
        query: &FindingQuery,
    ) -> Result<(FindingPage, Freshness), Error> {
        if !(1..=100).contains(&query.limit) {
            return Err(Error::Invalid {
                field: "limit",
                reason: format!("must be 1 to 100, not {}", query.limit),
            });
        }
        let page = self.store().list_findings(scope, query).await?;
        Ok((page, self.store().freshness(scope).await?))
    }

    /// One finding, with its rule if that is still active.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the store's.
    pub async fn finding(
        &self,
        scope: &WorkspaceScope,
        id: FindingId,
    ) -> Result<(Finding, Option<&Rule>), Error> {
        let found = self.store().finding(scope, id).await?;
        let finding = found.ok_or_else(finding_not_found)?;
        let rule = self.rule(&finding.summary.rule_id);
        Ok((finding, rule))
    }

    /// The active rule with an id.
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        let rules = self.engine().rules();
        rules
            .binary_search_by(|rule| rule.id.as_str().cmp(id))
            .ok()
            .and_then(|at| rules.get(at))
    }

    /// One person by any of their addresses, without regard to case.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the text is no address; [`Error::NotFound`]; the store's.
    pub async fn identity(&self, scope: &WorkspaceScope, email: &str) -> Result<IdentityAnswer, Error> {
        let Some(address) = normal_address(email) else {
            return Err(Error::Invalid {
                field: "email",
                reason: "must be one email address, such as mara.holt@example.com".into(),
            });
        };
        let Some(identity) = self.store().identity_by_email(scope, &address).await? else {
            return Err(Error::NotFound {
                what: "identity",
                next: "no connected platform knows this address; check the spelling, or whether the platform that would know it is connected".into(),
            });
        };
        let query = FindingQuery {
            statuses: vec![FindingStatus::Open, FindingStatus::InProgress],
            entity: Some(EntityFilter::Identity(identity.id)),
            limit: IDENTITY_FINDINGS_SHOWN,
            ..FindingQuery::default()
        };
        let page = self.store().list_findings(scope, &query).await?;
        let freshness = self.store().freshness(scope).await?;
        Ok(IdentityAnswer {
            identity,
            findings: page.findings,
            total: page.total,
            freshness,
        })
    }

    /// All integrations with what runs, and the freshness that other answers carry.
    ///
    /// # Errors
    /// The store's.
    pub async fn integrations(
        &self,
        scope: &WorkspaceScope,
    ) -> Result<(Vec<Integration>, Vec<JobRow>, Freshness), Error> {
        let rows = self.store().list_integrations(scope).await?;
        let jobs = self.store().unfinished_jobs(scope).await?;
        Ok((rows, jobs, self.store().freshness(scope).await?))
    }

    /// All active rules, by id, and where each is blind.
    ///
    /// # Errors
    /// The store's.
    pub async fn rules(&self, scope: &WorkspaceScope) -> Result<(Vec<RuleAnswer<'_>>, Freshness), Error> {
        let integrations = self.store().list_integrations(scope).await?;
        let rules = self
            .engine()
            .rules()
            .iter()
            .map(|rule| RuleAnswer {
                rule,
                blind: blind_spots(rule, &integrations),
                has_source: integrations.iter().any(|row| feeds(rule, row)),
            })
            .collect();
        Ok((rules, self.store().freshness(scope).await?))
    }

    /// An app and its policy.
    ///
    /// # Errors
    /// The store's.
    pub async fn app(&self, scope: &WorkspaceScope, lookup: &AppLookup) -> Result<AppAnswer, Error> {
        let found = self.store().find_app(scope, lookup).await?;
        Ok(AppAnswer {
            found,
            freshness: self.store().freshness(scope).await?,
        })
    }

    /// Which rules a missing dataset of a platform costs, by dataset.
    pub fn rules_by_dataset(&self, platform: Platform) -> BTreeMap<Dataset, Vec<&Rule>> {
        let mut out: BTreeMap<Dataset, Vec<&Rule>> = BTreeMap::new();
        for rule in self.engine().rules() {
            if rule.platforms.is_empty() || rule.platforms.contains(&platform) {
                for dataset in &rule.datasets {
                    out.entry(*dataset).or_default().push(rule);
                }
            }
        }
        out
    }
}

impl AppMatch {
    /// The one app, or an error that lists the candidates' ids and platforms. Names are a stranger's words and stay
    /// out of errors.
    ///
    /// # Errors
    /// [`Error::NotFound`] and [`Error::Invalid`].
    pub fn one(self) -> Result<Box<App>, Error> {
        match self {
            Self::One(app) => Ok(app),
            Self::None => Err(Error::NotFound {
                what: "app",
                next: "no connected platform has an app with this name or id; `check_app_policy` looks apps up by name".into(),
            }),
            Self::Several(apps, total) => {
                let ids: Vec<String> = apps.iter().map(|app| format!("{} ({})", app.id, app.platform.title())).collect();
                Err(Error::Invalid {
                    field: "app",
                    reason: format!("{total} apps fit this name; give one of these ids: {}", ids.join(", ")),
                })
            }
        }
    }
}

pub(super) fn finding_not_found() -> Error {
    Error::NotFound {
        what: "finding",
        next: "take an id from `list_findings`".into(),
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
                score_without: risk.without(finding.severity),
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

fn feeds(rule: &Rule, integration: &Integration) -> bool {
    // Imports bring other tools' verdicts, nothing that rules read.
    !matches!(integration.status, IntegrationStatus::Disconnected)
        && integration.platform != Platform::Import
        && (rule.platforms.is_empty() || rule.platforms.contains(&integration.platform))
}

/// Where a rule can't judge. A dataset that this integration's connector has no notion of doesn't blind it.
fn blind_spots(rule: &Rule, integrations: &[Integration]) -> Vec<BlindRule> {
    integrations
        .iter()
        .filter(|row| feeds(rule, row))
        .filter_map(|row| {
            let datasets: Vec<_> = if row.last_completed_at.is_none() && row.collections.is_empty() {
                rule.datasets
                    .iter()
                    .map(|dataset| {
                        (
                            *dataset,
                            None,
                            row.failure.as_ref().map(|failure| failure.reason.clone()),
                        )
                    })
                    .collect()
            } else {
                rule.datasets
                    .iter()
                    .filter_map(|dataset| row.collection(*dataset))
                    .filter(|collection| collection.state != CollectionState::Complete)
                    .map(|collection| {
                        (
                            collection.dataset,
                            Some(collection.state),
                            collection.detail.clone(),
                        )
                    })
                    .collect()
            };
            (!datasets.is_empty()).then(|| BlindRule {
                rule_id: rule.id.clone(),
                integration: row.id,
                platform: row.platform,
                datasets,
            })
        })
        .collect()
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

/// A name for sentences about an integration: never a stranger's words.
impl Integration {
    /// The platform's product name.
    pub const fn title(&self) -> &'static str {
        self.platform.title()
    }
    /// Its own name, which a person or the vendor chose.
    pub const fn own_name(&self) -> &ForeignText {
        &self.name
    }
}
