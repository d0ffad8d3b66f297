//! Normalization of lists, dates and names as PowerShell writes them to JSON.

use serde_json::{Map, Value};

/// The nesting depth up to which values are converted.
const DEPTH_MAX: usize = 64;

/// Returns the rows of a list as written by PowerShell. `null`, `""` and `{}` are empty lists, a single element is a list of
/// one, nested lists are flattened, and nulls (also as the string `"null"`) are dropped.
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

/// Returns the non-empty strings of a list as written by PowerShell, without surrounding whitespace.
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

/// Parses a bool, which may be a string or a list of one.
pub(super) fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(yes) => Some(*yes),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        Value::Array(items) if items.len() == 1 => items.first().and_then(boolean),
        _ => None,
    }
}

/// Converts dates such as `/Date(1777406310050)/` to ISO 8601, everywhere in a value. The year 1, which stands for "always"
/// or "never", becomes `0001-01-01T00:00:00Z`.
pub(super) fn with_dates(value: Value) -> Value {
    rewrite(value, 0, &|key| key, false)
}

/// Converts a value to the spelling of Microsoft Graph: every key begins with a lower-case letter, dates are ISO 8601, and
/// the fields that the PowerShell module moved into `AdditionalProperties` are moved back.
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
            if hoist && let Some(Value::Object(additional)) = out.remove("additionalProperties") {
                for (key, inner) in additional {
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

/// Converts `/Date(ms)/`, with or without a time zone after the number, to ISO 8601 in UTC.
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

/// Converts hash tables that an older export wrote as strings, such as `@{disableShareWithEveryone=False; limit=10}`, to
/// objects, one level deep. A string that isn't a hash table is kept unchanged.
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
    fn lists_are_read_in_every_format_of_powershell() {
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
    fn dates_are_converted_to_iso_8601() {
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
    fn keys_are_converted_to_the_spelling_of_graph() {
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
    fn hash_tables_in_strings_become_objects() {
        assert_eq!(
            with_hashtables(
                json!({"powerApps": "@{disableShareWithEveryone=False; limit=10; name=x}", "note": "@{a; b}"})
            ),
            json!({"powerApps": {"disableShareWithEveryone": false, "limit": 10, "name": "x"}, "note": "@{a; b}"})
        );
    }
}
