//! Ports that belong to no aggregate: time, randomness, completion, and [`Store`], which gathers the storage ports of
//! all aggregates. The other ports stand with what they serve, such as
//! [`Connector`](crate::integration::connector::Connector) and [`RuleEngine`](crate::rule::RuleEngine).

pub mod completion;
mod store;

pub use store::Store;

use crate::value::time::Timestamp;

/// Where the time comes from. The domain never reads a clock of its own.
pub trait Clock: Send + Sync {
    /// The wall clock.
    fn now(&self) -> Timestamp;
    /// Milliseconds on a clock that never goes back; its zero means nothing. For ages and time-outs.
    fn monotonic_ms(&self) -> u64;
}

/// Where random bytes come from: the system's generator, or a seeded one in tests.
pub trait Random: Send + Sync {
    /// Fills the whole slice.
    fn fill(&self, bytes: &mut [u8]);
}
