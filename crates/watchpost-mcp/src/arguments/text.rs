//! Text and ids.

use super::{ArgumentValue, Reduced};
use crate::schema::inline_schema;
use serde::{
    Deserialize, Deserializer,
    de::{self, Unexpected, Visitor},
};
use std::fmt;
use watchpost_core::value::id::FindingId;

/// A string of 1 to `MAX` characters after white space at the ends is cut off.
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
        write!(f, "a string of 1 to {MAX} characters")
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Line<MAX>, E> {
        let text = text.trim();
        // Bytes first: counting the characters of a huge string costs.
        if text.is_empty() || text.len() > MAX.saturating_mul(4) || text.chars().count() > MAX {
            return Err(E::invalid_value(
                Unexpected::Other("a string of another length"),
                &self,
            ));
        }
        Ok(Line(text.to_owned()))
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for Line<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LineVisitor)
    }
}

inline_schema!(Line<MAX>, [const MAX: usize], "Line", { "type": "string" });

/// The id of a thing, as another answer gives it. Whether it is one is only seen when it is looked up.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(crate) struct IdLine(Line<36>);

impl IdLine {
    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

inline_schema!(IdLine, "IdLine", { "type": "string" });

/// An email address, or what may be one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(crate) struct AddressLine(Line<320>);

impl AddressLine {
    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

inline_schema!(AddressLine, "AddressLine", { "type": "string" });

/// A key that makes a repeated call take effect once: 1 to 64 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OnceKey(String);

/// Characters of a key at the most.
const ONCE_KEY_MAX: usize = 64;

struct OnceKeyVisitor;

impl Visitor<'_> for OnceKeyVisitor {
    type Value = OnceKey;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a string of 1 to {ONCE_KEY_MAX} visible ASCII characters without blanks"
        )
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<OnceKey, E> {
        let fits =
            (1..=ONCE_KEY_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !fits {
            return Err(E::invalid_value(Unexpected::Other("another string"), &self));
        }
        Ok(OnceKey(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for OnceKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OnceKeyVisitor)
    }
}

inline_schema!(OnceKey, "OnceKey", { "type": "string" });

/// A finding's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FindingArg(pub FindingId);

struct FindingVisitor;

impl Visitor<'_> for FindingVisitor {
    type Value = FindingArg;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the id of a finding as `list_findings` gives it, like 018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f",
        )
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

inline_schema!(FindingArg, "FindingId", { "type": "string" });

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

impl ArgumentValue for OnceKey {
    fn reduce(&self, name: &'static str, out: &mut Reduced<'_>) {
        out.idempotency_key(name, &self.0);
    }
}

impl ArgumentValue for FindingArg {
    fn reduce(&self, name: &'static str, out: &mut Reduced<'_>) {
        out.word(name, &self.0.to_string());
    }
}
