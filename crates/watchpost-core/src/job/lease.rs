//! Who may take a job up, and what becomes of one whose try has ended. Pure: stores call these inside their
//! transaction.

use super::JobEnd;
use crate::{
    access::KeyState,
    value::{
        time::{DAY_MS, Timestamp},
        word::RunState,
    },
};

/// How long a lease lasts without a heartbeat, in milliseconds.
pub const LEASE_MS: i64 = 30_000;
/// Attempts before a job fails for good.
pub const ATTEMPTS_MAX: u32 = 3;
/// After a failed attempt a job waits so long, in milliseconds, times the attempts so far.
pub const RETRY_AFTER_MS: i64 = 60_000;
/// Jobs that have ended are kept so long, in milliseconds.
pub const ENDED_KEPT_MS: i64 = 30 * DAY_MS;

/// Why a job failed that no process brought to an end.
pub const INTERRUPTED: &str = "the processes that did it ended before it was done";
/// Why a job was cancelled whose key is no longer good.
pub const KEY_NOT_ACTIVE: &str = "the key that asked for it was revoked or has expired";

/// A job that is due: queued and past its time, or running under a lease that ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueJob {
    /// `queued`, or `in_progress` with a lease that ran out.
    pub state: RunState,
    /// Times it was taken up.
    pub attempts: u32,
    /// The state of the key that asked for it; `None` for the worker's own. A key that isn't known is `revoked`.
    pub key: Option<KeyState>,
    /// Whether a job of the same kind and subject runs under a lease that holds.
    pub same_under_way: bool,
}

/// What becomes of a due job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakeUp {
    /// It is leased, with one more attempt.
    Lease,
    /// It stays as it is: the same work is under way and must end first.
    Wait,
    /// It is cancelled, for this reason.
    Cancel(&'static str),
    /// It has failed for good, for this reason.
    Fail(&'static str),
}

/// Decides whether a due job is taken up.
///
/// A job doesn't start once the key that asked for it is no longer active; one that has begun goes on.
pub fn decide_take_up(job: DueJob) -> TakeUp {
    match job.state {
        RunState::InProgress if job.attempts >= ATTEMPTS_MAX => TakeUp::Fail(INTERRUPTED),
        RunState::Queued if job.key.is_some_and(|key| key != KeyState::Active) => {
            TakeUp::Cancel(KEY_NOT_ACTIVE)
        }
        RunState::Queued | RunState::InProgress if job.same_under_way => TakeUp::Wait,
        RunState::Queued | RunState::InProgress => TakeUp::Lease,
        // It has ended: nothing is due.
        RunState::Completed | RunState::Failed | RunState::Cancelled => TakeUp::Wait,
    }
}

/// When a job that failed at its `attempts`th attempt is tried again.
pub const fn retry_at(attempts: u32, now: Timestamp) -> Timestamp {
    let times = if attempts == 0 { 1 } else { attempts as i64 };
    now.plus_millis(RETRY_AFTER_MS.saturating_mul(times))
}

/// What becomes of a job whose attempt has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// It is over.
    ForGood {
        /// `completed` or `failed`.
        state: RunState,
        /// Why it failed.
        reason: Option<String>,
    },
    /// It is queued again.
    Again {
        /// Why this attempt failed.
        reason: String,
        /// Not before this time.
        not_before: Timestamp,
    },
}

/// Decides how a job ends at its `attempts`th attempt. `same_queued`: the same work was queued anew meanwhile, so that
/// this job needn't be.
pub fn decide_end(end: JobEnd, attempts: u32, same_queued: bool) -> Ended {
    match end {
        JobEnd::Completed => Ended::ForGood {
            state: RunState::Completed,
            reason: None,
        },
        JobEnd::Failed {
            reason,
            retry_at: Some(not_before),
        } if attempts < ATTEMPTS_MAX && !same_queued => Ended::Again { reason, not_before },
        JobEnd::Failed { reason, .. } => Ended::ForGood {
            state: RunState::Failed,
            reason: Some(reason),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_due_job_is_leased_waits_is_cancelled_or_has_failed() {
        use RunState::{Completed, InProgress, Queued};
        let check = |state, attempts, key, same_under_way, expected| {
            let job = DueJob {
                state,
                attempts,
                key,
                same_under_way,
            };
            assert_eq!(decide_take_up(job), expected, "{job:?}");
        };
        let (active, expired, revoked) = (
            Some(KeyState::Active),
            Some(KeyState::Expired),
            Some(KeyState::Revoked),
        );
        check(Queued, 0, None, false, TakeUp::Lease);
        check(Queued, 0, active, false, TakeUp::Lease);
        check(Queued, 0, expired, false, TakeUp::Cancel(KEY_NOT_ACTIVE));
        check(Queued, 0, revoked, false, TakeUp::Cancel(KEY_NOT_ACTIVE));
        check(Queued, 0, revoked, true, TakeUp::Cancel(KEY_NOT_ACTIVE));
        check(Queued, 0, active, true, TakeUp::Wait);
        // What waits for another try was queued again: it may start whatever its attempts.
        check(Queued, ATTEMPTS_MAX, None, false, TakeUp::Lease);
        check(InProgress, 1, None, false, TakeUp::Lease);
        check(InProgress, 1, revoked, false, TakeUp::Lease);
        check(InProgress, 1, None, true, TakeUp::Wait);
        check(InProgress, ATTEMPTS_MAX - 1, None, false, TakeUp::Lease);
        check(InProgress, ATTEMPTS_MAX, None, false, TakeUp::Fail(INTERRUPTED));
        check(InProgress, ATTEMPTS_MAX, None, true, TakeUp::Fail(INTERRUPTED));
        check(Completed, 1, None, false, TakeUp::Wait);
    }

    #[test]
    fn a_failed_attempt_is_tried_again_until_there_were_enough() {
        let at = Timestamp::from_millis(5);
        let failed = |retry_at| JobEnd::Failed {
            reason: "no".into(),
            retry_at,
        };
        let over = Ended::ForGood {
            state: RunState::Failed,
            reason: Some("no".into()),
        };
        let again = Ended::Again {
            reason: "no".into(),
            not_before: at,
        };
        for (end, attempts, same_queued, expected) in [
            (failed(Some(at)), 1, false, &again),
            (failed(Some(at)), ATTEMPTS_MAX - 1, false, &again),
            (failed(Some(at)), ATTEMPTS_MAX, false, &over),
            (failed(Some(at)), 1, true, &over),
            (failed(None), 1, false, &over),
        ] {
            assert_eq!(
                &decide_end(end, attempts, same_queued),
                expected,
                "{attempts} {same_queued}"
            );
        }
        let done = Ended::ForGood {
            state: RunState::Completed,
            reason: None,
        };
        assert_eq!(decide_end(JobEnd::Completed, ATTEMPTS_MAX, true), done);
    }

    #[test]
    fn each_further_attempt_waits_a_minute_longer() {
        let now = Timestamp::from_millis(1_000);
        for (attempts, minutes) in [(0, 1), (1, 1), (2, 2), (3, 3)] {
            assert_eq!(
                retry_at(attempts, now).millis_since(now),
                minutes * 60_000,
                "{attempts}"
            );
        }
    }
}
