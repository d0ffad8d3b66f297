//! JSON text that has been checked, and the few bytes of JSON that we write by hand.

pub(crate) mod scanner;

use serde::Deserialize;
use std::borrow::Cow;

/// One JSON value as text, already checked by the decoder: grammar, UTF-8, depth, and unique keys at every
/// level hold. Parsing it into a type is the one parse that a request's arguments see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawJson<'a>(&'a str);

impl<'a> RawJson<'a> {
    /// For text that the scanner has walked.
    pub(crate) fn checked(text: &'a str) -> Self {
        Self(text)
    }

    /// The JSON text, without surrounding white space.
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

    /// The value as a string, or `None` if it's of another type.
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
    /// What `T`'s deserializer refuses: a wrong type, a missing or unknown member, a number out of range.
    pub fn parse<T: Deserialize<'a>>(self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.0)
    }
}

/// Appends `text` as a JSON string.
pub(crate) fn push_string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a string always serializes into memory");
}

/// Appends `number` in decimal.
pub(crate) fn push_integer(out: &mut Vec<u8>, number: i64) {
    serde_json::to_writer(out, &number).expect("an integer always serializes into memory");
}

/// `text` cut to `limit` characters with control characters left out, for messages and labels that repeat what
/// a stranger sent.
pub(crate) fn clip(text: &str, limit: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(limit).collect()
}
