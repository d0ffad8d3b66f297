//! What people (and assistants with a write key) do to a finding. Pure: stores call [`decide`] inside their
//! transaction, on the state as it is there.

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

/// Fewest and most days of a snooze.
pub const SNOOZE_DAYS: std::ops::RangeInclusive<i64> = 1..=90;

/// What to do with a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Hide it until a time.
    Snooze {
        /// Days from now, 1 to 90.
        days: i64,
    },
    /// Close it as accepted or wrong.
    Dismiss {
        /// Why.
        reason: DismissReason,
    },
    /// Close it as repaired.
    Resolve,
    /// Take a snooze, dismissal or resolution back.
    Reopen,
}

/// A command on one finding, with a note by the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingCommand {
    /// Which finding.
    pub finding: FindingId,
    /// What.
    pub act: Act,
    /// The person's words.
    pub note: Option<ForeignText>,
    /// When.
    pub now: Timestamp,
}

/// A finding's state as decisions need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FindingState {
    /// Status.
    pub status: FindingStatus,
    /// End of the snooze.
    pub snoozed_until: Option<Timestamp>,
    /// Reason of the dismissal.
    pub dismiss_reason: Option<DismissReason>,
    /// Whether an analysis resolved it.
    pub auto_resolved: bool,
}

/// How a finding's state changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LifeChange {
    /// Status now.
    pub status: FindingStatus,
    /// End of the snooze now.
    pub snoozed_until: Option<Timestamp>,
    /// Reason of the dismissal now.
    pub dismiss_reason: Option<DismissReason>,
    /// Whether an analysis resolved it.
    pub auto_resolved: bool,
}

impl From<FindingState> for LifeChange {
    fn from(state: FindingState) -> Self {
        Self {
            status: state.status,
            snoozed_until: state.snoozed_until,
            dismiss_reason: state.dismiss_reason,
            auto_resolved: state.auto_resolved,
        }
    }
}

/// What came of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindingOutcome {
    /// Changed.
    Changed {
        /// Status before.
        before: FindingStatus,
        /// State now.
        now: LifeChange,
    },
    /// It was so already.
    Unchanged {
        /// Its state.
        state: LifeChange,
    },
    /// From this status one can't do that.
    NotPossible {
        /// The status that stands in the way.
        status: FindingStatus,
    },
    /// There is no such finding in this workspace.
    NotFound,
}

impl FindingOutcome {
    /// How the audit entry ends.
    pub const fn audit_outcome(&self) -> AuditOutcome {
        match self {
            Self::Changed { .. } => AuditOutcome::Ok,
            Self::Unchanged { .. } => AuditOutcome::Unchanged,
            Self::NotPossible { .. } => AuditOutcome::Conflict,
            Self::NotFound => AuditOutcome::NotFound,
        }
    }
}

/// Decides a command on a finding as it is.
///
/// A live finding can be snoozed, dismissed and resolved; a snoozed one also be snoozed to another time; dismissed,
/// resolved and snoozed ones can be reopened. Repeating an act changes nothing.
pub fn decide(current: &FindingState, act: &Act, now: Timestamp) -> FindingOutcome {
    use FindingStatus::{Dismissed, InProgress, Open, Resolved, Snoozed};
    let unchanged = || FindingOutcome::Unchanged {
        state: (*current).into(),
    };
    let changed = |status, snoozed_until, dismiss_reason| FindingOutcome::Changed {
        before: current.status,
        now: LifeChange {
            status,
            snoozed_until,
            dismiss_reason,
            auto_resolved: false,
        },
    };
    match (act, current.status) {
        (Act::Snooze { days }, Open | InProgress) => changed(Snoozed, Some(now.plus_days(*days)), None),
        (Act::Snooze { days }, Snoozed) => {
            // The same request again within a day is a repeat, not a longer snooze.
            let until = now.plus_days(*days);
            match current.snoozed_until {
                Some(before) if until.millis_since(before).abs() < crate::value::time::DAY_MS => unchanged(),
                _ => changed(Snoozed, Some(until), None),
            }
        }
        (Act::Dismiss { reason }, Open | InProgress | Snoozed) => changed(Dismissed, None, Some(*reason)),
        (Act::Dismiss { reason }, Dismissed) if current.dismiss_reason == Some(*reason) => unchanged(),
        (Act::Dismiss { reason }, Dismissed) => changed(Dismissed, None, Some(*reason)),
        (Act::Resolve, Open | InProgress | Snoozed) => changed(Resolved, None, None),
        (Act::Resolve, Resolved) | (Act::Reopen, Open | InProgress) => unchanged(),
        (Act::Reopen, Snoozed | Dismissed | Resolved) => changed(Open, None, None),
        (Act::Snooze { .. } | Act::Dismiss { .. }, status) | (Act::Resolve, status @ Dismissed) => {
            FindingOutcome::NotPossible { status }
        }
    }
}

impl Command for FindingCommand {
    fn permission(&self) -> Permission {
        match self.act {
            Act::Snooze { .. } => Permission::SnoozeFinding,
            Act::Dismiss { .. } => Permission::DismissFinding,
            Act::Resolve | Act::Reopen => Permission::DecideFinding,
        }
    }
    fn action(&self) -> &'static str {
        match self.act {
            Act::Snooze { .. } => "finding.snoozed",
            Act::Dismiss { .. } => "finding.dismissed",
            Act::Resolve => "finding.resolved",
            Act::Reopen => "finding.reopened",
        }
    }
    fn target(&self) -> AuditTarget {
        AuditTarget::new("finding", &self.finding)
    }
}
