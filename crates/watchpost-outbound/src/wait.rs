//! The waits that servers ask for.

use http::{
    HeaderMap,
    header::{DATE, RETRY_AFTER},
};
use jiff::fmt::rfc2822;
use std::time::Duration;
use watchpost_core::value::time::Timestamp;

/// The longest pause that [`RateLimitHeaders::pace`] returns.
const PACE_MAX: Duration = Duration::from_secs(60);

/// The names of the headers in which a server reports its rate limit with each response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimitHeaders {
    /// The number of requests allowed in a period. Zero means that too many requests ran concurrently; the other headers then
    /// have no meaning.
    pub limit: &'static str,
    /// The number of requests left in the period.
    pub remaining: &'static str,
    /// The start of the next period, in seconds since the Unix epoch.
    pub reset: &'static str,
}

/// The rate limit that a response tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// The number of requests allowed in a period.
    pub limit: u32,
    /// The number of requests left in the period.
    pub remaining: u32,
    /// The start of the next period, in seconds since the Unix epoch.
    pub reset: i64,
    /// The time until the next period has begun, by the server's clock.
    pub resets_in: Duration,
}

impl RateLimitHeaders {
    /// Returns the rate limit that a response tells; `None` if it tells none, or too many requests ran concurrently.
    pub fn told(&self, headers: &HeaderMap, now: Timestamp) -> Option<RateLimit> {
        let number = |name: &str| text(headers, name)?.parse::<u32>().ok();
        let limit = number(self.limit).filter(|limit| *limit > 0)?;
        Some(RateLimit {
            limit,
            remaining: number(self.remaining)?,
            reset: text(headers, self.reset)?.parse().ok()?,
            resets_in: self.until_reset(headers, now)?,
        })
    }

    /// Returns a pause before the next request when less than a tenth of the limit is left: the remaining requests are spread
    /// over the rest of the period. `share` is the number of callers that send requests concurrently.
    pub fn pace(&self, headers: &HeaderMap, now: Timestamp, share: u32) -> Option<Duration> {
        let told = self.told(headers, now)?;
        if told.remaining >= told.limit.div_ceil(10) {
            return None;
        }
        let turns = (told.remaining / share.max(1)).max(1);
        Some(told.resets_in.min(PACE_MAX) / turns)
    }

    /// Returns the time until the next period begins, plus one second.
    fn until_reset(&self, headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
        let reset = text(headers, self.reset)?.parse::<i64>().ok()?;
        let until_ms = reset.saturating_mul(1_000).saturating_add(1_000);
        Some(millis(until_ms.saturating_sub(sent_ms(headers, now))))
    }
}

/// Returns the wait that a response asks for: `Retry-After` in seconds or as an HTTP date or, for status 429, the time
/// until the rate limit resets. Times are relative to the response's own `Date`, since the server's clock may differ;
/// `now` is used if it has none.
pub(crate) fn requested(
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
    fn the_wait_follows_the_servers_headers_and_clock() {
        let now: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
        let check = |pairs: &[(&'static str, &str)], expected_ms: Option<u64>| {
            assert_eq!(
                requested(429, &headers(pairs), Some(&LIMIT), now).map(|wait| wait.as_millis() as u64),
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
            requested(
                503,
                &headers(&[("x-rate-limit-reset", "1772323205")]),
                Some(&LIMIT),
                now
            ),
            None
        );
        assert_eq!(
            requested(503, &headers(&[("retry-after", "7")]), None, now),
            Some(Duration::from_secs(7))
        );
        check(&[("x-rate-limit-reset", "99999999999999999999")], None);
        check(&[("x-rate-limit-reset", "-9223372036854775808")], Some(0));
        assert_eq!(
            requested(429, &headers(&[("x-rate-limit-reset", "1772323205")]), None, now),
            None,
            "the request doesn't name rate limit headers"
        );
    }

    #[test]
    fn requests_are_slowed_only_near_the_limit() {
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
