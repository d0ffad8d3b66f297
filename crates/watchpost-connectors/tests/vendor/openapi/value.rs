//! Compares JSON with a schema. Properties that no part of a schema names are differences even where the schema doesn't
//! forbid them, since an invented property is what the comparison is for.

use super::Document;
use crate::log::Log;
use serde_json::{Map, Value};
use std::sync::Arc;

/// The parts of a schema that all apply: those of `allOf`, with references followed.
fn parts(document: &Document, schema: &Value, into: &mut Vec<Arc<Value>>) {
    let schema = document.resolved(schema);
    let all = schema.get("allOf").and_then(Value::as_array).cloned();
    into.push(schema);
    for part in all.into_iter().flatten() {
        parts(document, &part, into);
    }
}

impl Document {
    /// Compares a value of an answer.
    pub(crate) fn compare(&self, log: &mut Log, place: &str, value: &Value, schema: &Value) {
        let mut all = Vec::new();
        parts(self, schema, &mut all);
        if let Some(chosen) = self.by_discriminator(log, place, value, &all) {
            // The chosen schema usually contains this one, which must not be discriminated again.
            let mut chosen_parts = Vec::new();
            parts(self, &chosen, &mut chosen_parts);
            all.extend(chosen_parts);
            self.compare_parts(log, place, value, &all);
            return;
        }
        let choices = all.iter().find_map(|part| {
            let choices = part.get("oneOf").or_else(|| part.get("anyOf"))?;
            choices.as_array().cloned()
        });
        let Some(choices) = choices else {
            self.compare_parts(log, place, value, &all);
            return;
        };
        // The choice with the fewest differences is the one that was meant.
        let trials = choices.iter().map(|choice| {
            let mut trial = log.trial();
            let mut with = all.clone();
            parts(self, choice, &mut with);
            self.compare_parts(&mut trial, place, value, &with);
            trial
        });
        if let Some(best) = trials.min_by_key(|trial| trial.differences.len()) {
            log.keep(best);
        }
    }

    /// Compares an object with a schema, without choosing a kind by its discriminating property.
    pub(crate) fn compare_fields(
        &self,
        log: &mut Log,
        place: &str,
        fields: &Map<String, Value>,
        schema: &Value,
    ) {
        let mut all = Vec::new();
        parts(self, schema, &mut all);
        self.object(log, place, fields, &all);
    }

    /// Returns the schema that the discriminating property chooses, if there is one.
    fn by_discriminator(
        &self,
        log: &mut Log,
        place: &str,
        value: &Value,
        all: &[Arc<Value>],
    ) -> Option<Value> {
        let discriminator = all.iter().find_map(|part| part.get("discriminator"))?;
        let property = discriminator.get("propertyName")?.as_str()?;
        let mapping = discriminator.get("mapping")?.as_object()?;
        let Some(kind) = value.get(property).and_then(Value::as_str) else {
            log.differs(place, &format!("without `{property}`, which tells its kind"));
            return None;
        };
        let Some(reference) = mapping.get(kind) else {
            log.differs(place, &format!("no such {property}: {kind:?}"));
            return None;
        };
        Some(serde_json::json!({ "$ref": reference }))
    }

    fn compare_parts(&self, log: &mut Log, place: &str, value: &Value, all: &[Arc<Value>]) {
        log.value();
        if value.is_null() {
            let nullable = all
                .iter()
                .any(|part| part.get("nullable") == Some(&Value::Bool(true)));
            let typed = all.iter().any(|part| part.get("type").is_some());
            if typed && !nullable {
                log.differs(place, "null, but not nullable");
            }
            return;
        }
        for part in all {
            scalar(log, place, value, part);
        }
        match value {
            Value::Object(fields) => self.object(log, place, fields, all),
            Value::Array(items) => {
                let schema = all.iter().find_map(|part| part.get("items"));
                for item in items {
                    if let Some(schema) = schema {
                        self.compare(log, &format!("{place}[]"), item, schema);
                    }
                }
            }
            _ => {}
        }
    }

    fn object(&self, log: &mut Log, place: &str, fields: &Map<String, Value>, all: &[Arc<Value>]) {
        let described = all
            .iter()
            .any(|part| part.get("properties").is_some() || part.get("additionalProperties").is_some());
        if !described {
            return;
        }
        let more = all.iter().find_map(|part| part.get("additionalProperties"));
        for (name, value) in fields {
            let at = format!("{place}.{name}");
            let schemas: Vec<&Value> = all
                .iter()
                .filter_map(|part| part.get("properties")?.get(name))
                .collect();
            // Derived schemas narrow the properties of their base, so the last one counts.
            match (schemas.last(), more) {
                (Some(schema), _) => {
                    if self.resolved(schema).get("writeOnly") == Some(&Value::Bool(true)) {
                        log.differs(&at, "only for requests");
                    }
                    self.compare(log, &at, value, schema);
                }
                (None, Some(Value::Bool(true))) => log.value(),
                (None, Some(schema @ Value::Object(_))) => self.compare(log, &at, value, schema),
                (None, _) => log.differs(&at, "no such property"),
            }
        }
        let required = all
            .iter()
            .filter_map(|part| part.get("required")?.as_array())
            .flatten()
            .filter_map(Value::as_str);
        for name in required {
            if !fields.contains_key(name) {
                log.differs(&format!("{place}.{name}"), "required, but left out");
            }
        }
    }
}

/// Compares the type of a value, and what one schema says about a single value.
pub(crate) fn scalar(log: &mut Log, place: &str, value: &Value, schema: &Value) {
    let kind = schema.get("type").and_then(Value::as_str);
    let right = match kind {
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => true,
    };
    if !right {
        log.differs(place, &format!("not of the type {}", kind.unwrap_or_default()));
        return;
    }
    if let Some(members) = schema.get("enum").and_then(Value::as_array)
        && !members.contains(value)
    {
        log.differs(place, &format!("{value} isn't one of the values"));
    }
    if let (Some(text), Some(format)) = (value.as_str(), schema.get("format").and_then(Value::as_str)) {
        let right = match format {
            "date-time" => text.contains('T') && text.parse::<jiff::Timestamp>().is_ok(),
            "uri" => url::Url::parse(text).is_ok(),
            "email" => text.contains('@'),
            _ => true,
        };
        if !right {
            log.differs(place, &format!("not a {format}"));
        }
    }
    let limit = |name: &str| schema.get(name).and_then(Value::as_f64);
    if let Some(number) = value.as_f64()
        && (limit("maximum").is_some_and(|most| number > most)
            || limit("minimum").is_some_and(|least| number < least))
    {
        log.differs(place, "outside of its range");
    }
    if let Some(text) = value.as_str() {
        let length = text.chars().count() as f64;
        if limit("maxLength").is_some_and(|most| length > most)
            || limit("minLength").is_some_and(|least| length < least)
        {
            log.differs(place, "too long or too short");
        }
    }
}
