//! Decisions on the state of an integration after syncs and actions of people. Pure: stores call these inside
//! their transaction.

use super::{Failure, IntegrationAction, IntegrationChange};
use crate::{
    audit::AuditOutcome,
    value::{
        time::Timestamp,
        word::{IntegrationStatus, Platform},
    },
};

/// Number of an integration's syncs that are kept.
pub const SYNCS_KEPT: u32 = 50;

/// The part of an integration's state that decisions depend on and change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The status.
    pub status: IntegrationStatus,
    /// The end of the last completed sync.
    pub last_completed_at: Option<Timestamp>,
    /// The current failure, if the last sync failed.
    pub failure: Option<Failure>,
}

/// The result of a sync for its integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncResult<'a> {
    /// The sync completed.
    Completed,
    /// The sync failed.
    Failed {
        /// The reason.
        reason: Option<&'a str>,
        /// Whether new credentials would end the failure.
        needs_credential: bool,
    },
    /// The sync's job failed permanently before the sync recorded its end. A failure that is recorded already
    /// takes precedence over this reason.
    Lost(Option<&'a str>),
}

/// Returns the status of a new integration. One that receives only imports is connected at once.
pub const fn first_status(platform: Platform) -> IntegrationStatus {
    match platform {
        Platform::Import => IntegrationStatus::Connected,
        _ => IntegrationStatus::Pending,
    }
}

/// Returns whether an integration with this status takes part in syncs and scans: pending, connected and failing
/// ones do.
pub const fn takes_part(status: IntegrationStatus) -> bool {
    matches!(
        status,
        IntegrationStatus::Pending | IntegrationStatus::Connected | IntegrationStatus::Error
    )
}

/// Returns the state of an integration after a sync. An integration that was paused or removed in the meantime
/// keeps its status.
pub fn after_sync(before: &Standing, result: SyncResult<'_>, now: Timestamp) -> Standing {
    let now_status = |status| {
        if takes_part(before.status) {
            status
        } else {
            before.status
        }
    };
    let failed = |reason: Option<&str>, since, needs_credential| {
        Some(Failure {
            reason: reason.unwrap_or("the sync failed").to_owned(),
            since,
            needs_credential,
        })
    };
    let since = before.failure.as_ref().map_or(now, |failure| failure.since);
    match result {
        SyncResult::Completed => Standing {
            status: now_status(IntegrationStatus::Connected),
            last_completed_at: Some(now),
            failure: None,
        },
        SyncResult::Failed {
            reason,
            needs_credential,
        } => Standing {
            status: now_status(IntegrationStatus::Error),
            last_completed_at: before.last_completed_at,
            failure: failed(reason, since, needs_credential),
        },
        SyncResult::Lost(reason) => Standing {
            status: now_status(IntegrationStatus::Error),
            last_completed_at: before.last_completed_at,
            failure: before.failure.clone().or_else(|| failed(reason, since, false)),
        },
    }
}

/// The effect of a person's action on an integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntegrationStep {
    /// No change: the integration is in the requested state already.
    Nothing,
    /// Pauses the integration and cancels its jobs.
    Pause,
    /// Resumes the integration with this status. Queues a sync if the platform is one that syncs read.
    Resume(IntegrationStatus),
    /// Removes the integration with all its data and queues an analysis.
    Remove,
}

/// Decides a person's action on an integration.
pub const fn decide_change(action: IntegrationAction, current: &Standing) -> IntegrationStep {
    match action {
        IntegrationAction::Pause if takes_part(current.status) => IntegrationStep::Pause,
        IntegrationAction::Resume if matches!(current.status, IntegrationStatus::Paused) => {
            IntegrationStep::Resume(match (&current.failure, current.last_completed_at) {
                (Some(_), _) => IntegrationStatus::Error,
                (None, Some(_)) => IntegrationStatus::Connected,
                (None, None) => IntegrationStatus::Pending,
            })
        }
        IntegrationAction::Pause | IntegrationAction::Resume => IntegrationStep::Nothing,
        IntegrationAction::Remove => IntegrationStep::Remove,
    }
}

impl IntegrationChange {
    /// Returns the outcome for the audit entry.
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
            needs_credential: reason.starts_with("rejected"),
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

    fn failed(reason: &str) -> SyncResult<'_> {
        SyncResult::Failed {
            reason: Some(reason),
            needs_credential: reason.starts_with("rejected"),
        }
    }

    #[test]
    fn a_sync_changes_the_status_of_active_integrations_and_keeps_the_start_of_a_failure() {
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
                failed("new"),
                standing(Error, Some(EARLIER), failure("new", NOW)),
            ),
            (
                standing(Error, Some(EARLIER), old.clone()),
                failed("rejected"),
                standing(Error, Some(EARLIER), failure("rejected", EARLIER)),
            ),
            (
                standing(Error, Some(EARLIER), failure("rejected", EARLIER)),
                failed("new"),
                standing(Error, Some(EARLIER), failure("new", EARLIER)),
            ),
            (
                standing(Disconnected, None, None),
                SyncResult::Failed {
                    reason: None,
                    needs_credential: false,
                },
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
    fn active_integrations_can_be_paused_paused_ones_resumed_and_all_removed() {
        use IntegrationAction::{Pause, Remove, Resume};
        let old = || failure("old", EARLIER);
        for (action, current, expected) in [
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
            assert_eq!(
                decide_change(action, &current),
                expected,
                "{action:?} {current:?}"
            );
        }
        assert_eq!(first_status(Platform::Import), Connected);
        assert_eq!(first_status(Platform::Okta), Pending);
    }
}
