//! Comparing two scans: what is new, what was repaired, what became unreadable, and which values moved.

use super::{ComplianceScore, ResultRow, ScanCounts, SettingRow, result::scored_by_framework};
use crate::check::{CheckResult, Framework};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Moved values shown of one setting.
const CHANGES_SHOWN: usize = 20;
/// Characters of a value that is shown.
const VALUE_CHARS_MAX: usize = 300;
/// Depth down to which documents are compared value by value.
const DEPTH_MAX: usize = 24;

/// A check whose result differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultChange {
    /// Its result in the earlier scan; `None` if the check wasn't there.
    pub before: Option<ResultRow>,
    /// Its result in the later scan; `None` if the check is gone.
    pub after: Option<ResultRow>,
}

impl ResultChange {
    /// The check, as the later scan knows it if it does.
    pub fn row(&self) -> Option<&ResultRow> {
        self.after.as_ref().or(self.before.as_ref())
    }
}

/// A value that moved inside a setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ValueChange {
    /// Where, as a JSON pointer; list items that have an id are named by it.
    pub pointer: String,
    /// The earlier value, clipped; absent if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// The later value, clipped; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// A setting that differs between two scans.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SettingChange {
    /// Its path.
    pub path: String,
    /// How its reading ended in the earlier scan; absent if it wasn't tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_before: Option<&'static str>,
    /// How its reading ended in the later scan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_after: Option<&'static str>,
    /// Moved values, at most 20.
    pub values: Vec<ValueChange>,
}

/// A framework's scores in two scans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameworkDelta {
    /// The framework.
    pub framework: Framework,
    /// Score in the earlier scan.
    pub before: Option<ComplianceScore>,
    /// Score in the later scan.
    pub after: Option<ComplianceScore>,
}

/// Two scans side by side.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comparison {
    /// Failed now, and didn't before (or wasn't there).
    pub new_failures: Vec<ResultChange>,
    /// Failed before, passes now.
    pub fixed: Vec<ResultChange>,
    /// Judged before, skipped or in error now.
    pub newly_skipped: Vec<ResultChange>,
    /// Skipped or in error before, passed now. (What fails now is a new failure.)
    pub newly_readable: Vec<ResultChange>,
    /// Failed in both, with another value or other things than before.
    pub changed_failures: Vec<ResultChange>,
    /// Checks that only the later scan has and that didn't fail.
    pub added: Vec<ResultChange>,
    /// Checks that only the earlier scan has.
    pub removed: Vec<ResultChange>,
    /// How many checks have the same result as before.
    pub unchanged: u64,
    /// How many of those failed in both.
    pub still_failing: u64,
    /// Overall scores.
    pub score: (Option<ComplianceScore>, Option<ComplianceScore>),
    /// Scores by framework.
    pub frameworks: Vec<FrameworkDelta>,
}

impl Comparison {
    /// All changes, new failures first.
    pub fn changes(&self) -> impl Iterator<Item = &ResultChange> {
        self.new_failures
            .iter()
            .chain(&self.fixed)
            .chain(&self.changed_failures)
            .chain(&self.newly_skipped)
            .chain(&self.newly_readable)
            .chain(&self.added)
            .chain(&self.removed)
    }
}

const fn is_judged(row: &ResultRow) -> bool {
    matches!(row.result, CheckResult::Passed | CheckResult::Failed)
}

/// Compares two scans' results.
pub fn compare(before: &[ResultRow], after: &[ResultRow]) -> Comparison {
    let mut out = Comparison {
        score: (ScanCounts::of(before).score(), ScanCounts::of(after).score()),
        ..Comparison::default()
    };
    let (scores_before, scores_after) = (scored_by_framework(before), scored_by_framework(after));
    let names: BTreeSet<Framework> = scores_before.keys().chain(scores_after.keys()).copied().collect();
    out.frameworks = names
        .into_iter()
        .map(|framework| FrameworkDelta {
            framework,
            before: scores_before.get(&framework).and_then(ScanCounts::score),
            after: scores_after.get(&framework).and_then(ScanCounts::score),
        })
        .collect();
    let earlier: BTreeMap<&str, &ResultRow> = before.iter().map(|row| (row.check_id.as_str(), row)).collect();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for row in after {
        seen.insert(&row.check_id);
        let was = earlier.get(row.check_id.as_str()).copied();
        let change = || ResultChange {
            before: was.cloned(),
            after: Some(row.clone()),
        };
        let failed = row.result == CheckResult::Failed;
        match was {
            None if failed => out.new_failures.push(change()),
            None => out.added.push(change()),
            Some(was) if was.result == CheckResult::Failed && failed => {
                out.unchanged += 1;
                out.still_failing += 1;
                if was.content != row.content {
                    out.changed_failures.push(change());
                }
            }
            Some(_) if failed => out.new_failures.push(change()),
            Some(was) if was.result == CheckResult::Failed && row.result == CheckResult::Passed => {
                out.fixed.push(change());
            }
            Some(was) if is_judged(was) && !is_judged(row) => out.newly_skipped.push(change()),
            Some(was) if !is_judged(was) && is_judged(row) => out.newly_readable.push(change()),
            Some(_) => out.unchanged += 1,
        }
    }
    for row in before.iter().filter(|row| !seen.contains(row.check_id.as_str())) {
        out.removed.push(ResultChange {
            before: Some(row.clone()),
            after: None,
        });
    }
    for list in [
        &mut out.new_failures,
        &mut out.fixed,
        &mut out.newly_skipped,
        &mut out.newly_readable,
        &mut out.changed_failures,
        &mut out.added,
        &mut out.removed,
    ] {
        list.sort_by(|a, b| {
            let key = |change: &ResultChange| change.row().map(|row| (row.severity, row.check_id.clone()));
            key(a).cmp(&key(b))
        });
    }
    out
}

impl SettingChange {
    /// What moved in one setting; `None` if nothing did. `documents` are the earlier and the later one.
    pub fn between(
        before: Option<&SettingRow>,
        after: Option<&SettingRow>,
        documents: (Option<&str>, Option<&str>),
    ) -> Option<Self> {
        let path = after.or(before)?.path.clone();
        let same_state = before.map(|row| row.state) == after.map(|row| row.state);
        let same_hash = before.and_then(|row| row.hash) == after.and_then(|row| row.hash);
        if same_state && same_hash {
            return None;
        }
        let read = |text: Option<&str>| text.and_then(|text| serde_json::from_str::<Value>(text).ok());
        let values = match (read(documents.0), read(documents.1)) {
            (Some(one), Some(two)) => differences(&one, &two),
            _ => Vec::new(),
        };
        Some(Self {
            path,
            state_before: before.map(|row| row.state.as_str()),
            state_after: after.map(|row| row.state.as_str()),
            values,
        })
    }
}

/// The values that differ between two documents, at most 20.
pub fn differences(before: &Value, after: &Value) -> Vec<ValueChange> {
    let mut out = Vec::new();
    walk(before, after, String::new(), 0, &mut out);
    out
}

fn walk(before: &Value, after: &Value, pointer: String, depth: usize, out: &mut Vec<ValueChange>) {
    if before == after || out.len() >= CHANGES_SHOWN {
        return;
    }
    match (before, after) {
        (Value::Object(one), Value::Object(two)) if depth < DEPTH_MAX => {
            let keys: BTreeSet<&String> = one.keys().chain(two.keys()).collect();
            for key in keys {
                let at = format!("{pointer}/{}", escaped(key));
                pair(one.get(key), two.get(key), at, depth, out);
            }
        }
        (Value::Array(one), Value::Array(two)) if depth < DEPTH_MAX => {
            match (named(one), named(two)) {
                (Some(one), Some(two)) => {
                    let keys: BTreeSet<&String> = one.keys().chain(two.keys()).collect();
                    for key in keys {
                        let at = format!("{pointer}/{}", escaped(key));
                        pair(one.get(key).copied(), two.get(key).copied(), at, depth, out);
                    }
                }
                // Lists of plain values are shown whole: their order says little.
                _ => push(Some(before), Some(after), pointer, out),
            }
        }
        _ => push(Some(before), Some(after), pointer, out),
    }
}

fn pair(one: Option<&Value>, two: Option<&Value>, at: String, depth: usize, out: &mut Vec<ValueChange>) {
    match (one, two) {
        (Some(one), Some(two)) => walk(one, two, at, depth.saturating_add(1), out),
        _ => push(one, two, at, out),
    }
}

fn push(before: Option<&Value>, after: Option<&Value>, pointer: String, out: &mut Vec<ValueChange>) {
    if out.len() < CHANGES_SHOWN {
        out.push(ValueChange {
            pointer,
            before: before.map(clipped),
            after: after.map(clipped),
        });
    }
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Items by their id or name, if every one has one and they differ.
fn named(items: &[Value]) -> Option<BTreeMap<String, &Value>> {
    let mut out = BTreeMap::new();
    for item in items {
        let object = item.as_object()?;
        let name = [
            "id",
            "Identity",
            "Guid",
            "Name",
            "name",
            "settingName",
            "domain",
            "DomainName",
        ]
        .iter()
        .find_map(|key| object.get(*key).and_then(Value::as_str))?;
        if out.insert(name.to_owned(), item).is_some() {
            return None;
        }
    }
    Some(out)
}

/// A value small enough to show.
fn clipped(value: &Value) -> Value {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        Value::String(text) if text.chars().count() <= VALUE_CHARS_MAX => value.clone(),
        Value::String(text) => Value::String(format!(
            "{}…",
            text.chars().take(VALUE_CHARS_MAX).collect::<String>()
        )),
        other => {
            let text = other.to_string();
            if text.chars().count() <= VALUE_CHARS_MAX {
                other.clone()
            } else {
                Value::String(format!(
                    "{}…",
                    text.chars().take(VALUE_CHARS_MAX).collect::<String>()
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        check::{FrameworkId, Service, SkipReason},
        value::{text::ForeignText, word::Severity},
    };
    use serde_json::json;

    fn row(id: &str, result: CheckResult, content: u64) -> ResultRow {
        ResultRow {
            check_id: id.into(),
            title: id.into(),
            severity: Severity::High,
            service: Service::Exchange,
            frameworks: vec![FrameworkId::new("CIS.M365.6.2.1")],
            result,
            skip: (result == CheckResult::Skipped).then_some(SkipReason::Unreadable),
            reason: ForeignText::sentence("Says why."),
            detected: None,
            entities: 0,
            content,
        }
    }

    #[test]
    fn every_kind_of_change_has_its_list() {
        use CheckResult::{Failed, Passed, Skipped};
        let before = [
            row("a.fixed", Failed, 1),
            row("a.broke", Passed, 1),
            row("a.same", Failed, 1),
            row("a.worse", Failed, 1),
            row("a.unread", Passed, 1),
            row("a.read", Skipped, 1),
            row("a.gone", Passed, 1),
        ];
        let after = [
            row("a.fixed", Passed, 2),
            row("a.broke", Failed, 2),
            row("a.same", Failed, 1),
            row("a.worse", Failed, 2),
            row("a.unread", Skipped, 2),
            row("a.read", Passed, 2),
            row("a.new", Passed, 1),
            row("a.newbad", Failed, 1),
        ];
        let found = compare(&before, &after);
        let ids = |list: &[ResultChange]| -> Vec<String> {
            list.iter()
                .filter_map(|change| change.row().map(|row| row.check_id.clone()))
                .collect()
        };
        assert_eq!(ids(&found.new_failures), ["a.broke", "a.newbad"]);
        assert_eq!(ids(&found.fixed), ["a.fixed"]);
        assert_eq!(ids(&found.changed_failures), ["a.worse"]);
        assert_eq!(ids(&found.newly_skipped), ["a.unread"]);
        assert_eq!(ids(&found.newly_readable), ["a.read"]);
        assert_eq!(ids(&found.added), ["a.new"]);
        assert_eq!(ids(&found.removed), ["a.gone"]);
        assert_eq!((found.unchanged, found.still_failing), (2, 2));
        let scores = found.frameworks.first().unwrap();
        assert_eq!(scores.framework, Framework::Cis);
        assert_eq!(scores.before.unwrap().to_string(), "50.0");
    }

    #[test]
    fn moved_values_are_named_by_the_items_id() {
        let before = json!({"value": [{"Identity": "Default", "AutoForwardEnabled": false}, {"Identity": "a/b", "x": 1}]});
        let after = json!({"value": [{"Identity": "a/b", "x": 1}, {"Identity": "Default", "AutoForwardEnabled": true}, {"Identity": "New"}]});
        let found = differences(&before, &after);
        assert_eq!(
            serde_json::to_value(&found).unwrap(),
            json!([
                {"pointer": "/value/Default/AutoForwardEnabled", "before": false, "after": true},
                {"pointer": "/value/New", "after": {"Identity": "New"}},
            ])
        );
    }

    #[test]
    fn however_much_moved_the_list_is_short() {
        let many = |n: i64| {
            Value::from(
                (0..1_000)
                    .map(|i| json!({"id": i.to_string(), "n": n}))
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(differences(&many(1), &many(2)).len(), CHANGES_SHOWN);
        let long = Value::from("x".repeat(10_000));
        let found = differences(&json!({ "a": 1 }), &json!({ "a": long }));
        assert!(found[0].after.as_ref().unwrap().as_str().unwrap().chars().count() <= VALUE_CHARS_MAX + 1);
    }
}
