//! A JSON object that is read as a whole. Only its top-level keys are parsed; the values remain JSON text.

use super::lenient::{DUPLICATE_FIELD, Fields};
use serde_json::{error::Category, value::RawValue};
use std::collections::BTreeMap;
use watchpost_core::import::ImportError;

/// The top-level fields of a document.
pub(super) struct Document<'t> {
    fields: BTreeMap<String, &'t RawValue>,
}

impl<'t> Document<'t> {
    /// Parses a document.
    pub(super) fn new(text: &'t str) -> Result<Self, ImportError> {
        serde_json::from_str::<Fields<&'t RawValue>>(text)
            .map(|Fields(fields)| Self { fields })
            .map_err(|error| parse_error(text, &error))
    }

    /// Returns the value of a key; `None` for `null`.
    pub(super) fn get(&self, key: &str) -> Option<&'t RawValue> {
        self.fields
            .get(key)
            .copied()
            .filter(|value| value.get() != "null")
    }

    /// Whether the key is present, even if its value is `null`.
    pub(super) fn has(&self, key: &str) -> bool {
        self.fields.contains_key(key)
    }

    /// Parses the value of a key. Returns `None` if it is of another type.
    pub(super) fn read<T: serde::Deserialize<'t>>(&self, key: &str) -> Option<T> {
        serde_json::from_str(self.get(key)?.get()).ok()
    }

    /// Returns the keys, in order.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.fields.keys().map(String::as_str)
    }

    /// Returns the values, in the order of their keys.
    pub(super) fn values(&self) -> impl Iterator<Item = &'t RawValue> {
        self.fields.values().copied()
    }
}

/// Returns the elements of a list as written by PowerShell: an array without its nulls, or a single object. Returns `None`
/// if the array is malformed.
pub(super) fn elements(list: &RawValue) -> Option<Vec<&RawValue>> {
    let text = list.get().trim();
    match text.bytes().next() {
        Some(b'[') => serde_json::from_str::<Vec<&RawValue>>(text)
            .ok()
            .map(|all| all.into_iter().filter(|one| one.get() != "null").collect()),
        Some(b'{') if text.len() > 2 => Some(vec![list]),
        _ => Some(Vec::new()),
    }
}

/// Converts a parse error, with its position in the text.
pub(super) fn parse_error(text: &str, error: &serde_json::Error) -> ImportError {
    let message = error.to_string();
    if let Some(key) = message.strip_prefix(DUPLICATE_FIELD) {
        // serde_json appends the position to the message.
        let key = key.rsplit_once(" at line ").map_or(key, |(key, _)| key);
        return ImportError::DuplicateKey {
            key: super::sanitize::id(key, 40),
        };
    }
    let line_start: usize = text
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1))
        .map(str::len)
        .sum();
    let byte = line_start.saturating_add(error.column()).min(text.len()) as u64;
    match error.classify() {
        Category::Eof => ImportError::Truncated { byte, row: None },
        _ => ImportError::Damaged { byte, row: None },
    }
}
