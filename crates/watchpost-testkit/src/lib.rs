//! Shared test code: a clock and a source of randomness that tests control, and the suite that every adapter of the storage
//! ports must pass ([`conformance`]), and a reader of the texts that users get ([`prose`]).
//!
//! # What this crate does not do
//! It is never a dependency of a released binary, only a dev-dependency. It doesn't create scopes on its own: tests use the
//! real gate.

pub mod conformance;
mod deterministic;
pub mod prose;
#[cfg(feature = "seed")]
pub mod seed;

pub use deterministic::{FixedClock, SeededRandom, SteppingClock};

/// Returns the number of iterations of a randomized test: `short` usually, `full` if the environment has
/// `WATCHPOST_TESTS=full`, as `tests/full/run` sets it.
pub fn iterations(short: u64, full: u64) -> u64 {
    match std::env::var("WATCHPOST_TESTS") {
        Ok(value) if value == "full" => full,
        _ => short,
    }
}
