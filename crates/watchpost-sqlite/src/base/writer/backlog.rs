//! A write-ahead log that can't be emptied, because another process reads an older state of the database.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};
use watchpost_core::{log_sample::LogSample, value::time::Timestamp};

/// Bytes in a page.
const PAGE_BYTES: u64 = 4_096;
/// The size from which on the log is reported. SQLite cuts a log that was emptied down to the same size.
pub(crate) const LARGE_LOG_BYTES: u64 = 64 * 1_024 * 1_024;

/// The time since which the log can't be emptied, shared with the writer's handle.
#[derive(Debug, Clone)]
pub(super) struct HeldSince(Arc<AtomicI64>);

impl Default for HeldSince {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(i64::MIN)))
    }
}

impl HeldSince {
    pub(super) fn get(&self) -> Option<Timestamp> {
        match self.0.load(Ordering::Relaxed) {
            i64::MIN => None,
            millis => Some(Timestamp::from_millis(millis)),
        }
    }

    fn set(&self, at: Option<Timestamp>) {
        self.0
            .store(at.map_or(i64::MIN, Timestamp::as_millis), Ordering::Relaxed);
    }
}

/// Notices that the log can't be emptied. Reports it at most once a minute while the log is large, and when it is over.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    since: HeldSince,
    sample: LogSample,
    is_logged: bool,
}

impl Backlog {
    pub(super) fn new(since: HeldSince) -> Self {
        Self {
            since,
            ..Self::default()
        }
    }

    /// Takes the result of a merge: the pages in the log, and those of them that are in the file now.
    pub(super) fn merged(&mut self, pages: i64, merged: i64, now: Timestamp) {
        if pages <= merged {
            self.since.set(None);
            if std::mem::take(&mut self.is_logged) {
                tracing::warn!("the write-ahead log can be emptied again");
            }
            return;
        }
        let since = self.since.get().unwrap_or(now);
        self.since.set(Some(since));
        let bytes = u64::try_from(pages).unwrap_or(0).saturating_mul(PAGE_BYTES);
        if bytes >= LARGE_LOG_BYTES
            && let Some(left_out) = self.sample.take(now)
        {
            self.is_logged = true;
            tracing::warn!(
                mib = bytes / 1_024 / 1_024,
                %since,
                left_out,
                "the write-ahead log grows, because another process has been reading the database since then: end that process"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_cannot_be_emptied_is_held_since_the_first_merge_that_left_pages() {
        let shared = HeldSince::default();
        let mut backlog = Backlog::new(shared.clone());
        let at = Timestamp::from_millis;
        for (pages, merged, now, expected, is_logged) in [
            // Nothing is in the log.
            (0, 0, 1, None, false),
            (1_024, 1_024, 2, None, false),
            (2_000, 1_024, 3, Some(3), false),
            (16_383, 1_024, 4, Some(3), false),
            (16_384, 1_024, 5, Some(3), true),
            (20_000, 20_000, 6, None, false),
            (20_000, 3, 7, Some(7), false),
            (20_000, 3, 70_000, Some(7), true),
        ] {
            backlog.merged(pages, merged, at(now));
            assert_eq!(shared.get(), expected.map(at), "{now}");
            assert_eq!(backlog.is_logged, is_logged, "{now}");
        }
    }
}
