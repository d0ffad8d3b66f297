//! Verdicts of checks.

use super::{CheckResult, SkipReason};
use crate::value::text::ForeignText;
use serde::Serialize;

/// Maximum number of failed entities in a verdict.
const ENTITIES_MAX: usize = 1_000;
/// Maximum size of the evidence in a merged verdict, in bytes.
const EVIDENCE_BYTES_MAX: usize = 16 * 1024;

/// An entity that fails a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckEntity {
    /// The kind of entity: `user`, `domain`, `policy`, `app`, ….
    pub kind: String,
    /// The vendor's id of the entity.
    pub id: String,
    /// The entity's name.
    pub name: ForeignText,
}

/// A condition under which a failed check would pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WouldPass {
    /// The condition, in one sentence.
    pub condition: ForeignText,
    /// The ids of the entities that prevent it, e.g. of excluded users; at most 200.
    pub excluded: Vec<String>,
}

/// The outcome of a check, without the check's identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The result.
    pub result: CheckResult,
    /// The reason for which the check was skipped. `Some` exactly for [`CheckResult::Skipped`].
    pub skip: Option<SkipReason>,
    /// One sentence that describes the state found, the reason for skipping, or the error.
    pub reason: ForeignText,
    /// The setting's current value, as JSON text of at most 4 KiB.
    pub detected: Option<String>,
    /// The observed facts, as the text of a JSON array of at most 16 KiB.
    pub evidence: String,
    /// The failed entities; at most 1,000.
    pub entities: Vec<CheckEntity>,
    /// The change that would make the check pass.
    pub would_pass: Option<WouldPass>,
}

/// A check's verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The position in [`super::CheckEngine::checks`].
    pub check: usize,
    /// The outcome.
    pub outcome: Outcome,
}

impl Outcome {
    /// Creates an outcome that has only a result and a sentence.
    pub fn plain(result: CheckResult, skip: Option<SkipReason>, reason: &str) -> Self {
        Self {
            result,
            skip,
            reason: ForeignText::sentence(reason),
            detected: None,
            evidence: "[]".to_owned(),
            entities: Vec::new(),
            would_pass: None,
        }
    }

    /// Combines the outcomes on two pages of entities. The first of these decides: an error, a failure, a skip
    /// because of missing data, a pass, "not applicable".
    #[must_use]
    pub fn merged(self, other: Self) -> Self {
        let (mut first, second) = if rank(&other) < rank(&self) {
            (other, self)
        } else {
            (self, other)
        };
        if first.result == second.result && first.result == CheckResult::Failed {
            let room = ENTITIES_MAX.saturating_sub(first.entities.len());
            first.entities.extend(second.entities.into_iter().take(room));
            first.evidence = joined(first.evidence, &second.evidence);
        }
        first
    }
}

const fn rank(outcome: &Outcome) -> u8 {
    match (outcome.result, outcome.skip) {
        (CheckResult::Error, _) => 0,
        (CheckResult::Failed, _) => 1,
        (CheckResult::Skipped, Some(SkipReason::NotApplicable)) => 4,
        (CheckResult::Skipped, _) => 2,
        (CheckResult::Passed, _) => 3,
    }
}

/// Concatenates two JSON arrays, if the result is within the size limit.
fn joined(first: String, second: &str) -> String {
    let inner = |text: &str| {
        text.trim()
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .map(|inner| inner.trim().to_owned())
            .unwrap_or_default()
    };
    let (one, two) = (inner(&first), inner(second));
    if two.is_empty() || one.len().saturating_add(two.len()) > EVIDENCE_BYTES_MAX {
        return first;
    }
    if one.is_empty() {
        return format!("[{two}]");
    }
    format!("[{one},{two}]")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(entity: &str) -> Outcome {
        Outcome {
            evidence: format!("[{{\"app\":\"{entity}\"}}]"),
            entities: vec![CheckEntity {
                kind: "app".into(),
                id: entity.into(),
                name: ForeignText::name(entity),
            }],
            ..Outcome::plain(CheckResult::Failed, None, "An app is open.")
        }
    }

    #[test]
    fn the_worse_page_decides_and_failed_entities_are_combined() {
        let passed = Outcome::plain(CheckResult::Passed, None, "No app is open.");
        let skipped = |why| Outcome::plain(CheckResult::Skipped, Some(why), "Not read.");
        let check = |one: Outcome, two: Outcome, expected: CheckResult| {
            assert_eq!(one.clone().merged(two.clone()).result, expected);
            assert_eq!(two.merged(one).result, expected);
        };
        check(passed.clone(), failed("a"), CheckResult::Failed);
        check(
            passed.clone(),
            skipped(SkipReason::Unreadable),
            CheckResult::Skipped,
        );
        check(passed, skipped(SkipReason::NotApplicable), CheckResult::Passed);
        let both = failed("a").merged(failed("b"));
        assert_eq!(both.entities.len(), 2);
        assert_eq!(both.evidence, r#"[{"app":"a"},{"app":"b"}]"#);
    }
}
