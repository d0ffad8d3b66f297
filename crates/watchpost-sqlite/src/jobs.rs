//! Jobs and what belongs to no workspace.

use crate::{
    audit,
    fault::{Fault, Res},
    row::{Columns, Word},
    store::SqliteStore,
    writer::Tx,
};
use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use watchpost_core::{
    access::{Audited, AuthorizedWrite, WorkspaceScope},
    audit::{ActorKind, AuditOutcome, AuditRow, PendingEntry},
    error::StoreError,
    job::{
        ATTEMPTS_MAX, InstanceStore, JobEnd, JobKind, JobRow, JobStore, LEASE_MS, LeasedJob, TriggerSync,
        TriggeredSync, WorkspaceRow,
    },
    value::{
        id::{IntegrationId, JobId, KeyId, ScanId, WorkspaceId},
        time::{DAY_MS, Timestamp},
        word::{IntegrationStatus, Platform, RunState},
    },
};

/// Ended jobs are kept this long.
const ENDED_KEPT_MS: i64 = 30 * DAY_MS;
/// Spent tokens that a tick of the schedules forgets at the most.
const FORGOTTEN_PER_TICK: u32 = 500;
const INTERRUPTED: &str = "the processes that did it ended before it was done";

/// The key that acts, if a key does.
pub(crate) fn acting_key(entry: &PendingEntry) -> Option<KeyId> {
    let row = entry.to_row(0, Timestamp::default(), [0; 32]);
    (row.actor_kind == ActorKind::Key)
        .then(|| row.actor_id.parse().ok())
        .flatten()
}

/// What a job is about.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Subject {
    /// The workspace.
    None,
    /// An integration.
    Integration(IntegrationId),
    /// A scan.
    Scan(ScanId),
}

impl Subject {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::None => &[],
            Self::Integration(id) => id.as_bytes(),
            Self::Scan(id) => id.as_bytes(),
        }
    }
    const fn of(row: &JobRow) -> Self {
        match (row.integration, row.scan) {
            (Some(id), _) => Self::Integration(id),
            (None, Some(id)) => Self::Scan(id),
            (None, None) => Self::None,
        }
    }
}

/// Queues a job unless one for the same is queued. Gives its id, or that of the queued one.
pub(crate) fn enqueue(
    tx: &Tx<'_>,
    workspace: i64,
    (kind, subject): (JobKind, Subject),
    id: JobId,
    key: Option<KeyId>,
    now: Timestamp,
) -> Res<(JobId, bool)> {
    let subject = subject.bytes();
    let queued = {
        let mut statement = tx.conn.prepare_cached(
            "SELECT id, key_id FROM jobs WHERE workspace_id = ?1 AND kind = ?2 AND subject = ?3 AND state = 0",
        )?;
        let mut rows = statement.query(params![workspace, kind.position(), subject])?;
        match rows.next()? {
            Some(row) => Some((row.id(0, JobId::from_bytes)?, row.get::<_, Option<[u8; 16]>>(1)?)),
            None => None,
        }
    };
    if let Some((queued, owner)) = queued {
        // Somebody else wants it too: it is the worker's now.
        if owner.is_some() && owner != key.map(|key| *key.as_bytes()) {
            tx.conn
                .prepare_cached("UPDATE jobs SET key_id = NULL WHERE workspace_id = ?1 AND id = ?2")?
                .execute(params![workspace, queued.as_bytes()])?;
        }
        return Ok((queued, false));
    }
    tx.conn
        .prepare_cached(
            "INSERT INTO jobs (workspace_id, id, kind, subject, state, queued_at, not_before, key_id) \
             VALUES (?1, ?2, ?3, ?4, 0, ?5, ?5, ?6)",
        )?
        .execute(params![
            workspace,
            id.as_bytes(),
            kind.position(),
            subject,
            now.as_millis(),
            key.as_ref().map(KeyId::as_bytes),
        ])?;
    tx.bump(workspace)?;
    Ok((id, true))
}

const COLUMNS: &str =
    "j.id, j.kind, j.subject, j.state, j.attempts, j.queued_at, j.finished_at, j.reason, j.progress";

fn job_row(row: &Row<'_>) -> Res<JobRow> {
    let subject: Vec<u8> = row.get(2)?;
    let attempts: i64 = row.get(4)?;
    let kind: JobKind = row.word(1)?;
    let subject = <[u8; 16]>::try_from(subject).ok();
    let is_scan = kind == JobKind::Scan;
    Ok(JobRow {
        id: row.id(0, JobId::from_bytes)?,
        kind,
        integration: subject.filter(|_| !is_scan).map(IntegrationId::from_bytes),
        scan: subject.filter(|_| is_scan).map(ScanId::from_bytes),
        state: row.word(3)?,
        attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
        queued_at: row.time(5)?,
        finished_at: row.time_opt(6)?,
        reason: row.get(7)?,
        progress: row.get(8)?,
    })
}

/// A job that could be leased.
struct Due {
    workspace: i64,
    workspace_id: WorkspaceId,
    row: JobRow,
    key: Option<[u8; 16]>,
}

fn due(conn: &Connection, now: Timestamp) -> Res<Vec<Due>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS}, j.workspace_id, w.id, j.key_id FROM jobs j JOIN workspaces w USING (workspace_id) \
         WHERE (j.state = 0 AND j.not_before <= ?1) OR (j.state = 1 AND j.lease_until <= ?1) \
         ORDER BY j.queued_at, j.id LIMIT 100"
    ))?;
    let mut rows = statement.query([now.as_millis()])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push(Due {
            row: job_row(row)?,
            workspace: row.get(9)?,
            workspace_id: row.id(10, WorkspaceId::from_bytes)?,
            key: row.get(11)?,
        });
    }
    Ok(out)
}

/// Takes a due job up, unless it must not run (any more).
fn take_up(tx: &Tx<'_>, due: Due, owner: &str, now: Timestamp) -> Res<Option<LeasedJob>> {
    let mut row = due.row;
    let subject = Subject::of(&row).bytes().to_vec();
    if row.state == RunState::InProgress && row.attempts >= ATTEMPTS_MAX {
        end(tx, due.workspace, &row, RunState::Failed, Some(INTERRUPTED), now)?;
        return Ok(None);
    }
    if row.state == RunState::Queued
        && let Some(key) = due.key
    {
        let good: bool = tx.conn.query_row(
            "SELECT EXISTS (SELECT 1 FROM api_keys WHERE workspace_id = ?1 AND id = ?2 AND revoked_at IS NULL \
             AND (expires_at IS NULL OR expires_at > ?3))",
            params![due.workspace, key, now.as_millis()],
            |row| row.get(0),
        )?;
        if !good {
            let reason = "the key that asked for it was revoked or has expired";
            end(tx, due.workspace, &row, RunState::Cancelled, Some(reason), now)?;
            return Ok(None);
        }
    }
    // The same work under way elsewhere: it waits for that to end.
    let busy: bool = tx.conn.query_row(
        "SELECT EXISTS (SELECT 1 FROM jobs WHERE workspace_id = ?1 AND kind = ?2 AND subject = ?3 AND state = 1 \
         AND lease_until > ?4 AND id <> ?5)",
        params![due.workspace, row.kind.position(), subject, now.as_millis(), row.id.as_bytes()],
        |row| row.get(0),
    )?;
    if busy {
        return Ok(None);
    }
    row.state = RunState::InProgress;
    row.attempts = row.attempts.saturating_add(1);
    row.progress = None;
    tx.conn.execute(
        "UPDATE jobs SET state = 1, owner = ?3, lease_until = ?4, attempts = ?5, progress = NULL, reason = NULL \
         WHERE workspace_id = ?1 AND id = ?2",
        params![
            due.workspace,
            row.id.as_bytes(),
            owner,
            now.plus_millis(LEASE_MS).as_millis(),
            row.attempts
        ],
    )?;
    tx.bump(due.workspace)?;
    Ok(Some(LeasedJob::new(due.workspace_id, row)))
}

/// Ends a job for good. A sync that can't end by itself leaves its failure with the integration.
fn end(
    tx: &Tx<'_>,
    workspace: i64,
    row: &JobRow,
    state: RunState,
    reason: Option<&str>,
    now: Timestamp,
) -> Res<()> {
    tx.conn.execute(
        "UPDATE jobs SET state = ?3, reason = ?4, finished_at = ?5, owner = NULL, lease_until = NULL \
         WHERE workspace_id = ?1 AND id = ?2",
        params![
            workspace,
            row.id.as_bytes(),
            state.position(),
            reason,
            now.as_millis()
        ],
    )?;
    if let Some(scan) = row.scan {
        crate::scans::follow_job(tx, workspace, scan, state, reason, now)?;
    }
    if row.kind == JobKind::Sync
        && state == RunState::Failed
        && let Some(integration) = row.integration
    {
        tx.conn.execute(
            "UPDATE integrations SET failure_reason = coalesce(failure_reason, ?3), \
             failure_since = coalesce(failure_since, ?4), \
             status = CASE WHEN status IN (?5, ?6) THEN ?7 ELSE status END \
             WHERE workspace_id = ?1 AND id = ?2",
            params![
                workspace,
                integration.as_bytes(),
                reason.unwrap_or("the sync failed"),
                now.as_millis(),
                IntegrationStatus::Pending.position(),
                IntegrationStatus::Connected.position(),
                IntegrationStatus::Error.position(),
            ],
        )?;
    }
    tx.bump(workspace)
}

/// When an integration's next sync is due: an interval after the last one began, less a part of the interval that
/// its id decides, so that they don't all start together.
fn sync_due(id: IntegrationId, last_started: Option<Timestamp>, every_ms: i64) -> Option<Timestamp> {
    let spread = i64::from(id.as_bytes()[15]).saturating_mul(every_ms / 10) / 255;
    last_started.map(|at| at.plus_millis(every_ms.saturating_sub(spread)))
}

struct Scheduled {
    workspace: i64,
    id: IntegrationId,
    due: Option<Timestamp>,
}

/// Active integrations without a sync queued or running, with the time of their next.
fn scheduled(conn: &Connection, every_ms: i64) -> Res<Vec<Scheduled>> {
    let mut statement = conn.prepare_cached(
        "SELECT i.workspace_id, i.id, i.last_started_at FROM integrations i \
         WHERE i.removed = 0 AND i.platform <> ?5 AND i.status IN (?1, ?2, ?3) AND NOT EXISTS ( \
           SELECT 1 FROM jobs j WHERE j.state IN (0, 1) AND j.workspace_id = i.workspace_id AND j.kind = ?4 \
           AND j.subject = i.id)",
    )?;
    let mut rows = statement.query(params![
        IntegrationStatus::Pending.position(),
        IntegrationStatus::Connected.position(),
        IntegrationStatus::Error.position(),
        JobKind::Sync.position(),
        Platform::Import.position(),
    ])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        let id = row.id(1, IntegrationId::from_bytes)?;
        out.push(Scheduled {
            workspace: row.get(0)?,
            id,
            due: sync_due(id, row.time_opt(2)?, every_ms),
        });
    }
    Ok(out)
}

/// The first end of a snooze in each workspace that has no wake-up queued or running.
fn wake_ups(conn: &Connection) -> Res<Vec<(i64, Timestamp)>> {
    let mut statement = conn.prepare_cached(
        "SELECT w.workspace_id, \
           (SELECT min(f.snoozed_until) FROM findings f WHERE f.workspace_id = w.workspace_id AND f.snoozed_until IS NOT NULL) \
         FROM workspaces w WHERE NOT EXISTS (SELECT 1 FROM jobs j WHERE j.state IN (0, 1) \
           AND j.workspace_id = w.workspace_id AND j.kind = ?1)",
    )?;
    let mut rows = statement.query([JobKind::WakeSnoozed.position()])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        if let Some(at) = row.time_opt(1)? {
            out.push((row.get(0)?, at));
        }
    }
    Ok(out)
}

fn enqueue_all(tx: &Tx<'_>, every_ms: i64, now: Timestamp) -> Res<u64> {
    let mut queued = 0_u64;
    let mut add = |workspace, what| -> Res<()> {
        let id = JobId::generate(tx.clock, tx.random);
        let (_, is_new) = enqueue(tx, workspace, what, id, None, now)?;
        queued += u64::from(is_new);
        Ok(())
    };
    for row in scheduled(tx.conn, every_ms)? {
        if row.due.is_none_or(|due| due <= now) {
            add(row.workspace, (JobKind::Sync, Subject::Integration(row.id)))?;
        }
    }
    for (workspace, at) in wake_ups(tx.conn)? {
        if at <= now {
            add(workspace, (JobKind::WakeSnoozed, Subject::None))?;
        }
    }
    for due in crate::scans::due_schedules(tx.conn, now)? {
        queued = queued.saturating_add(crate::scans::fire(tx, &due, now)?);
    }
    tx.conn.execute(
        "DELETE FROM jobs WHERE state NOT IN (0, 1) AND finished_at < ?1",
        [now.plus_millis(-ENDED_KEPT_MS).as_millis()],
    )?;
    crate::once::forget(tx, now, FORGOTTEN_PER_TICK)?;
    Ok(queued)
}

#[async_trait]
impl InstanceStore for SqliteStore {
    async fn workspaces(&self) -> Result<Vec<WorkspaceRow>, StoreError> {
        self.inner
            .pool
            .read_one(|conn| {
                let mut statement =
                    conn.prepare_cached("SELECT id, name, created_at FROM workspaces ORDER BY name")?;
                let mut rows = statement.query([])?;
                let mut out = Vec::new();
                while let Some(row) = rows.next()? {
                    out.push(WorkspaceRow {
                        id: row.id(0, WorkspaceId::from_bytes)?,
                        name: row.get(1)?,
                        created_at: row.time(2)?,
                    });
                }
                Ok(out)
            })
            .map_err(|fault| fault.into_store("workspaces"))
    }

    async fn create_workspace(&self, row: &WorkspaceRow) -> Result<(), StoreError> {
        let row = row.clone();
        self.inner
            .writer
            .call("workspaces", true, move |tx| {
                let made = tx.conn.execute(
                    "INSERT INTO workspaces (id, name, created_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                    params![row.id.as_bytes(), row.name, row.created_at.as_millis()],
                )?;
                if made == 0 {
                    return Err(Fault::Store(StoreError::Conflict));
                }
                let workspace = tx.workspace(row.id)?;
                audit::insert(tx.conn, workspace, &AuditRow::genesis(row.id, tx.clock.now()))
            })
            .await
    }

    async fn lease_job(&self, owner: &str, now: Timestamp) -> Result<Option<LeasedJob>, StoreError> {
        // Looking costs no transaction; only taking does.
        let nothing = self
            .inner
            .pool
            .read_one(|conn| Ok(due(conn, now)?.is_empty()))
            .map_err(|fault| fault.into_store("jobs"))?;
        if nothing {
            return Ok(None);
        }
        let owner = owner.to_owned();
        self.inner
            .writer
            .call("jobs", true, move |tx| {
                for job in due(tx.conn, now)? {
                    if let Some(leased) = take_up(tx, job, &owner, now)? {
                        return Ok(Some(leased));
                    }
                }
                Ok(None)
            })
            .await
    }

    async fn heartbeat(
        &self,
        job: &LeasedJob,
        owner: &str,
        progress: Option<&str>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (job, owner, progress) = (job.clone(), owner.to_owned(), progress.map(str::to_owned));
        self.inner
            .writer
            .call("jobs", false, move |tx| {
                let workspace = tx.workspace(job.workspace())?;
                let kept = tx
                    .conn
                    .prepare_cached(
                        "UPDATE jobs SET lease_until = ?5, progress = coalesce(?6, progress) \
                         WHERE workspace_id = ?1 AND id = ?2 AND state = 1 AND owner = ?3 AND attempts = ?4",
                    )?
                    .execute(params![
                        workspace,
                        job.id().as_bytes(),
                        owner,
                        job.row().attempts,
                        now.plus_millis(LEASE_MS).as_millis(),
                        progress,
                    ])?;
                Ok(kept == 1)
            })
            .await
    }

    async fn finish_job(
        &self,
        job: &LeasedJob,
        owner: &str,
        ended: JobEnd,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (job, owner) = (job.clone(), owner.to_owned());
        self.inner
            .writer
            .call("jobs", true, move |tx| {
                let workspace = tx.workspace(job.workspace())?;
                let held: bool = tx.conn.query_row(
                    "SELECT EXISTS (SELECT 1 FROM jobs WHERE workspace_id = ?1 AND id = ?2 AND state = 1 \
                     AND owner = ?3 AND attempts = ?4)",
                    params![workspace, job.id().as_bytes(), owner, job.row().attempts],
                    |row| row.get(0),
                )?;
                if !held {
                    return Ok(());
                }
                match ended {
                    JobEnd::Completed => end(tx, workspace, job.row(), RunState::Completed, None, now),
                    JobEnd::Failed {
                        reason,
                        retry_at: Some(at),
                    } if job.row().attempts < ATTEMPTS_MAX => {
                        retry(tx, workspace, job.row(), &reason, at, now)
                    }
                    JobEnd::Failed { reason, .. } => {
                        end(tx, workspace, job.row(), RunState::Failed, Some(&reason), now)
                    }
                }
            })
            .await
    }

    async fn enqueue_due(&self, sync_every_ms: i64, now: Timestamp) -> Result<u64, StoreError> {
        let (is_due, removed) = self
            .inner
            .pool
            .read(|conn| {
                let is_due = scheduled(conn, sync_every_ms)?
                    .iter()
                    .any(|row| row.due.is_none_or(|due| due <= now))
                    || wake_ups(conn)?.iter().any(|(_, at)| *at <= now)
                    || !crate::scans::due_schedules(conn, now)?.is_empty();
                Ok((is_due, crate::integrations::removed(conn)?))
            })
            .map_err(|fault| fault.into_store("jobs"))?;
        // A removal that was interrupted goes on.
        for (workspace, integration) in removed {
            self.purge(workspace, integration).await?;
        }
        if !is_due {
            return Ok(0);
        }
        self.inner
            .writer
            .call("jobs", true, move |tx| enqueue_all(tx, sync_every_ms, now))
            .await
    }

    async fn next_due(&self, sync_every_ms: i64, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.inner
            .pool
            .read(|conn| {
                let open: Option<i64> = conn
                    .prepare_cached(
                        "SELECT min(CASE state WHEN 0 THEN not_before ELSE lease_until END) FROM jobs \
                         WHERE state IN (0, 1)",
                    )?
                    .query_row([], |row| row.get(0))?;
                let mut times: Vec<Timestamp> = open.map(Timestamp::from_millis).into_iter().collect();
                times.extend(
                    scheduled(conn, sync_every_ms)?
                        .into_iter()
                        .map(|row| row.due.unwrap_or(now)),
                );
                times.extend(wake_ups(conn)?.into_iter().map(|(_, at)| at));
                times.extend(crate::scans::next_schedule(conn)?);
                Ok(times.into_iter().min())
            })
            .map_err(|fault| fault.into_store("jobs"))
    }

    async fn data_version(&self) -> Result<u64, StoreError> {
        self.inner
            .pool
            .read_one(|conn| {
                let sum: i64 = conn
                    .prepare_cached("SELECT coalesce(sum(generation + key_generation), 0) FROM workspaces")?
                    .query_row([], |row| row.get(0))?;
                Ok(u64::try_from(sum).unwrap_or(0))
            })
            .map_err(|fault| fault.into_store("workspaces"))
    }

    async fn check_ready(&self, now: Timestamp) -> Result<(), StoreError> {
        self.inner
            .pool
            .read_one(|conn| {
                conn.prepare_cached("SELECT ready_at FROM instance WHERE one = 1")?
                    .query_row([], |row| row.get::<_, i64>(0))?;
                Ok(())
            })
            .map_err(|fault| fault.into_store("instance"))?;
        self.inner
            .writer
            .call("instance", false, move |tx| {
                tx.conn
                    .prepare_cached("UPDATE instance SET ready_at = ?1 WHERE one = 1")?
                    .execute([now.as_millis()])?;
                Ok(())
            })
            .await
    }
}

/// Puts a failed job back into the queue, unless the same was queued anew meanwhile.
fn retry(tx: &Tx<'_>, workspace: i64, row: &JobRow, reason: &str, at: Timestamp, now: Timestamp) -> Res<()> {
    let again: bool = tx.conn.query_row(
        "SELECT EXISTS (SELECT 1 FROM jobs WHERE workspace_id = ?1 AND kind = ?2 AND subject = ?3 AND state = 0)",
        params![workspace, row.kind.position(), Subject::of(row).bytes()],
        |row| row.get(0),
    )?;
    if again {
        return end(tx, workspace, row, RunState::Failed, Some(reason), now);
    }
    tx.conn.execute(
        "UPDATE jobs SET state = 0, reason = ?3, not_before = ?4, owner = NULL, lease_until = NULL \
         WHERE workspace_id = ?1 AND id = ?2",
        params![workspace, row.id.as_bytes(), reason, at.as_millis()],
    )?;
    tx.bump(workspace)
}

fn trigger(
    tx: &Tx<'_>,
    workspace: i64,
    command: TriggerSync,
    entry: &mut PendingEntry,
) -> Res<Vec<TriggeredSync>> {
    let key = acting_key(entry);
    let wanted: Vec<_> = crate::integrations::all(tx.conn, workspace)?
        .into_iter()
        .filter(|row| {
            row.is_active()
                && row.platform != Platform::Import
                && command.integration.is_none_or(|id| id == row.id)
                && command.platform.is_none_or(|platform| platform == row.platform)
        })
        .collect();
    let mut ids = command.jobs.into_iter();
    let mut out = Vec::with_capacity(wanted.len());
    for row in wanted {
        let running: Option<[u8; 16]> = tx
            .conn
            .query_row(
                "SELECT id FROM jobs WHERE workspace_id = ?1 AND kind = ?2 AND subject = ?3 AND state = 1",
                params![workspace, JobKind::Sync.position(), row.id.as_bytes()],
                |row| row.get(0),
            )
            .optional()?;
        let (job, is_new) = match running {
            Some(id) => (JobId::from_bytes(id), false),
            None => {
                let id = ids.next().unwrap_or_else(|| JobId::generate(tx.clock, tx.random));
                enqueue(
                    tx,
                    workspace,
                    (JobKind::Sync, Subject::Integration(row.id)),
                    id,
                    key,
                    command.now,
                )?
            }
        };
        out.push(TriggeredSync {
            integration: row.id,
            platform: row.platform,
            name: row.name,
            job,
            is_new,
        });
    }
    entry.set_outcome(if out.is_empty() {
        AuditOutcome::NotFound
    } else if out.iter().any(|part| part.is_new) {
        AuditOutcome::Ok
    } else {
        AuditOutcome::Unchanged
    });
    Ok(out)
}

#[async_trait]
impl JobStore for SqliteStore {
    async fn trigger_sync(
        &self,
        write: AuthorizedWrite<TriggerSync>,
    ) -> Result<Audited<Vec<TriggeredSync>>, StoreError> {
        self.change_once("jobs", write, trigger).await
    }

    async fn job(&self, scope: &WorkspaceScope, id: JobId) -> Result<Option<JobRow>, StoreError> {
        self.read_one(scope, "jobs", |conn, workspace| {
            let mut statement = conn.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM jobs j WHERE j.workspace_id = ?1 AND j.id = ?2"
            ))?;
            let mut rows = statement.query(params![workspace, id.as_bytes()])?;
            rows.next()?.map(job_row).transpose()
        })
    }

    async fn unfinished_jobs(&self, scope: &WorkspaceScope) -> Result<Vec<JobRow>, StoreError> {
        self.read_one(scope, "jobs", |conn, workspace| {
            let mut statement = conn.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM jobs j WHERE j.state IN (0, 1) AND j.workspace_id = ?1 \
                 ORDER BY j.queued_at, j.id LIMIT 100"
            ))?;
            let mut rows = statement.query([workspace])?;
            let mut out = Vec::new();
            while let Some(row) = rows.next()? {
                out.push(job_row(row)?);
            }
            Ok(out)
        })
    }
}
