//! Collections: the result of the last read of each dataset, and the numbers of rows that the next read is compared with.

use super::all_with_numbers;
use crate::base::{
    fault::Res,
    row::{Word, stored},
    writer::Tx,
};
use rusqlite::{OptionalExtension as _, params};
use watchpost_core::{
    integration::{Baseline, ConfirmShrink, Judged, ShrinkConfirmation, decide_confirmation, fact::Dataset},
    value::{time::Timestamp, word::CollectionState},
};

/// Returns the numbers of rows with which the next read of a dataset is compared.
pub(crate) fn baseline(tx: &Tx<'_>, workspace: i64, integration: i64, dataset: Dataset) -> Res<Baseline> {
    let found: Option<(Option<i64>, Option<i64>)> = tx
        .conn
        .prepare_cached(
            "SELECT complete_rows, confirmed_rows FROM collections \
             WHERE workspace_id = ?1 AND integration = ?2 AND dataset = ?3",
        )?
        .query_row(params![workspace, integration, dataset.position()], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let (complete, confirmed) = found.unwrap_or_default();
    let count = |stored: Option<i64>| stored.and_then(|count| count.try_into().ok());
    Ok(Baseline {
        complete: count(complete),
        confirmed: count(confirmed),
    })
}

/// Records the result of a collection. A complete one is what the next read is compared with, and uses up a confirmation.
pub(crate) fn record_collection(
    tx: &Tx<'_>,
    workspace: i64,
    integration: i64,
    judged: &Judged,
    now: Timestamp,
) -> Res<()> {
    let collection = &judged.collection;
    let complete = collection.state == CollectionState::Complete;
    tx.conn
        .prepare_cached(
            "INSERT INTO collections (workspace_id, integration, dataset, state, row_count, row_errors, detail, \
             finished_at, completions, doubt, complete_rows, complete_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, iif(?9, ?5, NULL), iif(?9, ?8, NULL)) \
             ON CONFLICT (workspace_id, integration, dataset) DO UPDATE SET state = ?4, row_count = ?5, row_errors = ?6, \
             detail = ?7, finished_at = ?8, completions = completions + ?9, doubt = ?10, \
             complete_rows = iif(?9, ?5, complete_rows), complete_at = iif(?9, ?8, complete_at), \
             confirmed_rows = iif(?9, NULL, confirmed_rows), confirmed_at = iif(?9, NULL, confirmed_at)",
        )?
        .execute(params![
            workspace,
            integration,
            collection.dataset.position(),
            collection.state.position(),
            stored(collection.rows),
            stored(collection.row_errors),
            collection.detail,
            now.as_millis(),
            i64::from(complete),
            judged.doubt.map(Word::position),
        ])?;
    tx.bump(workspace)
}

/// Stores a person's confirmation of a list that shrank.
pub(crate) fn confirm_shrink(
    tx: &Tx<'_>,
    workspace: i64,
    command: &ConfirmShrink,
) -> Res<ShrinkConfirmation> {
    let Some((integration, row)) = all_with_numbers(tx.conn, workspace)?
        .into_iter()
        .find(|(_, row)| row.id == command.id)
    else {
        return Ok(ShrinkConfirmation::NotFound);
    };
    let decision = decide_confirmation(row.collection(command.dataset), command.rows);
    if let ShrinkConfirmation::Confirmed(shrink) = decision {
        tx.conn.execute(
            "UPDATE collections SET confirmed_rows = ?4, confirmed_at = ?5 \
             WHERE workspace_id = ?1 AND integration = ?2 AND dataset = ?3",
            params![
                workspace,
                integration,
                command.dataset.position(),
                stored(shrink.to),
                command.now.as_millis()
            ],
        )?;
        tx.bump(workspace)?;
    }
    Ok(decision)
}
