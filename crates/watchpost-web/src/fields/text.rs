//! Texts, ids and positions.

use super::{FieldValue, Mismatch, Place, Raw};
use crate::text;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::{borrow::Cow, fmt::Display, str::FromStr};
use watchpost_core::{
    audit::Reduced,
    value::time::{SINCE_DAYS_MAX, Since},
};

/// Returns the single text of a value.
fn single<'r>(raw: Option<&'r Raw<'_>>) -> Option<&'r str> {
    match raw? {
        Raw::Text(values) => match values.as_slice() {
            [one] => Some(one),
            _ => None,
        },
        Raw::Json(Value::String(text)) => Some(text),
        Raw::Json(_) => None,
    }
}

/// Returns a text of 1 to `max` characters without white space around it.
fn line(raw: Option<&Raw<'_>>, max: usize) -> Result<String, Mismatch> {
    let text = single(raw).map(str::trim).filter(|text| {
        // The length in bytes is checked first, since counting the characters of a huge text is slow.
        !text.is_empty() && text.len() <= max.saturating_mul(4) && text.chars().count() <= max
    });
    text.map(str::to_owned)
        .ok_or_else(|| Mismatch::from(text::line_of(max)))
}

/// The pattern of texts that aren't empty: at least one character that isn't white space. U+0085 is white space in Unicode, and so for
/// trimming, but not for the regular expressions of JavaScript.
const NOT_BLANK: &str = r"[^\s\u0085]";

/// A text of 1 to `MAX` characters, after trimming white space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line<const MAX: usize>(String);

impl<const MAX: usize> Line<MAX> {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> FieldValue for Line<MAX> {
    fn read(raw: Option<&Raw<'_>>) -> Result<Self, Mismatch> {
        line(raw, MAX).map(Self)
    }
    fn reduce(&self, name: &'static str, out: &mut Reduced<'_>) {
        out.secret(name, &self.0);
    }
    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "maxLength": MAX, "pattern": NOT_BLANK })
    }
}

/// A person's email address or name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person(String);

impl Person {
    const MAX: usize = 320;

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FieldValue for Person {
    fn read(raw: Option<&Raw<'_>>) -> Result<Self, Mismatch> {
        line(raw, Self::MAX).map(Self)
    }
    fn reduce(&self, name: &'static str, out: &mut Reduced<'_>) {
        out.address(name, &self.0);
    }
    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "maxLength": Self::MAX, "pattern": NOT_BLANK })
    }
}

/// An id, as a parameter or in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Id<T>(pub(crate) T);

impl<T: Display> Serialize for Id<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<T> JsonSchema for Id<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Id".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "uuid" })
    }
}

impl<T: FromStr + Display> FieldValue for Id<T> {
    fn read(raw: Option<&Raw<'_>>) -> Result<Self, Mismatch> {
        single(raw)
            .and_then(|text| text.parse().ok())
            .map(Self)
            .ok_or_else(|| Mismatch::from(text::ID_EXPECTED.to_owned()))
    }
    fn reduce(&self, name: &'static str, out: &mut Reduced<'_>) {
        out.id(name, &self.0.to_string());
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Self>()
    }
}

/// The position after which a page begins: `next_after` of the page before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct After(String);

impl After {
    /// The maximum length of a position, in characters.
    pub(crate) const MAX: usize = 2_048;

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FieldValue for After {
    const SELECTS: bool = false;

    fn read(raw: Option<&Raw<'_>>) -> Result<Self, Mismatch> {
        let text = single(raw).filter(|text| !text.is_empty() && text.len() <= Self::MAX);
        text.map(|text| Self(text.to_owned()))
            .ok_or_else(|| Mismatch::from(text::POSITION_EXPECTED.to_owned()))
    }
    fn reduce(&self, name: &'static str, out: &mut Reduced<'_>) {
        out.secret(name, &self.0);
    }
    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "maxLength": Self::MAX })
    }
}

/// The beginning of a period: a date, a time or a number of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Begin(pub(crate) Since);

impl Begin {
    /// The maximum length, in characters.
    const MAX: usize = 40;
}

impl FieldValue for Begin {
    fn read(raw: Option<&Raw<'_>>) -> Result<Self, Mismatch> {
        single(raw)
            .filter(|text| text.len() <= Self::MAX)
            .and_then(|text| text.parse().ok())
            .map(Self)
            .ok_or_else(|| Mismatch::from(text::since(SINCE_DAYS_MAX)))
    }
    fn reduce(&self, name: &'static str, out: &mut Reduced<'_>) {
        out.word(name, &self.0.to_string());
    }
    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "type": "integer", "minimum": 0, "maximum": SINCE_DAYS_MAX },
            { "type": "string", "format": "date" },
            { "type": "string", "format": "date-time" },
        ] })
    }
}

/// A key with which a repeated request takes effect only once: 1 to 64 visible ASCII characters, as over MCP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The header with the key.
    pub(crate) const HEADER: &str = "Idempotency-Key";
    const MAX: usize = 64;
}

impl FieldValue for IdempotencyKey {
    const PLACE: Place = Place::Header(Self::HEADER);

    fn read(raw: Option<&Raw<'_>>) -> Result<Self, Mismatch> {
        let text = single(raw).filter(|text| {
            (1..=Self::MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
        });
        text.map(|text| Self(text.to_owned()))
            .ok_or_else(|| Mismatch::from(text::idempotency_key(Self::MAX)))
    }
    fn reduce(&self, name: &'static str, out: &mut Reduced<'_>) {
        out.idempotency_key(name, &self.0);
    }
    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "maxLength": Self::MAX, "pattern": "^[!-~]+$" })
    }
}
