//! Decisions on leasing jobs and on the end of an attempt. Pure functions: stores call them inside their
//! transaction.

use super::JobEnd;
use crate::{
    access::KeyState,
    text,
    value::{
        time::{DAY_MS, Timestamp},
        word::RunState,
    },
};

/// The duration of a lease without a heartbeat, in milliseconds.
pub const LEASE_MS: i64 = 30_000;
/// Maximum number of attempts; then the job has failed permanently.
pub const ATTEMPTS_MAX: u32 = 3;
/// The delay after a failed attempt, in milliseconds; multiplied by the number of attempts so far.
pub const RETRY_AFTER_MS: i64 = 60_000;
/// The time for which ended jobs are kept, in milliseconds.
pub const ENDED_KEPT_MS: i64 = 30 * DAY_MS;

/// The reason stored with a job that failed because its worker processes stopped.
pub const INTERRUPTED: &str = text::job::INTERRUPTED;
/// The reason stored with a job that was cancelled because its key is no longer active.
pub const KEY_NOT_ACTIVE: &str = text::job::KEY_NOT_ACTIVE;

/// A job that is due: queued with its time reached, or in progress with an expired lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueJob {
    /// `queued`, or `in_progress` with an expired lease.
    pub state: RunState,
    /// The number of attempts so far.
    pub attempts: u32,
    /// The state of the key that requested the job; `None` for the worker's own jobs. An unknown key counts as
    /// `revoked`.
    pub key: Option<KeyState>,
    /// Whether a job of the same kind and subject is in progress with a valid lease.
    pub same_in_progress: bool,
}

/// The decision on a due job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseDecision {
    /// Leases the job and counts one more attempt.
    Lease,
    /// Leaves the job as it is: a job for the same work is in progress and must end first.
    Wait,
    /// Cancels the job for this reason.
    Cancel(&'static str),
    /// Fails the job permanently for this reason.
    Fail(&'static str),
}

/// Decides whether a due job is leased.
///
/// A job doesn't start if the key that requested it is no longer active. A job that has started continues.
pub fn decide_lease(job: DueJob) -> LeaseDecision {
    match job.state {
        RunState::InProgress if job.attempts >= ATTEMPTS_MAX => LeaseDecision::Fail(INTERRUPTED),
        RunState::Queued if job.key.is_some_and(|key| key != KeyState::Active) => {
            LeaseDecision::Cancel(KEY_NOT_ACTIVE)
        }
        RunState::Queued | RunState::InProgress if job.same_in_progress => LeaseDecision::Wait,
        RunState::Queued | RunState::InProgress => LeaseDecision::Lease,
        // An ended job is never due.
        RunState::Completed | RunState::Failed | RunState::Cancelled => LeaseDecision::Wait,
    }
}

/// Returns the time of the next attempt of a job that failed at its `attempts`th attempt.
pub const fn retry_at(attempts: u32, now: Timestamp) -> Timestamp {
    let times = if attempts == 0 { 1 } else { attempts as i64 };
    now.plus_millis(RETRY_AFTER_MS.saturating_mul(times))
}

/// The state of a job after an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptEnd {
    /// The job has ended.
    Final {
        /// `completed` or `failed`.
        state: RunState,
        /// The reason for the failure.
        reason: Option<String>,
    },
    /// The job is queued again.
    Retry {
        /// The reason why this attempt failed.
        reason: String,
        /// The earliest time of the next attempt.
        not_before: Timestamp,
    },
}

/// Decides the state of a job after its `attempts`th attempt. `same_queued` is whether the same work has been
/// queued again in the meantime, so that this job isn't needed.
pub fn decide_end(end: JobEnd, attempts: u32, same_queued: bool) -> AttemptEnd {
    match end {
        JobEnd::Completed => AttemptEnd::Final {
            state: RunState::Completed,
            reason: None,
        },
        JobEnd::Failed {
            reason,
            retry_at: Some(not_before),
        } if attempts < ATTEMPTS_MAX && !same_queued => AttemptEnd::Retry { reason, not_before },
        JobEnd::Failed { reason, .. } => AttemptEnd::Final {
            state: RunState::Failed,
            reason: Some(reason),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_due_job_is_leased_or_waits_or_is_cancelled_or_fails() {
        use RunState::{Completed, InProgress, Queued};
        let check = |state, attempts, key, same_in_progress, expected| {
            let job = DueJob {
                state,
                attempts,
                key,
                same_in_progress,
            };
            assert_eq!(decide_lease(job), expected, "{job:?}");
        };
        let (active, expired, revoked) = (
            Some(KeyState::Active),
            Some(KeyState::Expired),
            Some(KeyState::Revoked),
        );
        check(Queued, 0, None, false, LeaseDecision::Lease);
        check(Queued, 0, active, false, LeaseDecision::Lease);
        check(Queued, 0, expired, false, LeaseDecision::Cancel(KEY_NOT_ACTIVE));
        check(Queued, 0, revoked, false, LeaseDecision::Cancel(KEY_NOT_ACTIVE));
        check(Queued, 0, revoked, true, LeaseDecision::Cancel(KEY_NOT_ACTIVE));
        check(Queued, 0, active, true, LeaseDecision::Wait);
        // A job that waits for its next attempt was queued again. It may start whatever the number of its
        // attempts.
        check(Queued, ATTEMPTS_MAX, None, false, LeaseDecision::Lease);
        check(InProgress, 1, None, false, LeaseDecision::Lease);
        check(InProgress, 1, revoked, false, LeaseDecision::Lease);
        check(InProgress, 1, None, true, LeaseDecision::Wait);
        check(InProgress, ATTEMPTS_MAX - 1, None, false, LeaseDecision::Lease);
        check(
            InProgress,
            ATTEMPTS_MAX,
            None,
            false,
            LeaseDecision::Fail(INTERRUPTED),
        );
        check(
            InProgress,
            ATTEMPTS_MAX,
            None,
            true,
            LeaseDecision::Fail(INTERRUPTED),
        );
        check(Completed, 1, None, false, LeaseDecision::Wait);
    }

    #[test]
    fn a_failed_job_is_retried_until_the_maximum_number_of_attempts() {
        let at = Timestamp::from_millis(5);
        let failed = |retry_at| JobEnd::Failed {
            reason: "no".into(),
            retry_at,
        };
        let over = AttemptEnd::Final {
            state: RunState::Failed,
            reason: Some("no".into()),
        };
        let again = AttemptEnd::Retry {
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
        let done = AttemptEnd::Final {
            state: RunState::Completed,
            reason: None,
        };
        assert_eq!(decide_end(JobEnd::Completed, ATTEMPTS_MAX, true), done);
    }

    #[test]
    fn each_retry_waits_a_minute_longer() {
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
