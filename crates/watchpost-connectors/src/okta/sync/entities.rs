//! The datasets that need a request for each account or app.

use super::push;
use crate::{
    concurrency::gather,
    okta::{
        api::AT_ONCE,
        client::{Client, OKTA_API},
        normalize::{self, FactorLimits},
        scope, wire,
    },
    run::{DatasetRun, ReadError},
    text::okta as text,
    vendor::ApiError,
    visits::{Round, Tally, Turn, Visit},
};
use serde_json::value::RawValue;
use std::{collections::HashSet, sync::Arc};
use tokio::time::Instant;
use watchpost_core::integration::{fact::Dataset, reading::Readings};

/// The number of accounts that are read before their facts are emitted.
const BATCH: usize = 64;

/// Reads the factors of accounts that may sign in: those of administrators in each sync. `limits` says what limits the meaning
/// of an account's list.
pub(super) async fn factors(
    client: &Arc<Client>,
    run: &mut DatasetRun<'_>,
    accounts: Vec<Box<str>>,
    admins: &HashSet<String>,
    known: &Readings,
    limits: &(dyn Fn(&str) -> FactorLimits + Sync),
) -> Result<(), ReadError> {
    let visits = accounts
        .into_iter()
        .map(|entity| Visit {
            always: admins.contains(&*entity),
            entity,
        })
        .collect();
    let round = Round::begin(visits, Dataset::Mfa, known, client.session.now());
    let mut tally = Tally::default();
    for batch in round.turns.chunks(BATCH) {
        let work = batch.iter().map(|turn| {
            let (client, account, until) = (Arc::clone(client), turn.entity.clone(), round.until(turn));
            async move {
                if Instant::now() >= until {
                    return None;
                }
                Some(small_list(&client, &format!("/api/v1/users/{account}/factors")).await)
            }
        });
        let lists = gather(work.collect::<Vec<_>>(), AT_ONCE as usize).await;
        let mut failed = None;
        let mut read = 0_usize;
        for (turn, list) in batch.iter().zip(lists) {
            match list {
                None => tally.missed(run, &round, turn).await,
                Some(Ok(rows)) => {
                    read = read.saturating_add(1);
                    // Factors that couldn't be understood are read again by the next sync.
                    if emit(run, &turn.entity, &rows, limits(&turn.entity)).await {
                        tally.read(run, turn, 1).await;
                    }
                }
                // The account has been deleted since.
                Some(Err(ApiError::NotFound)) => {}
                Some(Err(error)) => match OKTA_API.read_error(error, scope::USERS) {
                    // These errors apply to all accounts.
                    error @ (ReadError::Fatal(_)
                    | ReadError::Denied(_)
                    | ReadError::Unlicensed(_)
                    | ReadError::Partial(_)) => return Err(error),
                    error => {
                        run.add_rows(1);
                        run.row_error();
                        run.push(Some(normalize::mfa_unknown(&turn.entity))).await;
                        failed = Some(error);
                    }
                },
            }
        }
        // A whole batch failed, so the remaining ones would most likely fail as well.
        if let (Some(error), 0) = (failed, read)
            && batch.len() == BATCH
        {
            return Err(error);
        }
    }
    tally.end(run, &round, text::ACCOUNTS)
}

/// Emits the factors of an account. Returns whether they could be understood.
async fn emit(run: &mut DatasetRun<'_>, account: &str, rows: &[Box<RawValue>], limits: FactorLimits) -> bool {
    run.add_rows(1);
    match rows
        .iter()
        .map(|raw| serde_json::from_str(raw.get()))
        .collect::<Result<Vec<_>, _>>()
    {
        Ok(factors) => {
            run.push(Some(normalize::mfa(account, &factors, limits))).await;
            true
        }
        // The unreadable factor may be a second factor.
        Err(_) => {
            run.row_error();
            run.push(Some(normalize::mfa_unknown(account))).await;
            false
        }
    }
}

/// Reads a short list that belongs to one account.
pub(super) async fn small_list(client: &Client, path: &str) -> Result<Vec<Box<RawValue>>, ApiError> {
    let mut list = client.list_concurrent(path, None, AT_ONCE);
    let mut rows = Vec::new();
    while let Some(page) = list.page().await? {
        rows.extend(page);
        if rows.len() > 1_000 {
            let reason = text::ENDLESS_ACCOUNT_LIST.to_owned();
            return Err(ReadError::Failed(reason).into());
        }
    }
    Ok(rows)
}

/// Reads the accounts that are assigned to each app.
pub(super) async fn assignments(
    client: &Client,
    run: &mut DatasetRun<'_>,
    apps: Vec<String>,
    known: &Readings,
) -> Result<(), ReadError> {
    let visits = apps
        .into_iter()
        .map(|app| Visit {
            entity: app.into_boxed_str(),
            always: false,
        })
        .collect();
    let round = Round::begin(visits, Dataset::AppAssignments, known, client.session.now());
    let mut tally = Tally::default();
    for turn in &round.turns {
        if Instant::now() >= round.until(turn) {
            tally.missed(run, &round, turn).await;
        } else if let Some(rows) = assignments_of(client, run, turn).await? {
            tally.read(run, turn, rows).await;
        }
    }
    tally.end(run, &round, text::APPS)
}

/// Reads the accounts that are assigned to one app. Returns their number; `None` if the app no longer exists, or not all
/// rows could be understood.
async fn assignments_of(
    client: &Client,
    run: &mut DatasetRun<'_>,
    turn: &Turn,
) -> Result<Option<u64>, ReadError> {
    let (before, errors_before) = (run.rows(), run.row_errors());
    let mut list = client.list(&format!("/api/v1/apps/{}/users", turn.entity), Some("limit=500"));
    loop {
        let rows = match list.page().await {
            Ok(Some(rows)) => rows,
            Ok(None) if run.row_errors() > errors_before => return Ok(None),
            Ok(None) => return Ok(Some(run.rows().saturating_sub(before))),
            Err(ApiError::NotFound) => return Ok(None),
            Err(error) => return Err(OKTA_API.read_error(error, scope::APPS)),
        };
        for raw in rows {
            if let Some(row) = run.row::<wire::AppUser>(&raw) {
                push(run, normalize::assignment(&turn.entity, &row)).await;
            }
        }
    }
}
