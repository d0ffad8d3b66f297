//! The decisions by which an analysis creates, keeps, resolves and reopens findings. Pure functions: stores call
//! them inside their transaction.
//!
//! A finding that ends because of a change made in Watchpost (a policy, a tag, a disabled rule, a removed
//! integration) is resolved at the next analysis. A finding that is merely no longer seen is resolved after two
//! analyses, each based on new complete collections of the datasets of *all* its sources. A source that can't be
//! read resolves nothing.

use super::FindingState;
use crate::{
    check::{FrameworkId, Service},
    integration::fact::Dataset,
    rule::document::EntityRef,
    value::{
        id::{AppId, IntegrationId},
        text::ForeignText,
        word::{Category, CollectionState, EntityType, FindingStatus, Severity},
    },
};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// For each source dataset, the number of its complete collections at one point in time.
pub type Marks = BTreeMap<(IntegrationId, Dataset), u64>;

/// For each source dataset, the state of its last collection and the number of its complete collections.
pub type Completions = BTreeMap<(IntegrationId, Dataset), (CollectionState, u64)>;

/// A match of a rule, ready to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// The finding's fingerprint; see [`fingerprint`].
    pub fingerprint: [u8; 32],
    /// The condition that the rule detects: the rule's own id, unless it shares one with other rules.
    pub condition: String,
    /// The rule's id.
    pub rule_id: String,
    /// The rule's severity.
    pub severity: Severity,
    /// The rule's category.
    pub category: Category,
    /// Whether the finding counts in the risk score.
    pub scored: bool,
    /// The entity that the finding is about.
    pub entity: EntityRef,
    /// The display name of the subject. It is stored with the finding, so that lists need no join and a removed
    /// subject still has a name.
    pub subject_name: ForeignText,
    /// The email address of the subject, if it is an identity; stored for the same reasons.
    pub subject_email: Option<String>,
    /// The title.
    pub title: ForeignText,
    /// The observed facts, as the text of a JSON array.
    pub evidence: String,
    /// Other apps involved.
    pub apps: Vec<AppId>,
    /// The source datasets, each with its current number of complete collections.
    pub marks: Marks,
    /// The service whose settings failed a check; `None` for a rule's finding.
    pub service: Option<Service>,
    /// The matching ids in frameworks.
    pub frameworks: Vec<FrameworkId>,
}

/// The effect of an observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observed {
    /// Creates a new finding.
    New,
    /// Updates the title, evidence and marks of an existing finding. Its status stays.
    Keep,
    /// Reopens a resolved finding and increments its reopen count.
    Reopen,
}

/// Decides an observation. `known` is the finding with the same fingerprint, and its marks.
///
/// A finding that a person resolved is reopened only if all its sources have been completely collected since: the
/// person may have fixed what the last collection still showed.
pub fn decide_observed(known: Option<(&FindingState, &Marks)>, observation: &Observation) -> Observed {
    match known {
        None => Observed::New,
        Some((state, marks)) if state.status == FindingStatus::Resolved => {
            if state.auto_resolved || all_newer(marks, &observation.marks) {
                Observed::Reopen
            } else {
                Observed::Keep
            }
        }
        Some(_) => Observed::Keep,
    }
}

/// The input for resolving the findings that an analysis didn't see.
#[derive(Debug, Clone, Default)]
pub struct SweepInput {
    /// The active rules by id.
    pub rules: BTreeMap<String, SweepRule>,
    /// Every dataset of every existing integration.
    pub completions: Completions,
    /// The existing integrations.
    pub integrations: BTreeSet<IntegrationId>,
    /// Pairs of rule and entity whose evaluation failed in this analysis. Their findings don't change.
    pub failed: BTreeSet<(String, EntityRef)>,
}

/// The properties of a rule that resolving its findings depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepRule {
    /// Whether the rule depends on decisions made in Watchpost.
    pub depends_on_decisions: bool,
}

/// A finding that an analysis didn't see.
#[derive(Debug, Clone, Copy)]
pub struct Missed<'a> {
    /// The id of its rule.
    pub rule_id: &'a str,
    /// The entity that the finding is about.
    pub entity: EntityRef,
    /// The marks when the finding was last seen or last counted as missed.
    pub marks: &'a Marks,
    /// The number of counted misses so far.
    pub misses: u32,
    /// Whether the subject's policy or tag was changed after the finding was last seen.
    pub decided_since: bool,
    /// Whether a check created the finding. Then only scans resolve it, or the removal of its integration.
    pub of_check: bool,
}

/// The effect on a finding that wasn't seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MissedChange {
    /// No change: its sources haven't been collected again.
    Keep,
    /// Counts one more miss, with these marks.
    Count(Marks),
    /// Resolves the finding.
    Resolve,
}

/// Decides a finding that an analysis didn't see.
pub fn decide_missed(missed: Missed<'_>, input: &SweepInput) -> MissedChange {
    if missed.of_check {
        return match missed.entity {
            EntityRef::Integration(id) if !input.integrations.contains(&id) => MissedChange::Resolve,
            _ => MissedChange::Keep,
        };
    }
    let Some(rule) = input.rules.get(missed.rule_id) else {
        return MissedChange::Resolve;
    };
    // The subject, or every source, was removed in Watchpost.
    if let EntityRef::Integration(id) = missed.entity
        && !input.integrations.contains(&id)
    {
        return MissedChange::Resolve;
    }
    let live: Vec<_> = missed
        .marks
        .iter()
        .filter(|((integration, _), _)| input.integrations.contains(integration))
        .collect();
    if live.is_empty() && !missed.marks.is_empty() {
        return MissedChange::Resolve;
    }
    if input.failed.contains(&(missed.rule_id.to_owned(), missed.entity)) {
        return MissedChange::Keep;
    }
    let readable = |key: &(IntegrationId, Dataset)| {
        input
            .completions
            .get(key)
            .filter(|(state, _)| *state == CollectionState::Complete)
    };
    if live.iter().any(|(key, _)| readable(key).is_none()) {
        return MissedChange::Keep;
    }
    if (rule.depends_on_decisions && missed.decided_since) || live.len() < missed.marks.len() {
        return MissedChange::Resolve;
    }
    let now: Marks = live
        .iter()
        .filter_map(|(key, _)| readable(key).map(|(_, completions)| (**key, *completions)))
        .collect();
    if !all_newer(missed.marks, &now) {
        return MissedChange::Keep;
    }
    if missed.misses >= 1 {
        MissedChange::Resolve
    } else {
        MissedChange::Count(now)
    }
}

/// Returns whether every source in `before` has had another complete collection by `now`. A source that is
/// missing in `now` counts as collected again.
fn all_newer(before: &Marks, now: &Marks) -> bool {
    before
        .iter()
        .all(|(key, completions)| now.get(key).is_none_or(|later| later > completions))
}

/// Returns the permanent identity of a finding: SHA-256 over condition, entity type and entity id. The condition
/// is the id of the rule or check, or the id shared by several that detect the same condition, so that these have
/// one finding. The ids of apps and integrations correspond one to one to integration and vendor id. The rule's
/// version isn't included, so that a new version reopens nothing.
pub fn fingerprint(condition: &str, entity: EntityRef) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [
        condition.as_bytes(),
        EntityType::as_str(entity.entity_type()).as_bytes(),
        entity.id_bytes().as_slice(),
    ] {
        hash.update(u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// The numbers of findings affected by storing observations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ObserveCounts {
    /// New findings.
    pub new: u64,
    /// Existing findings that were kept.
    pub kept: u64,
    /// Reopened findings.
    pub reopened: u64,
}

/// The numbers of findings affected by [`FindingStore::sweep_findings`](super::FindingStore::sweep_findings).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SweepCounts {
    /// Resolved findings.
    pub resolved: u64,
    /// Findings counted as missed once.
    pub missed: u64,
    /// Findings that weren't seen and whose sources weren't collected again.
    pub kept: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: IntegrationId = IntegrationId::from_bytes([1; 16]);
    const OTHER: IntegrationId = IntegrationId::from_bytes([2; 16]);

    fn marks(pairs: &[(IntegrationId, u64)]) -> Marks {
        pairs.iter().map(|(id, n)| ((*id, Dataset::Users), *n)).collect()
    }

    fn input(pairs: &[(IntegrationId, CollectionState, u64)]) -> SweepInput {
        SweepInput {
            rules: BTreeMap::from([(
                "r".to_owned(),
                SweepRule {
                    depends_on_decisions: true,
                },
            )]),
            completions: pairs
                .iter()
                .map(|(id, state, n)| ((*id, Dataset::Users), (*state, *n)))
                .collect(),
            integrations: pairs.iter().map(|(id, ..)| *id).collect(),
            failed: BTreeSet::new(),
        }
    }

    #[test]
    fn an_unseen_finding_stays_if_its_rule_could_not_judge_the_entity() {
        let entity = EntityRef::Identity(crate::value::id::IdentityId::from_bytes([9; 16]));
        let before = marks(&[(SOURCE, 5)]);
        let mut input = input(&[(SOURCE, CollectionState::Complete, 6)]);
        let decide = |input: &SweepInput| {
            let missed = Missed {
                rule_id: "r",
                entity,
                marks: &before,
                misses: 1,
                decided_since: false,
                of_check: false,
            };
            decide_missed(missed, input)
        };
        assert_eq!(decide(&input), MissedChange::Resolve);
        input.failed.insert(("r".to_owned(), entity));
        assert_eq!(decide(&input), MissedChange::Keep);
    }

    #[test]
    fn an_unseen_finding_is_resolved_after_two_analyses_with_new_collections_of_all_sources() {
        use CollectionState::{Complete, Denied};
        let entity = EntityRef::Identity(crate::value::id::IdentityId::from_bytes([9; 16]));
        let check = |rule: &str,
                     before: &[(IntegrationId, u64)],
                     misses,
                     decided,
                     now: &[(IntegrationId, CollectionState, u64)],
                     expected: MissedChange| {
            let before = marks(before);
            let missed = Missed {
                rule_id: rule,
                entity,
                marks: &before,
                misses,
                decided_since: decided,
                of_check: false,
            };
            assert_eq!(
                decide_missed(missed, &input(now)),
                expected,
                "{rule} {misses} {decided} {now:?}"
            );
        };
        let both = [(SOURCE, 5), (OTHER, 3)];
        check(
            "r",
            &both,
            0,
            false,
            &[(SOURCE, Complete, 6), (OTHER, Complete, 4)],
            MissedChange::Count(marks(&[(SOURCE, 6), (OTHER, 4)])),
        );
        check(
            "r",
            &both,
            1,
            false,
            &[(SOURCE, Complete, 6), (OTHER, Complete, 4)],
            MissedChange::Resolve,
        );
        check(
            "r",
            &both,
            1,
            false,
            &[(SOURCE, Complete, 6), (OTHER, Complete, 3)],
            MissedChange::Keep,
        );
        check(
            "r",
            &both,
            1,
            false,
            &[(SOURCE, Complete, 6), (OTHER, Denied, 9)],
            MissedChange::Keep,
        );
        check(
            "r",
            &both,
            0,
            true,
            &[(SOURCE, Complete, 5), (OTHER, Complete, 3)],
            MissedChange::Resolve,
        );
        check(
            "r",
            &both,
            0,
            true,
            &[(SOURCE, Complete, 5), (OTHER, Denied, 3)],
            MissedChange::Keep,
        );
        check(
            "r",
            &both,
            0,
            false,
            &[(OTHER, Complete, 3)],
            MissedChange::Resolve,
        );
        check("r", &both, 0, false, &[], MissedChange::Resolve);
        check(
            "gone",
            &both,
            0,
            false,
            &[(SOURCE, Denied, 5), (OTHER, Denied, 3)],
            MissedChange::Resolve,
        );
    }

    #[test]
    fn dismissed_and_snoozed_findings_stay_and_resolved_ones_are_reopened() {
        let state = |status, auto_resolved| FindingState {
            status,
            snoozed_until: None,
            dismiss_reason: None,
            auto_resolved,
        };
        let observation = |n| Observation {
            fingerprint: [0; 32],
            condition: "r".into(),
            rule_id: "r".into(),
            severity: Severity::High,
            category: Category::AccessRisk,
            scored: true,
            entity: EntityRef::Integration(SOURCE),
            subject_name: ForeignText::default(),
            subject_email: None,
            title: ForeignText::default(),
            evidence: "[]".into(),
            apps: vec![],
            marks: marks(&[(SOURCE, n)]),
            service: None,
            frameworks: Vec::new(),
        };
        let check = |status, auto, n, expected| {
            assert_eq!(
                decide_observed(
                    Some((&state(status, auto), &marks(&[(SOURCE, 4)]))),
                    &observation(n)
                ),
                expected
            );
        };
        assert_eq!(decide_observed(None, &observation(1)), Observed::New);
        check(FindingStatus::Open, false, 5, Observed::Keep);
        check(FindingStatus::Dismissed, false, 5, Observed::Keep);
        check(FindingStatus::Snoozed, false, 5, Observed::Keep);
        check(FindingStatus::Resolved, true, 4, Observed::Reopen);
        check(FindingStatus::Resolved, false, 4, Observed::Keep);
        check(FindingStatus::Resolved, false, 5, Observed::Reopen);
    }
}
