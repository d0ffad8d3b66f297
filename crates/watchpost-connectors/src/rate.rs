//! Rate budgets: of the requests that a vendor allows in a period, an integration sends at most half, so that the
//! customer's other tools keep the rest.
//!
//! Vendors count requests in fixed periods and per family of endpoints (a bucket). A budget therefore follows the vendor's
//! own periods, as its responses tell them, which a bucket that refills continuously can't do: filled at the start, it
//! would allow the double number in the first period.

use crate::session::Session;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};
use watchpost_outbound::{RateLimit, RequestError};

/// A family of endpoints for which a vendor limits the requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bucket {
    /// The family's name, which is unique for the vendor.
    pub(crate) name: &'static str,
    /// The number of requests that the vendor allows in a period, as long as its responses don't tell another number.
    pub(crate) requests: u32,
    /// The length of a period.
    pub(crate) period: Duration,
    /// The number of concurrent requests that Watchpost sends.
    pub(crate) at_once: usize,
}

impl Bucket {
    /// Returns Watchpost's share of a limit, with the length of the period for it. Half of one request per period is one
    /// request in two periods.
    const fn share(&self, limit: u32) -> (u32, Duration) {
        if limit < 2 {
            (1, self.period.saturating_mul(2))
        } else {
            (limit / 2, self.period)
        }
    }
}

/// The requests of one bucket in the current period.
#[derive(Debug, Default)]
struct Spent {
    used: u32,
    /// The end of the period, on the monotonic clock.
    ends_ms: u64,
    /// The limit that the vendor told last.
    limit: Option<u32>,
    /// The end of the period as the vendor told it last, in seconds since the Unix epoch.
    reset: i64,
}

impl Spent {
    /// Counts a request. Returns the wait, in milliseconds, if the share of the period is used up.
    fn take(&mut self, bucket: &Bucket, now_ms: u64) -> Option<u64> {
        let (share, period) = bucket.share(self.limit.unwrap_or(bucket.requests));
        if now_ms >= self.ends_ms {
            self.used = 0;
            self.ends_ms = now_ms.saturating_add(millis(period));
        }
        if self.used < share {
            self.used = self.used.saturating_add(1);
            None
        } else {
            Some(self.ends_ms.saturating_sub(now_ms).max(1))
        }
    }

    /// Adjusts the limit and the end of the period to a response. A response from an earlier period is ignored.
    fn learn(&mut self, bucket: &Bucket, told: &RateLimit, now_ms: u64) {
        self.limit = Some(told.limit);
        if told.reset <= self.reset {
            return;
        }
        self.reset = told.reset;
        let (_, period) = bucket.share(told.limit);
        let left = told.resets_in.min(period.saturating_mul(2));
        self.ends_ms = now_ms.saturating_add(millis(left));
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The budgets of one tenant of a vendor. Everything that reads the tenant shares them.
pub(crate) struct Budgets {
    /// Whether requests are counted. The concurrency is limited in any case.
    metered: bool,
    at_once: Arc<Semaphore>,
    buckets: Mutex<HashMap<&'static str, (Spent, Arc<Semaphore>)>>,
}

/// The right to send one request, until it is dropped.
pub(crate) struct Reservation {
    _bucket: OwnedSemaphorePermit,
    _tenant: OwnedSemaphorePermit,
}

impl Budgets {
    /// Creates the budgets of a tenant that allows `at_once` concurrent requests.
    pub(crate) fn new(metered: bool, at_once: usize) -> Self {
        Self {
            metered,
            at_once: Arc::new(Semaphore::new(at_once)),
            buckets: Mutex::default(),
        }
    }

    /// Waits until a request may be sent.
    ///
    /// # Errors
    /// Returns [`RequestError::OutOfTime`] if the wait would go past the session's deadline.
    pub(crate) async fn reserve(
        &self,
        session: &Session,
        bucket: &'static Bucket,
    ) -> Result<Reservation, RequestError> {
        let slots = self.with(bucket, |_, slots| Arc::clone(slots));
        let in_bucket = acquire(slots).await?;
        while let Some(wait_ms) = self.with(bucket, |spent, _| {
            self.metered
                .then(|| spent.take(bucket, session.monotonic_ms()))
                .flatten()
        }) {
            let wait = Duration::from_millis(wait_ms);
            if wait >= session.deadline().saturating_duration_since(Instant::now()) {
                return Err(RequestError::OutOfTime { wait });
            }
            tracing::debug!(bucket = bucket.name, wait_ms, "waiting for the rate budget");
            session.pause(wait).await;
        }
        Ok(Reservation {
            _bucket: in_bucket,
            _tenant: acquire(Arc::clone(&self.at_once)).await?,
        })
    }

    /// Adjusts a budget to the rate limit that a response tells.
    pub(crate) fn learn(&self, session: &Session, bucket: &'static Bucket, told: &RateLimit) {
        self.with(bucket, |spent, _| {
            spent.learn(bucket, told, session.monotonic_ms());
        });
    }

    fn with<R>(&self, bucket: &'static Bucket, change: impl FnOnce(&mut Spent, &Arc<Semaphore>) -> R) -> R {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let (spent, slots) = buckets
            .entry(bucket.name)
            .or_insert_with(|| (Spent::default(), Arc::new(Semaphore::new(bucket.at_once))));
        change(spent, slots)
    }
}

async fn acquire(slots: Arc<Semaphore>) -> Result<OwnedSemaphorePermit, RequestError> {
    // The semaphores are never closed.
    slots
        .acquire_owned()
        .await
        .map_err(|_| RequestError::OutOfTime { wait: Duration::ZERO })
}

/// The budgets of all tenants of a vendor, by address.
#[derive(Default)]
pub(crate) struct BudgetBook(Mutex<HashMap<String, Arc<Budgets>>>);

/// The maximum number of tenants whose budgets are kept.
const TENANTS_MAX: usize = 10_000;

impl BudgetBook {
    /// Returns the budgets of a tenant. They are created by `new` at the first call.
    pub(crate) fn of(&self, tenant: String, new: impl FnOnce() -> Budgets) -> Arc<Budgets> {
        let mut book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if book.len() >= TENANTS_MAX && !book.contains_key(&tenant) {
            book.retain(|_, budgets| Arc::strong_count(budgets) > 1);
        }
        Arc::clone(book.entry(tenant).or_insert_with(|| Arc::new(new())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static MINUTE: Bucket = Bucket {
        name: "minute",
        requests: 100,
        period: Duration::from_secs(60),
        at_once: 8,
    };

    fn told(limit: u32, reset: i64, resets_in_secs: u64) -> RateLimit {
        RateLimit {
            limit,
            remaining: limit,
            reset,
            resets_in: Duration::from_secs(resets_in_secs),
        }
    }

    /// Returns how many requests are sent at once.
    fn burst(spent: &mut Spent, bucket: &Bucket, now_ms: u64) -> u32 {
        let mut sent = 0;
        while spent.take(bucket, now_ms).is_none() {
            sent += 1;
        }
        sent
    }

    #[test]
    fn half_of_what_the_vendor_allows_is_used_in_each_period() {
        let check = |limit: Option<u32>, expected: u32| {
            let mut spent = Spent::default();
            if let Some(limit) = limit {
                spent.learn(&MINUTE, &told(limit, 1, 60), 0);
            }
            assert_eq!(burst(&mut spent, &MINUTE, 0), expected, "{limit:?}");
            assert_eq!(spent.take(&MINUTE, 59_999), Some(1), "{limit:?}");
            assert_eq!(burst(&mut spent, &MINUTE, 60_000), expected, "{limit:?}");
        };
        check(None, 50);
        check(Some(100), 50);
        check(Some(600), 300);
        check(Some(1_200), 600);
        check(Some(3), 1);
    }

    #[test]
    fn half_of_one_request_is_one_request_in_two_periods() {
        let second = Bucket {
            name: "second",
            requests: 1,
            period: Duration::from_secs(1),
            at_once: 1,
        };
        let mut spent = Spent::default();
        assert_eq!(burst(&mut spent, &second, 0), 1);
        assert_eq!(spent.take(&second, 1_000), Some(1_000));
        assert_eq!(spent.take(&second, 2_000), None);
    }

    #[test]
    fn the_period_ends_when_the_vendor_says_so() {
        let mut spent = Spent::default();
        assert_eq!(spent.take(&MINUTE, 0), None);
        spent.learn(&MINUTE, &told(100, 1_000, 17), 100);
        assert_eq!(burst(&mut spent, &MINUTE, 200), 49);
        assert_eq!(spent.take(&MINUTE, 17_000), Some(100));
        assert_eq!(burst(&mut spent, &MINUTE, 17_100), 50);
        // A late response from the earlier period, then one with an end that is too far away.
        spent.learn(&MINUTE, &told(100, 1_000, 1), 17_200);
        assert_eq!(spent.take(&MINUTE, 70_000), Some(7_100));
        spent.learn(&MINUTE, &told(100, 9_000, 86_400), 70_000);
        assert_eq!(spent.take(&MINUTE, 70_000), Some(120_000));
    }

    #[test]
    fn a_tenant_has_one_budget() {
        let book = BudgetBook::default();
        let of = |tenant: &str| book.of(tenant.to_owned(), || Budgets::new(true, 8));
        assert!(Arc::ptr_eq(&of("a"), &of("a")));
        assert!(!Arc::ptr_eq(&of("a"), &of("b")));
    }
}
