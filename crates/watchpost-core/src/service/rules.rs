//! Rules, and the data that they currently can't evaluate.

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

/// A rule that currently can't evaluate an integration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlindRule {
    /// The rule's id.
    pub rule_id: String,
    /// The integration.
    pub integration: IntegrationId,
    /// The integration's platform.
    pub platform: Platform,
    /// The datasets that are missing, each with the state of its last collection and a reason, if known.
    pub datasets: Vec<(Dataset, Option<CollectionState>, Option<String>)>,
}

/// A rule with the data that it can't evaluate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleAnswer<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// The integrations that the rule can't evaluate.
    pub blind: Vec<BlindRule>,
    /// Whether any connected platform provides data for the rule.
    pub has_source: bool,
}

impl Watchpost {
    /// Returns all active rules, ordered by id, with the data that each can't evaluate.
    ///
    /// # Errors
    /// Returns the store's error.
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
                    has_source: integrations.iter().any(|row| provides_data(rule, row)),
                })
                .collect();
            Ok((rules, self.store().freshness(scope).await?))
        })
        .await
    }

    /// Returns the active rule with an id.
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        let rules = self.engine().rules();
        rules
            .binary_search_by(|rule| rule.id.as_str().cmp(id))
            .ok()
            .and_then(|at| rules.get(at))
    }

    /// Returns the rules that depend on each dataset of a platform.
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

pub(super) fn provides_data(rule: &Rule, integration: &Integration) -> bool {
    // Imports contain verdicts of other tools and no data for rules.
    !matches!(integration.status, IntegrationStatus::Disconnected)
        && integration.platform != Platform::Import
        && (rule.platforms.is_empty() || rule.platforms.contains(&integration.platform))
}

/// Returns the integrations that a rule can't evaluate. A dataset that the connector doesn't read doesn't count
/// as missing.
pub(super) fn blind_spots(rule: &Rule, integrations: &[Integration]) -> Vec<BlindRule> {
    integrations
        .iter()
        .filter(|row| provides_data(rule, row))
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
