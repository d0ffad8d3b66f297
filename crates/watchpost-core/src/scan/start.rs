//! Whether scans start and stop. Pure: stores call these inside their transaction.

use super::{CancelOutcome, ScanStart};
use crate::{
    audit::AuditOutcome,
    check::ScanType,
    value::{id::ScanId, word::RunState},
};

/// Why a scan failed whose job ended first.
pub const ENDED_WITH_JOB: &str = "it ended before it was done";

/// Decides a request for a scan. `takes_part`: whether the integration exists and is active; `running`: its scan that
/// waits or runs.
pub const fn decide_start(takes_part: bool, running: Option<ScanId>) -> ScanStart {
    match (takes_part, running) {
        (false, _) => ScanStart::NoIntegration,
        (true, Some(running)) => ScanStart::AlreadyRunning(running),
        (true, None) => ScanStart::Started,
    }
}

/// Decides a request to stop a scan. `current`: its state, if there is one.
pub const fn decide_cancel(current: Option<RunState>) -> CancelOutcome {
    match current {
        None => CancelOutcome::NotFound,
        Some(RunState::Queued | RunState::InProgress) => CancelOutcome::Cancelled,
        Some(ended) => CancelOutcome::Ended(ended),
    }
}

/// How a scan ends that hasn't ended by itself when its job ends like this.
pub const fn ended_with_job(job: RunState) -> RunState {
    match job {
        RunState::Cancelled => RunState::Cancelled,
        _ => RunState::Failed,
    }
}

/// A schedule whose time has come, or whose further scans wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueSchedule {
    /// What it scans for.
    pub scan_types: Vec<ScanType>,
    /// Types that wait for another scan to end.
    pub pending: Vec<ScanType>,
    /// Whether its next time is now or past.
    pub struck: bool,
    /// Whether its integration takes part in anything.
    pub active: bool,
    /// Whether a scan of its integration waits or runs.
    pub busy: bool,
}

/// What a due schedule does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fired {
    /// The scan that it starts: one of an integration at a time.
    pub start: Option<ScanType>,
    /// Types that wait from now on.
    pub pending: Vec<ScanType>,
}

/// Decides what a due schedule does. An integration that takes part in nothing is passed over.
pub fn decide_fire(due: &DueSchedule) -> Fired {
    let mut waiting: Vec<ScanType> = ScanType::ALL
        .iter()
        .copied()
        .filter(|kind| due.pending.contains(kind) || (due.struck && due.scan_types.contains(kind)))
        .collect();
    if !due.active {
        waiting.clear();
    }
    let start = (!due.busy && !waiting.is_empty()).then(|| waiting.remove(0));
    Fired {
        start,
        pending: waiting,
    }
}

impl ScanStart {
    /// How the audit entry ends.
    pub const fn audit_outcome(&self) -> AuditOutcome {
        match self {
            Self::Started => AuditOutcome::Ok,
            Self::AlreadyRunning(_) => AuditOutcome::Unchanged,
            Self::NoIntegration => AuditOutcome::NotFound,
        }
    }
}

impl CancelOutcome {
    /// How the audit entry ends.
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
    fn one_scan_of_an_integration_runs_at_a_time() {
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
        let check = |pending: &[ScanType], struck, active, busy, start, left: &[ScanType]| {
            let due = DueSchedule {
                scan_types: both.to_vec(),
                pending: pending.to_vec(),
                struck,
                active,
                busy,
            };
            let expected = Fired {
                start,
                pending: left.to_vec(),
            };
            assert_eq!(decide_fire(&due), expected, "{due:?}");
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
