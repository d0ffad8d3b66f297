//! Rules, and where they are blind.

use super::{Unrecorded, Watchpost};
use crate::{
    access::WorkspaceScope,
    error::Error,
    integration::{Integration, fact::Dataset},
    posture::Freshness,
    rule::Rule,
    value::{
        id::IntegrationId,
        word::{CollectionState, IntegrationStatus, Platform},
    },
};
use std::collections::BTreeMap;

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

impl Watchpost {
    /// All active rules, by id, and where each is blind.
    ///
    /// # Errors
    /// The store's.
    pub async fn rules(
        &self,
        scope: &WorkspaceScope,
    ) -> Unrecorded<Result<(Vec<RuleAnswer<'_>>, Freshness), Error>> {
        Unrecorded::of(async {
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
        })
        .await
    }

    /// The active rule with an id.
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        let rules = self.engine().rules();
        rules
            .binary_search_by(|rule| rule.id.as_str().cmp(id))
            .ok()
            .and_then(|at| rules.get(at))
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

fn feeds(rule: &Rule, integration: &Integration) -> bool {
    // Imports bring other tools' verdicts, nothing that rules read.
    !matches!(integration.status, IntegrationStatus::Disconnected)
        && integration.platform != Platform::Import
        && (rule.platforms.is_empty() || rule.platforms.contains(&integration.platform))
}

/// Where a rule can't judge. A dataset that this integration's connector has no notion of doesn't blind it.
pub(super) fn blind_spots(rule: &Rule, integrations: &[Integration]) -> Vec<BlindRule> {
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
