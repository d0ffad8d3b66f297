//! Merging two findings into one. Pure functions: stores call them inside their transaction.

use super::{FindingState, StateChange};
use crate::value::{id::FindingId, time::Timestamp, word::FindingStatus};

/// One of two findings to merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MergeCandidate {
    /// The finding's id.
    pub id: FindingId,
    /// The time at which the finding was first seen.
    pub first_seen_at: Timestamp,
    /// The finding's state.
    pub state: FindingState,
}

/// The result of merging two findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Merge {
    /// The finding to keep: the older one.
    pub keep: FindingId,
    /// The finding to remove. Every reference to it is changed to the finding to keep.
    pub gone: FindingId,
    /// The state of the removed finding, if it takes precedence; its note is then kept too.
    pub state: Option<StateChange>,
}

/// Returns the precedence of a status in a merge, lowest first: a person's decision, then open findings.
const fn precedence(status: FindingStatus) -> u8 {
    match status {
        FindingStatus::Dismissed => 0,
        FindingStatus::Snoozed => 1,
        FindingStatus::InProgress => 2,
        FindingStatus::Open => 3,
        FindingStatus::Resolved => 4,
    }
}

/// Decides how to merge two findings: the older row is kept, and a person's decision on either takes precedence.
pub fn decide_merge(one: MergeCandidate, other: MergeCandidate) -> Merge {
    let (older, younger) = if (one.first_seen_at, one.id) < (other.first_seen_at, other.id) {
        (one, other)
    } else {
        (other, one)
    };
    let younger_wins = precedence(younger.state.status) < precedence(older.state.status);
    Merge {
        keep: older.id,
        gone: younger.id,
        state: younger_wins.then(|| younger.state.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use FindingStatus::{Dismissed, InProgress, Open, Resolved, Snoozed};

    fn row(id: u8, seen: i64, status: FindingStatus) -> MergeCandidate {
        MergeCandidate {
            id: FindingId::from_bytes([id; 16]),
            first_seen_at: Timestamp::from_millis(seen),
            state: FindingState {
                status,
                snoozed_until: None,
                dismiss_reason: None,
                auto_resolved: status == Resolved,
            },
        }
    }

    #[test]
    fn the_older_row_is_kept_and_a_persons_decision_takes_precedence() {
        for (one, other, keep, state) in [
            (row(1, 10, Open), row(2, 20, Open), 1, None),
            (row(1, 20, Open), row(2, 10, Open), 2, None),
            (row(1, 10, Open), row(2, 10, Open), 1, None),
            (row(2, 10, Open), row(1, 10, Open), 1, None),
            (row(1, 10, Open), row(2, 20, Dismissed), 1, Some(Dismissed)),
            (row(1, 10, Dismissed), row(2, 20, Open), 1, None),
            (row(1, 10, Snoozed), row(2, 20, Dismissed), 1, Some(Dismissed)),
            (row(1, 10, InProgress), row(2, 20, Snoozed), 1, Some(Snoozed)),
            (row(1, 10, Open), row(2, 20, InProgress), 1, Some(InProgress)),
            (row(1, 10, Resolved), row(2, 20, Open), 1, Some(Open)),
            (row(1, 10, Open), row(2, 20, Resolved), 1, None),
        ] {
            let merged = decide_merge(one, other);
            assert_eq!(
                merged.keep,
                FindingId::from_bytes([keep; 16]),
                "{one:?} {other:?}"
            );
            assert_ne!(merged.keep, merged.gone);
            assert_eq!(merged.state.map(|state| state.status), state, "{one:?} {other:?}");
        }
    }
}
