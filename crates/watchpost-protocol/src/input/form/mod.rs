//! Forms: flat objects of primitive fields, which is all that a client shows a person (ELI-04).

mod field;

pub use field::{Field, TextFormat};

use crate::{
    json::{RawJson, push_string},
    revision::Revision,
};
use field::{Kind, whole};
use serde_json::Value;
use std::collections::BTreeMap;

/// What a person is asked to fill in. Never passwords, keys or tokens (ELI-01): clients show and log it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Form {
    fields: Vec<(String, Field)>,
}

impl Form {
    /// A form without fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field; one of the same key is replaced.
    #[must_use]
    pub fn field(mut self, key: impl Into<String>, field: Field) -> Self {
        let key = key.into();
        self.fields.retain(|(other, _)| *other != key);
        self.fields.push((key, field));
        self
    }

    /// Whether clients of a revision can show it.
    pub(crate) fn fits(&self, revision: Revision) -> bool {
        revision.has_titled_choices()
            || !self
                .fields
                .iter()
                .any(|(_, field)| matches!(field.kind, Kind::Choices { .. }))
    }

    /// Appends the `requestedSchema`, its fields in their order.
    pub(crate) fn push(&self, out: &mut Vec<u8>, revision: Revision) {
        out.extend_from_slice(b"{\"type\":\"object\",\"properties\":{");
        for (index, (key, field)) in self.fields.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            push_string(out, key);
            out.push(b':');
            out.extend_from_slice(field.schema(revision).to_string().as_bytes());
        }
        out.push(b'}');
        let required = self.fields.iter().filter(|(_, field)| field.required);
        for (index, (key, _)) in required.clone().enumerate() {
            out.extend_from_slice(if index > 0 { b"," } else { b",\"required\":[" });
            push_string(out, key);
        }
        if required.count() > 0 {
            out.push(b']');
        }
        out.push(b'}');
    }

    /// What the person filled in, if it's what was asked for. Members that weren't asked for are left out.
    pub(crate) fn read(&self, content: Option<RawJson<'_>>) -> Option<FormContent> {
        let mut given: BTreeMap<String, Value> = match content {
            Some(content) => content.parse().ok()?,
            None => BTreeMap::new(),
        };
        let mut values = BTreeMap::new();
        for (key, field) in &self.fields {
            match given.remove(key) {
                Some(value) if field.accepts(&value) => {
                    values.insert(key.clone(), value);
                }
                None if !field.required => {}
                _ => return None,
            }
        }
        Some(FormContent(values))
    }
}

/// What a person filled in: checked against the form, so that each value has its field's type.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FormContent(BTreeMap<String, Value>);

impl FormContent {
    /// Text, or the value of a single choice.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.as_str()
    }

    /// A whole number.
    pub fn integer(&self, key: &str) -> Option<i64> {
        whole(self.0.get(key)?)
    }

    /// A number.
    pub fn number(&self, key: &str) -> Option<f64> {
        self.0.get(key)?.as_f64()
    }

    /// Yes or no.
    pub fn boolean(&self, key: &str) -> Option<bool> {
        self.0.get(key)?.as_bool()
    }

    /// The values of a multiple choice.
    pub fn choices(&self, key: &str) -> Vec<&str> {
        let chosen = self.0.get(key).and_then(Value::as_array);
        chosen.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// All of it as one JSON object.
    pub fn to_json(&self) -> String {
        serde_json::to_string(&self.0).expect("JSON values always serialize")
    }
}
