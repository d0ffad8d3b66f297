//! How long a vendor asks us to wait.

use jiff::fmt::rfc2822;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use std::time::Duration;
use watchpost_core::value::time::Timestamp;

/// The wait that an answer asks for: `Retry-After` in seconds or as an HTTP date, else, if there were too many
/// requests, Okta's reset time, which comes with every answer. Dates are counted from the answer's own `Date`, since
/// clocks differ; `now` stands in for a missing one.
pub(crate) fn asked(status: u16, headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    if let Some(after) = text(headers, RETRY_AFTER.as_str()) {
        if let Ok(seconds) = after.parse::<u32>() {
            return Some(Duration::from_secs(seconds.into()));
        }
        if let Some(until_ms) = http_date_ms(after) {
            return Some(millis(until_ms.saturating_sub(sent_ms(headers, now))));
        }
    }
    // A limit of zero says "too many at once": the reset time then means nothing.
    if status != 429 || text(headers, "x-rate-limit-limit") == Some("0") {
        return None;
    }
    until_reset(headers, now)
}

/// The time until Okta's limit starts anew, with a second to spare.
fn until_reset(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let reset = text(headers, "x-rate-limit-reset")?.parse::<i64>().ok()?;
    let until_ms = reset.saturating_mul(1_000).saturating_add(1_000);
    Some(millis(until_ms.saturating_sub(sent_ms(headers, now))))
}

fn sent_ms(headers: &HeaderMap, now: Timestamp) -> i64 {
    text(headers, DATE.as_str())
        .and_then(http_date_ms)
        .unwrap_or(now.as_millis())
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// A pause before the next request when little of the limit is left (below a tenth): the rest is spread until the
/// limit starts anew. `share` callers ask at the same time.
pub(crate) fn pace(headers: &HeaderMap, now: Timestamp, share: u32) -> Option<Duration> {
    let number = |name: &str| text(headers, name)?.parse::<u32>().ok();
    let (limit, left) = (number("x-rate-limit-limit")?, number("x-rate-limit-remaining")?);
    if limit == 0 || left >= limit.div_ceil(10) {
        return None;
    }
    let until = until_reset(headers, now)?.min(Duration::from_secs(60));
    let turns = (left / share.max(1)).max(1);
    Some(until / turns)
}

fn millis(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}

fn http_date_ms(text: &str) -> Option<i64> {
    rfc2822::DateTimeParser::new()
        .parse_timestamp(text)
        .ok()
        .map(|time| time.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderName, HeaderValue};

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_str(value).unwrap(),
                )
            })
            .collect()
    }

    #[test]
    fn the_wait_is_the_vendors_by_its_own_clock() {
        let now: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
        let check = |pairs: &[(&'static str, &str)], expected_ms: Option<u64>| {
            assert_eq!(
                asked(429, &headers(pairs), now).map(|wait| wait.as_millis() as u64),
                expected_ms,
                "{pairs:?}"
            );
        };
        check(&[], None);
        check(&[("retry-after", "7")], Some(7_000));
        check(&[("retry-after", " 7 ")], Some(7_000));
        check(&[("retry-after", "soon")], None);
        check(&[("retry-after", "-3")], None);
        check(&[("retry-after", "Sun, 01 Mar 2026 00:00:09 GMT")], Some(9_000));
        check(
            &[
                ("retry-after", "Sun, 01 Mar 2026 01:00:09 GMT"),
                ("date", "Sun, 01 Mar 2026 01:00:00 GMT"),
            ],
            Some(9_000),
        );
        check(&[("retry-after", "Sat, 28 Feb 2026 00:00:00 GMT")], Some(0));
        check(
            &[
                ("x-rate-limit-limit", "600"),
                ("x-rate-limit-reset", "1772323205"),
            ],
            Some(6_000),
        );
        check(
            &[
                ("x-rate-limit-limit", "600"),
                ("x-rate-limit-reset", "1772323265"),
                ("date", "Sun, 01 Mar 2026 00:01:00 GMT"),
            ],
            Some(6_000),
        );
        check(
            &[("x-rate-limit-limit", "0"), ("x-rate-limit-reset", "1772323205")],
            None,
        );
        assert_eq!(
            asked(503, &headers(&[("x-rate-limit-reset", "1772323205")]), now),
            None
        );
        assert_eq!(
            asked(503, &headers(&[("retry-after", "7")]), now),
            Some(Duration::from_secs(7))
        );
        check(&[("x-rate-limit-reset", "99999999999999999999")], None);
        check(&[("x-rate-limit-reset", "-9223372036854775808")], Some(0));
    }

    #[test]
    fn pace_slows_only_when_little_is_left() {
        let now: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
        let check = |left: &str, share: u32, expected_ms: Option<u64>| {
            let headers = headers(&[
                ("x-rate-limit-limit", "600"),
                ("x-rate-limit-remaining", left),
                ("x-rate-limit-reset", "1772323229"),
            ]);
            assert_eq!(
                pace(&headers, now, share).map(|wait| wait.as_millis() as u64),
                expected_ms,
                "{left}"
            );
        };
        check("599", 1, None);
        check("60", 1, None);
        check("30", 1, Some(1_000));
        check("30", 8, Some(10_000));
        check("0", 8, Some(30_000));
    }
}
