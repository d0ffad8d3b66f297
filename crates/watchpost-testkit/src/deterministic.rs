//! A clock and a source of randomness that tests control.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicI64, AtomicU64, Ordering},
};
use watchpost_core::{
    port::{Clock, Random},
    value::time::Timestamp,
};

/// A clock that stands still until it is advanced. Its monotonic time advances with it.
#[derive(Debug)]
pub struct FixedClock {
    now: AtomicI64,
    monotonic: AtomicU64,
}

impl FixedClock {
    /// Creates a clock that shows this time.
    pub const fn at(now: Timestamp) -> Self {
        Self {
            now: AtomicI64::new(now.as_millis()),
            monotonic: AtomicU64::new(1_000_000),
        }
    }
    /// Advances the clock by `millis`. A negative value sets the time back and leaves the monotonic time unchanged.
    pub fn advance_ms(&self, millis: i64) {
        self.now.fetch_add(millis, Ordering::SeqCst);
        self.monotonic
            .fetch_add(u64::try_from(millis).unwrap_or(0), Ordering::SeqCst);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now.load(Ordering::SeqCst))
    }
    fn monotonic_ms(&self) -> u64 {
        self.monotonic.load(Ordering::SeqCst)
    }
}

/// A clock that advances by a millisecond each time it is read, so that ids that are generated in a row are in order.
#[derive(Debug)]
pub struct SteppingClock(FixedClock);

impl SteppingClock {
    /// Creates a clock that starts at this time.
    pub const fn from(now: Timestamp) -> Self {
        Self(FixedClock::at(now))
    }
    /// Advances the clock by `millis`.
    pub fn advance_ms(&self, millis: i64) {
        self.0.advance_ms(millis);
    }
}

impl Clock for SteppingClock {
    fn now(&self) -> Timestamp {
        self.0.advance_ms(1);
        self.0.now()
    }
    fn monotonic_ms(&self) -> u64 {
        self.0.monotonic_ms()
    }
}

/// A generator whose bytes depend only on its seed (SplitMix64). For tests only.
#[derive(Debug)]
pub struct SeededRandom(Mutex<u64>);

impl SeededRandom {
    /// Creates a generator from a seed.
    pub const fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }
    /// Returns the next number.
    pub fn number(&self) -> u64 {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = *state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
    /// Returns a number below `end`; 0 if `end` is 0.
    pub fn below(&self, end: u64) -> u64 {
        self.number() % end.max(1)
    }
    /// Returns one of the values, or `None` if there are none.
    pub fn one_of<T: Copy>(&self, values: &[T]) -> Option<T> {
        let index = usize::try_from(self.below(values.len() as u64)).unwrap_or(0);
        values.get(index).copied()
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let number = self.number().to_le_bytes();
            for (byte, fresh) in chunk.iter_mut().zip(number) {
                *byte = fresh;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        let draw = |seed| {
            let mut bytes = [0; 20];
            SeededRandom::new(seed).fill(&mut bytes);
            bytes
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn a_stepping_clock_never_shows_the_same_time_twice() {
        let clock = SteppingClock::from(Timestamp::from_millis(5));
        let first = clock.now();
        assert!(clock.now() > first);
    }
}
