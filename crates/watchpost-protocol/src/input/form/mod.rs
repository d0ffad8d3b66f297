//! Forms: flat objects of primitive fields, the only kind that clients can show (ELI-04).

mod field;

pub use field::{Field, TextFormat};

use crate::{
    json::{RawJson, push_string},
    revision::Revision,
};
use field::{Kind, whole};
use serde_json::Value;
use std::collections::BTreeMap;

/// A form for a user to fill in. It must not ask for passwords, keys or tokens (ELI-01), because clients show
/// and log the answers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Form {
    fields: Vec<(String, Field)>,
}

impl Form {
    /// Creates a form without fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field. Replaces a field with the same key.
    #[must_use]
    pub fn field(mut self, key: impl Into<String>, field: Field) -> Self {
        let key = key.into();
        self.fields.retain(|(other, _)| *other != key);
        self.fields.push((key, field));
        self
    }

    /// Whether clients of a revision can show the form.
    pub(crate) fn fits(&self, revision: Revision) -> bool {
        revision.has_titled_choices()
            || !self
                .fields
                .iter()
                .any(|(_, field)| matches!(field.kind, Kind::Choices { .. }))
    }

    /// Appends the `requestedSchema`, with the fields in their order.
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

    /// Reads the values that the user filled in. Returns `None` if they don't satisfy the form. Members that
    /// the form doesn't have are left out.
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

/// The values that a user filled in. They have been checked against the form, so each value has its field's
/// type.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FormContent(BTreeMap<String, Value>);

impl FormContent {
    /// Returns a text, or the value of a single choice.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.as_str()
    }

    /// Returns an integer.
    pub fn integer(&self, key: &str) -> Option<i64> {
        whole(self.0.get(key)?)
    }

    /// Returns a number.
    pub fn number(&self, key: &str) -> Option<f64> {
        self.0.get(key)?.as_f64()
    }

    /// Returns the value of a yes-or-no field.
    pub fn boolean(&self, key: &str) -> Option<bool> {
        self.0.get(key)?.as_bool()
    }

    /// Returns the values of a multiple choice.
    pub fn choices(&self, key: &str) -> Vec<&str> {
        let chosen = self.0.get(key).and_then(Value::as_array);
        chosen.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// Returns all values as one JSON object.
    pub fn to_json(&self) -> String {
        serde_json::to_string(&self.0).expect("JSON values always serialize")
    }
}
