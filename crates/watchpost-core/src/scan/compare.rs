//! Comparison of two scans: new and fixed failures, checks that became unreadable or readable, and changed
//! values.

use super::{ComplianceScore, ResultFilter, ResultRow, ScanCounts, SettingRow, result::scored_by_framework};
use crate::{
    check::{CheckResult, Framework},
    value::{
        text::{visible, visible_json},
        word::words,
    },
};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Maximum number of changed values shown per setting.
const CHANGES_SHOWN: usize = 20;
/// Maximum length of a shown value, in characters.
const VALUE_CHARS_MAX: usize = 300;
/// Maximum depth to which documents are compared value by value.
const DEPTH_MAX: usize = 24;

words! {
    /// The reason for which a scan is compared with an earlier one.
    ComparedWith {
        /// The last completed scan of another day. Scans of the same day often repeat each other.
        AnotherDay = "last_scan_of_another_day",
        /// The previous completed scan, since all earlier ones are of the same day.
        Previous = "previous_scan",
        /// The scan that was requested.
        Requested = "requested_scan",
    }
}

/// A check with different results in two scans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultChange {
    /// The result in the earlier scan; `None` if that scan didn't contain the check.
    pub before: Option<ResultRow>,
    /// The result in the later scan; `None` if that scan doesn't contain the check.
    pub after: Option<ResultRow>,
}

impl ResultChange {
    /// Returns the result in the later scan, or in the earlier one if the later one doesn't contain the check.
    pub fn row(&self) -> Option<&ResultRow> {
        self.after.as_ref().or(self.before.as_ref())
    }
}

/// A changed value in a setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ValueChange {
    /// The position of the value as a JSON pointer. List items with an id are identified by it instead of their
    /// index.
    pub pointer: String,
    /// The earlier value, truncated; absent if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// The later value, truncated; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// A setting that differs between two scans.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SettingChange {
    /// The setting's path.
    pub path: String,
    /// The state of the collection in the earlier scan; absent if that scan didn't read the setting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_before: Option<&'static str>,
    /// The state of the collection in the later scan; absent if that scan didn't read the setting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_after: Option<&'static str>,
    /// Changed values; at most 20.
    pub values: Vec<ValueChange>,
}

/// The scores of a framework in two scans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameworkDelta {
    /// The framework.
    pub framework: Framework,
    /// The score in the earlier scan.
    pub before: Option<ComplianceScore>,
    /// The score in the later scan.
    pub after: Option<ComplianceScore>,
}

/// The comparison of two scans.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comparison {
    /// Checks that fail now and didn't fail before, or weren't there.
    pub new_failures: Vec<ResultChange>,
    /// Checks that failed before and pass now.
    pub fixed: Vec<ResultChange>,
    /// Checks that passed or failed before and are skipped or in error now.
    pub newly_skipped: Vec<ResultChange>,
    /// Checks that were skipped or in error before and pass now. Those that fail now are new failures.
    pub newly_readable: Vec<ResultChange>,
    /// Checks that failed in both scans, with different values or entities.
    pub changed_failures: Vec<ResultChange>,
    /// Checks that only the later scan contains and that don't fail.
    pub added: Vec<ResultChange>,
    /// Checks that only the earlier scan contains.
    pub removed: Vec<ResultChange>,
    /// The number of checks with the same result in both scans.
    pub unchanged: u64,
    /// The number of those that failed in both scans.
    pub still_failing: u64,
    /// The counts of the earlier and the later scan, over the compared checks.
    pub counts: (ScanCounts, ScanCounts),
    /// The scores of the earlier and the later scan, over the compared checks.
    pub score: (Option<ComplianceScore>, Option<ComplianceScore>),
    /// The scores by framework.
    pub frameworks: Vec<FrameworkDelta>,
}

impl Comparison {
    /// Iterates over all changes, new failures first.
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

const fn is_passed_or_failed(row: &ResultRow) -> bool {
    matches!(row.result, CheckResult::Passed | CheckResult::Failed)
}

/// Compares the results of two scans for the checks that a filter selects. A check is selected by its later result, or by
/// the earlier one if the later scan doesn't contain it. Without a filter all checks are compared, and all frameworks.
pub fn compare_selected(
    mut before: Vec<ResultRow>,
    mut after: Vec<ResultRow>,
    filter: &ResultFilter,
) -> Comparison {
    let all: BTreeSet<String> = after.iter().map(|row| row.check_id.clone()).collect();
    after.retain(|row| filter.matches(row));
    let selected: BTreeSet<&str> = after.iter().map(|row| row.check_id.as_str()).collect();
    before.retain(|row| {
        if all.contains(&row.check_id) {
            selected.contains(row.check_id.as_str())
        } else {
            filter.matches(row)
        }
    });
    let mut out = compare(&before, &after);
    out.frameworks
        .retain(|delta| filter.frameworks.is_empty() || filter.frameworks.contains(&delta.framework));
    out
}

/// Returns the scores by framework in two scans.
fn framework_scores(before: &[ResultRow], after: &[ResultRow]) -> Vec<FrameworkDelta> {
    let (scores_before, scores_after) = (scored_by_framework(before), scored_by_framework(after));
    let names: BTreeSet<Framework> = scores_before.keys().chain(scores_after.keys()).copied().collect();
    names
        .into_iter()
        .map(|framework| FrameworkDelta {
            framework,
            before: scores_before.get(&framework).and_then(ScanCounts::score),
            after: scores_after.get(&framework).and_then(ScanCounts::score),
        })
        .collect()
}

/// Compares the results of two scans.
pub fn compare(before: &[ResultRow], after: &[ResultRow]) -> Comparison {
    let counts = (ScanCounts::of(before), ScanCounts::of(after));
    let mut out = Comparison {
        counts,
        score: (counts.0.score(), counts.1.score()),
        frameworks: framework_scores(before, after),
        ..Comparison::default()
    };
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
            Some(was) if is_passed_or_failed(was) && !is_passed_or_failed(row) => {
                out.newly_skipped.push(change());
            }
            Some(was) if !is_passed_or_failed(was) && is_passed_or_failed(row) => {
                out.newly_readable.push(change());
            }
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
    /// Compares one setting in two scans. Returns `None` if it didn't change. `documents` are the earlier and the
    /// later document.
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

/// Returns the values that differ between two documents; at most 20.
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
                // A setting that a tenant has once is a list of one row, which may have no name.
                _ if let ([one @ Value::Object(_)], [two @ Value::Object(_)]) = (&one[..], &two[..]) => {
                    pair(Some(one), Some(two), format!("{pointer}/0"), depth, out);
                }
                // Lists of plain values are shown whole, because their order rarely has a meaning.
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
    visible(key).replace('~', "~0").replace('/', "~1")
}

/// Returns the items by id or name, if every item has one and all are distinct.
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

/// Returns the value without invisible characters, truncated if it is too long to show.
fn clipped(value: &Value) -> Value {
    let value = &visible_json(value);
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
            reason: ForeignText::sentence("A reason."),
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
    fn a_filtered_comparison_has_the_score_of_the_selected_checks() {
        use CheckResult::{Failed, Passed};
        let of = |service, row: ResultRow| ResultRow { service, ..row };
        let other = |id, result| of(Service::Teams, row(id, result, 1));
        let before = vec![
            row("exo.fixed", Failed, 1),
            row("exo.gone", Failed, 1),
            row("exo.same", Failed, 1),
            other("teams.same", Failed),
            other("moved", Failed),
        ];
        let after = vec![
            row("exo.fixed", Passed, 2),
            row("exo.same", Failed, 1),
            row("moved", Failed, 1),
            other("teams.same", Failed),
            other("teams.new", Failed),
        ];
        let filter = ResultFilter {
            services: vec![Service::Exchange],
            ..ResultFilter::default()
        };
        let found = compare_selected(before.clone(), after.clone(), &filter);
        assert_eq!((found.counts.0.failed, found.counts.1.failed), (4, 2));
        assert_eq!(found.score.1.unwrap().to_string(), "33.3");
        assert_eq!((found.new_failures.len(), found.still_failing), (0, 2));
        assert_eq!(found.removed.len(), 1);
        let cis = ResultFilter {
            frameworks: vec![Framework::Cis],
            ..ResultFilter::default()
        };
        let frameworks = |filter| compare_selected(before.clone(), after.clone(), filter).frameworks;
        assert_eq!(frameworks(&cis).len(), 1);
        let scuba = ResultFilter {
            frameworks: vec![Framework::Scuba],
            ..ResultFilter::default()
        };
        assert!(frameworks(&scuba).is_empty());
        let whole = compare_selected(before.clone(), after.clone(), &ResultFilter::default());
        assert_eq!(whole, compare(&before, &after));
    }

    #[test]
    fn changed_list_items_are_identified_by_their_id() {
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
    fn the_only_row_of_a_list_needs_no_id() {
        let rows = |rows: serde_json::Value| json!({ "value": rows });
        let check = |before, after, expected: serde_json::Value| {
            let found = differences(&rows(before), &rows(after));
            assert_eq!(serde_json::to_value(found).unwrap(), expected);
        };
        check(
            json!([{"Enabled": true, "Size": 1}]),
            json!([{"Enabled": false, "Size": 1}]),
            json!([{"pointer": "/value/0/Enabled", "before": true, "after": false}]),
        );
        check(
            json!([{"Enabled": true}]),
            json!([{"Identity": "Global", "Enabled": true}]),
            json!([{"pointer": "/value/0/Identity", "after": "Global"}]),
        );
        check(
            json!([{"Enabled": true}]),
            json!([{"Enabled": true}, {"Enabled": false}]),
            json!([{"pointer": "/value", "before": [{"Enabled": true}], "after": [{"Enabled": true}, {"Enabled": false}]}]),
        );
        check(
            json!(["a"]),
            json!(["b"]),
            json!([{"pointer": "/value", "before": ["a"], "after": ["b"]}]),
        );
    }

    #[test]
    fn the_number_of_changed_values_is_limited() {
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
        let one = json!({"value": [{"Name": "a\u{202e}b", "x": "1"}]});
        let two = json!({"value": [{"Name": "a\u{202e}b", "x": "\u{2067}2"}]});
        assert_eq!(
            serde_json::to_value(differences(&one, &two)).unwrap(),
            json!([{"pointer": "/value/ab/x", "before": "1", "after": "2"}])
        );
    }
}
