//! How long a server asks us to wait.

use http::{
    HeaderMap,
    header::{DATE, RETRY_AFTER},
};
use jiff::fmt::rfc2822;
use std::time::Duration;
use watchpost_core::value::time::Timestamp;

/// The longest pause that [`RateLimitHeaders::pace`] advises.
const PACE_MAX: Duration = Duration::from_secs(60);

/// The headers by which a server tells how many requests it still takes. It sends them with each response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimitHeaders {
    /// How many requests it takes in a period. Zero says that too many came at once; the others then mean nothing.
    pub limit: &'static str,
    /// How many of them are left.
    pub remaining: &'static str,
    /// When the next period begins, in seconds since 1970.
    pub reset: &'static str,
}

impl RateLimitHeaders {
    /// A pause before the next request when little of the limit is left (below a tenth): the rest is spread until the
    /// next period begins. `share` callers ask at the same time.
    pub fn pace(&self, headers: &HeaderMap, now: Timestamp, share: u32) -> Option<Duration> {
        let number = |name: &str| text(headers, name)?.parse::<u32>().ok();
        let (limit, left) = (number(self.limit)?, number(self.remaining)?);
        if limit == 0 || left >= limit.div_ceil(10) {
            return None;
        }
        let until = self.until_reset(headers, now)?.min(PACE_MAX);
        let turns = (left / share.max(1)).max(1);
        Some(until / turns)
    }

    /// The time until the next period begins, with a second to spare.
    fn until_reset(&self, headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
        let reset = text(headers, self.reset)?.parse::<i64>().ok()?;
        let until_ms = reset.saturating_mul(1_000).saturating_add(1_000);
        Some(millis(until_ms.saturating_sub(sent_ms(headers, now))))
    }
}

/// The wait that a response asks for: `Retry-After` in seconds or as an HTTP date, else, if there were too many
/// requests, the time until the limit starts anew. Dates are counted from the response's own `Date`, since clocks
/// differ; `now` stands in for a missing one.
pub(crate) fn asked(
    status: u16,
    headers: &HeaderMap,
    rate_limit: Option<&RateLimitHeaders>,
    now: Timestamp,
) -> Option<Duration> {
    if let Some(after) = text(headers, RETRY_AFTER.as_str()) {
        if let Ok(seconds) = after.parse::<u32>() {
            return Some(Duration::from_secs(seconds.into()));
        }
        if let Some(until_ms) = http_date_ms(after) {
            return Some(millis(until_ms.saturating_sub(sent_ms(headers, now))));
        }
    }
    let rate_limit = rate_limit.filter(|_| status == 429)?;
    if text(headers, rate_limit.limit) == Some("0") {
        return None;
    }
    rate_limit.until_reset(headers, now)
}

fn sent_ms(headers: &HeaderMap, now: Timestamp) -> i64 {
    text(headers, DATE.as_str())
        .and_then(http_date_ms)
        .unwrap_or(now.as_millis())
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().map(str::trim)
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
    use http::{HeaderName, HeaderValue};

    const LIMIT: RateLimitHeaders = RateLimitHeaders {
        limit: "x-rate-limit-limit",
        remaining: "x-rate-limit-remaining",
        reset: "x-rate-limit-reset",
    };

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
    fn the_wait_is_the_servers_by_its_own_clock() {
        let now: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
        let check = |pairs: &[(&'static str, &str)], expected_ms: Option<u64>| {
            assert_eq!(
                asked(429, &headers(pairs), Some(&LIMIT), now).map(|wait| wait.as_millis() as u64),
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
            asked(
                503,
                &headers(&[("x-rate-limit-reset", "1772323205")]),
                Some(&LIMIT),
                now
            ),
            None
        );
        assert_eq!(
            asked(503, &headers(&[("retry-after", "7")]), None, now),
            Some(Duration::from_secs(7))
        );
        check(&[("x-rate-limit-reset", "99999999999999999999")], None);
        check(&[("x-rate-limit-reset", "-9223372036854775808")], Some(0));
        assert_eq!(
            asked(429, &headers(&[("x-rate-limit-reset", "1772323205")]), None, now),
            None,
            "nobody said that the server has such a header"
        );
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
                LIMIT
                    .pace(&headers, now, share)
                    .map(|wait| wait.as_millis() as u64),
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
