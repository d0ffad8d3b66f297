//! Decisions on starting and cancelling scans. Pure: stores call these inside their transaction.

use super::{CancelOutcome, ScanStart};
use crate::{
    audit::AuditOutcome,
    check::ScanType,
    text,
    value::{id::ScanId, word::RunState},
};

/// The reason stored with a scan whose job ended before it did.
pub const ENDED_WITH_JOB: &str = text::scan::ENDED_WITH_JOB;

/// Decides a [`StartScan`](super::StartScan). `takes_part` is whether the integration exists and is active;
/// `running` is its scan that is queued or in progress.
pub const fn decide_start(takes_part: bool, running: Option<ScanId>) -> ScanStart {
    match (takes_part, running) {
        (false, _) => ScanStart::NoIntegration,
        (true, Some(running)) => ScanStart::AlreadyRunning(running),
        (true, None) => ScanStart::Started,
    }
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
            Self::AlreadyRunning(_) => AuditOutcome::Unchanged,
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

    #[test]
    fn an_integration_has_one_scan_at_a_time() {
        let running = ScanId::from_bytes([1; 16]);
        for (takes_part, other, expected) in [
            (true, None, ScanStart::Started),
            (true, Some(running), ScanStart::AlreadyRunning(running)),
            (false, None, ScanStart::NoIntegration),
            (false, Some(running), ScanStart::NoIntegration),
        ] {
            assert_eq!(decide_start(takes_part, other), expected);
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
