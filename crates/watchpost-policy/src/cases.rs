//! The test cases beside each rule (`<rule_id>.cases.json`), of built-in rules and of customers' rules.
//!
//! A case's document is partial and is merged over a base (`rules/cases.base.json`): objects are merged field by field,
//! `null` removes a field, lists replace those of the base, and each account, role, grant, integration, person and
//! credential in a list is merged over the base of its kind. A string like `"-90d"` or `"-24h -1ms"` in a field whose
//! name ends in `_ms` is an offset from [`NOW_MS`].

use crate::{
    builtin,
    judge::{Judge, Strikes},
    pack::Pack,
    program::guarded,
    text,
    verdict::Verdict,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use watchpost_core::rule::{EngineError, Rule};

/// The current time in cases: 2026-01-01T00:00:00Z, in milliseconds since 1970.
pub const NOW_MS: i64 = 1_767_225_600_000;

/// A file of cases.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File<C> {
    cases: Vec<C>,
}

/// Parses the cases in `text`, the content of `file`.
pub(crate) fn read<C: DeserializeOwned>(file: &str, text: &str) -> Result<Vec<C>, String> {
    let read: File<C> = serde_json::from_str(text).map_err(|error| format!("{file}: {error}"))?;
    Ok(read.cases)
}

/// Checks that a sentence contains all expected parts. `what` names the sentence in the error.
pub(crate) fn contains_all(what: &str, sentence: &str, parts: &[String]) -> Result<(), String> {
    match parts.iter().find(|part| !sentence.contains(part.as_str())) {
        None => Ok(()),
        Some(part) => Err(text::lacks_part(what, sentence, part)),
    }
}

/// One case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    document: Value,
    expect: Expect,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    result: String,
    reason: Option<String>,
    #[serde(default)]
    reason_contains: Vec<String>,
    entities: Option<Vec<String>>,
    evidence: Option<usize>,
}

/// The outcome of the cases of one rule or check.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CaseReport {
    /// Number of cases with the expected outcome.
    pub passed: usize,
    /// The other cases, one sentence each.
    pub failed: Vec<String>,
    /// The expected outcome of each case: `passed`, `failed`, the reason for skipping (`not_applicable`) or `error`. For
    /// a check, only cases in the profile `default`.
    pub kinds: Vec<String>,
    /// The sentences of failed outcomes. For a check, only cases in the profile `default`.
    pub titles: Vec<String>,
}

impl CaseReport {
    /// Adds the outcome of a case.
    pub(crate) fn add(&mut self, id: &str, case: &str, outcome: Result<(), String>) {
        match outcome {
            Ok(()) => self.passed = self.passed.saturating_add(1),
            Err(error) => self.failed.push(format!("{id}: {case}: {error}")),
        }
    }
}

/// Runs the cases in `text` (the content of the `.cases.json` named `file`) on a rule of `pack`.
///
/// # Errors
/// [`EngineError::Load`] if the file has no valid cases or the rule doesn't exist. A failed case is in the report.
pub fn run(pack: &Pack, rule_id: &str, file: &str, text: &str) -> Result<CaseReport, EngineError> {
    guarded(|| run_here(pack, rule_id, file, text)).map_err(EngineError::Load)
}

/// Returns the cases of the built-in rules: rule id, file name, text.
pub fn builtin_cases() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    builtin::RULE_CASES
        .iter()
        .map(|(file, text)| (file.trim_end_matches(".cases.json"), *file, *text))
}

/// Returns the base documents that cases are merged over, as JSON.
pub const fn base() -> &'static str {
    builtin::CASE_BASE
}

fn run_here(pack: &Pack, rule_id: &str, file: &str, content: &str) -> Result<CaseReport, String> {
    let cases: Vec<Case> = read(file, content)?;
    let base = base_documents()?;
    let index = pack
        .rules()
        .iter()
        .position(|rule| rule.id == rule_id)
        .ok_or_else(|| text::cases_of_unknown(file, "rule", rule_id))?;
    let rule = pack.rules().get(index).ok_or(text::RULE_LOST)?;
    let mut judge = Judge::new(pack).map_err(|error| error.to_string())?;
    let mut report = CaseReport::default();
    for case in cases {
        // New for each case, so that a case that exceeds its limits doesn't affect the next one.
        let strikes = Strikes::new(pack.rules().len());
        let document = document(&base, rule, case.document.clone())
            .map_err(|error| text::broken_case(file, &case.name, &error))?;
        let judged = judge
            .all(rule.document, &document, &strikes, NOW_MS)
            .into_iter()
            .find(|(at, _)| *at == index)
            .map_or_else(|| Err(text::NOT_EVALUATED.to_owned()), |(_, judged)| judged);
        let (kind, outcome) = compare(&case.expect, judged, &mut report.titles);
        report.kinds.push(kind);
        report.add(rule_id, &case.name, outcome);
    }
    Ok(report)
}

fn compare(
    expect: &Expect,
    judged: Result<Verdict, String>,
    titles: &mut Vec<String>,
) -> (String, Result<(), String>) {
    let kind = expect.reason.as_ref().unwrap_or(&expect.result).clone();
    let outcome = match judged {
        Err(error) if expect.result == "error" => contains_all("error", &error, &expect.reason_contains),
        Err(error) => Err(text::evaluation_failed(&error)),
        Ok(Verdict::Passed) if expect.result == "passed" => Ok(()),
        Ok(Verdict::Skipped(reason)) if expect.result == "skipped" => match &expect.reason {
            Some(expected) if *expected != reason => Err(text::skipped_otherwise(&reason, expected)),
            _ => Ok(()),
        },
        Ok(Verdict::Failed {
            title,
            evidence,
            apps,
        }) if expect.result == "failed" => {
            // Tests compare the sentence that a person would read.
            let title = title.untrusted().to_owned();
            let apps: Vec<String> = apps.iter().map(ToString::to_string).collect();
            let count = serde_json::from_str::<Vec<Value>>(&evidence).map_or(0, |list| list.len());
            let outcome = if let Err(lacking) = contains_all("sentence", &title, &expect.reason_contains) {
                Err(lacking)
            } else if expect.entities.as_ref().is_some_and(|expected| *expected != apps) {
                Err(text::other_apps(&apps))
            } else if expect.evidence.is_some_and(|expected| expected != count) {
                Err(text::other_evidence_count(count, &evidence))
            } else {
                Ok(())
            };
            titles.push(title);
            outcome
        }
        Ok(other) => Err(text::other_verdict(&kind, format_args!("{other:?}"))),
    };
    (kind, outcome)
}

/// Merges the case's document over its base.
fn document(base: &Map<String, Value>, rule: &Rule, partial: Value) -> Result<Value, String> {
    let kind = rule.document.as_str();
    let mut whole = merged(base, kind, partial)?;
    set_times(&mut whole)?;
    Ok(whole)
}

/// Merges a partial object of a kind (`app`) over its base.
pub(crate) fn whole(kind: &str, partial: Value) -> Result<Value, String> {
    let mut whole = merged(&base_documents()?, kind, partial)?;
    set_times(&mut whole)?;
    Ok(whole)
}

fn base_documents() -> Result<Map<String, Value>, String> {
    serde_json::from_str(builtin::CASE_BASE).map_err(|error| text::broken_base(&error))
}

/// Returns the kind of object in a list, by the list's name.
fn kind_of(list: &str) -> Option<&'static str> {
    Some(match list {
        "accounts" => "account",
        "roles" => "role",
        "grants" => "grant",
        "integrations" => "integration_ref",
        "principals" | "owners" => "principal",
        "credentials" => "credential",
        _ => return None,
    })
}

fn merged(base: &Map<String, Value>, kind: &str, partial: Value) -> Result<Value, String> {
    let Value::Object(partial) = partial else {
        return Err(text::partial_not_object(kind));
    };
    let defaults = base
        .get(kind)
        .and_then(Value::as_object)
        .ok_or_else(|| text::base_lacks(kind))?;
    let mut whole = defaults.clone();
    if kind == "integration_ref" {
        // The platform determines the id, the name and whether it is an identity provider.
        let platform = partial.get("platform").and_then(Value::as_str).unwrap_or("m365");
        let of_platform = base
            .get("platforms")
            .and_then(|platforms| platforms.get(platform))
            .and_then(Value::as_object);
        whole.extend(of_platform.cloned().unwrap_or_default());
    }
    for (key, value) in partial {
        let value = match (key.as_str(), value) {
            (_, Value::Null) => {
                whole.remove(&key);
                continue;
            }
            ("integration", value) => merged(base, "integration_ref", value)?,
            (list, Value::Array(items)) => match kind_of(list) {
                // An app has its people as principals, and its accounts as a number.
                Some(kind) => items
                    .into_iter()
                    .map(|item| merged(base, kind, item))
                    .collect::<Result<Vec<Value>, String>>()?
                    .into(),
                None => Value::Array(items),
            },
            (_, value) => value,
        };
        whole.insert(key, value);
    }
    Ok(Value::Object(whole))
}

fn set_times(value: &mut Value) -> Result<(), String> {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields.iter_mut() {
                if key.ends_with("_ms")
                    && let Value::String(offset) = value
                {
                    *value = time(offset)?.into();
                } else {
                    set_times(value)?;
                }
            }
            Ok(())
        }
        Value::Array(items) => items.iter_mut().try_for_each(set_times),
        _ => Ok(()),
    }
}

/// Parses `-90d`, `+24h` or `-24h -1ms` as an offset from [`NOW_MS`].
fn time(offset: &str) -> Result<i64, String> {
    offset.split_whitespace().try_fold(NOW_MS, |sum, part| {
        let wrong = || text::not_a_time(offset);
        let unit_at = part.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(wrong)?;
        let (number, unit) = part.split_at(unit_at);
        let number: i64 = number.parse().map_err(|_| wrong())?;
        let unit = match unit {
            "ms" => 1,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(wrong()),
        };
        number
            .checked_mul(unit)
            .and_then(|span| sum.checked_add(span))
            .ok_or_else(wrong)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_offsets_from_now() {
        let check = |text: &str, expected: i64| assert_eq!(time(text), Ok(NOW_MS + expected), "{text}");
        check("-1d", -86_400_000);
        check("+2h", 7_200_000);
        check("-1d -1ms", -86_400_001);
        assert!(time("yesterday").is_err());
        assert!(time("-1w").is_err());
    }
}
