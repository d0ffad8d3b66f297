//! Findings.

use super::{Unrecorded, Watchpost, rules::provides_data};
use crate::{
    access::WorkspaceScope,
    app::{AppLookup, AppMatch},
    check::{Check, FrameworkId},
    error::{Error, NextStep},
    finding::{EntityFilter, Finding, FindingPage, FindingQuery},
    identity::normalize_address,
    integration::{Integration, fact::Dataset},
    posture::{Freshness, score::Saving},
    rule::Rule,
    text,
    value::{
        id::FindingId,
        time::Timestamp,
        word::{CollectionState, Platform},
    },
};

/// The permitted numbers of rows on a page.
const LIMITS: std::ops::RangeInclusive<usize> = 1..=200;

/// The rule or check that reports a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detector<'a> {
    /// A short title.
    pub title: &'a str,
    /// The condition, and why it matters.
    pub description: &'a str,
    /// The API name of the remediation that can be requested. Checks have none.
    pub action: Option<&'a str>,
    /// The manual steps to fix the condition, in order.
    pub remediation: &'a [String],
    /// References for further reading.
    pub references: &'a [String],
    /// The ids in frameworks.
    pub frameworks: Vec<&'a str>,
}

/// A dataset that a rule evaluates, as it was last read from one platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EvidenceSource {
    /// The platform.
    pub platform: Platform,
    /// The dataset.
    pub dataset: Dataset,
    /// The state of the last collection.
    pub state: CollectionState,
    /// The end of the last collection.
    pub read_at: Timestamp,
}

/// A finding with all that explains it.
#[derive(Debug, Clone)]
pub struct FindingAnswer<'a> {
    /// The finding.
    pub finding: Finding,
    /// The rule or check that reports it, if that is active.
    pub detector: Option<Detector<'a>>,
    /// The datasets that the rule evaluates; empty for a check, whose scan read its settings.
    pub sources: Vec<EvidenceSource>,
    /// The effect of fixing it on the score; `None` if it is already closed or snoozed, or if there is no score.
    pub saving: Option<Saving>,
    /// The freshness of the data.
    pub freshness: Freshness,
}

impl<'a> From<&'a Rule> for Detector<'a> {
    fn from(rule: &'a Rule) -> Self {
        Self {
            title: &rule.title,
            description: &rule.description,
            action: rule.action.as_deref(),
            remediation: &rule.remediation,
            references: &rule.references,
            frameworks: rule.frameworks.iter().map(String::as_str).collect(),
        }
    }
}

impl<'a> From<&'a Check> for Detector<'a> {
    fn from(check: &'a Check) -> Self {
        Self {
            title: &check.title,
            description: &check.description,
            action: None,
            remediation: &check.remediation,
            references: &check.references,
            frameworks: check.frameworks.iter().map(FrameworkId::as_str).collect(),
        }
    }
}

impl Watchpost {
    /// Looks up an entity by a person's email address, an app's name, or the id of an identity, app or
    /// integration. Returns `None` if the workspace has no such entity.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the candidates if a name matches several apps, or the store's error.
    pub async fn find_entity(
        &self,
        scope: &WorkspaceScope,
        text: &str,
    ) -> Unrecorded<Result<Option<EntityFilter>, Error>> {
        Unrecorded::of(async {
            if let Some(address) = normalize_address(text)
                && let Some(identity) = self.store().identity_by_email(scope, &address).await?
            {
                return Ok(Some(EntityFilter::Identity(identity.id)));
            }
            if let Ok(id) = text.parse()
                && let Some(identity) = self.store().identity(scope, id).await?
            {
                return Ok(Some(EntityFilter::Identity(identity.id)));
            }
            for lookup in AppLookup::all(text) {
                match self.store().find_app(scope, &lookup).await? {
                    AppMatch::None => {}
                    found => return found.one("entity").map(|app| Some(EntityFilter::App(app.id))),
                }
            }
            if let Ok(id) = text.parse()
                && let Some(integration) = self.store().integration(scope, id).await?
            {
                return Ok(Some(EntityFilter::Integration(integration.id)));
            }
            Ok(None)
        })
        .await
    }

    /// Returns a page of findings with the freshness of the data.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a limit outside 1 to 200, or the store's error.
    pub async fn findings(
        &self,
        scope: &WorkspaceScope,
        query: &FindingQuery,
    ) -> Unrecorded<Result<(FindingPage, Freshness), Error>> {
        Unrecorded::of(async {
            if !LIMITS.contains(&query.limit) {
                return Err(Error::invalid("limit", text::out_of_range(&LIMITS, &query.limit)));
            }
            let page = self.store().list_findings(scope, query).await?;
            Ok((page, self.store().freshness(scope).await?))
        })
        .await
    }

    /// Returns one finding, with the rule or check that reports it if that is active.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the store's error.
    pub async fn finding(
        &self,
        scope: &WorkspaceScope,
        id: FindingId,
    ) -> Unrecorded<Result<(Finding, Option<Detector<'_>>), Error>> {
        Unrecorded::of(async {
            let found = self.store().finding(scope, id).await?;
            let finding = found.ok_or_else(finding_not_found)?;
            let detector = self.detector(&finding.summary.rule_id);
            Ok((finding, detector))
        })
        .await
    }

    /// Returns one finding with the rule or check that reports it, the data it comes from, and what fixing it saves.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the store's error.
    pub async fn explain_finding(
        &self,
        scope: &WorkspaceScope,
        id: FindingId,
    ) -> Unrecorded<Result<FindingAnswer<'_>, Error>> {
        Unrecorded::of(async {
            let (finding, detector) = self.finding(scope, id).await.into_inner()?;
            let risk = self.risk(scope).await.into_inner()?;
            let saving = match &risk.score {
                Ok(scored) if finding.summary.status.is_live() => {
                    let summary = &finding.summary;
                    Some(scored.risk.saving(summary.severity, summary.scored))
                }
                Ok(_) | Err(_) => None,
            };
            let sources = match self.rule(&finding.summary.rule_id) {
                Some(rule) => evidence_sources(rule, &self.store().list_integrations(scope).await?),
                None => Vec::new(),
            };
            Ok(FindingAnswer {
                finding,
                detector,
                sources,
                saving,
                freshness: risk.freshness,
            })
        })
        .await
    }

    /// Returns the active rule or check with an id.
    fn detector(&self, id: &str) -> Option<Detector<'_>> {
        let rule = self.rule(id).map(Detector::from);
        rule.or_else(|| self.check(id).map(Detector::from))
    }
}

/// Returns the datasets that a rule evaluates, by integration.
fn evidence_sources(rule: &Rule, integrations: &[Integration]) -> Vec<EvidenceSource> {
    integrations
        .iter()
        .filter(|row| provides_data(rule, row))
        .flat_map(|row| {
            let collections = rule
                .datasets
                .iter()
                .filter_map(|dataset| row.collection(*dataset));
            collections.map(|collection| EvidenceSource {
                platform: row.platform,
                dataset: collection.dataset,
                state: collection.state,
                read_at: collection.finished_at,
            })
        })
        .collect()
}

fn finding_not_found() -> Error {
    Error::not_found("finding", NextStep::ListFindings)
}
