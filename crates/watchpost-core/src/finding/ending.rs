//! The effects of time and of scans on a finding. Pure functions: stores call them inside their transaction.

use super::{FindingState, StateChange};
use crate::value::{time::Timestamp, word::FindingStatus};

/// The number of consecutive scans without the failure after which a check's finding is resolved.
pub const CLEAR_SCANS_TO_END: u64 = 2;

impl StateChange {
    /// The state of a new finding.
    pub const OPEN: Self = Self {
        status: FindingStatus::Open,
        snoozed_until: None,
        dismiss_reason: None,
        auto_resolved: false,
    };
    /// The state of a finding that an analysis or a scan resolved.
    pub const AUTO_RESOLVED: Self = Self {
        status: FindingStatus::Resolved,
        snoozed_until: None,
        dismiss_reason: None,
        auto_resolved: true,
    };
}

/// Reopens a finding whose snooze is over; returns `None` if the snooze isn't over or the finding isn't snoozed.
pub fn decide_wake(current: &FindingState, now: Timestamp) -> Option<StateChange> {
    let is_over =
        current.status == FindingStatus::Snoozed && current.snoozed_until.is_none_or(|until| until <= now);
    is_over.then_some(StateChange::OPEN)
}

/// The effect on a check's finding of a scan in which the check didn't fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClearChange {
    /// No change: the finding is closed.
    Keep,
    /// Counts one more scan without the failure.
    Count,
    /// Resolves the finding.
    Resolve,
}

/// Returns whether one more scan without the failure is enough to resolve a finding, after `clear` consecutive
/// scans without it. `at_once` is set if a change made in Watchpost ended the failure, so that one scan is
/// enough.
pub const fn is_clear_enough(clear: u64, at_once: bool) -> bool {
    at_once || clear.saturating_add(1) >= CLEAR_SCANS_TO_END
}

/// Decides a finding whose check didn't fail in a scan, after `clear` consecutive scans without the failure. For
/// `at_once`, see [`is_clear_enough`].
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
    fn a_snoozed_finding_reopens_when_its_snooze_ends() {
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
                wakes.then_some(StateChange::OPEN),
                "{state:?}"
            );
        }
    }

    #[test]
    fn a_checks_finding_is_resolved_after_two_scans_without_the_failure_or_at_once() {
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
