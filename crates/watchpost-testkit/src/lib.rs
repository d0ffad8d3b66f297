//! What tests share: time and randomness that a test decides, and the suite that every adapter of the storage ports
//! must pass ([`conformance`]).
//!
//! # What this crate does not do
//! It is a dev-dependency only and makes no scope of its own: tests go through the real gate.

pub mod conformance;
mod deterministic;
#[cfg(feature = "seed")]
pub mod seed;

pub use deterministic::{FixedClock, SeededRandom, SteppingClock};
