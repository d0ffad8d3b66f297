//! Whole numbers and flags.

use super::{ArgumentValue, Reduced};
use crate::{
    schema::inline_schema,
    text::arguments::{expect_flag, expect_number},
};
use serde::{
    Deserialize, Deserializer,
    de::{self, Unexpected, Visitor},
};
use std::fmt;

/// A whole number within bounds. `25.0` and `"25"` are accepted as 25.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Whole<const MIN: i64, const MAX: i64>(pub i64);

struct WholeVisitor<const MIN: i64, const MAX: i64>;

impl<const MIN: i64, const MAX: i64> Visitor<'_> for WholeVisitor<MIN, MAX> {
    type Value = Whole<MIN, MAX>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        expect_number(f, MIN, MAX)
    }
    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
        if (MIN..=MAX).contains(&number) {
            Ok(Whole(number))
        } else {
            Err(E::invalid_value(Unexpected::Signed(number), &self))
        }
    }
    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
        match i64::try_from(number) {
            Ok(number) => self.visit_i64(number),
            Err(_) => Err(E::invalid_value(Unexpected::Unsigned(number), &self)),
        }
    }
    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Self::Value, E> {
        // The bounds are small, so each whole number within them is exact as a float. Comparing with each avoids a cast.
        (MIN..=MAX)
            .find(|whole| i32::try_from(*whole).is_ok_and(|whole| f64::from(whole) == number))
            .map(Whole)
            .ok_or_else(|| E::invalid_value(Unexpected::Float(number), &self))
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        let text = text.trim();
        match (text.parse(), text.parse()) {
            (Ok(number), _) => self.visit_i64(number),
            (Err(_), Ok(number)) => self.visit_f64(number),
            (Err(_), Err(_)) => Err(E::invalid_type(Unexpected::Other("text"), &self)),
        }
    }
}

impl<'de, const MIN: i64, const MAX: i64> Deserialize<'de> for Whole<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WholeVisitor)
    }
}

inline_schema!(Whole<MIN, MAX>, [const MIN: i64, const MAX: i64], "Whole", {
    "type": "integer", "minimum": MIN, "maximum": MAX
});

/// A flag. `"true"` and `"false"` are accepted too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flag(pub bool);

struct FlagVisitor;

impl Visitor<'_> for FlagVisitor {
    type Value = Flag;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        expect_flag(f)
    }
    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Flag, E> {
        Ok(Flag(flag))
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Flag, E> {
        match text.trim() {
            text if text.eq_ignore_ascii_case("true") => Ok(Flag(true)),
            text if text.eq_ignore_ascii_case("false") => Ok(Flag(false)),
            _ => Err(E::invalid_type(Unexpected::Other("text"), &self)),
        }
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FlagVisitor)
    }
}

inline_schema!(Flag, "Flag", { "type": "boolean" });

impl ArgumentValue for Flag {
    fn reduce(&self, name: &'static str, out: &mut Reduced<'_>) {
        out.flag(name, self.0);
    }
}

impl<const MIN: i64, const MAX: i64> ArgumentValue for Whole<MIN, MAX> {
    fn reduce(&self, name: &'static str, out: &mut Reduced<'_>) {
        out.number(name, self.0);
    }
}
