//! How an analysis makes, keeps, ends and brings back findings. Pure: stores call these inside their transaction.
//!
//! What ended by an act inside Watchpost (a policy, a tag, a rule switched off, a source removed) ends at the next
//! analysis. What is merely no longer seen ends after two analyses, each over newly completed datasets of *all* its
//! sources. A source that can't be read ends nothing.

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

/// How often each source dataset had been completely collected at some moment.
pub type Marks = BTreeMap<(IntegrationId, Dataset), u64>;

/// What is known now of each source dataset: its last state and its number of complete collections.
pub type Completions = BTreeMap<(IntegrationId, Dataset), (CollectionState, u64)>;

/// A rule's hit, ready to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// See [`fingerprint`].
    pub fingerprint: [u8; 32],
    /// The condition that the rule judges: its own id, unless it shares one with others.
    pub condition: String,
    /// The rule.
    pub rule_id: String,
    /// Its severity.
    pub severity: Severity,
    /// Its category.
    pub category: Category,
    /// Whether it counts in the score.
    pub scored: bool,
    /// What it is about.
    pub entity: EntityRef,
    /// The subject's displayed name and, for identities, address: kept with the finding, so that lists need no join
    /// and a removed subject still has a name.
    pub subject_name: ForeignText,
    /// See `subject_name`.
    pub subject_email: Option<String>,
    /// The sentence.
    pub title: ForeignText,
    /// What was seen, a JSON array's text.
    pub evidence: String,
    /// Further apps.
    pub apps: Vec<AppId>,
    /// Where it comes from, with each dataset's completions now.
    pub marks: Marks,
    /// The service whose settings failed a check; `None` for a rule's finding.
    pub service: Option<Service>,
    /// Ids in frameworks.
    pub frameworks: Vec<FrameworkId>,
}

/// What to do with an observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observed {
    /// A new finding.
    New,
    /// It is known: update sentence, evidence and marks; the status stays.
    Keep,
    /// It was resolved and is back: open, with one more return.
    Reopen,
}

/// Decides an observation. `known` is the finding with the same fingerprint and the marks that it has.
///
/// One that a person resolved comes back only if all its sources were completely read anew since: the person may
/// have repaired what the last reading still showed.
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

/// What an analysis knows when it ends findings.
#[derive(Debug, Clone, Default)]
pub struct SweepInput {
    /// Active rules by id.
    pub rules: BTreeMap<String, SweepRule>,
    /// Every dataset of every integration that exists.
    pub completions: Completions,
    /// Integrations that exist.
    pub integrations: BTreeSet<IntegrationId>,
    /// Rules that failed on an entity in this analysis: such findings stay as they are.
    pub failed: BTreeSet<(String, EntityRef)>,
}

/// What ending a finding needs to know of its rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepRule {
    /// Whether it looks at decisions made in Watchpost.
    pub depends_on_decisions: bool,
}

/// A finding that the analysis didn't see.
#[derive(Debug, Clone, Copy)]
pub struct Missed<'a> {
    /// Its rule.
    pub rule_id: &'a str,
    /// What it is about.
    pub entity: EntityRef,
    /// Marks at the last sight, or at the last counted miss.
    pub marks: &'a Marks,
    /// Misses counted so far.
    pub misses: u32,
    /// Whether its subject's policy or tag changed after it was last seen.
    pub decided_since: bool,
    /// Whether a check made it: then scans alone end it, but for a removed integration.
    pub of_check: bool,
}

/// What becomes of a finding that wasn't seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MissedChange {
    /// Nothing: its sources weren't read anew.
    Keep,
    /// One more miss, at these marks.
    Count(Marks),
    /// It ends.
    Resolve,
}

/// Decides a finding that the analysis didn't see.
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
    // A subject or every source that was removed in Watchpost.
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

/// Whether every source in `before` was completed again by `now`. Rules that need no dataset count as read anew.
fn all_newer(before: &Marks, now: &Marks) -> bool {
    before
        .iter()
        .all(|(key, completions)| now.get(key).is_none_or(|later| later > completions))
}

/// What identifies a finding for life: SHA-256 over condition, entity type and entity id. The condition is the rule's
/// or check's id, or, where several judge the same thing, the id that they share: those have one finding. Ids of apps
/// and integrations stand for integration and vendor id, one to one; rule versions aren't in it, so a new version
/// reopens nothing.
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

/// What storing observations did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ObserveCounts {
    /// New findings.
    pub new: u64,
    /// Kept ones.
    pub kept: u64,
    /// Those that came back.
    pub reopened: u64,
}

/// What ending findings did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SweepCounts {
    /// Ended.
    pub resolved: u64,
    /// Missed once.
    pub missed: u64,
    /// Not seen, but their sources weren't read.
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
    fn what_is_no_longer_seen_ends_after_two_newly_completed_analyses_of_all_sources() {
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
    fn dismissed_and_snoozed_findings_stay_and_resolved_ones_come_back() {
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
