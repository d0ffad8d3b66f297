//! The sources of time and randomness. They are parameters, so that tests can control them.

use std::time::Duration;

/// The clocks that the transport uses.
pub trait Clock: Send + Sync + 'static {
    /// Returns the number of seconds since 1970-01-01T00:00:00Z. Used for the age of sealed sessions.
    fn unix_seconds(&self) -> u64;

    /// Returns the time since an arbitrary fixed start. Never goes backwards. Used to count invalid keys per
    /// minute.
    fn monotonic(&self) -> Duration;
}

/// A source of unpredictable bytes, for nonces and session names.
pub trait Random: Send + Sync + 'static {
    /// Fills `bytes` from a cryptographically secure generator.
    fn fill(&self, bytes: &mut [u8]);
}
