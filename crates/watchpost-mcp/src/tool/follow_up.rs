//! What continues after a call's answer.

use watchpost_core::{
    service::{ScanStarted, SyncAnswer},
    value::id::{JobId, ScanId},
};

/// Syncs in one task; a call that is about more answers with its handles at once.
pub(crate) const SYNCS_MAX: usize = 16;

/// What continues after a call's answer: what a task is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FollowUp {
    /// A scan.
    Scan {
        /// Which.
        scan: ScanId,
        /// Whether this call started it.
        is_new: bool,
    },
    /// Syncs, and the analysis after them.
    Syncs(Vec<(JobId, bool)>),
}

impl From<&ScanStarted> for FollowUp {
    fn from(started: &ScanStarted) -> Self {
        Self::Scan {
            scan: started.scan.id,
            is_new: started.is_new,
        }
    }
}

impl FollowUp {
    /// The syncs of a call, if they make a task: there are some, and not too many.
    pub(crate) fn of_syncs(answer: &SyncAnswer) -> Option<Self> {
        let jobs: Vec<_> = answer.syncs.iter().map(|sync| (sync.job, sync.is_new)).collect();
        (1..=SYNCS_MAX).contains(&jobs.len()).then_some(Self::Syncs(jobs))
    }
}
