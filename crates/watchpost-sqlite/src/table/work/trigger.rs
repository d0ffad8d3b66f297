//! Syncs on request.

use crate::{
    base::{fault::Res, row::Word, writer::Tx},
    table::{
        integrations,
        jobs::{Subject, acting_key, enqueue},
    },
};
use rusqlite::{OptionalExtension as _, params};
use watchpost_core::{
    audit::PendingEntry,
    job::{JobKind, TriggerSync, TriggeredSync},
    value::id::JobId,
};

/// Queues a sync for each selected integration, or returns the one that is queued or running.
pub(crate) fn trigger(
    tx: &Tx<'_>,
    workspace: i64,
    command: TriggerSync,
    entry: &mut PendingEntry,
) -> Res<Vec<TriggeredSync>> {
    let key = acting_key(entry);
    let wanted: Vec<_> = integrations::all(tx.conn, workspace)?
        .into_iter()
        .filter(|row| command.selects(row))
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
    entry.set_outcome(TriggerSync::audit_outcome(&out));
    Ok(out)
}
