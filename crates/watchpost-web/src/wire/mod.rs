//! Output structs that several answers share. Foreign text becomes nothing but a JSON string here.

pub(crate) mod app;
pub(crate) mod finding;
pub(crate) mod identity;
pub(crate) mod scan;

use crate::{schema::inline_schema, text::next_step};
use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use watchpost_core::{
    posture::Freshness,
    value::{text::ForeignText, time::Timestamp},
};

/// A time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Time(pub(crate) Timestamp);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

inline_schema!(Time, "Time", { "type": "string", "format": "date-time" });

/// A text that was written outside of Watchpost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Foreign<'a>(pub(crate) &'a ForeignText);

impl Serialize for Foreign<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

inline_schema!(Foreign<'_>, "Foreign", { "type": "string" });

/// A number with one decimal, stored as tenths.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tenths(pub(crate) u64);

impl Serialize for Tenths {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let tenths = u32::try_from(self.0).unwrap_or(u32::MAX);
        serializer.serialize_f64(f64::from(tenths) / 10.0)
    }
}

inline_schema!(Tenths, "Tenths", { "type": "number" });

/// A signed difference of scores, in tenths.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Difference(pub(crate) i16);

impl Serialize for Difference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(f64::from(self.0) / 10.0)
    }
}

inline_schema!(Difference, "Difference", { "type": "number" });

/// The age and the completeness of the data.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AsOf {
    /// The time of the last analysis.
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<Time>,
    /// Sources that are stale, failing, paused or partly unreadable.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

impl AsOf {
    pub(crate) fn new(freshness: &Freshness, now: Timestamp) -> Self {
        Self {
            as_of: freshness.as_of.map(Time),
            warnings: freshness
                .warnings(now)
                .into_iter()
                .map(next_step::warning)
                .collect(),
        }
    }
    pub(crate) const fn has_warnings(&self) -> bool {
        !self.warnings.is_empty()
    }
}

/// The reason why there is no score or nothing to list yet.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(crate) struct NotReady {
    /// `not_connected`, `waiting_for_first_sync` or `failed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    /// The next step.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_step: Option<String>,
}

impl From<Option<watchpost_core::service::NotReady>> for NotReady {
    fn from(why: Option<watchpost_core::service::NotReady>) -> Self {
        Self {
            state: why.map(|why| why.state.as_str()),
            next_step: why.map(|why| next_step::step(why.next_step)),
        }
    }
}

/// Returns stored JSON text as a value.
pub(crate) fn raw(text: &str) -> Result<Box<RawValue>, serde_json::Error> {
    RawValue::from_string(text.to_owned())
}

/// The length of a list as a JSON number.
pub(crate) fn len<T>(list: &[T]) -> u64 {
    u64::try_from(list.len()).unwrap_or(u64::MAX)
}
