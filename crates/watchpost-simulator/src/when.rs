//! Times in the fixture, which are written as offsets so that the fixture never becomes outdated.

use serde::{Deserialize, Deserializer, de::Error as _};

/// One hour in milliseconds.
pub(crate) const HOUR_MS: i64 = 3_600_000;
/// One day in milliseconds.
pub(crate) const DAY_MS: i64 = 24 * HOUR_MS;

/// A time: an offset from the simulator's origin, or a fixed time that a change at run time has set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// Milliseconds after the origin. A negative value is before it.
    Offset(i64),
    /// Milliseconds since the Unix epoch.
    At(i64),
}

impl When {
    /// Returns the time in milliseconds since the Unix epoch, for a simulator with the origin `origin_ms`.
    #[must_use]
    pub(crate) const fn ms(self, origin_ms: i64) -> i64 {
        match self {
            Self::Offset(offset) => origin_ms.saturating_add(offset),
            Self::At(at) => at,
        }
    }
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_offset(&text)
            .map(Self::Offset)
            .ok_or_else(|| D::Error::custom(format!("not an offset: {text}")))
    }
}

/// Parses an offset such as `-3d4h`, `+20d`, `-90m` or `0` into milliseconds. Returns `None` for anything else.
pub(crate) fn parse_offset(text: &str) -> Option<i64> {
    let (sign, mut rest) = match text.as_bytes().first()? {
        b'-' => (-1, text.get(1..)?),
        b'+' => (1, text.get(1..)?),
        _ if text == "0" => return Some(0),
        _ => return None,
    };
    let mut total = 0_i64;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: i64 = rest.get(..digits)?.parse().ok()?;
        let unit = match rest.as_bytes().get(digits)? {
            b'd' => DAY_MS,
            b'h' => HOUR_MS,
            b'm' => 60_000,
            _ => return None,
        };
        total = total.checked_add(number.checked_mul(unit)?)?;
        rest = rest.get(digits + 1..)?;
    }
    (total != 0).then_some(sign * total)
}

/// Formats a time as Graph does: `2026-03-02T09:15:02Z`.
pub(crate) fn iso(ms: i64) -> String {
    format_time(ms, "%Y-%m-%dT%H:%M:%SZ")
}

/// Formats a time as Okta does: `2026-03-02T09:15:02.000Z`.
pub(crate) fn iso_millis(ms: i64) -> String {
    format_time(ms, "%Y-%m-%dT%H:%M:%S.000Z")
}

/// Formats a time as HTTP headers do: `Mon, 02 Mar 2026 09:15:02 GMT`.
pub(crate) fn http_date(ms: i64) -> String {
    format_time(ms, "%a, %d %b %Y %H:%M:%S GMT")
}

/// Formats a time as Entra's error bodies do: `2026-03-02 09:15:02Z`.
pub(crate) fn entra_time(ms: i64) -> String {
    format_time(ms, "%Y-%m-%d %H:%M:%SZ")
}

fn format_time(ms: i64, format: &str) -> String {
    jiff::Timestamp::from_millisecond(ms)
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
        .strftime(format)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_parsed_exactly() {
        let check = |text: &str, ms: Option<i64>| assert_eq!(parse_offset(text), ms, "{text}");
        check("-3d4h", Some(-(3 * DAY_MS + 4 * HOUR_MS)));
        check("+20d", Some(20 * DAY_MS));
        check("-90m", Some(-90 * 60_000));
        check("0", Some(0));
        for wrong in [
            "",
            "-",
            "3d",
            "-3",
            "-3x",
            "d",
            "-d",
            "-é",
            "+99999999999999999999d",
        ] {
            check(wrong, None);
        }
    }

    #[test]
    fn times_have_the_format_of_each_vendor() {
        let ms = 1_772_442_902_000;
        assert_eq!(iso(ms), "2026-03-02T09:15:02Z");
        assert_eq!(iso_millis(ms), "2026-03-02T09:15:02.000Z");
        assert_eq!(http_date(ms), "Mon, 02 Mar 2026 09:15:02 GMT");
        assert_eq!(entra_time(ms), "2026-03-02 09:15:02Z");
    }
}
