//! Numbers and flags.

use super::{FieldValue, Mismatch, Raw};
use crate::text;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::Value;
use watchpost_core::audit::Reduced;

/// The maximum number of rows of a page.
pub(crate) const LIMIT_MAX: i64 = 200;

/// Parses a whole number within bounds. There is one spelling of each.
fn whole(raw: Option<&Raw<'_>>, min: i64, max: i64) -> Result<i64, Mismatch> {
    let number = match raw {
        Some(Raw::Text(values)) => match values.as_slice() {
            [one] => one
                .parse::<i64>()
                .ok()
                .filter(|number| number.to_string() == **one),
            _ => None,
        },
        Some(Raw::Json(Value::Number(number))) => number.as_i64().or_else(|| integral(number.as_f64()?)),
        Some(Raw::Json(_)) | None => None,
    };
    number
        .filter(|number| (min..=max).contains(number))
        .ok_or_else(|| Mismatch::from(text::whole_number(min, max)))
}

/// Returns a number without a fraction, which JSON may also write as `7.0` or `7e0`.
fn integral(number: f64) -> Option<i64> {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    if number.fract() != 0.0 || number.abs() > EXACT_MAX {
        return None;
    }
    format!("{number:.0}").parse().ok()
}

/// A whole number from `MIN` to `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Whole<const MIN: i64, const MAX: i64>(pub(crate) i64);

impl<const MIN: i64, const MAX: i64> FieldValue for Whole<MIN, MAX> {
    fn read(raw: Option<&Raw<'_>>) -> Result<Self, Mismatch> {
        whole(raw, MIN, MAX).map(Self)
    }
    fn reduce(&self, name: &'static str, out: &mut Reduced<'_>) {
        out.number(name, self.0);
    }
    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}

/// The number of rows of a page, 1 to 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit<const DEFAULT: i64>(i64);

impl<const DEFAULT: i64> Limit<DEFAULT> {
    pub(crate) fn rows(self) -> usize {
        usize::try_from(self.0).unwrap_or(1)
    }
}

impl<const DEFAULT: i64> FieldValue for Limit<DEFAULT> {
    const IS_REQUIRED: bool = false;
    const SELECTS: bool = false;

    fn read(raw: Option<&Raw<'_>>) -> Result<Self, Mismatch> {
        raw.map_or(Ok(Self(DEFAULT)), |raw| whole(Some(raw), 1, LIMIT_MAX).map(Self))
    }
    fn reduce(&self, name: &'static str, out: &mut Reduced<'_>) {
        out.number(name, self.0);
    }
    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": DEFAULT })
    }
}

/// The number of rows to skip, at most 10,000, so that a request doesn't make the store skip a million rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Offset(pub(crate) i64);

impl Offset {
    const MAX: i64 = 10_000;
}

impl FieldValue for Offset {
    const SELECTS: bool = false;

    fn read(raw: Option<&Raw<'_>>) -> Result<Self, Mismatch> {
        whole(raw, 0, Self::MAX).map(Self)
    }
    fn reduce(&self, name: &'static str, out: &mut Reduced<'_>) {
        out.number(name, self.0);
    }
    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 0, "maximum": Self::MAX })
    }
}

/// `true` or `false`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flag(pub(crate) bool);

impl FieldValue for Flag {
    fn read(raw: Option<&Raw<'_>>) -> Result<Self, Mismatch> {
        let flag = match raw {
            Some(Raw::Text(values)) => match values.as_slice() {
                [one] => one.parse().ok(),
                _ => None,
            },
            Some(Raw::Json(value)) => value.as_bool(),
            None => None,
        };
        flag.map(Self)
            .ok_or_else(|| Mismatch::from(text::FLAG_EXPECTED.to_owned()))
    }
    fn reduce(&self, name: &'static str, out: &mut Reduced<'_>) {
        out.flag(name, self.0);
    }
    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "boolean" })
    }
}
