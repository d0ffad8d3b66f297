//! A JSON object that has to be read as a whole: its keys at the top, what lies under them still as text.

use super::loose::{Fields, TWICE};
use serde_json::{error::Category, value::RawValue};
use std::collections::BTreeMap;
use watchpost_core::import::ImportError;

/// The keys at the top of a document.
pub(super) struct Document<'t> {
    fields: BTreeMap<String, &'t RawValue>,
}

impl<'t> Document<'t> {
    /// From its text.
    pub(super) fn new(text: &'t str) -> Result<Self, ImportError> {
        serde_json::from_str::<Fields<&'t RawValue>>(text)
            .map(|Fields(fields)| Self { fields })
            .map_err(|error| fault(text, &error))
    }

    /// What lies under a key; `null` counts as nothing.
    pub(super) fn get(&self, key: &str) -> Option<&'t RawValue> {
        self.fields
            .get(key)
            .copied()
            .filter(|value| value.get() != "null")
    }

    /// Whether the key is there, if only with `null`.
    pub(super) fn has(&self, key: &str) -> bool {
        self.fields.contains_key(key)
    }

    /// The value under a key, if it is of the type.
    pub(super) fn read<T: serde::Deserialize<'t>>(&self, key: &str) -> Option<T> {
        serde_json::from_str(self.get(key)?.get()).ok()
    }

    /// The keys.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.fields.keys().map(String::as_str)
    }

    /// What lies under the keys, in the order of the keys.
    pub(super) fn values(&self) -> impl Iterator<Item = &'t RawValue> {
        self.fields.values().copied()
    }
}

/// The elements of a list, in whatever shape PowerShell wrote it; `None` if it is broken.
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

/// Where in the text an error lies, and what that means.
pub(super) fn fault(text: &str, error: &serde_json::Error) -> ImportError {
    let said = error.to_string();
    if let Some(key) = said.strip_prefix(TWICE) {
        // serde_json puts the place behind its message.
        let key = key.rsplit_once(" at line ").map_or(key, |(key, _)| key);
        return ImportError::DuplicateKey {
            key: super::text::id(key, 40),
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
