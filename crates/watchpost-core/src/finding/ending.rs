//! What the time and scans do to a finding. Pure: stores call these inside their transaction.

use super::{FindingState, LifeChange};
use crate::value::{time::Timestamp, word::FindingStatus};

/// Scans in a row without the failure after which a check's finding ends.
pub const CLEAR_SCANS_TO_END: u64 = 2;

impl LifeChange {
    /// Open, as when it was found.
    pub const OPEN: Self = Self {
        status: FindingStatus::Open,
        snoozed_until: None,
        dismiss_reason: None,
        auto_resolved: false,
    };
    /// Resolved by an analysis or a scan.
    pub const AUTO_RESOLVED: Self = Self {
        status: FindingStatus::Resolved,
        snoozed_until: None,
        dismiss_reason: None,
        auto_resolved: true,
    };
}

/// Wakes a finding whose snooze is over; `None` if it sleeps on, or doesn't sleep.
pub fn decide_wake(current: &FindingState, now: Timestamp) -> Option<LifeChange> {
    let is_over =
        current.status == FindingStatus::Snoozed && current.snoozed_until.is_none_or(|until| until <= now);
    is_over.then_some(LifeChange::OPEN)
}

/// What becomes of a check's finding whose check didn't fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClearChange {
    /// Nothing: it is closed.
    Keep,
    /// One more scan without the failure.
    Count,
    /// It ends.
    Resolve,
}

/// Whether one more scan without the failure is enough, after `clear` ones in a row. `at_once`: an act in Watchpost ended
/// it, so that one scan is.
pub const fn is_clear_enough(clear: u64, at_once: bool) -> bool {
    at_once || clear.saturating_add(1) >= CLEAR_SCANS_TO_END
}

/// Decides a finding whose check didn't fail in a scan, after `clear` scans in a row without the failure. `at_once`: see
/// [`is_clear_enough`].
pub const fn decide_clear(status: FindingStatus, clear: u64, at_once: bool) -> ClearChange {
    if !status.can_end() {
        ClearChange::Keep
    } else if is_clear_enough(clear, at_once) {
        ClearChange::Resolve
    } else {
        ClearChange::Count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use FindingStatus::{Dismissed, InProgress, Open, Resolved, Snoozed};

    #[test]
    fn a_snoozed_finding_wakes_at_its_time() {
        let now = Timestamp::from_millis(50);
        for (status, until, wakes) in [
            (Snoozed, Some(49), true),
            (Snoozed, Some(50), true),
            (Snoozed, Some(51), false),
            (Snoozed, None, true),
            (Dismissed, Some(49), false),
            (Open, None, false),
        ] {
            let state = FindingState {
                status,
                snoozed_until: until.map(Timestamp::from_millis),
                dismiss_reason: None,
                auto_resolved: false,
            };
            assert_eq!(
                decide_wake(&state, now),
                wakes.then_some(LifeChange::OPEN),
                "{state:?}"
            );
        }
    }

    #[test]
    fn a_checks_finding_ends_after_two_scans_without_the_failure_or_at_once() {
        for (status, clear, at_once, expected) in [
            (Open, 0, false, ClearChange::Count),
            (InProgress, 0, false, ClearChange::Count),
            (Snoozed, 0, false, ClearChange::Count),
            (Open, 1, false, ClearChange::Resolve),
            (Snoozed, 1, false, ClearChange::Resolve),
            (Open, 0, true, ClearChange::Resolve),
            (Dismissed, 1, true, ClearChange::Keep),
            (Resolved, 1, true, ClearChange::Keep),
        ] {
            assert_eq!(
                decide_clear(status, clear, at_once),
                expected,
                "{status} {clear} {at_once}"
            );
        }
    }
}
