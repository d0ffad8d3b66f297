//! Decisions on leasing due jobs, and on retrying jobs that failed.
//!
//! All functions are pure. Stores call them inside the transaction that reads and changes the job.

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
/// Maximum number of attempts. A job whose last attempt fails has failed permanently.
pub const ATTEMPTS_MAX: u32 = 3;
/// The delay after a failed attempt, in milliseconds. It is multiplied by the number of attempts so far.
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

/// Returns the earliest time of the next attempt of a job that has failed `attempts` times.
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

/// Decides whether a job has ended or is retried, given the result of its last attempt and the number of attempts.
///
/// `same_queued` is whether the same work was queued again during the attempt. Then this job isn't retried.
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

    fn due(state: RunState, attempts: u32) -> DueJob {
        DueJob {
            state,
            attempts,
            key: None,
            same_in_progress: false,
        }
    }

    #[test]
    fn a_queued_job_is_leased_only_if_its_key_is_active() {
        for (key, same_in_progress, expected) in [
            (None, false, LeaseDecision::Lease),
            (Some(KeyState::Active), false, LeaseDecision::Lease),
            (Some(KeyState::Active), true, LeaseDecision::Wait),
            (
                Some(KeyState::Expired),
                false,
                LeaseDecision::Cancel(KEY_NOT_ACTIVE),
            ),
            (
                Some(KeyState::Revoked),
                false,
                LeaseDecision::Cancel(KEY_NOT_ACTIVE),
            ),
            (
                Some(KeyState::Revoked),
                true,
                LeaseDecision::Cancel(KEY_NOT_ACTIVE),
            ),
        ] {
            let job = DueJob {
                key,
                same_in_progress,
                ..due(RunState::Queued, 0)
            };
            assert_eq!(decide_lease(job), expected, "{job:?}");
        }
    }

    #[test]
    fn an_interrupted_job_is_leased_again_until_the_maximum_number_of_attempts() {
        for (attempts, key, same_in_progress, expected) in [
            (1, None, false, LeaseDecision::Lease),
            (1, Some(KeyState::Revoked), false, LeaseDecision::Lease),
            (1, None, true, LeaseDecision::Wait),
            (ATTEMPTS_MAX - 1, None, false, LeaseDecision::Lease),
            (ATTEMPTS_MAX, None, false, LeaseDecision::Fail(INTERRUPTED)),
            (ATTEMPTS_MAX, None, true, LeaseDecision::Fail(INTERRUPTED)),
        ] {
            let job = DueJob {
                key,
                same_in_progress,
                ..due(RunState::InProgress, attempts)
            };
            assert_eq!(decide_lease(job), expected, "{job:?}");
        }
    }

    #[test]
    fn a_job_that_was_queued_for_a_retry_is_leased_whatever_its_attempts() {
        let job = due(RunState::Queued, ATTEMPTS_MAX);
        assert_eq!(decide_lease(job), LeaseDecision::Lease);
    }

    #[test]
    fn an_ended_job_is_not_leased() {
        let job = due(RunState::Completed, 1);
        assert_eq!(decide_lease(job), LeaseDecision::Wait);
    }

    #[test]
    fn a_failed_job_is_retried_until_the_maximum_number_of_attempts() {
        let at = Timestamp::from_millis(5);
        let failed = |retry_at| JobEnd::Failed {
            reason: "reason".into(),
            retry_at,
        };
        let ended = AttemptEnd::Final {
            state: RunState::Failed,
            reason: Some("reason".into()),
        };
        let retried = AttemptEnd::Retry {
            reason: "reason".into(),
            not_before: at,
        };
        for (end, attempts, same_queued, expected) in [
            (failed(Some(at)), 1, false, &retried),
            (failed(Some(at)), ATTEMPTS_MAX - 1, false, &retried),
            (failed(Some(at)), ATTEMPTS_MAX, false, &ended),
            (failed(Some(at)), 1, true, &ended),
            (failed(None), 1, false, &ended),
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
