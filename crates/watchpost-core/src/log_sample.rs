//! Sampling of what is logged about a failure that repeats.

use crate::value::time::Timestamp;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// The time between two lines about the same failure.
const INTERVAL_MS: i64 = 60_000;

/// Limits what is logged about a failure that repeats with every request, such as a store that can't be written, to
/// one line a minute, so that the log doesn't fill the disk.
#[derive(Debug)]
pub struct LogSample {
    last_ms: AtomicI64,
    left_out: AtomicU64,
}

impl Default for LogSample {
    fn default() -> Self {
        Self::new()
    }
}

impl LogSample {
    /// Creates a sample, whose first failure is logged.
    pub const fn new() -> Self {
        Self {
            last_ms: AtomicI64::new(i64::MIN),
            left_out: AtomicU64::new(0),
        }
    }

    /// Counts a failure. If it is to be logged, returns the number of earlier ones that were not.
    pub fn take(&self, now: Timestamp) -> Option<u64> {
        let now_ms = now.as_millis();
        let last = self.last_ms.load(Ordering::Relaxed);
        // A clock that was set back must not silence the log until it has caught up.
        let is_due = last == i64::MIN || now_ms.abs_diff(last) >= INTERVAL_MS.unsigned_abs();
        let taken = is_due
            && self
                .last_ms
                .compare_exchange(last, now_ms, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if taken {
            Some(self.left_out.swap(0, Ordering::Relaxed))
        } else {
            self.left_out.fetch_add(1, Ordering::Relaxed);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failure_a_minute_is_logged_with_the_number_of_the_others() {
        let sample = LogSample::new();
        let at = |ms: i64| Timestamp::from_millis(1_000_000 + ms);
        assert_eq!(sample.take(at(0)), Some(0));
        assert_eq!(sample.take(at(0)), None);
        assert_eq!(sample.take(at(59_999)), None);
        assert_eq!(sample.take(at(60_000)), Some(2));
        // Set back by an hour.
        assert_eq!(sample.take(at(-3_600_000)), Some(0));
        assert_eq!(sample.take(at(-3_600_000)), None);
    }
}
