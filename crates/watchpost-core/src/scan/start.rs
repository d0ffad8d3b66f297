//! Decisions on starting and cancelling scans. Pure: stores call these inside their transaction.

use super::{CancelOutcome, ScanStart, StartScan};
use crate::{
    audit::AuditOutcome,
    check::ScanType,
    text,
    value::{id::ScanId, time::Timestamp, word::RunState},
};

/// The reason stored with a scan whose job ended before it did.
pub const ENDED_WITH_JOB: &str = text::scan::ENDED_WITH_JOB;

/// The time after the end of a scan in which the same request is answered with it, in milliseconds. Clients repeat
/// calls whose answers they have lost, and assistants those that they don't remember.
pub const REPEAT_MS: i64 = 60_000;

/// The facts that decide a request for a scan of an integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScannedBefore {
    /// Whether the integration exists and is active.
    pub takes_part: bool,
    /// The scan of the integration that is queued or in progress.
    pub running: Option<ScanId>,
    /// The integration's latest completed scan of the same type that read settings as requested, and wasn't imported.
    pub latest: Option<CompletedScan>,
    /// The time at which the workspace's newest exemption was created. An older scan doesn't apply it.
    pub exempted_at: Option<Timestamp>,
}

/// A completed scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompletedScan {
    /// The scan.
    pub id: ScanId,
    /// The time at which it was requested.
    pub queued_at: Timestamp,
    /// The time at which it was completed.
    pub completed_at: Timestamp,
}

/// Decides a [`StartScan`].
pub fn decide_start(command: &StartScan, before: &ScannedBefore) -> ScanStart {
    if !before.takes_part {
        return ScanStart::NoIntegration;
    }
    if let Some(running) = before.running {
        return ScanStart::AlreadyRunning(running);
    }
    match before.latest {
        Some(latest) if !command.again && answers(&latest, command.now, before.exempted_at) => {
            ScanStart::JustCompleted(latest.id)
        }
        _ => ScanStart::Started,
    }
}

/// Returns whether a completed scan answers the same request now.
fn answers(scan: &CompletedScan, now: Timestamp, exempted_at: Option<Timestamp>) -> bool {
    // Processes on one store may have slightly different clocks, so the end may also be in the future.
    (-REPEAT_MS..=REPEAT_MS).contains(&now.millis_since(scan.completed_at))
        && exempted_at.is_none_or(|exempted_at| exempted_at < scan.queued_at)
}

/// Decides a [`CancelScan`](super::CancelScan). `current` is the state of the scan, or `None` if there is no such
/// scan.
pub const fn decide_cancel(current: Option<RunState>) -> CancelOutcome {
    match current {
        None => CancelOutcome::NotFound,
        Some(RunState::Queued | RunState::InProgress) => CancelOutcome::Cancelled,
        Some(ended) => CancelOutcome::Ended(ended),
    }
}

/// Returns the final state of a scan whose job ended in the state `job` before the scan recorded its own end.
pub const fn ended_with_job(job: RunState) -> RunState {
    match job {
        RunState::Cancelled => RunState::Cancelled,
        _ => RunState::Failed,
    }
}

/// A schedule whose time has come, or with scans that wait to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueSchedule {
    /// The types of scan that the schedule starts.
    pub scan_types: Vec<ScanType>,
    /// The types that wait for another scan to end.
    pub pending: Vec<ScanType>,
    /// Whether the schedule's next time has come.
    pub is_due: bool,
    /// Whether the integration takes part in syncs and scans.
    pub active: bool,
    /// Whether a scan of the integration is queued or in progress.
    pub busy: bool,
}

/// The effect of a due schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduledScans {
    /// The type of scan to start now. An integration has one scan at a time.
    pub start: Option<ScanType>,
    /// The types that wait now.
    pub pending: Vec<ScanType>,
}

/// Decides the effect of a due schedule. The scans of an inactive integration are dropped.
pub fn decide_scheduled_scans(due: &DueSchedule) -> ScheduledScans {
    let mut waiting: Vec<ScanType> = ScanType::ALL
        .iter()
        .copied()
        .filter(|kind| due.pending.contains(kind) || (due.is_due && due.scan_types.contains(kind)))
        .collect();
    if !due.active {
        waiting.clear();
    }
    let start = (!due.busy && !waiting.is_empty()).then(|| waiting.remove(0));
    ScheduledScans {
        start,
        pending: waiting,
    }
}

impl ScanStart {
    /// Returns the outcome for the audit entry.
    pub const fn audit_outcome(&self) -> AuditOutcome {
        match self {
            Self::Started => AuditOutcome::Ok,
            Self::AlreadyRunning(_) | Self::JustCompleted(_) => AuditOutcome::Unchanged,
            Self::NoIntegration => AuditOutcome::NotFound,
        }
    }
}

impl CancelOutcome {
    /// Returns the outcome for the audit entry.
    pub const fn audit_outcome(self) -> AuditOutcome {
        match self {
            Self::Cancelled => AuditOutcome::Ok,
            Self::Ended(_) => AuditOutcome::Conflict,
            Self::NotFound => AuditOutcome::NotFound,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::id::{IntegrationId, JobId};

    const NOW: Timestamp = Timestamp::from_millis(1_772_000_000_000);

    fn request(again: bool) -> StartScan {
        StartScan {
            id: ScanId::from_bytes([2; 16]),
            integration: IntegrationId::from_bytes([3; 16]),
            scan_type: ScanType::Compliance,
            fresh: true,
            again,
            job: JobId::from_bytes([4; 16]),
            now: NOW,
        }
    }

    #[test]
    fn a_request_within_a_minute_of_the_end_of_the_same_scan_is_answered_with_it() {
        let latest = ScanId::from_bytes([1; 16]);
        let check = |again, ended_ms_ago: i64, exempted_ms_ago: Option<i64>, expected| {
            let completed_at = NOW.plus_millis(-ended_ms_ago);
            let before = ScannedBefore {
                takes_part: true,
                running: None,
                latest: Some(CompletedScan {
                    id: latest,
                    queued_at: completed_at.plus_millis(-10_000),
                    completed_at,
                }),
                exempted_at: exempted_ms_ago.map(|ago| NOW.plus_millis(-ago)),
            };
            assert_eq!(decide_start(&request(again), &before), expected, "{before:?}");
        };
        let same = ScanStart::JustCompleted(latest);
        check(false, 0, None, same.clone());
        check(false, REPEAT_MS, None, same.clone());
        check(false, REPEAT_MS + 1, None, ScanStart::Started);
        check(false, -1_000, None, same.clone());
        check(false, -REPEAT_MS - 1, None, ScanStart::Started);
        check(true, 0, None, ScanStart::Started);
        // The scan was requested 40 seconds ago, so it doesn't apply a newer exemption.
        check(false, 30_000, Some(41_000), same);
        check(false, 30_000, Some(40_000), ScanStart::Started);
        check(false, 30_000, Some(5_000), ScanStart::Started);
    }

    #[test]
    fn an_integration_has_one_scan_at_a_time() {
        let running = ScanId::from_bytes([1; 16]);
        for (takes_part, other, expected) in [
            (true, None, ScanStart::Started),
            (true, Some(running), ScanStart::AlreadyRunning(running)),
            (false, None, ScanStart::NoIntegration),
            (false, Some(running), ScanStart::NoIntegration),
        ] {
            let before = ScannedBefore {
                takes_part,
                running: other,
                latest: None,
                exempted_at: None,
            };
            assert_eq!(decide_start(&request(false), &before), expected);
        }
        for (current, expected) in [
            (None, CancelOutcome::NotFound),
            (Some(RunState::Queued), CancelOutcome::Cancelled),
            (Some(RunState::InProgress), CancelOutcome::Cancelled),
            (
                Some(RunState::Completed),
                CancelOutcome::Ended(RunState::Completed),
            ),
            (
                Some(RunState::Cancelled),
                CancelOutcome::Ended(RunState::Cancelled),
            ),
        ] {
            assert_eq!(decide_cancel(current), expected);
        }
        assert_eq!(ended_with_job(RunState::Cancelled), RunState::Cancelled);
        assert_eq!(ended_with_job(RunState::Completed), RunState::Failed);
    }

    #[test]
    fn a_schedule_starts_one_scan_and_the_others_wait_for_it() {
        use ScanType::{Compliance, Exposure};
        let both = [Compliance, Exposure];
        let check = |pending: &[ScanType], is_due, active, busy, start, left: &[ScanType]| {
            let due = DueSchedule {
                scan_types: both.to_vec(),
                pending: pending.to_vec(),
                is_due,
                active,
                busy,
            };
            let expected = ScheduledScans {
                start,
                pending: left.to_vec(),
            };
            assert_eq!(decide_scheduled_scans(&due), expected, "{due:?}");
        };
        check(&[], true, true, false, Some(Compliance), &[Exposure]);
        check(&[], true, true, true, None, &both);
        check(&[Exposure], false, true, false, Some(Exposure), &[]);
        check(&[Exposure], false, true, true, None, &[Exposure]);
        check(&[Exposure], true, true, false, Some(Compliance), &[Exposure]);
        check(&both, true, false, false, None, &[]);
        check(&[], false, true, false, None, &[]);
    }
}
