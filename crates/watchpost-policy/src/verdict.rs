//! What a rule answers, read within bounds.

use crate::{
    limits::{APPS_MAX, EVIDENCE_BYTES_MAX, VERDICT_DEPTH_MAX, VERDICT_NODES_MAX},
    value::name,
};
use regorus::Value;
use std::io;
use watchpost_core::value::{id::AppId, text::ForeignText};

/// A rule's answer on one document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Verdict {
    /// The condition doesn't hold.
    Passed,
    /// The rule doesn't judge this document, and why.
    Skipped(String),
    /// The condition holds.
    Failed {
        title: ForeignText,
        evidence: String,
        apps: Vec<AppId>,
    },
}

/// Reads `value`; `Err` says what is wrong with it.
pub(crate) fn read(value: &Value) -> Result<Verdict, String> {
    if matches!(value, Value::Undefined) {
        return Err("gave no result".to_owned());
    }
    let Ok(object) = value.as_object() else {
        return Err("`result` is not an object".to_owned());
    };
    let text = |key: &'static str| match object.get(&name(key)) {
        Some(Value::String(text)) => Ok(text.as_ref()),
        _ => Err(format!("`result.{key}` is not text")),
    };
    match text("result")? {
        "passed" => Ok(Verdict::Passed),
        "skipped" => Ok(Verdict::Skipped(text("reason")?.chars().take(200).collect())),
        "failed" => {
            let title = ForeignText::sentence(text("reason")?);
            if title.is_empty() {
                return Err("`result.reason` is empty".to_owned());
            }
            Ok(Verdict::Failed {
                title,
                evidence: evidence(object.get(&name("evidence")))?,
                apps: apps(object.get(&name("entities")))?,
            })
        }
        _ => Err("`result.result` is none of passed, failed, skipped".to_owned()),
    }
}

pub(crate) fn list<'v>(value: Option<&'v Value>, key: &str) -> Result<Vec<&'v Value>, String> {
    match value {
        None => Ok(Vec::new()),
        Some(Value::Array(items)) => Ok(items.iter().collect()),
        Some(Value::Set(items)) => Ok(items.iter().collect()),
        Some(_) => Err(format!("`result.{key}` is not a list")),
    }
}

/// As many whole entries as fit.
pub(crate) fn evidence(value: Option<&Value>) -> Result<String, String> {
    let mut out = Bounded {
        bytes: vec![b'['],
        most: EVIDENCE_BYTES_MAX,
    };
    let mut nodes = VERDICT_NODES_MAX;
    for item in list(value, "evidence")? {
        // A value whose parts are shared can be exponentially bigger than its memory, so it is measured first.
        if !is_small(item, VERDICT_DEPTH_MAX, &mut nodes) {
            return Err(format!(
                "`result.evidence` is too big: at most {VERDICT_NODES_MAX} values, {VERDICT_DEPTH_MAX} deep"
            ));
        }
        let before = out.bytes.len();
        if before > 1 {
            out.bytes.push(b',');
        }
        if let Err(error) = serde_json::to_writer(&mut out, item) {
            if !error.is_io() {
                return Err(format!("`result.evidence` isn't JSON: {error}"));
            }
            out.bytes.truncate(before);
            break;
        }
    }
    out.bytes.push(b']');
    String::from_utf8(out.bytes).map_err(|_| "`result.evidence` isn't text".to_owned())
}

fn apps(value: Option<&Value>) -> Result<Vec<AppId>, String> {
    let mut apps = Vec::new();
    for item in list(value, "entities")? {
        let id = match item {
            Value::String(text) => text.parse::<AppId>().ok(),
            _ => None,
        };
        let id = id.ok_or_else(|| "`result.entities` holds something that isn't an app's id".to_owned())?;
        if !apps.contains(&id) {
            apps.push(id);
        }
        if apps.len() == APPS_MAX {
            break;
        }
    }
    Ok(apps)
}

pub(crate) fn is_small(value: &Value, depth: usize, nodes: &mut usize) -> bool {
    let (Some(left), Some(below)) = (nodes.checked_sub(1), depth.checked_sub(1)) else {
        return false;
    };
    *nodes = left;
    match value {
        Value::Array(items) => items.iter().all(|item| is_small(item, below, nodes)),
        Value::Set(items) => items.iter().all(|item| is_small(item, below, nodes)),
        Value::Object(fields) => fields
            .iter()
            .all(|(key, item)| is_small(key, below, nodes) && is_small(item, below, nodes)),
        _ => true,
    }
}

/// Bytes up to a limit, less a closing bracket.
pub(crate) struct Bounded {
    bytes: Vec<u8>,
    most: usize,
}

impl Bounded {
    pub(crate) const fn new(most: usize) -> Self {
        Self {
            bytes: Vec::new(),
            most,
        }
    }
    pub(crate) fn into_text(self) -> Option<String> {
        String::from_utf8(self.bytes).ok()
    }
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len().saturating_add(bytes.len()) >= self.most {
            return Err(io::Error::other("no room is left"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Value {
        Value::from_json_str(text).unwrap()
    }

    #[test]
    fn answers_are_read() {
        assert_eq!(read(&json(r#"{"result":"passed"}"#)), Ok(Verdict::Passed));
        assert_eq!(
            read(&json(r#"{"result":"skipped","reason":"unreadable"}"#)),
            Ok(Verdict::Skipped("unreadable".to_owned()))
        );
        let id = "018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f";
        let failed = read(&json(&format!(
            r#"{{"result":"failed","reason":"It is bad","evidence":[{{"a":1}}],"entities":["{id}","{id}"]}}"#
        )));
        assert_eq!(
            failed,
            Ok(Verdict::Failed {
                title: ForeignText::sentence("It is bad"),
                evidence: r#"[{"a":1}]"#.to_owned(),
                apps: vec![id.parse().unwrap()],
            })
        );
    }

    #[test]
    fn what_is_no_answer_is_said() {
        let check = |value: &Value, expected: &str| {
            let error = read(value).unwrap_err();
            assert!(error.contains(expected), "{error}");
        };
        check(&Value::Undefined, "no result");
        check(&json("true"), "not an object");
        check(&json(r#"{"result":"fail"}"#), "none of");
        check(&json(r#"{"result":"failed"}"#), "reason");
        check(&json(r#"{"result":"failed","reason":" "}"#), "empty");
        check(
            &json(r#"{"result":"failed","reason":"x","evidence":1}"#),
            "not a list",
        );
        check(
            &json(r#"{"result":"failed","reason":"x","entities":["x"]}"#),
            "app's id",
        );
    }

    #[test]
    fn evidence_keeps_whole_entries_within_its_limit() {
        let entries: Vec<Value> = (0..400).map(|_| Value::from("x".repeat(100).as_str())).collect();
        let text = evidence(Some(&Value::from(entries))).unwrap();
        assert!(text.len() <= EVIDENCE_BYTES_MAX && text.len() > EVIDENCE_BYTES_MAX - 200);
        assert!(serde_json::from_str::<Vec<String>>(&text).is_ok());
    }

    #[test]
    fn evidence_that_unfolds_without_end_is_refused() {
        let mut value = json("[1]");
        for _ in 0..60 {
            value = Value::from(vec![value.clone(), value]);
        }
        assert!(
            evidence(Some(&Value::from(vec![value])))
                .unwrap_err()
                .contains("too big")
        );
    }
}
