//! Counts invalid keys per client address, and samples what is logged about rejected requests.

use crate::environment::Clock;
use governor::{
    Quota, RateLimiter,
    clock::Clock as GovernorClock,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed, keyed::HashMapStateStore},
};
use std::{
    net::IpAddr,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// The maximum number of addresses with their own count. Beyond it, new addresses share one count.
const ADDRESSES_MAX: usize = 65_536;

/// The number of rejected requests of one kind that are logged per minute, over all addresses.
const REPORTS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(10).expect("10 isn't zero");

/// The key of the shared count. No client has this address.
const OVERFLOW: IpAddr = IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);

/// Limits the number of invalid keys per minute and client address (per /64 network for IPv6).
///
/// Only invalid keys are counted and rejected. A valid key from the same address still works.
pub(crate) struct WrongKeys {
    limiter: RateLimiter<IpAddr, HashMapStateStore<IpAddr>, Monotonic, NoOpMiddleware<Duration>>,
    clock: Monotonic,
    /// The time at which the full table was last swept, in seconds of the monotonic clock.
    swept: AtomicU64,
}

/// Limits what is logged about rejected requests of one kind to a sample, so that a flood doesn't fill the disk.
pub(crate) struct LogSample(RateLimiter<NotKeyed, InMemoryState, Monotonic, NoOpMiddleware<Duration>>);

impl LogSample {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self(RateLimiter::direct_with_clock(
            Quota::per_minute(REPORTS_PER_MINUTE),
            Monotonic(clock),
        ))
    }

    /// Whether to log this request.
    pub(crate) fn takes(&self) -> bool {
        self.0.check().is_ok()
    }
}

#[derive(Clone)]
struct Monotonic(Arc<dyn Clock>);

impl GovernorClock for Monotonic {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.monotonic()
    }
}

impl WrongKeys {
    pub(crate) fn new(per_minute: NonZeroU32, clock: Arc<dyn Clock>) -> Self {
        let clock = Monotonic(clock);
        let limiter = RateLimiter::new(
            Quota::per_minute(per_minute),
            HashMapStateStore::default(),
            clock.clone(),
        );
        Self {
            limiter,
            clock,
            swept: AtomicU64::new(0),
        }
    }

    /// Counts one invalid key from `network`. Beyond the limit, returns the time until the next one is allowed.
    pub(crate) fn count(&self, network: IpAddr) -> Result<(), Duration> {
        let mut key = network;
        if self.limiter.len() >= ADDRESSES_MAX {
            // Sweeping takes time in proportion to the table, so it runs at most once per second.
            let second = self.clock.0.monotonic().as_secs();
            if self.swept.swap(second, Ordering::Relaxed) != second {
                self.limiter.retain_recent();
            }
            if self.limiter.len() >= ADDRESSES_MAX {
                key = OVERFLOW;
            }
        }
        self.limiter
            .check_key(&key)
            .map_err(|until| until.wait_time_from(self.clock.now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    struct Set(Mutex<Duration>);

    impl Clock for Set {
        fn unix_seconds(&self) -> u64 {
            0
        }
        fn monotonic(&self) -> Duration {
            *self.0.lock().unwrap()
        }
    }

    #[test]
    fn the_21st_invalid_key_in_a_minute_must_wait() {
        let clock = Arc::new(Set(Mutex::new(Duration::from_secs(1000))));
        let wrong = WrongKeys::new(NonZeroU32::new(20).unwrap(), Arc::<Set>::clone(&clock));
        let one: IpAddr = "192.0.2.1".parse().unwrap();
        for attempt in 1..=20 {
            assert!(wrong.count(one).is_ok(), "attempt {attempt}");
        }
        let wait = wrong.count(one).unwrap_err();
        assert!(
            wait > Duration::ZERO && wait <= Duration::from_secs(60),
            "{wait:?}"
        );
        assert!(
            wrong.count("192.0.2.2".parse().unwrap()).is_ok(),
            "other addresses aren't affected"
        );
        *clock.0.lock().unwrap() += Duration::from_secs(61);
        assert!(
            wrong.count(one).is_ok(),
            "the address may try again after a minute"
        );
    }

    #[test]
    fn the_table_stays_bounded_under_a_flood_of_addresses() {
        let clock = Arc::new(Set(Mutex::new(Duration::from_secs(1000))));
        let wrong = WrongKeys::new(NonZeroU32::new(20).unwrap(), clock);
        for n in 1..=u32::try_from(ADDRESSES_MAX).unwrap() + 5_000 {
            let _ = wrong.count(IpAddr::V4(n.into()));
        }
        assert!(wrong.limiter.len() <= ADDRESSES_MAX + 1);
        assert!(
            wrong.count("203.0.113.200".parse().unwrap()).is_err(),
            "new addresses share one exhausted count"
        );
    }
}
