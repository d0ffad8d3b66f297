//! Checked JSON text, and helpers to write JSON.

pub(crate) mod repair;
pub(crate) mod scanner;

use serde::{Deserialize, Deserializer};
use std::borrow::Cow;

/// A JSON value as text that the decoder has checked: its grammar, UTF-8 and depth are valid, and keys are
/// unique at every level. The arguments of a request are parsed only once, by [`RawJson::parse`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawJson<'a>(&'a str);

impl<'a> RawJson<'a> {
    /// Wraps text that the scanner has checked.
    pub(crate) fn checked(text: &'a str) -> Self {
        Self(text)
    }

    /// Returns the JSON text, without surrounding white space.
    pub fn as_str(self) -> &'a str {
        self.0
    }

    /// Whether the value is an object.
    pub fn is_object(self) -> bool {
        self.0.starts_with('{')
    }

    /// Whether the value is a string.
    pub fn is_string(self) -> bool {
        self.0.starts_with('"')
    }

    /// Returns the value as a string, or `None` if it has another type.
    pub fn string(self) -> Option<Cow<'a, str>> {
        let inner = self.0.strip_prefix('"')?.strip_suffix('"')?;
        if inner.contains('\\') {
            return serde_json::from_str(self.0).ok().map(Cow::Owned);
        }
        Some(Cow::Borrowed(inner))
    }

    /// Parses the value into `T`, which may borrow from it.
    ///
    /// # Errors
    /// Returns an error if `T`'s deserializer rejects the value: a wrong type, a missing or unknown member, or
    /// a number out of range.
    pub fn parse<T: Deserialize<'a>>(self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.0)
    }
}

/// Deserializes a member for which `null` means the same as its absence.
pub(crate) fn null_is_absent<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Appends `text` as a JSON string.
pub(crate) fn push_string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a string always serializes into memory");
}

/// Appends `number` in decimal.
pub(crate) fn push_integer(out: &mut Vec<u8>, number: i64) {
    serde_json::to_writer(out, &number).expect("an integer always serializes into memory");
}

/// Returns `text` without control characters, cut to `limit` characters, for messages and labels that repeat a
/// client's text.
pub(crate) fn clip(text: &str, limit: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(limit).collect()
}
