//! Counts wrong keys per address.

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

/// How many addresses are told apart; beyond it, newcomers share one count.
const ADDRESSES_MAX: usize = 65_536;

/// How many wrong keys a minute are named in the log, over all addresses.
const REPORTS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(10).expect("10 isn't zero");

/// The count shared by addresses that found the table full; no client has this address.
const OVERFLOW: IpAddr = IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);

/// Allows so many wrong keys a minute per address (IPv6: per /64), then says how long to wait.
///
/// Only failures are counted and only failures are refused by it: a valid key from the same address goes on.
pub(crate) struct WrongKeys {
    limiter: RateLimiter<IpAddr, HashMapStateStore<IpAddr>, Monotonic, NoOpMiddleware<Duration>>,
    reports: RateLimiter<NotKeyed, InMemoryState, Monotonic, NoOpMiddleware<Duration>>,
    clock: Monotonic,
    /// When the full table was last swept, in seconds of the monotonic clock.
    swept: AtomicU64,
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
        let reports = RateLimiter::direct_with_clock(Quota::per_minute(REPORTS_PER_MINUTE), clock.clone());
        Self {
            limiter,
            reports,
            clock,
            swept: AtomicU64::new(0),
        }
    }

    /// Whether this wrong key goes to the log: a sample does, since a flood must not fill the disk.
    pub(crate) fn may_report(&self) -> bool {
        self.reports.check().is_ok()
    }

    /// Counts one wrong key from `network`; `Err` holds the time until the next one would be looked at.
    pub(crate) fn count(&self, network: IpAddr) -> Result<(), Duration> {
        let mut key = network;
        if self.limiter.len() >= ADDRESSES_MAX {
            // Sweeping costs time in proportion to the table, so a flood may ask for it once a second.
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
    fn the_21st_wrong_key_in_a_minute_has_to_wait() {
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
            "another address is not affected"
        );
        *clock.0.lock().unwrap() += Duration::from_secs(61);
        assert!(
            wrong.count(one).is_ok(),
            "a minute later the address may try again"
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
            "newcomers share one used-up count"
        );
    }
}
