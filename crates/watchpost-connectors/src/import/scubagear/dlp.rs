//! The conditions of data loss prevention rules in an export.

use serde_json::Value;
use std::{iter::Peekable, str::Chars};

/// The field with an advanced rule's condition, which is JSON in a string.
const CONDITION: &str = "AdvancedRule";
/// The maximum length of a condition, in bytes.
const CONDITION_BYTES_MAX: usize = 100_000;

/// Restores the condition of an advanced rule. Exporters replace its quotes by apostrophes and drop the backslashes of its
/// line breaks: `{rn  'Version': '1.0'rn}`. A condition that can't be restored is kept unchanged, and can't be evaluated.
pub(super) fn restored(mut rule: Value) -> Value {
    if let Some(condition) = rule.get_mut(CONDITION)
        && let Some(text) = condition.as_str()
        && text.len() <= CONDITION_BYTES_MAX
        && !is_json(text)
    {
        let text = json_of(text);
        if is_json(&text) {
            *condition = Value::String(text);
        }
    }
    rule
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

fn json_of(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut in_string = false;
    while let Some(c) = chars.next() {
        match c {
            '\'' if !in_string => {
                in_string = true;
                out.push('"');
            }
            '\'' if ends_string(chars.clone()) => {
                in_string = false;
                out.push('"');
            }
            '"' | '\\' if in_string => {
                out.push('\\');
                out.push(c);
            }
            'r' if !in_string && chars.peek() == Some(&'n') => {
                chars.next();
            }
            other => out.push(other),
        }
    }
    out
}

/// Whether an apostrophe ends a string, by what follows it. Names may contain apostrophes.
fn ends_string(mut rest: Peekable<Chars<'_>>) -> bool {
    while let Some(c) = rest.next() {
        match c {
            'r' if rest.peek() == Some(&'n') => {
                rest.next();
            }
            ' ' | '\t' | '\r' | '\n' => {}
            other => return matches!(other, ',' | ':' | '}' | ']'),
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(condition: &str, expected: &Value) {
        let restored = restored(json!({"Name": "Numbers", "AdvancedRule": condition}));
        let text = restored["AdvancedRule"].as_str().unwrap();
        assert_eq!(
            &serde_json::from_str::<Value>(text).unwrap(),
            expected,
            "{condition}"
        );
    }

    #[test]
    fn a_condition_without_its_quotes_and_backslashes_is_restored() {
        check(
            "{rn  'Version': '1.0',rn  'Condition': {rn    'Operator': 'Or',rn    'SubConditions': []rn  }rn}",
            &json!({"Version": "1.0", "Condition": {"Operator": "Or", "SubConditions": []}}),
        );
        check(
            "{'Mincount': 1,rn'Maxcount': -1, 'On': true}",
            &json!({"Mincount": 1, "Maxcount": -1, "On": true}),
        );
    }

    #[test]
    fn apostrophes_and_other_characters_in_names_are_kept() {
        check(
            "{'Name': 'U.K. Driver's License', 'Next': 'Modern \"x\" rn'rn}",
            &json!({"Name": "U.K. Driver's License", "Next": "Modern \"x\" rn"}),
        );
    }

    #[test]
    fn valid_json_is_kept_and_so_is_what_cannot_be_restored() {
        check("{\"Name\": \"it's 'x'\"}", &json!({"Name": "it's 'x'"}));
        for text in ["", "{rn 'Sensitivetypes': [", "Credit Card Number"] {
            let rule = json!({"AdvancedRule": text});
            assert_eq!(restored(rule.clone()), rule);
        }
        for rule in [json!({}), json!({"AdvancedRule": null}), json!("Numbers")] {
            assert_eq!(restored(rule.clone()), rule);
        }
    }
}
