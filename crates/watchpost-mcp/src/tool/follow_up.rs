//! Work that continues after a call's answer.

use watchpost_core::{
    service::{ScanRequest, ScanStarted, SyncAnswer},
    value::id::{JobId, ScanId},
};

/// The maximum number of syncs in one task. A call with more syncs is not a task.
pub(crate) const SYNCS_MAX: usize = 16;

/// Work that continues after a call's answer, as a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FollowUp {
    /// A scan.
    Scan {
        /// The scan's id.
        scan: ScanId,
        /// The effect of the call.
        request: ScanRequest,
    },
    /// Syncs and the analysis that follows. Each job comes with whether the call queued it.
    Syncs(Vec<(JobId, bool)>),
}

impl From<&ScanStarted> for FollowUp {
    fn from(started: &ScanStarted) -> Self {
        Self::Scan {
            scan: started.scan.id,
            request: started.request,
        }
    }
}

impl FollowUp {
    /// Returns the syncs of a call; `None` if there are none or more than fit in a task.
    pub(crate) fn of_syncs(answer: &SyncAnswer) -> Option<Self> {
        let jobs: Vec<_> = answer.syncs.iter().map(|sync| (sync.job, sync.is_new)).collect();
        (1..=SYNCS_MAX).contains(&jobs.len()).then_some(Self::Syncs(jobs))
    }
}
