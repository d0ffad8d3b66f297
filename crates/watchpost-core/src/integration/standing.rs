//! How an integration stands, and what syncs and people change of it. Pure: stores call these inside their transaction.

use super::{Failure, IntegrationAct, IntegrationChange};
use crate::{
    audit::AuditOutcome,
    value::{
        time::Timestamp,
        word::{IntegrationStatus, Platform},
    },
};

/// Syncs of an integration that are kept.
pub const SYNCS_KEPT: u32 = 50;

/// What changes of an integration depend on and set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// State of the connection.
    pub status: IntegrationStatus,
    /// When the last completed sync ended.
    pub last_completed_at: Option<Timestamp>,
    /// The last failure, while it lasts.
    pub failure: Option<Failure>,
}

/// How a sync ended, for its integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncResult<'a> {
    /// It read what it could.
    Completed,
    /// It failed by itself, for this reason.
    Failed(Option<&'a str>),
    /// Its job ended for good without the sync having ended by itself; a reason that is known already is the better
    /// one.
    Lost(Option<&'a str>),
}

/// The status of a new integration. One that only imports speak of has nothing to wait for.
pub const fn first_status(platform: Platform) -> IntegrationStatus {
    match platform {
        Platform::Import => IntegrationStatus::Connected,
        _ => IntegrationStatus::Pending,
    }
}

/// Whether an integration with this status takes part in anything: pending, connected and failing ones do.
pub const fn takes_part(status: IntegrationStatus) -> bool {
    matches!(
        status,
        IntegrationStatus::Pending | IntegrationStatus::Connected | IntegrationStatus::Error
    )
}

/// How an integration stands after a sync. One that a person paused or removed meanwhile stays so.
pub fn after_sync(before: &Standing, result: SyncResult<'_>, now: Timestamp) -> Standing {
    let now_status = |status| {
        if takes_part(before.status) {
            status
        } else {
            before.status
        }
    };
    let failed = |reason: Option<&str>, since| {
        Some(Failure {
            reason: reason.unwrap_or("the sync failed").to_owned(),
            since,
        })
    };
    let since = before.failure.as_ref().map_or(now, |failure| failure.since);
    match result {
        SyncResult::Completed => Standing {
            status: now_status(IntegrationStatus::Connected),
            last_completed_at: Some(now),
            failure: None,
        },
        SyncResult::Failed(reason) => Standing {
            status: now_status(IntegrationStatus::Error),
            last_completed_at: before.last_completed_at,
            failure: failed(reason, since),
        },
        SyncResult::Lost(reason) => Standing {
            status: now_status(IntegrationStatus::Error),
            last_completed_at: before.last_completed_at,
            failure: before.failure.clone().or_else(|| failed(reason, since)),
        },
    }
}

/// What a person's act does to an integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntegrationStep {
    /// Nothing: it is so already.
    Nothing,
    /// It is paused; its jobs are cancelled.
    Pause,
    /// It takes part again, with this status; a sync is queued if syncs read it.
    Resume(IntegrationStatus),
    /// It is removed with all that belongs to it; an analysis is queued.
    Remove,
}

/// Decides a person's act on an integration.
pub const fn decide_change(act: IntegrationAct, current: &Standing) -> IntegrationStep {
    match act {
        IntegrationAct::Pause if takes_part(current.status) => IntegrationStep::Pause,
        IntegrationAct::Resume if matches!(current.status, IntegrationStatus::Paused) => {
            IntegrationStep::Resume(match (&current.failure, current.last_completed_at) {
                (Some(_), _) => IntegrationStatus::Error,
                (None, Some(_)) => IntegrationStatus::Connected,
                (None, None) => IntegrationStatus::Pending,
            })
        }
        IntegrationAct::Pause | IntegrationAct::Resume => IntegrationStep::Nothing,
        IntegrationAct::Remove => IntegrationStep::Remove,
    }
}

impl IntegrationChange {
    /// How the audit entry ends.
    pub const fn audit_outcome(self) -> AuditOutcome {
        match self {
            Self::Changed => AuditOutcome::Ok,
            Self::Unchanged => AuditOutcome::Unchanged,
            Self::NotFound => AuditOutcome::NotFound,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use IntegrationStatus::{Connected, Disconnected, Error, Paused, Pending};

    const EARLIER: Timestamp = Timestamp::from_millis(1_000);
    const NOW: Timestamp = Timestamp::from_millis(9_000);

    fn failure(reason: &str, since: Timestamp) -> Option<Failure> {
        Some(Failure {
            reason: reason.into(),
            since,
        })
    }

    fn standing(
        status: IntegrationStatus,
        last_completed_at: Option<Timestamp>,
        failure: Option<Failure>,
    ) -> Standing {
        Standing {
            status,
            last_completed_at,
            failure,
        }
    }

    #[test]
    fn a_sync_moves_the_status_of_what_takes_part_and_keeps_the_beginning_of_a_failure() {
        let old = failure("old", EARLIER);
        for (before, result, expected) in [
            (
                standing(Pending, None, None),
                SyncResult::Completed,
                standing(Connected, Some(NOW), None),
            ),
            (
                standing(Error, Some(EARLIER), old.clone()),
                SyncResult::Completed,
                standing(Connected, Some(NOW), None),
            ),
            (
                standing(Paused, None, old.clone()),
                SyncResult::Completed,
                standing(Paused, Some(NOW), None),
            ),
            (
                standing(Connected, Some(EARLIER), None),
                SyncResult::Failed(Some("new")),
                standing(Error, Some(EARLIER), failure("new", NOW)),
            ),
            (
                standing(Error, Some(EARLIER), old.clone()),
                SyncResult::Failed(Some("new")),
                standing(Error, Some(EARLIER), failure("new", EARLIER)),
            ),
            (
                standing(Disconnected, None, None),
                SyncResult::Failed(None),
                standing(Disconnected, None, failure("the sync failed", NOW)),
            ),
            (
                standing(Error, None, old.clone()),
                SyncResult::Lost(Some("new")),
                standing(Error, None, old),
            ),
            (
                standing(Pending, None, None),
                SyncResult::Lost(Some("new")),
                standing(Error, None, failure("new", NOW)),
            ),
            (
                standing(Paused, None, None),
                SyncResult::Lost(None),
                standing(Paused, None, failure("the sync failed", NOW)),
            ),
        ] {
            assert_eq!(
                after_sync(&before, result, NOW),
                expected,
                "{before:?} {result:?}"
            );
        }
    }

    #[test]
    fn people_pause_what_takes_part_resume_what_is_paused_and_remove_anything() {
        use IntegrationAct::{Pause, Remove, Resume};
        let old = || failure("old", EARLIER);
        for (act, current, expected) in [
            (Pause, standing(Pending, None, None), IntegrationStep::Pause),
            (Pause, standing(Error, None, old()), IntegrationStep::Pause),
            (Pause, standing(Paused, None, None), IntegrationStep::Nothing),
            (
                Pause,
                standing(Disconnected, None, None),
                IntegrationStep::Nothing,
            ),
            (Resume, standing(Connected, None, None), IntegrationStep::Nothing),
            (
                Resume,
                standing(Paused, None, None),
                IntegrationStep::Resume(Pending),
            ),
            (
                Resume,
                standing(Paused, Some(EARLIER), None),
                IntegrationStep::Resume(Connected),
            ),
            (
                Resume,
                standing(Paused, Some(EARLIER), old()),
                IntegrationStep::Resume(Error),
            ),
            (
                Remove,
                standing(Disconnected, None, None),
                IntegrationStep::Remove,
            ),
        ] {
            assert_eq!(decide_change(act, &current), expected, "{act:?} {current:?}");
        }
        assert_eq!(first_status(Platform::Import), Connected);
        assert_eq!(first_status(Platform::Okta), Pending);
    }
}
