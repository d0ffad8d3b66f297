//! Actions of people, and of assistants with a write key, on a finding. Stores call the pure function [`decide`]
//! inside their transaction, on the state that they read there.

use crate::{
    access::{Command, Permission},
    audit::{AuditOutcome, AuditTarget},
    value::{
        id::FindingId,
        text::ForeignText,
        time::Timestamp,
        word::{DismissReason, FindingStatus},
    },
};

/// Minimum and maximum length of a snooze, in days.
pub const SNOOZE_DAYS: std::ops::RangeInclusive<i64> = 1..=90;

/// An action on a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FindingAction {
    /// Hides the finding until a point in time.
    Snooze {
        /// The length of the snooze, 1 to 90 days.
        days: i64,
    },
    /// Closes the finding as accepted or wrong.
    Dismiss {
        /// The reason for the dismissal.
        reason: DismissReason,
    },
    /// Closes the finding as fixed.
    Resolve,
    /// Reverts a snooze, a dismissal or a resolution.
    Reopen,
}

/// An action on one finding, with the person's note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingCommand {
    /// The finding.
    pub finding: FindingId,
    /// The action.
    pub action: FindingAction,
    /// The note that the person wrote.
    pub note: Option<ForeignText>,
    /// The current time.
    pub now: Timestamp,
}

/// The part of a finding's state that decisions depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FindingState {
    /// The status.
    pub status: FindingStatus,
    /// The end of the snooze.
    pub snoozed_until: Option<Timestamp>,
    /// The reason for the dismissal.
    pub dismiss_reason: Option<DismissReason>,
    /// Whether an analysis or a scan resolved the finding.
    pub auto_resolved: bool,
}

/// The new state of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateChange {
    /// The new status.
    pub status: FindingStatus,
    /// The new end of the snooze.
    pub snoozed_until: Option<Timestamp>,
    /// The new reason for the dismissal.
    pub dismiss_reason: Option<DismissReason>,
    /// Whether an analysis or a scan resolved the finding.
    pub auto_resolved: bool,
}

impl From<FindingState> for StateChange {
    fn from(state: FindingState) -> Self {
        Self {
            status: state.status,
            snoozed_until: state.snoozed_until,
            dismiss_reason: state.dismiss_reason,
            auto_resolved: state.auto_resolved,
        }
    }
}

/// The outcome of a [`FindingCommand`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindingOutcome {
    /// The finding changed.
    Changed {
        /// The status before the change.
        before: FindingStatus,
        /// The state after the change.
        now: StateChange,
    },
    /// The finding was in the requested state already.
    Unchanged {
        /// The state.
        state: StateChange,
    },
    /// The action isn't possible in the finding's status.
    NotPossible {
        /// The status that prevents the action.
        status: FindingStatus,
    },
    /// The workspace has no such finding.
    NotFound,
}

impl FindingOutcome {
    /// Returns the outcome for the audit entry.
    pub const fn audit_outcome(&self) -> AuditOutcome {
        match self {
            Self::Changed { .. } => AuditOutcome::Ok,
            Self::Unchanged { .. } => AuditOutcome::Unchanged,
            Self::NotPossible { .. } => AuditOutcome::Conflict,
            Self::NotFound => AuditOutcome::NotFound,
        }
    }
}

/// Decides an action on a finding in its current state.
///
/// A live finding can be snoozed, dismissed and resolved. A snoozed one can also be snoozed to another time.
/// Dismissed, resolved and snoozed ones can be reopened. Repeating an action changes nothing.
pub fn decide(current: &FindingState, action: &FindingAction, now: Timestamp) -> FindingOutcome {
    use FindingStatus::{Dismissed, InProgress, Open, Resolved, Snoozed};
    let unchanged = || FindingOutcome::Unchanged {
        state: (*current).into(),
    };
    let changed = |status, snoozed_until, dismiss_reason| FindingOutcome::Changed {
        before: current.status,
        now: StateChange {
            status,
            snoozed_until,
            dismiss_reason,
            auto_resolved: false,
        },
    };
    match (action, current.status) {
        (FindingAction::Snooze { days }, Open | InProgress) => {
            changed(Snoozed, Some(now.plus_days(*days)), None)
        }
        (FindingAction::Snooze { days }, Snoozed) => {
            // The same request within a day is a repeat, not a longer snooze.
            let until = now.plus_days(*days);
            match current.snoozed_until {
                Some(before) if until.millis_since(before).abs() < crate::value::time::DAY_MS => unchanged(),
                _ => changed(Snoozed, Some(until), None),
            }
        }
        (FindingAction::Dismiss { reason }, Open | InProgress | Snoozed) => {
            changed(Dismissed, None, Some(*reason))
        }
        (FindingAction::Dismiss { reason }, Dismissed) if current.dismiss_reason == Some(*reason) => {
            unchanged()
        }
        (FindingAction::Dismiss { reason }, Dismissed) => changed(Dismissed, None, Some(*reason)),
        (FindingAction::Resolve, Open | InProgress | Snoozed) => changed(Resolved, None, None),
        (FindingAction::Resolve, Resolved) | (FindingAction::Reopen, Open | InProgress) => unchanged(),
        (FindingAction::Reopen, Snoozed | Dismissed | Resolved) => changed(Open, None, None),
        (FindingAction::Snooze { .. } | FindingAction::Dismiss { .. }, status)
        | (FindingAction::Resolve, status @ Dismissed) => FindingOutcome::NotPossible { status },
    }
}

impl Command for FindingCommand {
    fn permission(&self) -> Permission {
        match self.action {
            FindingAction::Snooze { .. } => Permission::SnoozeFinding,
            FindingAction::Dismiss { .. } => Permission::DismissFinding,
            FindingAction::Resolve | FindingAction::Reopen => Permission::DecideFinding,
        }
    }
    fn action(&self) -> &'static str {
        match self.action {
            FindingAction::Snooze { .. } => "finding.snoozed",
            FindingAction::Dismiss { .. } => "finding.dismissed",
            FindingAction::Resolve => "finding.resolved",
            FindingAction::Reopen => "finding.reopened",
        }
    }
    fn target(&self) -> AuditTarget {
        AuditTarget::new("finding", &self.finding)
    }
}
