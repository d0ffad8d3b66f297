//! Okta's rate limits: requests per minute and bucket for the whole org, of which one app or token may use half.

use std::collections::BTreeMap;

/// The org's requests per minute in `/api/v1/apps/*`, on every plan.
const APP_REQUESTS: u32 = 100;

/// The limits of an org, and the requests of the current minute.
#[derive(Debug, Clone)]
pub(crate) struct OktaRates {
    /// The org's requests per minute in the other buckets.
    per_minute: u32,
    minute: i64,
    used: BTreeMap<&'static str, u32>,
    /// The most requests in one minute and bucket so far.
    pub(crate) most: BTreeMap<&'static str, u32>,
    /// The number of requests that were rejected.
    pub(crate) rejected: u64,
}

/// The state of a bucket after a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OktaRate {
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    /// The start of the next minute, in seconds since the Unix epoch.
    pub(crate) reset: i64,
    /// Whether the request exceeds the share of one app.
    pub(crate) exceeded: bool,
}

impl OktaRates {
    pub(crate) fn new(per_minute: u32) -> Self {
        Self {
            per_minute,
            minute: 0,
            used: BTreeMap::new(),
            most: BTreeMap::new(),
            rejected: 0,
        }
    }

    /// Counts a request.
    pub(crate) fn count(&mut self, path: &str, clock_ms: i64) -> OktaRate {
        let minute = clock_ms.div_euclid(60_000);
        if minute != self.minute {
            self.minute = minute;
            self.used.clear();
        }
        let bucket = bucket(path);
        let limit = if bucket == "/api/v1/apps/*" {
            APP_REQUESTS
        } else {
            self.per_minute
        };
        let used = self.used.entry(bucket).or_default();
        *used = used.saturating_add(1);
        let exceeded = *used > limit / 2;
        self.rejected += u64::from(exceeded);
        let most = self.most.entry(bucket).or_default();
        *most = (*most).max(*used);
        OktaRate {
            limit,
            remaining: if exceeded { 0 } else { limit - *used },
            reset: (minute + 1) * 60,
            exceeded,
        }
    }
}

/// Returns the bucket of a path.
fn bucket(path: &str) -> &'static str {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        ["api", "v1", "users"] => "/api/v1/users",
        ["api", "v1", "users", ..] => "/api/v1/users/*",
        ["api", "v1", "apps"] => "/api/v1/apps",
        ["api", "v1", "apps", ..] => "/api/v1/apps/*",
        ["api", "v1", "policies", ..] => "/api/v1/policies/*",
        ["api", "v1", "iam", ..] => "/api/v1/iam/*",
        _ => "/api/v1/*",
    }
}
