//! Tasks, for clients that support them: a started scan, or requested syncs, which continue after the answer.
//!
//! A task has no row of its own. Its id contains the ids of the scan or the jobs, whose rows are committed before the
//! answer, with a MAC for the caller. So every process on the store can resolve it, and to any other key it is unknown.

use crate::{
    cursor::CursorKey,
    error::Failure,
    text::tasks as text,
    tool::{Answer, Caller, FollowUp, SYNCS_MAX},
    tools,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use subtle::ConstantTimeEq;
use watchpost_core::{
    access::{Actor, WorkspaceScope},
    audit::CallRecord,
    error::Error,
    job::{JobKind, JobRow},
    scan::Scan,
    service::{ScanRequest, ScanStarted, Watchpost},
    value::{
        id::{JobId, ScanId},
        time::{DAY_MS, Timestamp},
        word::RunState,
    },
};
use watchpost_protocol::{TaskState, TaskStatus};

/// The time for which a task can be requested, in milliseconds.
const TTL_MS: u32 = 24 * 60 * 60 * 1_000;
/// The time that a client should wait between two requests, in milliseconds.
const POLL_MS: u32 = 2_000;
const MAC_BYTES: usize = 16;
/// The length of the longest id in characters: kind, flags, time, 16 jobs and the MAC, in base64url.
const ID_CHARS_MAX: usize = (1 + 2 + 8 + 16 * SYNCS_MAX + MAC_BYTES).div_ceil(3) * 4;

/// A task's contents, and the time at which it was created.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Task {
    follow_up: FollowUp,
    created: Timestamp,
}

impl Task {
    fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let (kind, flags, ids): (u8, u16, Vec<[u8; 16]>) = match &self.follow_up {
            FollowUp::Scan { scan, request } => {
                let flags = match request {
                    ScanRequest::AlreadyRunning => 0,
                    ScanRequest::Started => 1,
                    ScanRequest::JustCompleted => 2,
                };
                (1, flags, vec![*scan.as_bytes()])
            }
            FollowUp::Syncs(jobs) => (
                2,
                jobs.iter()
                    .enumerate()
                    .filter(|(_, (_, is_new))| *is_new)
                    .fold(0, |flags, (index, _)| flags | (1 << index)),
                jobs.iter().map(|(job, _)| *job.as_bytes()).collect(),
            ),
        };
        out.push(kind);
        out.extend_from_slice(&flags.to_be_bytes());
        out.extend_from_slice(&self.created.as_millis().to_be_bytes());
        for id in ids {
            out.extend_from_slice(&id);
        }
        out
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        let (flags, rest) = rest.split_first_chunk::<2>()?;
        let (created, rest) = rest.split_first_chunk::<8>()?;
        let flags = u16::from_be_bytes(*flags);
        let (ids, []) = rest.as_chunks::<16>() else {
            return None;
        };
        let follow_up = match (kind, ids) {
            (1, [scan]) => FollowUp::Scan {
                scan: ScanId::from_bytes(*scan),
                request: match flags {
                    0 => ScanRequest::AlreadyRunning,
                    1 => ScanRequest::Started,
                    2 => ScanRequest::JustCompleted,
                    _ => return None,
                },
            },
            (2, jobs) if (1..=SYNCS_MAX).contains(&jobs.len()) => FollowUp::Syncs(
                jobs.iter()
                    .enumerate()
                    .map(|(index, job)| (JobId::from_bytes(*job), flags >> index & 1 == 1))
                    .collect(),
            ),
            _ => return None,
        };
        Some(Self {
            follow_up,
            created: Timestamp::from_millis(i64::from_be_bytes(*created)),
        })
    }

    fn seal(&self, key: &CursorKey, scope: &WorkspaceScope) -> String {
        let mut bytes = self.bytes();
        let mac = mac(key, scope, &bytes);
        bytes.extend_from_slice(&mac);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Returns the task of one of this caller's ids; `None` for any other text.
    fn open(key: &CursorKey, scope: &WorkspaceScope, id: &str) -> Option<Self> {
        if id.len() > ID_CHARS_MAX {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(id).ok()?;
        let (head, tail) = bytes.split_last_chunk::<MAC_BYTES>()?;
        if !bool::from(mac(key, scope, head).ct_eq(tail)) {
            return None;
        }
        Self::read(head)
    }
}

/// Returns the MAC of a task's bytes for one caller.
fn mac(key: &CursorKey, scope: &WorkspaceScope, bytes: &[u8]) -> [u8; MAC_BYTES] {
    // The local operator is the same caller whatever the scope of the process.
    let caller = match scope.actor() {
        Actor::Key { id, .. } => *id.as_bytes(),
        Actor::LocalOperator { .. } => [0; 16],
        Actor::Worker { .. } => [0xff; 16],
    };
    key.task_mac(&[scope.workspace().as_bytes(), &caller, bytes])
}

/// Whether an id is that of one of this caller's tasks.
pub(crate) fn belongs_to(key: &CursorKey, scope: &WorkspaceScope, id: &str) -> bool {
    Task::open(key, scope, id).is_some()
}

/// Creates the task with which a call continues.
pub(crate) fn begin(
    key: &CursorKey,
    scope: &WorkspaceScope,
    now: Timestamp,
    follow_up: FollowUp,
) -> TaskState {
    let task = Task {
        follow_up,
        created: now,
    };
    let id = task.seal(key, scope);
    task_state(
        id,
        task.created,
        task.created,
        Some(text::QUEUED.into()),
        TaskStatus::Working,
    )
}

fn task_state(
    id: String,
    created: Timestamp,
    updated: Timestamp,
    message: Option<String>,
    status: TaskStatus,
) -> TaskState {
    TaskState {
        id,
        created_at: created.to_string(),
        updated_at: updated.to_string(),
        ttl_ms: Some(TTL_MS),
        poll_interval_ms: Some(POLL_MS),
        message,
        status,
    }
}

/// Returns the state of one of this caller's tasks; `None` if there is no such task or it has expired.
///
/// # Errors
/// The store fails.
pub(crate) async fn state(caller: Caller<'_>, id: &str) -> Result<Option<TaskState>, Failure> {
    let Some(task) = Task::open(caller.cursors, caller.scope, id) else {
        return Ok(None);
    };
    let now = caller.watchpost.clock().now();
    if now.millis_since(task.created) > DAY_MS {
        return Ok(None);
    }
    let progress = match &task.follow_up {
        FollowUp::Scan { scan, request } => {
            match caller.open(caller.watchpost.scan(caller.scope, *scan).await)? {
                Some(scan) => of_scan(caller, scan, *request)?,
                None => return Ok(None),
            }
        }
        FollowUp::Syncs(jobs) => match of_syncs(caller, jobs).await? {
            Some(progress) => progress,
            None => return Ok(None),
        },
    };
    let (updated, message, status) = progress;
    let updated = updated.max(task.created);
    Ok(Some(task_state(
        id.to_owned(),
        task.created,
        updated,
        message,
        status,
    )))
}

type Progress = (Timestamp, Option<String>, TaskStatus);

fn completed(caller: Caller<'_>, answer: &Answer) -> TaskStatus {
    TaskStatus::Completed(answer.result(caller.watchpost.random()))
}

fn of_scan(caller: Caller<'_>, scan: Scan, request: ScanRequest) -> Result<Progress, Failure> {
    let at = scan.completed_at.or(scan.started_at).unwrap_or(scan.queued_at);
    Ok(match scan.state {
        RunState::Queued => (at, Some(text::QUEUED.into()), TaskStatus::Working),
        RunState::InProgress => {
            let message = scan.progress.unwrap_or_else(|| text::IN_PROGRESS.into());
            (at, Some(message), TaskStatus::Working)
        }
        RunState::Cancelled => (at, Some(text::SCAN_CANCELLED.into()), TaskStatus::Cancelled),
        RunState::Completed | RunState::Failed => {
            let answer = tools::scan_answer(&ScanStarted { scan, request })?;
            (at, None, completed(caller, &answer))
        }
    })
}

async fn of_syncs(caller: Caller<'_>, jobs: &[(JobId, bool)]) -> Result<Option<Progress>, Failure> {
    let ids: Vec<JobId> = jobs.iter().map(|(id, _)| *id).collect();
    let found = caller.open(caller.watchpost.jobs(caller.scope, &ids).await)?;
    if found.len() < jobs.len() {
        return Ok(None);
    }
    let news = jobs.iter().map(|(_, is_new)| *is_new);
    let rows: Vec<(JobRow, bool)> = found.into_iter().zip(news).collect();
    let ended = rows.iter().filter(|(row, _)| row.finished_at.is_some()).count();
    let at = rows
        .iter()
        .map(|(row, _)| row.finished_at.unwrap_or(row.queued_at))
        .max()
        .unwrap_or(Timestamp::from_millis(0));
    if ended < rows.len() {
        let progress = rows.iter().find_map(|(row, _)| row.progress.as_deref());
        let message = text::platforms_read(ended, rows.len(), progress);
        return Ok(Some((at, Some(message), TaskStatus::Working)));
    }
    // Each completed sync queues an analysis, which updates the findings.
    let unfinished = caller.open(caller.watchpost.unfinished_jobs(caller.scope).await)?;
    if unfinished.iter().any(|job| job.kind == JobKind::Analyse) {
        return Ok(Some((at, Some(text::ANALYZING.into()), TaskStatus::Working)));
    }
    let answer = tools::ended_syncs_answer(caller, &rows).await?;
    Ok(Some((at, None, completed(caller, &answer))))
}

/// Cancels one of this caller's tasks, if it is a scan that the same call started. Other scans and syncs continue. Returns
/// whether an audit entry was stored; `None` if there is no such task.
///
/// # Errors
/// The store fails.
pub(crate) async fn cancel(
    watchpost: &Watchpost,
    key: &CursorKey,
    scope: &WorkspaceScope,
    id: &str,
    call: impl FnOnce() -> CallRecord,
) -> Result<Option<bool>, Failure> {
    let Some(task) = Task::open(key, scope, id) else {
        return Ok(None);
    };
    let FollowUp::Scan {
        scan,
        request: ScanRequest::Started,
    } = task.follow_up
    else {
        return Ok(Some(false));
    };
    match watchpost.cancel_scan(scope, scan, call()).await {
        Ok(()) => Ok(Some(true)),
        // The scan has already ended or was removed; the audit entry is stored.
        Err(Error::Conflict { .. } | Error::NotFound { .. }) => Ok(Some(true)),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn task_bytes_round_trip_and_truncated_ones_are_rejected() {
        let job = |n: u8| JobId::from_bytes([n; 16]);
        let created = Timestamp::from_millis(1_772_000_000_123);
        for follow_up in [
            FollowUp::Scan {
                scan: ScanId::from_bytes([7; 16]),
                request: ScanRequest::Started,
            },
            FollowUp::Scan {
                scan: ScanId::from_bytes([8; 16]),
                request: ScanRequest::AlreadyRunning,
            },
            FollowUp::Scan {
                scan: ScanId::from_bytes([9; 16]),
                request: ScanRequest::JustCompleted,
            },
            FollowUp::Syncs(vec![(job(1), true)]),
            FollowUp::Syncs((0..16).map(|n| (job(n), n % 3 == 0)).collect()),
        ] {
            let task = Task { follow_up, created };
            let bytes = task.bytes();
            assert_eq!(Task::read(&bytes), Some(task));
            for end in 0..bytes.len() {
                let cut = Task::read(&bytes[..end]);
                assert!(
                    cut.is_none_or(|cut| matches!(cut.follow_up, FollowUp::Syncs(_))),
                    "{end}"
                );
            }
        }
        assert_eq!(Task::read(&[3; 27]), None);
        let many = Task {
            follow_up: FollowUp::Syncs((0..17).map(|n| (job(n), false)).collect()),
            created,
        };
        assert_eq!(Task::read(&many.bytes()), None);
    }
}
