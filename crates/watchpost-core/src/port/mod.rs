//! Ports that belong to no single aggregate: time, randomness, completion, and [`Store`], which combines the
//! storage ports of all aggregates. The other ports are defined in the module of their purpose, such as
//! [`Connector`](crate::integration::connector::Connector) and [`RuleEngine`](crate::rule::RuleEngine).

pub mod completion;
mod store;

pub use store::Store;

use crate::value::time::Timestamp;

/// A source of time. The domain reads the time only from this port.
pub trait Clock: Send + Sync {
    /// Returns the current time.
    fn now(&self) -> Timestamp;
    /// Returns milliseconds on a monotonic clock with an arbitrary zero. For ages and timeouts.
    fn monotonic_ms(&self) -> u64;
}

/// A source of random bytes: the system's generator, or a seeded one in tests.
pub trait Random: Send + Sync {
    /// Fills the whole slice.
    fn fill(&self, bytes: &mut [u8]);
}
