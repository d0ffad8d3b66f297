//! What a check answers.

use crate::{
    answer::{Answer, field, json_within, list, small, text},
    limits::VERDICT_NODES_MAX,
};
use regorus::Value;
use watchpost_core::{
    check::{CheckEntity, CheckResult, Outcome, SkipReason, WouldPass},
    value::text::ForeignText,
};

/// Bytes of the JSON text of `detected`.
const DETECTED_BYTES_MAX: usize = 4 * 1024;
/// Entities that an outcome names.
const ENTITIES_MAX: usize = 1_000;
/// Ids that stand in the way of passing.
const EXCLUDED_MAX: usize = 200;
/// Characters of an id or a word.
const ID_CHARS_MAX: usize = 200;

/// Reads `value`; `Err` says what is wrong with it.
pub(crate) fn read(value: &Value) -> Result<Outcome, String> {
    let answer = Answer::read(value)?;
    let reason = answer.text("reason")?;
    let details = match answer.field("details") {
        None => "",
        Some(Value::String(details)) => details.as_ref(),
        Some(_) => return Err("`result.details` is not text".to_owned()),
    };
    let (skip, sentence) = if answer.result == CheckResult::Skipped {
        let word = reason.parse::<SkipReason>().map_err(|_| {
            "`result.reason` of a skipped check is none of not_applicable, unlicensed, unreadable, manual"
                .to_owned()
        })?;
        let sentence = if details.is_empty() { usual(word) } else { details };
        (Some(word), ForeignText::sentence(sentence))
    } else {
        (None, ForeignText::sentence(reason))
    };
    if sentence.is_empty() {
        return Err("`result.reason` is empty".to_owned());
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

/// The sentence of a skipped check that has none of its own.
const fn usual(word: SkipReason) -> &'static str {
    match word {
        SkipReason::NotApplicable => "This doesn't apply to the tenant.",
        SkipReason::Unlicensed => "The tenant's licences lack this.",
        SkipReason::Unreadable => "A setting that this needs couldn't be read.",
        SkipReason::Manual => "A person must look at this.",
    }
}

/// JSON text of a value; of a list that is too long, as many entries as fit.
fn detected(value: Option<&Value>) -> Result<Option<String>, String> {
    let Some(value) = value else {
        return Ok(None);
    };
    let mut nodes = VERDICT_NODES_MAX;
    small(value, &mut nodes, "detected")?;
    if let Some(text) = json(value) {
        return Ok(Some(text));
    }
    let items: Vec<&Value> = match value {
        Value::Array(items) => items.iter().collect(),
        Value::Set(items) => items.iter().collect(),
        _ => return Ok(Some("\"too long to show\"".to_owned())),
    };
    let mut out = String::from("[");
    for item in items {
        let Some(text) = json(item) else { break };
        if out.len().saturating_add(text.len()).saturating_add(2) > DETECTED_BYTES_MAX {
            break;
        }
        if out.len() > 1 {
            out.push(',');
        }
        out.push_str(&text);
    }
    out.push(']');
    Ok(Some(out))
}

/// JSON text, if it fits.
fn json(value: &Value) -> Option<String> {
    json_within(value, DETECTED_BYTES_MAX)
}

fn entities(value: Option<&Value>) -> Result<Vec<CheckEntity>, String> {
    let mut found = Vec::new();
    for item in list(value, "entities")?.into_iter().take(ENTITIES_MAX) {
        let kind = text(item, "type").filter(|kind| !kind.is_empty());
        let title = text(item, "name");
        let id = text(item, "id").filter(|id| !id.is_empty()).or(title);
        let (Some(kind), Some(id)) = (kind, id.filter(|id| !id.is_empty())) else {
            return Err(
                "an entry of `result.entities` has no text `type` or neither `id` nor `name`".to_owned(),
            );
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
    let condition = text(value, "if").ok_or("`result.would_pass.if` is not text")?;
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
    text.chars().take(ID_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Value {
        Value::from_json_str(text).unwrap()
    }

    #[test]
    fn answers_are_read() {
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
    fn what_is_no_answer_is_said() {
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
    fn what_was_detected_is_cut_to_whole_entries() {
        let entries: Vec<Value> = (0..100).map(|_| Value::from("x".repeat(100).as_str())).collect();
        let text = detected(Some(&Value::from(entries))).unwrap().unwrap();
        assert!(text.len() <= DETECTED_BYTES_MAX && text.len() > DETECTED_BYTES_MAX - 200);
        assert!(serde_json::from_str::<Vec<String>>(&text).is_ok());
        let long = detected(Some(&Value::from("x".repeat(5_000).as_str()))).unwrap();
        assert_eq!(long.as_deref(), Some("\"too long to show\""));
    }

    #[test]
    fn what_unfolds_without_end_is_refused() {
        let mut value = json("[1]");
        for _ in 0..60 {
            value = Value::from(vec![value.clone(), value]);
        }
        assert!(detected(Some(&value)).unwrap_err().contains("too big"));
    }
}
