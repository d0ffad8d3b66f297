//! Straightens what PowerShell's JSON writer makes of lists, dates and names.

use serde_json::{Map, Value};

/// How deep values are rewritten; what lies deeper stays as it is.
const DEPTH_MAX: usize = 64;

/// A list from whatever PowerShell made of it: absent, `null`, `""` and `{}` are no rows, one element may stand
/// alone, lists may be wrapped twice; nulls (also spelled `"null"`) are dropped.
pub(super) fn rows(value: &Value) -> Vec<Value> {
    let mut out = Vec::new();
    collect(value, 0, &mut out);
    out
}

fn collect(value: &Value, depth: usize, out: &mut Vec<Value>) {
    match value {
        Value::Array(items) if depth < 4 => {
            for item in items {
                collect(item, depth.saturating_add(1), out);
            }
        }
        Value::Null => {}
        Value::String(text) if text.trim().is_empty() || text == "null" => {}
        Value::Object(map) if map.is_empty() => {}
        other => out.push(other.clone()),
    }
}

/// The texts in a list of whatever shape, trimmed, without empty ones.
pub(super) fn texts(value: Option<&Value>) -> Vec<String> {
    value
        .map(rows)
        .unwrap_or_default()
        .iter()
        .filter_map(Value::as_str)
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty())
        .collect()
}

/// A boolean, also if spelled as text.
pub(super) fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(yes) => Some(*yes),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        Value::Array(items) if items.len() == 1 => items.first().and_then(boolean),
        _ => None,
    }
}

/// Dates such as `/Date(1777406310050)/` as ISO 8601, everywhere in a value. Year 1, which stands for "always" or
/// "never", becomes `0001-01-01T00:00:00Z`.
pub(super) fn with_dates(value: Value) -> Value {
    rewrite(value, 0, &|key| key, false)
}

/// As Graph spells it: the first letter of every key in lower case, dates as ISO 8601, and what the PowerShell module
/// put aside under `AdditionalProperties` back in its place.
pub(super) fn as_graph(value: Value) -> Value {
    rewrite(value, 0, &lower_first, true)
}

fn rewrite(value: Value, depth: usize, name: &dyn Fn(String) -> String, hoist: bool) -> Value {
    if depth > DEPTH_MAX {
        return value;
    }
    let deeper = depth.saturating_add(1);
    match value {
        Value::String(text) => Value::String(iso_date(&text).unwrap_or(text)),
        Value::Array(items) => Value::Array(
            items
                .into_iter()
                .map(|item| rewrite(item, deeper, name, hoist))
                .collect(),
        ),
        Value::Object(map) => {
            let mut out = Map::with_capacity(map.len());
            for (key, inner) in map {
                out.insert(name(key), rewrite(inner, deeper, name, hoist));
            }
            if hoist && let Some(Value::Object(aside)) = out.remove("additionalProperties") {
                for (key, inner) in aside {
                    let slot = out.entry(key).or_insert(Value::Null);
                    if slot.is_null() {
                        *slot = inner;
                    }
                }
            }
            Value::Object(out)
        }
        other => other,
    }
}

fn lower_first(key: String) -> String {
    match key.chars().next() {
        Some(first) if first.is_ascii_uppercase() => {
            let mut out = String::with_capacity(key.len());
            out.push(first.to_ascii_lowercase());
            out.extend(key.chars().skip(1));
            out
        }
        _ => key,
    }
}

/// `/Date(ms)/`, with or without a zone behind the number, as ISO 8601 in UTC.
fn iso_date(text: &str) -> Option<String> {
    let inner = text.strip_prefix("/Date(")?.strip_suffix(")/")?;
    let sign = usize::from(inner.starts_with('-'));
    let end = inner
        .get(sign..)?
        .find(|c: char| !c.is_ascii_digit())
        .map_or(inner.len(), |at| at.saturating_add(sign));
    let ms: i64 = inner.get(..end)?.parse().ok()?;
    jiff::Timestamp::from_millisecond(ms)
        .ok()
        .map(|at| at.to_string())
}

/// Hash tables that an older export wrote as text, `@{disableShareWithEveryone=False; limit=10}`, as objects, one
/// level deep. A text that isn't wholly of that form stays text.
pub(super) fn with_hashtables(value: Value) -> Value {
    match value {
        Value::String(text) => hashtable(&text).unwrap_or(Value::String(text)),
        Value::Object(map) => Value::Object(
            map.into_iter()
                .map(|(key, inner)| match inner {
                    Value::String(text) => {
                        let parsed = hashtable(&text);
                        (key, parsed.unwrap_or(Value::String(text)))
                    }
                    other => (key, other),
                })
                .collect(),
        ),
        other => other,
    }
}

fn hashtable(text: &str) -> Option<Value> {
    let inner = text.trim().strip_prefix("@{")?.strip_suffix('}')?;
    let mut out = Map::new();
    for part in inner.split(';').map(str::trim).filter(|part| !part.is_empty()) {
        let (key, value) = part.split_once('=')?;
        let value = value.trim();
        let value = match value {
            "True" => Value::Bool(true),
            "False" => Value::Bool(false),
            "" => Value::Null,
            number => number
                .parse::<i64>()
                .map_or_else(|_| Value::String(number.to_owned()), Value::from),
        };
        out.insert(key.trim().to_owned(), value);
    }
    Some(Value::Object(out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_come_out_of_every_shape_that_powershell_gives_them() {
        let check = |value: Value, expected: Value| {
            assert_eq!(Value::Array(rows(&value)), expected, "{value}");
        };
        check(json!(null), json!([]));
        check(json!([null]), json!([]));
        check(json!({}), json!([]));
        check(json!(""), json!([]));
        check(json!(["null"]), json!([]));
        check(json!({"a": 1}), json!([{"a": 1}]));
        check(json!([[{"a": 1}, null], {"b": 2}]), json!([{"a": 1}, {"b": 2}]));
    }

    #[test]
    fn dates_are_iso_and_year_one_stays() {
        let check = |text: &str, expected: &str| {
            assert_eq!(with_dates(json!([text])), json!([expected]));
        };
        check("/Date(1777406310050)/", "2026-04-28T19:58:30.05Z");
        check("/Date(-62135596800000)/", "0001-01-01T00:00:00Z");
        check("/Date(0+0200)/", "1970-01-01T00:00:00Z");
        check("/Date(x)/", "/Date(x)/");
        check("/Date(-)/", "/Date(-)/");
        check("/Date(99999999999999999999)/", "/Date(99999999999999999999)/");
    }

    #[test]
    fn keys_are_spelled_as_graph_spells_them() {
        assert_eq!(
            as_graph(
                json!({"Conditions": {"Users": [{"IncludeUsers": null, "@odata.type": "x"}]},
                "Rule": {"Id": "a", "Setting": null, "AdditionalProperties": {"setting": {"isApprovalRequired": true}}}})
            ),
            json!({"conditions": {"users": [{"includeUsers": null, "@odata.type": "x"}]},
                "rule": {"id": "a", "setting": {"isApprovalRequired": true}}})
        );
    }

    #[test]
    fn a_hash_table_in_text_is_an_object_again() {
        assert_eq!(
            with_hashtables(
                json!({"powerApps": "@{disableShareWithEveryone=False; limit=10; name=x}", "note": "@{a; b}"})
            ),
            json!({"powerApps": {"disableShareWithEveryone": false, "limit": 10, "name": "x"}, "note": "@{a; b}"})
        );
    }
}
