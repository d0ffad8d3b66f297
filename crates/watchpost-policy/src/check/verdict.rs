//! The outcome of a check.

use crate::{
    answer::{Answer, check_size, field, json_within, list, string},
    limits::VERDICT_NODES_MAX,
    text,
};
use regorus::Value;
use watchpost_core::{
    check::{CheckEntity, CheckResult, Outcome, SkipReason, WouldPass},
    value::text::{ForeignText, visible},
};

/// Maximum size of `detected`, in bytes of JSON.
const DETECTED_BYTES_MAX: usize = 4 * 1024;
/// Maximum number of entities in an outcome.
const ENTITIES_MAX: usize = 1_000;
/// Maximum number of ids in `would_pass.excluded`.
const EXCLUDED_MAX: usize = 200;
/// Maximum length of an id or an entity type, in characters.
const ID_CHARS_MAX: usize = 200;

/// Reads `value`. The error states what is wrong with it.
pub(crate) fn read(value: &Value) -> Result<Outcome, String> {
    let answer = Answer::read(value)?;
    let reason = answer.string("reason")?;
    let details = match answer.field("details") {
        None => "",
        Some(Value::String(details)) => details.as_ref(),
        Some(_) => return Err(text::DETAILS_NOT_STRING.to_owned()),
    };
    let (skip, sentence) = if answer.result == CheckResult::Skipped {
        let skip = reason
            .parse::<SkipReason>()
            .map_err(|_| text::SKIP_REASON_UNKNOWN.to_owned())?;
        let sentence = if details.is_empty() {
            default_sentence(skip)
        } else {
            details
        };
        (Some(skip), ForeignText::sentence(sentence))
    } else {
        (None, ForeignText::sentence(reason))
    };
    if sentence.is_empty() {
        return Err(text::REASON_EMPTY.to_owned());
    }
    Ok(Outcome {
        result: answer.result,
        skip,
        reason: sentence,
        detected: detected(answer.field("detected"))?,
        evidence: answer.evidence()?,
        entities: if answer.result == CheckResult::Failed {
            entities(answer.field("entities"))?
        } else {
            Vec::new()
        },
        would_pass: would_pass(answer.field("would_pass"))?,
    })
}

/// Returns the sentence for a skipped check that gives none.
const fn default_sentence(skip: SkipReason) -> &'static str {
    match skip {
        SkipReason::NotApplicable => text::NOT_APPLICABLE,
        SkipReason::Unlicensed => text::UNLICENSED,
        SkipReason::Unreadable => text::UNREADABLE,
        SkipReason::Manual => text::MANUAL,
    }
}

/// Returns the JSON text of a value. A list that is too long keeps as many entries as fit.
fn detected(value: Option<&Value>) -> Result<Option<String>, String> {
    let Some(value) = value else {
        return Ok(None);
    };
    let mut nodes = VERDICT_NODES_MAX;
    check_size(value, &mut nodes, "detected")?;
    if let Some(whole) = json(value) {
        return Ok(Some(whole));
    }
    let items: Vec<&Value> = match value {
        Value::Array(items) => items.iter().collect(),
        Value::Set(items) => items.iter().collect(),
        _ => return Ok(Some(text::TOO_LONG_TO_SHOW.to_owned())),
    };
    let mut out = String::from("[");
    for item in items {
        let Some(entry) = json(item) else { break };
        if out.len().saturating_add(entry.len()).saturating_add(2) > DETECTED_BYTES_MAX {
            break;
        }
        if out.len() > 1 {
            out.push(',');
        }
        out.push_str(&entry);
    }
    out.push(']');
    Ok(Some(out))
}

/// Returns the JSON text of a value, if it fits.
fn json(value: &Value) -> Option<String> {
    json_within(value, DETECTED_BYTES_MAX)
}

fn entities(value: Option<&Value>) -> Result<Vec<CheckEntity>, String> {
    let mut found = Vec::new();
    for item in list(value, "entities")?.into_iter().take(ENTITIES_MAX) {
        let kind = string(item, "type").filter(|kind| !kind.is_empty());
        let title = string(item, "name");
        let id = string(item, "id").filter(|id| !id.is_empty()).or(title);
        let (Some(kind), Some(id)) = (kind, id.filter(|id| !id.is_empty())) else {
            return Err(text::ENTITY_INCOMPLETE.to_owned());
        };
        found.push(CheckEntity {
            kind: clipped(kind),
            id: clipped(id),
            name: ForeignText::name(title.unwrap_or(id)),
        });
    }
    Ok(found)
}

fn would_pass(value: Option<&Value>) -> Result<Option<WouldPass>, String> {
    let Some(value) = value else {
        return Ok(None);
    };
    let condition = string(value, "if").ok_or(text::WOULD_PASS_NOT_STRING)?;
    let excluded = list(field(value, "excluded"), "would_pass.excluded")?
        .into_iter()
        .filter_map(|id| match id {
            Value::String(id) => Some(clipped(id)),
            _ => None,
        })
        .take(EXCLUDED_MAX)
        .collect();
    Ok(Some(WouldPass {
        condition: ForeignText::sentence(condition),
        excluded,
    }))
}

fn clipped(text: &str) -> String {
    visible(text).chars().take(ID_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Value {
        Value::from_json_str(text).unwrap()
    }

    #[test]
    fn outcomes_are_read() {
        let passed = read(&json(
            r#"{"result":"passed","reason":"All is well.","detected":null}"#,
        ))
        .unwrap();
        assert_eq!(passed, Outcome::plain(CheckResult::Passed, None, "All is well."));
        let skipped = read(&json(
            r#"{"result":"skipped","reason":"manual","details":"Look at the list."}"#,
        ));
        assert_eq!(
            skipped,
            Ok(Outcome::plain(
                CheckResult::Skipped,
                Some(SkipReason::Manual),
                "Look at the list."
            ))
        );
        let failed = read(&json(
            r#"{"result":"failed","reason":"Two users are open.","detected":{"n":2},"evidence":[{"a":1}],
                "entities":[{"type":"user","id":"u1","name":"Mara"},{"type":"user","name":"Ivo"}],
                "would_pass":{"if":"they were exempt","excluded":["u1"]}}"#,
        ))
        .unwrap();
        assert_eq!(failed.detected.as_deref(), Some(r#"{"n":2}"#));
        assert_eq!(failed.evidence, r#"[{"a":1}]"#);
        assert_eq!(failed.entities.len(), 2);
        assert_eq!(failed.entities[1].id, "Ivo");
        assert_eq!(failed.would_pass.unwrap().excluded, ["u1"]);
    }

    #[test]
    fn invalid_outcomes_are_reported() {
        let check = |value: &Value, expected: &str| {
            let error = read(value).unwrap_err();
            assert!(error.contains(expected), "{error}");
        };
        check(&json("true"), "not an object");
        check(&json(r#"{"result":"failed"}"#), "reason");
        check(&json(r#"{"result":"failed","reason":" "}"#), "empty");
        check(
            &json(r#"{"result":"skipped","reason":"because"}"#),
            "not_applicable",
        );
        check(
            &json(r#"{"result":"failed","reason":"x","entities":["x"]}"#),
            "entities",
        );
    }

    #[test]
    fn detected_values_are_cut_to_complete_entries() {
        let entries: Vec<Value> = (0..100).map(|_| Value::from("x".repeat(100).as_str())).collect();
        let text = detected(Some(&Value::from(entries))).unwrap().unwrap();
        assert!(text.len() <= DETECTED_BYTES_MAX && text.len() > DETECTED_BYTES_MAX - 200);
        assert!(serde_json::from_str::<Vec<String>>(&text).is_ok());
        let long = detected(Some(&Value::from("x".repeat(5_000).as_str()))).unwrap();
        assert_eq!(long.as_deref(), Some("\"too long to show\""));
    }

    #[test]
    fn exponentially_large_values_are_rejected() {
        let mut value = json("[1]");
        for _ in 0..60 {
            value = Value::from(vec![value.clone(), value]);
        }
        assert!(detected(Some(&value)).unwrap_err().contains("too big"));
    }
}
