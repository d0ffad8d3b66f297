//! Where time and randomness come from: parameters, never ambient.

use std::time::Duration;

/// Reads the two clocks the transport needs.
pub trait Clock: Send + Sync + 'static {
    /// Seconds since 1970-01-01T00:00:00Z. Decides the age of sealed sessions.
    fn unix_seconds(&self) -> u64;

    /// Time since an arbitrary fixed start; never goes backwards. Counts wrong keys per minute.
    fn monotonic(&self) -> Duration;
}

/// Yields unpredictable bytes, for nonces and session names.
pub trait Random: Send + Sync + 'static {
    /// Fills `bytes` from a cryptographically secure generator.
    fn fill(&self, bytes: &mut [u8]);
}
