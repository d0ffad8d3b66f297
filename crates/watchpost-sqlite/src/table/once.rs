//! Changes that are made at most once. The tokens of a change are stored in the same transaction, together with its outcome,
//! so that a repeated call returns the same outcome and changes nothing.

use crate::{
    base::{
        fault::{Fault, Res},
        row::{Columns, Word, stored},
        writer::Tx,
    },
    table::{integrations, remediations},
    text,
};
use rusqlite::params;
use watchpost_core::{
    access::{ONCE_KEPT_MAX, ONCE_KEPT_MS, OnceToken},
    app::AppPolicyOutcome,
    audit::PendingEntry,
    error::StoreError,
    finding::{FindingOutcome, StateChange},
    job::TriggeredSync,
    remediation::RemediationOutcome,
    value::{
        id::{IntegrationId, JobId, RemediationId},
        time::Timestamp,
        word::{DismissReason, FindingStatus},
    },
};

/// The most expired tokens that a change deletes. A change adds two tokens at most, so the table shrinks.
const DELETED_PER_CHANGE: u32 = 64;

/// An outcome that can be stored as a short text.
pub(crate) trait StoredOutcome: Sized + Send + 'static {
    /// Writes the outcome as a text.
    fn to_text(&self) -> String;
    /// Reads an outcome from its text. Returns `None` if the text isn't an outcome.
    fn from_text(tx: &Tx<'_>, workspace: i64, text: &str) -> Res<Option<Self>>;
}

/// A spent token.
struct Spent {
    request: Vec<u8>,
    at: Timestamp,
    outcome: String,
}

/// Returns the time and outcome of an earlier call with one of the entry's tokens. Also deletes some expired tokens.
pub(crate) fn find_earlier<T: StoredOutcome>(
    tx: &Tx<'_>,
    workspace: i64,
    entry: &PendingEntry,
    now: Timestamp,
) -> Res<Option<(Timestamp, T)>> {
    if !entry.once().is_empty() {
        delete_expired(tx, now, DELETED_PER_CHANGE)?;
    }
    for once in entry.once() {
        let Some(found) = find(tx, workspace, entry, once, now)? else {
            continue;
        };
        if found.request != once.request() {
            return Err(StoreError::Reused(once.kind()).into());
        }
        let value = T::from_text(tx, workspace, &found.outcome)?
            .ok_or_else(|| Fault::Damaged("spent_tokens", text::OUTCOME_UNREADABLE.into()))?;
        return Ok(Some((found.at, value)));
    }
    Ok(None)
}

fn find(
    tx: &Tx<'_>,
    workspace: i64,
    entry: &PendingEntry,
    once: &OnceToken,
    now: Timestamp,
) -> Res<Option<Spent>> {
    let (kind, id) = entry.actor();
    let mut statement = tx.conn.prepare_cached(
        "SELECT request, at, outcome FROM spent_tokens WHERE workspace_id = ?1 AND actor_kind = ?2 \
         AND actor_id = ?3 AND operation = ?4 AND kind = ?5 AND token = ?6 AND at > ?7",
    )?;
    let mut rows = statement.query(params![
        workspace,
        kind.position(),
        id,
        entry.operation(),
        once.kind().position(),
        once.key(),
        now.plus_millis(-ONCE_KEPT_MS).as_millis(),
    ])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some(Spent {
        request: row.get(0)?,
        at: row.time(1)?,
        outcome: row.get(2)?,
    }))
}

/// Deletes expired tokens, at most `limit`.
pub(crate) fn delete_expired(tx: &Tx<'_>, now: Timestamp, limit: u32) -> Res<()> {
    tx.conn
        .prepare_cached(
            "DELETE FROM spent_tokens WHERE (workspace_id, actor_kind, actor_id, operation, kind, token) IN \
             (SELECT workspace_id, actor_kind, actor_id, operation, kind, token FROM spent_tokens \
             INDEXED BY spent_tokens_age WHERE at <= ?1 ORDER BY at LIMIT ?2)",
        )?
        .execute(params![now.plus_millis(-ONCE_KEPT_MS).as_millis(), limit])?;
    Ok(())
}

/// Stores the tokens of a change with its outcome.
pub(crate) fn spend(
    tx: &Tx<'_>,
    workspace: i64,
    entry: &PendingEntry,
    outcome: &str,
    now: Timestamp,
) -> Res<()> {
    let (kind, id) = entry.actor();
    let tokens = entry.once();
    let known: i64 = tx
        .conn
        .prepare_cached(
            "SELECT count(*) FROM spent_tokens WHERE workspace_id = ?1 AND actor_kind = ?2 AND actor_id = ?3 \
             AND at > ?4",
        )?
        .query_row(
            params![
                workspace,
                kind.position(),
                id,
                now.plus_millis(-ONCE_KEPT_MS).as_millis()
            ],
            |row| row.get(0),
        )?;
    if known.saturating_add(stored(tokens.len() as u64)) > i64::from(ONCE_KEPT_MAX) {
        return Err(StoreError::TooManyTokens.into());
    }
    for once in tokens {
        tx.conn
            .prepare_cached(
                "INSERT OR REPLACE INTO spent_tokens (workspace_id, actor_kind, actor_id, operation, kind, token, \
                 request, at, outcome) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                workspace,
                kind.position(),
                id,
                entry.operation(),
                once.kind().position(),
                once.key(),
                once.request(),
                now.as_millis(),
                outcome,
            ])?;
    }
    Ok(())
}

/// A text of words, numbers and ids, separated by spaces. `-` stands for a missing value.
struct Words<'a>(std::str::Split<'a, char>);

impl<'a> Words<'a> {
    fn of(text: &'a str) -> (Option<&'a str>, Self) {
        let mut words = text.split(' ');
        (words.next(), Self(words))
    }
    fn next<T: std::str::FromStr>(&mut self) -> Option<T> {
        self.0.next()?.parse().ok()
    }
    /// Reads a value that may be missing. The outer `None` means that it can't be read.
    fn next_optional<T: std::str::FromStr>(&mut self) -> Option<Option<T>> {
        match self.0.next()? {
            "-" => Some(None),
            text => text.parse().ok().map(Some),
        }
    }
}

fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".into(), |value| value.to_string())
}

fn state_text(state: &StateChange) -> String {
    format!(
        "{} {} {} {}",
        state.status,
        or_dash(state.snoozed_until.map(Timestamp::as_millis)),
        or_dash(state.dismiss_reason),
        state.auto_resolved
    )
}

fn parse_state(words: &mut Words<'_>) -> Option<StateChange> {
    Some(StateChange {
        status: words.next()?,
        snoozed_until: words.next_optional()?.map(Timestamp::from_millis),
        dismiss_reason: words.next_optional::<DismissReason>()?,
        auto_resolved: words.next()?,
    })
}

fn finding_outcome(text: &str) -> Option<FindingOutcome> {
    let (name, mut words) = Words::of(text);
    Some(match name? {
        "changed" => FindingOutcome::Changed {
            before: words.next()?,
            now: parse_state(&mut words)?,
        },
        "unchanged" => FindingOutcome::Unchanged {
            state: parse_state(&mut words)?,
        },
        "not_possible" => FindingOutcome::NotPossible {
            status: words.next()?,
        },
        "not_found" => FindingOutcome::NotFound,
        _ => return None,
    })
}

impl StoredOutcome for FindingOutcome {
    fn to_text(&self) -> String {
        match self {
            Self::Changed { before, now } => format!("changed {before} {}", state_text(now)),
            Self::Unchanged { state } => format!("unchanged {}", state_text(state)),
            Self::NotPossible { status } => format!("not_possible {status}"),
            Self::NotFound => "not_found".into(),
        }
    }
    fn from_text(_: &Tx<'_>, _: i64, text: &str) -> Res<Option<Self>> {
        Ok(finding_outcome(text))
    }
}

fn policy_outcome(text: &str) -> Option<AppPolicyOutcome> {
    let (name, mut words) = Words::of(text);
    Some(match name? {
        "changed" => AppPolicyOutcome::Changed {
            before: words.next()?,
        },
        "unchanged" => AppPolicyOutcome::Unchanged,
        "not_found" => AppPolicyOutcome::NotFound,
        _ => return None,
    })
}

impl StoredOutcome for AppPolicyOutcome {
    fn to_text(&self) -> String {
        match self {
            Self::Changed { before } => format!("changed {before}"),
            Self::Unchanged => "unchanged".into(),
            Self::NotFound => "not_found".into(),
        }
    }
    fn from_text(_: &Tx<'_>, _: i64, text: &str) -> Res<Option<Self>> {
        Ok(policy_outcome(text))
    }
}

impl StoredOutcome for RemediationOutcome {
    fn to_text(&self) -> String {
        match self {
            Self::Requested(made) => format!("requested {}", made.id),
            Self::AlreadyWaiting(waiting) => format!("waiting {}", waiting.id),
            Self::FindingClosed(status) => format!("closed {status}"),
            Self::NotFound => "not_found".into(),
        }
    }
    /// Reads the remediation in its current state.
    fn from_text(tx: &Tx<'_>, workspace: i64, text: &str) -> Res<Option<Self>> {
        let (name, mut words) = Words::of(text);
        let mut row = || -> Res<Option<_>> {
            match words.next::<RemediationId>() {
                Some(id) => Ok(remediations::by_id(tx.conn, workspace, id)?.map(Box::new)),
                None => Ok(None),
            }
        };
        Ok(match name {
            Some("requested") => row()?.map(Self::Requested),
            Some("waiting") => row()?.map(Self::AlreadyWaiting),
            Some("closed") => words.next::<FindingStatus>().map(Self::FindingClosed),
            Some("not_found") => Some(Self::NotFound),
            _ => None,
        })
    }
}

impl StoredOutcome for Vec<TriggeredSync> {
    fn to_text(&self) -> String {
        let parts: Vec<String> = self
            .iter()
            .map(|sync| format!("{} {} {}", sync.integration, sync.job, sync.is_new))
            .collect();
        parts.join(" ")
    }
    /// Leaves out integrations that have been removed since.
    fn from_text(tx: &Tx<'_>, workspace: i64, text: &str) -> Res<Option<Self>> {
        let known = integrations::all(tx.conn, workspace)?;
        let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
        let mut out = Vec::new();
        for part in words.chunks(3) {
            let [integration, job, is_new] = part else {
                return Ok(None);
            };
            let (Ok(integration), Ok(job), Ok(is_new)) = (
                integration.parse::<IntegrationId>(),
                job.parse::<JobId>(),
                is_new.parse::<bool>(),
            ) else {
                return Ok(None);
            };
            if let Some(row) = known.iter().find(|row| row.id == integration) {
                out.push(TriggeredSync {
                    integration,
                    platform: row.platform,
                    name: row.name.clone(),
                    job,
                    is_new,
                });
            }
        }
        Ok(Some(out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use watchpost_core::value::word::AppPolicy;

    #[test]
    fn outcomes_survive_being_stored_as_text() {
        let state = StateChange {
            status: FindingStatus::Snoozed,
            snoozed_until: Some(Timestamp::from_millis(1_770_000_000_123)),
            dismiss_reason: None,
            auto_resolved: true,
        };
        let dismissed = StateChange {
            status: FindingStatus::Dismissed,
            snoozed_until: None,
            dismiss_reason: DismissReason::ALL.first().copied(),
            auto_resolved: false,
        };
        for outcome in [
            FindingOutcome::Changed {
                before: FindingStatus::InProgress,
                now: state,
            },
            FindingOutcome::Unchanged { state: dismissed },
            FindingOutcome::NotPossible {
                status: FindingStatus::Resolved,
            },
            FindingOutcome::NotFound,
        ] {
            assert_eq!(finding_outcome(&outcome.to_text()), Some(outcome));
        }
        for outcome in [
            AppPolicyOutcome::Changed {
                before: AppPolicy::Sanctioned,
            },
            AppPolicyOutcome::Unchanged,
            AppPolicyOutcome::NotFound,
        ] {
            assert_eq!(policy_outcome(&outcome.to_text()), Some(outcome));
        }
        for text in ["", "changed", "changed open", "changed open x - - true", "else"] {
            assert_eq!(finding_outcome(text), None, "{text}");
        }
    }
}
