//! The job queue.

use crate::base::{
    fault::Res,
    row::{Columns, Word},
    unknown::known_rows,
    writer::Tx,
};
use rusqlite::{Connection, Row, params};
use watchpost_core::{
    audit::{ActorKind, PendingEntry},
    job::{Enqueue, JobKind, JobRow, decide_enqueue},
    value::{
        id::{IntegrationId, JobId, KeyId, ScanId},
        time::Timestamp,
    },
};

/// Returns the API key that acts, or `None` if the actor isn't a key.
pub(crate) fn acting_key(entry: &PendingEntry) -> Option<KeyId> {
    let row = entry.to_row(0, Timestamp::default(), [0; 32]);
    (row.actor_kind == ActorKind::Key)
        .then(|| row.actor_id.parse().ok())
        .flatten()
}

/// The number of job kinds that this version knows. Codes from this one on belong to a newer version.
pub(crate) const KINDS: i64 = JobKind::ALL.len() as i64;

/// The subject of a job.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Subject {
    /// The workspace as a whole.
    None,
    /// An integration.
    Integration(IntegrationId),
    /// A scan.
    Scan(ScanId),
}

impl Subject {
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::None => &[],
            Self::Integration(id) => id.as_bytes(),
            Self::Scan(id) => id.as_bytes(),
        }
    }
    pub(crate) const fn of(row: &JobRow) -> Self {
        match (row.integration, row.scan) {
            (Some(id), _) => Self::Integration(id),
            (None, Some(id)) => Self::Scan(id),
            (None, None) => Self::None,
        }
    }
}

/// Queues a job unless one of the same kind and subject is queued. Returns the id of the queued job, and whether it is new.
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
    let owner = queued.map(|(_, owner)| owner.map(KeyId::from_bytes));
    if let (Some((queued, _)), Enqueue::Join(owns)) = (queued, decide_enqueue(owner, key)) {
        if owner != Some(owns) {
            tx.conn
                .prepare_cached("UPDATE jobs SET key_id = ?3 WHERE workspace_id = ?1 AND id = ?2")?
                .execute(params![
                    workspace,
                    queued.as_bytes(),
                    owns.as_ref().map(KeyId::as_bytes)
                ])?;
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

pub(crate) const COLUMNS: &str =
    "j.id, j.kind, j.subject, j.state, j.attempts, j.queued_at, j.finished_at, j.reason, j.progress";

pub(crate) fn job_row(row: &Row<'_>) -> Res<JobRow> {
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

/// Reads one job.
pub(crate) fn by_id(conn: &Connection, workspace: i64, id: JobId) -> Res<Option<JobRow>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM jobs j WHERE j.workspace_id = ?1 AND j.id = ?2"
    ))?;
    let mut rows = statement.query(params![workspace, id.as_bytes()])?;
    rows.next()?.map(job_row).transpose()
}

/// Reads the jobs that are queued or running, oldest first, at most 100.
pub(crate) fn unfinished(conn: &Connection, workspace: i64) -> Res<Vec<JobRow>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM jobs j WHERE j.state IN (0, 1) AND j.workspace_id = ?1 \
         ORDER BY j.queued_at, j.id LIMIT 100"
    ))?;
    known_rows(&mut statement.query([workspace])?, "jobs", job_row)
}
