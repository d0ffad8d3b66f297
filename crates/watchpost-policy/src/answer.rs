//! The parts that results of rules and checks have in common, read within limits.

use crate::{
    limits::{EVIDENCE_BYTES_MAX, VERDICT_DEPTH_MAX, VERDICT_NODES_MAX},
    text,
    value::name,
};
use regorus::{Rc, Value};
use std::{borrow::Cow, collections::BTreeMap, io};
use watchpost_core::{check::CheckResult, value::text::visible};

/// The value of `result`: an object with the field `result`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer<'v> {
    pub(crate) result: CheckResult,
    fields: &'v Value,
}

impl<'v> Answer<'v> {
    /// Reads `value`. The error states what is wrong with it.
    pub(crate) fn read(value: &'v Value) -> Result<Self, String> {
        if matches!(value, Value::Undefined) {
            return Err(text::NO_RESULT.to_owned());
        }
        if value.as_object().is_err() {
            return Err(text::RESULT_NOT_OBJECT.to_owned());
        }
        let result = match string(value, "result") {
            Some("passed") => CheckResult::Passed,
            Some("failed") => CheckResult::Failed,
            Some("skipped") => CheckResult::Skipped,
            _ => return Err(text::RESULT_UNKNOWN.to_owned()),
        };
        Ok(Self {
            result,
            fields: value,
        })
    }

    pub(crate) fn field(&self, key: &'static str) -> Option<&'v Value> {
        field(self.fields, key)
    }

    /// Returns a required string field.
    pub(crate) fn string(&self, key: &'static str) -> Result<&'v str, String> {
        string(self.fields, key).ok_or_else(|| text::not_string(key))
    }

    /// Returns the evidence as JSON text, with as many complete entries as fit.
    pub(crate) fn evidence(&self) -> Result<String, String> {
        evidence(self.field("evidence"))
    }
}

/// Returns a field of an object, unless it is null.
pub(crate) fn field<'v>(value: &'v Value, key: &'static str) -> Option<&'v Value> {
    let found = value.as_object().ok()?.get(&name(key))?;
    (!matches!(found, Value::Null)).then_some(found)
}

/// Returns a field that is a string.
pub(crate) fn string<'v>(value: &'v Value, key: &'static str) -> Option<&'v str> {
    match field(value, key) {
        Some(Value::String(text)) => Some(text.as_ref()),
        _ => None,
    }
}

/// Returns the entries of a list or set. The error names `key`.
pub(crate) fn list<'v>(value: Option<&'v Value>, key: &str) -> Result<Vec<&'v Value>, String> {
    match value {
        None => Ok(Vec::new()),
        Some(Value::Array(items)) => Ok(items.iter().collect()),
        Some(Value::Set(items)) => Ok(items.iter().collect()),
        Some(_) => Err(text::not_list(key)),
    }
}

fn evidence(value: Option<&Value>) -> Result<String, String> {
    let mut out = Bounded {
        bytes: vec![b'['],
        max_bytes: EVIDENCE_BYTES_MAX,
    };
    let mut nodes = VERDICT_NODES_MAX;
    for item in list(value, "evidence")? {
        check_size(item, &mut nodes, "evidence")?;
        let before = out.bytes.len();
        if before > 1 {
            out.bytes.push(b',');
        }
        if let Err(error) = serde_json::to_writer(&mut out, &shown(item)) {
            if !error.is_io() {
                return Err(text::evidence_not_json(&error));
            }
            out.bytes.truncate(before);
            break;
        }
    }
    out.bytes.push(b']');
    String::from_utf8(out.bytes).map_err(|_| text::EVIDENCE_NOT_UTF8.to_owned())
}

/// Rejects a value that is too big to show. A value with shared parts can be exponentially bigger than the memory that
/// it uses, so it is measured before it is written.
pub(crate) fn check_size(value: &Value, nodes: &mut usize, key: &str) -> Result<(), String> {
    if is_small(value, VERDICT_DEPTH_MAX, nodes) {
        return Ok(());
    }
    Err(text::too_big(key))
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

/// Returns the value without invisible characters in its strings and keys, which vendors' customers write. The value must
/// have passed [`check_size`].
fn shown(value: &Value) -> Value {
    match value {
        Value::String(raw) => match visible(raw) {
            Cow::Borrowed(_) => value.clone(),
            Cow::Owned(text) => Value::String(text.into()),
        },
        Value::Array(items) => Value::Array(Rc::new(items.iter().map(shown).collect())),
        Value::Set(items) => Value::Set(Rc::new(items.iter().map(shown).collect())),
        Value::Object(fields) => {
            let mut out = BTreeMap::new();
            for (key, inner) in fields.iter() {
                let mut key = shown(key);
                while let (true, Value::String(taken)) = (out.contains_key(&key), &key) {
                    key = Value::String(format!("{taken}_").into());
                }
                out.insert(key, shown(inner));
            }
            Value::Object(Rc::new(out.into()))
        }
        other => other.clone(),
    }
}

/// Returns the JSON text of a value, if it has fewer than `max_bytes` bytes.
pub(crate) fn json_within(value: &Value, max_bytes: usize) -> Option<String> {
    let mut out = Bounded {
        bytes: Vec::new(),
        max_bytes,
    };
    serde_json::to_writer(&mut out, &shown(value)).ok()?;
    String::from_utf8(out.bytes).ok()
}

/// A buffer with a size limit, which keeps one byte for a closing bracket.
struct Bounded {
    bytes: Vec<u8>,
    max_bytes: usize,
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len().saturating_add(bytes.len()) >= self.max_bytes {
            return Err(io::Error::from(io::ErrorKind::WriteZero));
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
    fn invalid_results_are_reported() {
        let check = |value: &Value, expected: &str| {
            let error = Answer::read(value).unwrap_err();
            assert!(error.contains(expected), "{error}");
        };
        check(&Value::Undefined, "no result");
        check(&json("true"), "not an object");
        check(&json(r#"{"result":"fail"}"#), "must be passed");
        let value = json(r#"{"result":"failed","reason":null,"evidence":1}"#);
        let answer = Answer::read(&value).unwrap();
        assert_eq!(answer.result, CheckResult::Failed);
        assert!(answer.string("reason").unwrap_err().contains("reason"));
        assert!(answer.evidence().unwrap_err().contains("not a list"));
    }

    #[test]
    fn evidence_keeps_complete_entries_within_its_limit() {
        let entries: Vec<Value> = (0..400).map(|_| Value::from("x".repeat(100).as_str())).collect();
        let text = evidence(Some(&Value::from(entries))).unwrap();
        assert!(text.len() <= EVIDENCE_BYTES_MAX && text.len() > EVIDENCE_BYTES_MAX - 200);
        assert!(serde_json::from_str::<Vec<String>>(&text).is_ok());
    }

    #[test]
    fn evidence_has_no_invisible_characters() {
        let check = |raw: &str, expected: &str| {
            assert_eq!(evidence(Some(&json(raw))).unwrap(), expected);
            assert_eq!(json_within(&json(raw), 1_000).unwrap(), expected);
        };
        check(
            r#"[{"policy":"\u202egnp.exe","x\u2066":["\u061ca",{"b":"\u200fc \t"}]}]"#,
            r#"[{"policy":"gnp.exe","x":["a",{"b":"c \t"}]}]"#,
        );
        check(r#"[{"a":1,"a\u202a":2,"a_":3}]"#, r#"[{"a":1,"a_":3,"a__":2}]"#);
        check(r#"["Zoë 한국어 🧬"]"#, r#"["Zoë 한국어 🧬"]"#);
    }

    #[test]
    fn exponentially_large_evidence_is_rejected() {
        let mut value = json("[1]");
        for _ in 0..60 {
            value = Value::from(vec![value.clone(), value]);
        }
        let error = evidence(Some(&Value::from(vec![value]))).unwrap_err();
        assert!(error.contains("too big"), "{error}");
    }
}
