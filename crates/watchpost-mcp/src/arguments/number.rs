//! Whole numbers.

use super::{ArgumentValue, Reduced};
use crate::{schema::inline_schema, text::arguments::expect_number};
use serde::{
    Deserialize, Deserializer,
    de::{self, Unexpected, Visitor},
};
use std::fmt;

/// A whole number within bounds. `25.0` is accepted as 25.
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
}

impl<'de, const MIN: i64, const MAX: i64> Deserialize<'de> for Whole<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WholeVisitor)
    }
}

inline_schema!(Whole<MIN, MAX>, [const MIN: i64, const MAX: i64], "Whole", {
    "type": "integer", "minimum": MIN, "maximum": MAX
});

impl<const MIN: i64, const MAX: i64> ArgumentValue for Whole<MIN, MAX> {
    fn reduce(&self, name: &'static str, out: &mut Reduced<'_>) {
        out.number(name, self.0);
    }
}
