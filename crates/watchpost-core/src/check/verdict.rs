//! What a check answers.

use super::{CheckResult, SkipReason};
use crate::value::text::ForeignText;
use serde::Serialize;

/// Failing things that a verdict names.
const ENTITIES_MAX: usize = 1_000;
/// Bytes of the evidence of a merged verdict.
const EVIDENCE_BYTES_MAX: usize = 16 * 1024;

/// A thing that fails a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckEntity {
    /// What kind of thing: `user`, `domain`, `policy`, `app`, ….
    pub kind: String,
    /// Its id at the vendor.
    pub id: String,
    /// Its name.
    pub name: ForeignText,
}

/// A failed check that would pass under a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WouldPass {
    /// The condition, in one sentence.
    pub condition: ForeignText,
    /// The ids that stand in the way, e.g. of excluded users; at most 200.
    pub excluded: Vec<String>,
}

/// What a check found, without saying which check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The result.
    pub result: CheckResult,
    /// Why it was skipped; `Some` exactly for [`CheckResult::Skipped`].
    pub skip: Option<SkipReason>,
    /// One sentence: what was found, why it was skipped, or what went wrong.
    pub reason: ForeignText,
    /// The setting's value now, JSON text of at most 4 KiB.
    pub detected: Option<String>,
    /// What was seen, a JSON array's text of at most 16 KiB.
    pub evidence: String,
    /// Failing things, at most 1,000.
    pub entities: Vec<CheckEntity>,
    /// What would make it pass.
    pub would_pass: Option<WouldPass>,
}

/// A check's verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Position in [`super::CheckEngine::checks`].
    pub check: usize,
    /// What it found.
    pub outcome: Outcome,
}

impl Outcome {
    /// A result that says no more than a sentence.
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

    /// Joins the outcome on a further page of the same things: an error or a failure on any page decides, then a
    /// skip for want of data, then a pass, then "not applicable".
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

/// Two JSON arrays in one, if both fit.
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
    fn the_worse_page_decides_and_failures_add_up() {
        let passed = Outcome::plain(CheckResult::Passed, None, "All is well.");
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
