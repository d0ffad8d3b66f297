//! The beginning of a period.

use super::{ArgumentValue, Reduced};
use crate::{schema::inline_schema, text::arguments::expect_since};
use serde::{
    Deserialize, Deserializer,
    de::{self, Unexpected, Visitor},
};
use std::fmt;
use watchpost_core::value::time::Since;

/// The length of the longest text that is parsed.
const SINCE_CHARS_MAX: usize = 40;

/// A date, a time or a number of days. The number 7 is accepted like the text "7".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SinceArg(pub Since);

struct SinceVisitor;

impl Visitor<'_> for SinceVisitor {
    type Value = SinceArg;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        expect_since(f)
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<SinceArg, E> {
        let wrong = || E::invalid_value(Unexpected::Other("another string"), &self);
        if text.len() > SINCE_CHARS_MAX {
            return Err(wrong());
        }
        text.parse().map(SinceArg).map_err(|_| wrong())
    }
    fn visit_i64<E: de::Error>(self, number: i64) -> Result<SinceArg, E> {
        self.visit_str(&number.to_string())
    }
    fn visit_u64<E: de::Error>(self, number: u64) -> Result<SinceArg, E> {
        self.visit_str(&number.to_string())
    }
}

impl<'de> Deserialize<'de> for SinceArg {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SinceVisitor)
    }
}

inline_schema!(SinceArg, "Since", { "type": "string", "maxLength": SINCE_CHARS_MAX });

impl ArgumentValue for SinceArg {
    fn reduce(&self, name: &'static str, out: &mut Reduced<'_>) {
        out.word(name, &self.0.to_string());
    }
}
