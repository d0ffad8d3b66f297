//! Strings and ids.

use super::{ArgumentValue, Reduced, lenient};
use crate::{
    schema::inline_schema,
    text::arguments::{expect_finding_id, expect_idempotency_key, expect_line},
};
use serde::{
    Deserialize, Deserializer,
    de::{self, Unexpected, Visitor},
};
use std::fmt;
use watchpost_core::value::id::FindingId;

/// A string of 1 to `MAX` characters, after trimming white space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line<const MAX: usize>(String);

impl<const MAX: usize> Line<MAX> {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

struct LineVisitor<const MAX: usize>;

impl<const MAX: usize> Visitor<'_> for LineVisitor<MAX> {
    type Value = Line<MAX>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        expect_line(f, MAX)
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Line<MAX>, E> {
        let text = text.trim();
        // The length in bytes is checked first, since counting the characters of a huge string is slow.
        if text.is_empty() || text.len() > MAX.saturating_mul(4) || text.chars().count() > MAX {
            return Err(E::invalid_value(Unexpected::Other("another string"), &self));
        }
        Ok(Line(text.to_owned()))
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for Line<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LineVisitor)
    }
}

inline_schema!(Line<MAX>, [const MAX: usize], "Line", { "type": "string", "maxLength": MAX });

/// A string that should be an id from another answer. It is validated when it is used.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(crate) struct IdLine(Line<36>);

impl IdLine {
    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

inline_schema!(IdLine, "IdLine", { "type": "string", "maxLength": 36 });

/// A string that should be an email address, without what surrounds addresses in mails and formatted texts. It is
/// validated when it is used.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(crate) struct AddressLine(Line<320>);

impl AddressLine {
    pub(crate) fn as_str(&self) -> &str {
        lenient::address(self.0.as_str())
    }
}

inline_schema!(AddressLine, "AddressLine", { "type": "string", "maxLength": 320 });

/// A key with which a repeated call takes effect only once: 1 to 64 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IdempotencyKey(String);

/// The length of the longest idempotency key.
const ONCE_KEY_MAX: usize = 64;

struct IdempotencyKeyVisitor;

impl Visitor<'_> for IdempotencyKeyVisitor {
    type Value = IdempotencyKey;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        expect_idempotency_key(f, ONCE_KEY_MAX)
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<IdempotencyKey, E> {
        let fits =
            (1..=ONCE_KEY_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !fits {
            return Err(E::invalid_value(Unexpected::Other("another string"), &self));
        }
        Ok(IdempotencyKey(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for IdempotencyKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IdempotencyKeyVisitor)
    }
}

inline_schema!(IdempotencyKey, "IdempotencyKey", { "type": "string", "maxLength": ONCE_KEY_MAX });

/// A finding's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FindingArg(pub FindingId);

struct FindingVisitor;

impl Visitor<'_> for FindingVisitor {
    type Value = FindingArg;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        expect_finding_id(f)
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<FindingArg, E> {
        text.trim()
            .parse()
            .map(FindingArg)
            .map_err(|_| E::invalid_value(Unexpected::Other("another string"), &self))
    }
}

impl<'de> Deserialize<'de> for FindingArg {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FindingVisitor)
    }
}

inline_schema!(FindingArg, "FindingId", { "type": "string", "maxLength": 36 });

impl<const MAX: usize> ArgumentValue for Line<MAX> {
    fn reduce(&self, name: &'static str, out: &mut Reduced<'_>) {
        out.secret(name, &self.0);
    }
}

impl ArgumentValue for IdLine {
    fn reduce(&self, name: &'static str, out: &mut Reduced<'_>) {
        out.id(name, self.as_str());
    }
}

impl ArgumentValue for AddressLine {
    fn reduce(&self, name: &'static str, out: &mut Reduced<'_>) {
        out.address(name, self.as_str());
    }
}

impl ArgumentValue for IdempotencyKey {
    fn reduce(&self, name: &'static str, out: &mut Reduced<'_>) {
        out.idempotency_key(name, &self.0);
    }
}

impl ArgumentValue for FindingArg {
    fn reduce(&self, name: &'static str, out: &mut Reduced<'_>) {
        out.word(name, &self.0.to_string());
    }
}
