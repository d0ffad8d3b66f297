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

/// The beginning of a period that lasts until now, as a person or an assistant writes it: a date (`2026-11-20`, from its
/// beginning in UTC), a time (RFC 3339), or a number of days (`7` or `7d`, including the whole day that many days ago).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// A number of days ago.
    Days(i64),
    /// A point in time.
    At(Timestamp),
}

/// The greatest number of days in a [`Since`].
pub const SINCE_DAYS_MAX: i64 = 3_650;

/// The error of a text that isn't a [`Since`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a date (2026-11-20), a time (2026-11-20T08:00:00Z) or a number of days from 0 to 3650 (7)")]
pub struct InvalidSince;

impl Since {
    /// Returns the beginning of the period that ends at `now`.
    pub const fn start(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Days(days) => now.since_days_ago(days),
            Self::At(time) => time,
        }
    }
}

impl FromStr for Since {
    type Err = InvalidSince;
    fn from_str(text: &str) -> Result<Self, InvalidSince> {
        let text = text.trim();
        let days = text.strip_suffix(['d', 'D']).unwrap_or(text);
        if !days.is_empty() && days.bytes().all(|byte| byte.is_ascii_digit()) {
            return match days.parse() {
                Ok(days) if (0..=SINCE_DAYS_MAX).contains(&days) => Ok(Self::Days(days)),
                _ => Err(InvalidSince),
            };
        }
        if let Ok(time) = text.parse() {
            return Ok(Self::At(time));
        }
        let date: jiff::civil::Date = text.parse().map_err(|_| InvalidSince)?;
        // A date with more after it, such as a time without an offset, is ambiguous.
        if text.len() != date.to_string().len() {
            return Err(InvalidSince);
        }
        format!("{date}T00:00:00Z")
            .parse()
            .map(Self::At)
            .map_err(|_| InvalidSince)
    }
}

/// The form in which [`Since::from_str`] parses it.
impl fmt::Display for Since {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Days(days) => write!(f, "{days}d"),
            Self::At(time) => fmt::Display::fmt(time, f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_begins_at_a_date_a_time_or_a_number_of_days_ago() {
        let now: Timestamp = "2026-03-31T07:01:00Z".parse().unwrap();
        let check = |text: &str, expected: Option<&str>| {
            let start = text
                .parse::<Since>()
                .ok()
                .map(|since| since.start(now).to_string());
            assert_eq!(start.as_deref(), expected, "{text}");
            if let Ok(since) = text.parse::<Since>() {
                assert_eq!(since.to_string().parse(), Ok(since));
            }
        };
        check("2026-03-20", Some("2026-03-20T00:00:00Z"));
        check(" 2026-03-20T09:30:00+01:00 ", Some("2026-03-20T08:30:00Z"));
        check("7", Some("2026-03-24T00:00:00Z"));
        check("7d", Some("2026-03-24T00:00:00Z"));
        check("0", Some("2026-03-31T00:00:00Z"));
        check("3650", Some("2016-04-02T00:00:00Z"));
        for wrong in [
            "",
            "d",
            "3651",
            "-1",
            "7 days",
            "2026-13-01",
            "2026-03-20T09:30",
            "20260320",
            "last week",
            "99999999999999999999",
        ] {
            check(wrong, None);
        }
    }

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
