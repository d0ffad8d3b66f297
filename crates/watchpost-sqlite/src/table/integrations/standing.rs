//! Reads and writes the standing of an integration: status, last completed sync, failure.

use crate::base::{
    fault::Res,
    row::{Columns, Word},
    writer::Tx,
};
use rusqlite::params;
use watchpost_core::{
    integration::{Failure, Standing, SyncResult, after_sync},
    value::time::Timestamp,
};

/// Applies the result of a sync to the integration with the number.
pub(crate) fn end_sync(
    tx: &Tx<'_>,
    workspace: i64,
    integration: i64,
    result: SyncResult<'_>,
    now: Timestamp,
) -> Res<()> {
    let Some(before) = standing(tx, workspace, integration)? else {
        return Ok(());
    };
    let after = after_sync(&before, result, now);
    // The status is written only if it changes, since the stored one may be a word that this version doesn't know.
    tx.conn.execute(
        "UPDATE integrations SET last_completed_at = ?3, failure_reason = ?4, failure_since = ?5, \
         failure_credential = ?6, status = coalesce(?7, status) WHERE workspace_id = ?1 AND integration = ?2",
        params![
            workspace,
            integration,
            after.last_completed_at.map(Timestamp::as_millis),
            after.failure.as_ref().map(|failure| failure.reason.as_str()),
            after.failure.as_ref().map(|failure| failure.since.as_millis()),
            after
                .failure
                .as_ref()
                .is_some_and(|failure| failure.needs_credential),
            (after.status != before.status).then(|| after.status.position()),
        ],
    )?;
    Ok(())
}

fn standing(tx: &Tx<'_>, workspace: i64, integration: i64) -> Res<Option<Standing>> {
    let mut statement = tx.conn.prepare_cached(
        "SELECT status, last_completed_at, failure_reason, failure_since, failure_credential \
         FROM integrations \
         WHERE workspace_id = ?1 AND integration = ?2",
    )?;
    let mut rows = statement.query([workspace, integration])?;
    rows.next()?
        .map(|row| {
            let failure = match (row.get::<_, Option<String>>(2)?, row.time_opt(3)?) {
                (Some(reason), Some(since)) => Some(Failure {
                    reason,
                    since,
                    needs_credential: row.get(4)?,
                }),
                _ => None,
            };
            Ok(Standing {
                status: row.word(0)?,
                last_completed_at: row.time_opt(1)?,
                failure,
            })
        })
        .transpose()
}
