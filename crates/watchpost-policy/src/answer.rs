//! What rules and checks answer alike, read within bounds.

use crate::{
    limits::{EVIDENCE_BYTES_MAX, VERDICT_DEPTH_MAX, VERDICT_NODES_MAX},
    value::name,
};
use regorus::Value;
use std::io;
use watchpost_core::check::CheckResult;

/// An answer: an object with a result.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer<'v> {
    pub(crate) result: CheckResult,
    fields: &'v Value,
}

impl<'v> Answer<'v> {
    /// Reads `value`; `Err` says what is wrong with it.
    pub(crate) fn read(value: &'v Value) -> Result<Self, String> {
        if matches!(value, Value::Undefined) {
            return Err("gave no result".to_owned());
        }
        if value.as_object().is_err() {
            return Err("`result` is not an object".to_owned());
        }
        let result = match text(value, "result") {
            Some("passed") => CheckResult::Passed,
            Some("failed") => CheckResult::Failed,
            Some("skipped") => CheckResult::Skipped,
            _ => return Err("`result.result` is none of passed, failed, skipped".to_owned()),
        };
        Ok(Self {
            result,
            fields: value,
        })
    }

    pub(crate) fn field(&self, key: &'static str) -> Option<&'v Value> {
        field(self.fields, key)
    }

    /// The text of a field that must be there.
    pub(crate) fn text(&self, key: &'static str) -> Result<&'v str, String> {
        text(self.fields, key).ok_or_else(|| format!("`result.{key}` is not text"))
    }

    /// JSON text of the evidence: as many whole entries as fit.
    pub(crate) fn evidence(&self) -> Result<String, String> {
        evidence(self.field("evidence"))
    }
}

/// A field of an object that isn't null.
pub(crate) fn field<'v>(value: &'v Value, key: &'static str) -> Option<&'v Value> {
    let found = value.as_object().ok()?.get(&name(key))?;
    (!matches!(found, Value::Null)).then_some(found)
}

/// A field that is text.
pub(crate) fn text<'v>(value: &'v Value, key: &'static str) -> Option<&'v str> {
    match field(value, key) {
        Some(Value::String(text)) => Some(text.as_ref()),
        _ => None,
    }
}

/// The entries of a list or set; `key` is for the error.
pub(crate) fn list<'v>(value: Option<&'v Value>, key: &str) -> Result<Vec<&'v Value>, String> {
    match value {
        None => Ok(Vec::new()),
        Some(Value::Array(items)) => Ok(items.iter().collect()),
        Some(Value::Set(items)) => Ok(items.iter().collect()),
        Some(_) => Err(format!("`result.{key}` is not a list")),
    }
}

fn evidence(value: Option<&Value>) -> Result<String, String> {
    let mut out = Bounded {
        bytes: vec![b'['],
        most: EVIDENCE_BYTES_MAX,
    };
    let mut nodes = VERDICT_NODES_MAX;
    for item in list(value, "evidence")? {
        small(item, &mut nodes, "evidence")?;
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

/// Refuses what is too big to be shown. A value whose parts are shared can be exponentially bigger than its memory, so
/// it is measured before it is written.
pub(crate) fn small(value: &Value, nodes: &mut usize, key: &str) -> Result<(), String> {
    if is_small(value, VERDICT_DEPTH_MAX, nodes) {
        return Ok(());
    }
    Err(format!(
        "`result.{key}` is too big: at most {VERDICT_NODES_MAX} values, {VERDICT_DEPTH_MAX} deep"
    ))
}

fn is_small(value: &Value, depth: usize, nodes: &mut usize) -> bool {
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

/// JSON text of a value, if it has fewer bytes than `most`.
pub(crate) fn json_within(value: &Value, most: usize) -> Option<String> {
    let mut out = Bounded {
        bytes: Vec::new(),
        most,
    };
    serde_json::to_writer(&mut out, value).ok()?;
    String::from_utf8(out.bytes).ok()
}

/// Bytes up to a limit, less a closing bracket.
struct Bounded {
    bytes: Vec<u8>,
    most: usize,
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
    fn what_is_no_answer_is_said() {
        let check = |value: &Value, expected: &str| {
            let error = Answer::read(value).unwrap_err();
            assert!(error.contains(expected), "{error}");
        };
        check(&Value::Undefined, "no result");
        check(&json("true"), "not an object");
        check(&json(r#"{"result":"fail"}"#), "none of");
        let value = json(r#"{"result":"failed","reason":null,"evidence":1}"#);
        let answer = Answer::read(&value).unwrap();
        assert_eq!(answer.result, CheckResult::Failed);
        assert!(answer.text("reason").unwrap_err().contains("reason"));
        assert!(answer.evidence().unwrap_err().contains("not a list"));
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
        let error = evidence(Some(&Value::from(vec![value]))).unwrap_err();
        assert!(error.contains("too big"), "{error}");
    }
}
