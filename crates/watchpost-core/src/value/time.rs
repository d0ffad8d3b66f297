//! Points in time, in milliseconds since the Unix epoch.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, str::FromStr};

/// Milliseconds in a day.
pub const DAY_MS: i64 = 86_400_000;
/// Milliseconds in an hour.
pub const HOUR_MS: i64 = 3_600_000;

/// A point in time, in milliseconds since 1970-01-01T00:00:00Z. Its text form is RFC 3339 in UTC with `Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// The error of a text that isn't an RFC 3339 time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a time: times look like 2026-03-01T07:01:00Z")]
pub struct InvalidTime;

impl Timestamp {
    /// Creates a time from milliseconds since 1970-01-01T00:00:00Z.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }
    /// Returns the milliseconds since 1970-01-01T00:00:00Z.
    pub const fn as_millis(self) -> i64 {
        self.0
    }
    /// Returns this time plus a number of milliseconds; saturates at the ends of the range.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }
    /// Returns this time plus a number of days of 24 hours; saturates at the ends of the range.
    #[must_use]
    pub const fn plus_days(self, days: i64) -> Self {
        Self(self.0.saturating_add(days.saturating_mul(DAY_MS)))
    }
    /// Returns the begin of this time's day in UTC.
    #[must_use]
    pub const fn start_of_day(self) -> Self {
        Self(self.0.saturating_sub(self.0.rem_euclid(DAY_MS)))
    }
    /// Returns the last millisecond of this time's day in UTC.
    #[must_use]
    pub const fn end_of_day(self) -> Self {
        self.start_of_day().plus_millis(DAY_MS - 1)
    }
    /// Returns the begin of the period of the last `days` days, which includes the whole day that many days ago.
    #[must_use]
    pub const fn since_days_ago(self, days: i64) -> Self {
        self.plus_days(days.saturating_neg()).start_of_day()
    }
    /// Returns this time plus a number of hours; saturates at the ends of the range.
    #[must_use]
    pub const fn plus_hours(self, hours: i64) -> Self {
        Self(self.0.saturating_add(hours.saturating_mul(HOUR_MS)))
    }
    /// Returns the milliseconds from `earlier` to this time; negative if this time is earlier.
    pub const fn millis_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(time) => fmt::Display::fmt(&time, f),
            Err(_) => f.write_str("out of range"),
        }
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTime;
    fn from_str(text: &str) -> Result<Self, InvalidTime> {
        text.parse::<jiff::Timestamp>()
            .map(|time| Self(time.as_millisecond()))
            .map_err(|_| InvalidTime)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_is_utc_with_z() {
        let time: Timestamp = "2026-03-01T07:01:00Z".parse().unwrap();
        assert_eq!(time.to_string(), "2026-03-01T07:01:00Z");
        assert_eq!(time.plus_days(1).to_string(), "2026-03-02T07:01:00Z");
        assert_eq!(time.start_of_day().to_string(), "2026-03-01T00:00:00Z");
        assert_eq!(time.start_of_day().start_of_day(), time.start_of_day());
        assert_eq!(time.end_of_day().to_string(), "2026-03-01T23:59:59.999Z");
        assert_eq!(time.since_days_ago(30).to_string(), "2026-01-30T00:00:00Z");
        let before_1970 = Timestamp::from_millis(-1);
        assert_eq!(before_1970.start_of_day().to_string(), "1969-12-31T00:00:00Z");
        assert_eq!("2026-03-01T08:01:00+01:00".parse::<Timestamp>().unwrap(), time);
        assert!("yesterday".parse::<Timestamp>().is_err());
    }
}
