//! Values that a platform returned, as lines for people. `--json` prints them as they are.

use serde_json::Value;
use watchpost_core::value::{text::visible, time::Timestamp};

/// Writes a value with one line for each item or field.
pub(crate) fn lines(value: &Value) -> String {
    let lines: Vec<String> = match value {
        Value::Array(items) if !items.is_empty() => {
            items.iter().map(|item| format!("- {}", inline(item))).collect()
        }
        Value::Object(fields) if !fields.is_empty() => {
            fields.iter().map(|(name, value)| field(name, value)).collect()
        }
        other => vec![inline(other)],
    };
    lines.join("\n")
}

/// Writes a value within a line.
pub(crate) fn inline(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Number(number) => number.to_string(),
        // Settings may contain JSON as text.
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(inner @ (Value::Array(_) | Value::Object(_))) => inline(&inner),
            // The end of a long value may be cut off.
            _ if text.starts_with(['[', '{']) => {
                let marks = ['[', ']', '{', '}', '"'];
                visible(text)
                    .replace(marks, "")
                    .replace(':', ": ")
                    .replace(',', ", ")
            }
            _ => visible(text).into_owned(),
        },
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(grouped).collect::<Vec<_>>().join(", "),
        Value::Object(fields) if fields.is_empty() => "none".to_owned(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| match value {
                Value::Array(_) | Value::Object(_) => format!("{}: {}", named(name), grouped(value)),
                _ => field(name, value),
            })
            .collect::<Vec<_>>()
            .join(", "),
    }
}

/// A value that may contain commas, in parentheses.
fn grouped(value: &Value) -> String {
    match value {
        Value::Object(fields) if fields.len() > 1 => format!("({})", inline(value)),
        Value::Array(items) if items.len() > 1 => format!("({})", inline(value)),
        other => inline(other),
    }
}

/// A field. Names in `_ms` have times as their values.
fn field(name: &str, value: &Value) -> String {
    match (name.strip_suffix("_ms"), value.as_i64()) {
        (Some(name), Some(time)) => format!("{}: {}", named(name), Timestamp::from_millis(time)),
        (Some(name), None) => format!("{}: {}", named(name), inline(value)),
        (None, _) => format!("{}: {}", named(name), inline(value)),
    }
}

fn named(name: &str) -> String {
    visible(name).replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_lines_without_json() {
        let value = json!([
            {"account": "a@b.example", "never_expires": false, "last_used_ms": 0, "roles": ["One", "Two"]},
            {"value": "[{\"id\":1,\"on\":true}]", "empty": []},
        ]);
        assert_eq!(
            lines(&value),
            "- account: a@b.example, last used: 1970-01-01T00:00:00Z, never expires: no, roles: (One, Two)\n\
             - empty: none, value: (id: 1, on: yes)"
        );
        assert_eq!(lines(&json!({"policies": 2})), "policies: 2");
        assert_eq!(lines(&json!(null)), "nothing");
        assert_eq!(
            inline(&json!("[{\"on\":true,\"na\u{2026}")),
            "on: true, na\u{2026}"
        );
    }
}
