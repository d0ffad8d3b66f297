//! The clocks and the random sources of a process. This is the only file that may use those of the system.

use sha2::{Digest, Sha256};
use std::{
    sync::{
        Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};
use watchpost_core::{
    port::{Clock, Random},
    value::time::Timestamp,
};

/// The system clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// A clock whose monotonic zero is now.
    pub fn new() -> Self {
        Self {
            started: Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "all other code takes the time from here"
    )]
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(jiff::Timestamp::now().as_millisecond())
    }
    fn monotonic_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// The difference between the wall clock and the monotonic clock that counts as a step, in milliseconds. Time services
/// correct smaller ones gradually.
const STEP_MS: i64 = 2_000;

/// Observes the wall clock, to notice when it is set back.
#[derive(Debug, Default)]
pub(crate) struct ClockWatch {
    /// The last readings of the wall clock and the monotonic clock, in milliseconds.
    last: Option<(i64, u64)>,
}

impl ClockWatch {
    /// Reads the clock. Returns by how many milliseconds it was set back since the last reading, if it was.
    pub(crate) fn set_back_by(&mut self, clock: &dyn Clock) -> Option<i64> {
        let now = (clock.now().as_millis(), clock.monotonic_ms());
        let (wall, monotonic) = self.last.replace(now)?;
        let passed = i64::try_from(now.1.saturating_sub(monotonic)).unwrap_or(i64::MAX);
        let back = wall.saturating_add(passed).saturating_sub(now.0);
        (back > STEP_MS).then_some(back)
    }
}

/// The value of `frozen_ms` while the clock is not frozen.
const RUNNING: i64 = i64::MIN;

/// A clock that can be frozen at any time, to build the demo's history. Its monotonic part always runs.
#[derive(Debug)]
pub struct DemoClock {
    system: SystemClock,
    /// The frozen time in milliseconds since 1970, or [`RUNNING`].
    frozen_ms: AtomicI64,
}

impl DemoClock {
    /// A clock that runs with the system clock.
    pub fn new() -> Self {
        Self {
            system: SystemClock::new(),
            frozen_ms: AtomicI64::new(RUNNING),
        }
    }
    /// Freezes the clock at a time.
    pub fn freeze(&self, at: Timestamp) {
        self.frozen_ms.store(at.as_millis(), Ordering::Release);
    }
    /// Lets the clock run with the system clock again.
    pub fn unfreeze(&self) {
        self.frozen_ms.store(RUNNING, Ordering::Release);
    }
}

impl Default for DemoClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for DemoClock {
    fn now(&self) -> Timestamp {
        match self.frozen_ms.load(Ordering::Acquire) {
            RUNNING => self.system.now(),
            frozen => Timestamp::from_millis(frozen),
        }
    }
    fn monotonic_ms(&self) -> u64 {
        self.system.monotonic_ms()
    }
}

/// The random source of the system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    #[expect(
        clippy::disallowed_methods,
        reason = "all other code takes randomness from here"
    )]
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system provides random bytes");
    }
}

/// A source of the same bytes in every run, for ids in the demo. Must not be used for keys.
#[derive(Debug)]
pub struct SeededRandom {
    seed: u64,
    drawn: Mutex<u64>,
}

impl SeededRandom {
    /// A source whose bytes depend only on the seed.
    pub const fn new(seed: u64) -> Self {
        Self {
            seed,
            drawn: Mutex::new(0),
        }
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) {
        let mut drawn = self
            .drawn
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        for chunk in bytes.chunks_mut(32) {
            let block = Sha256::new()
                .chain_update(self.seed.to_le_bytes())
                .chain_update(drawn.to_le_bytes())
                .finalize();
            *drawn = drawn.wrapping_add(1);
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    }
}

/// An adapter that implements the transport's traits for a clock or a random source of the domain.
pub(crate) struct ForTransport<T: ?Sized>(pub(crate) std::sync::Arc<T>);

impl watchpost_transport::Clock for ForTransport<dyn Clock> {
    fn unix_seconds(&self) -> u64 {
        u64::try_from(self.0.now().as_millis().div_euclid(1_000)).unwrap_or(0)
    }
    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.0.monotonic_ms())
    }
}

impl watchpost_transport::Random for ForTransport<dyn Random> {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frozen_demo_clock_shows_the_same_time_until_it_is_unfrozen() {
        let clock = DemoClock::new();
        let frozen = Timestamp::from_millis(1_000);
        clock.freeze(frozen);
        assert_eq!(clock.now(), frozen);
        clock.unfreeze();
        assert!(clock.now() > frozen.plus_days(365));
    }

    #[test]
    fn a_clock_that_is_set_back_is_noticed_and_one_that_is_corrected_slowly_or_set_ahead_is_not() {
        struct Readings(i64, u64);
        impl Clock for Readings {
            fn now(&self) -> Timestamp {
                Timestamp::from_millis(self.0)
            }
            fn monotonic_ms(&self) -> u64 {
                self.1
            }
        }
        let mut watch = ClockWatch::default();
        for (wall, monotonic, expected) in [
            (1_000_000, 0, None),
            (1_000_500, 500, None),
            (1_000_600, 1_000, None),
            (9_000_000, 1_500, None),
            (1_001_000, 2_000, Some(7_999_500)),
            (1_001_500, 2_500, None),
        ] {
            let back = watch.set_back_by(&Readings(wall, monotonic));
            assert_eq!(back, expected, "{wall} {monotonic}");
        }
    }

    #[test]
    fn seeded_bytes_are_the_same_in_every_run_and_never_repeat_within_one() {
        let draw = |random: &SeededRandom| {
            let mut bytes = [0; 40];
            random.fill(&mut bytes);
            bytes
        };
        let first = SeededRandom::new(1);
        let once = draw(&first);
        assert_eq!(once, draw(&SeededRandom::new(1)));
        assert_ne!(once, draw(&first));
        assert_ne!(once, draw(&SeededRandom::new(2)));
    }

    #[test]
    fn system_random_fills_the_slice() {
        let mut bytes = [0; 32];
        SystemRandom.fill(&mut bytes);
        assert_ne!(bytes, [0; 32]);
    }
}
