//! The log lines about a store that can't be written.

use watchpost_core::{log_sample::LogSample, value::time::Timestamp};

/// Logs that writing fails, at most once a minute, and that it works again.
#[derive(Debug, Default)]
pub(super) struct Outage {
    sample: LogSample,
    /// The calls that failed since the last durable commit.
    failed: u64,
    is_logged: bool,
}

impl Outage {
    /// Counts calls that failed because their group did.
    pub(super) fn failed(&mut self, reason: &str, calls: usize, now: Timestamp) {
        self.failed = self.failed.saturating_add(calls as u64);
        if self.sample.take(now).is_some() {
            self.is_logged = true;
            tracing::error!(
                reason,
                failed = self.failed,
                "the store can't be written: calls are refused until it can"
            );
        }
    }

    /// A durable commit succeeded. One without synchronization doesn't end an outage: it succeeds on a disk on which
    /// every change fails.
    pub(super) fn ended(&mut self) {
        if std::mem::take(&mut self.is_logged) {
            tracing::warn!(failed = self.failed, "the store can be written again");
        }
        self.failed = 0;
    }
}
