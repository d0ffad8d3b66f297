//! Texts of `watchpost doctor`.

use crate::text::counted;
use std::{fmt::Display, path::Path};
use watchpost_core::{
    audit::checkpoint::Checkpoint,
    integration::fact::Dataset,
    value::{
        id::IntegrationId,
        time::Timestamp,
        word::{CollectionState, IntegrationStatus},
    },
};
use watchpost_runtime::open_files::Capacity;

pub(crate) const PROBLEMS_FOUND: &str = "there are problems: see above";
pub(crate) const DATABASE_INTACT: &str = "intact";
pub(crate) const END_THE_READER: &str = "another process keeps it from being emptied: find the process that has the database open (`lsof`), and end it if it is not Watchpost";
pub(crate) const RESTORE_A_BACKUP: &str = "restore a backup with `watchpost restore`";
pub(crate) const RUN_AGAIN: &str = "mend that, then run `watchpost doctor` again";
pub(crate) const EXPORT_AND_RESTORE: &str = "keep the evidence with `watchpost audit export`, find out who can write the database, and restore a backup with `watchpost \
     restore`";
pub(crate) const ALL_KNOWN: &str = "all known";
pub(crate) const USE_THE_NEWEST_VERSION: &str = "lists leave these rows out: use the newest version of Watchpost that used this data folder, or restore a backup with `watchpost restore`";
pub(crate) const ALL_OPENED: &str = "all can be opened";
pub(crate) const SET_CREDENTIALS: &str = "set each of them again with `watchpost integrations set-credential ID`, and find out who can write the database";
pub(crate) const LOG_WRITTEN: &str = "can be written";
pub(crate) const FREE_SPACE: &str = "free space on the disk of the data folder, or make its file system writable; until then, servers answer no request";
pub(crate) const CHECKPOINTS_OFF: &str = "off: a database that was set back or rewritten is not noticed";
pub(crate) const ACCEPT_OR_RESTORE: &str =
    "put the right database back, or accept this one with `watchpost restore --accept`";
pub(crate) const CREATE_A_KEY: &str =
    "create one with `watchpost keys create --label NAME` (a desktop assistant over stdio needs none)";
pub(crate) const RAISE_OPEN_FILES: &str =
    "raise the limit with `ulimit -n`, or with LimitNOFILE in the unit of systemd";
pub(crate) const START_A_SERVER: &str = "start `watchpost-http` (a desktop assistant over stdio needs none)";

pub(crate) fn log_size(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(1_024 * 1_024))
}

/// One check, and the next step below it if there is a problem.
pub(crate) fn check(ok: bool, name: &str, detail: &str, next_step: Option<&str>) -> String {
    let state = if ok { "ok     " } else { "PROBLEM" };
    let mut text = format!("{state} {name}: {detail}");
    if let Some(step) = next_step {
        text.push_str(&format!("\n        next: {step}"));
    }
    text
}

pub(crate) fn checkpoint_missing(file: &Path) -> String {
    format!(
        "none on this machine yet, so a database that was set back is not noticed; a server, or the next change of keys, \
         writes `{}`",
        file.display()
    )
}

pub(crate) fn checkpoint_agrees(file: &Path, checkpoints: &[Checkpoint]) -> String {
    let rows = checkpoints.iter().map(Checkpoint::rows).sum();
    let at = checkpoints.iter().map(|taken| taken.at).max();
    format!(
        "the database holds {} and the keys of the checkpoint{} in `{}`",
        counted(rows, "audit entry", "audit entries"),
        at.map_or_else(String::new, |at| format!(" of {at}")),
        file.display()
    )
}

pub(crate) fn active_keys(count: usize) -> String {
    counted(count as u64, "active key", "active keys")
}

pub(crate) fn integration_failing(platform: &str, since: Timestamp, reason: &dyn Display) -> String {
    format!("{platform}: failing since {since}: {reason}")
}

pub(crate) fn integration_never_synced(platform: &str, status: IntegrationStatus) -> String {
    format!("{platform}: {status}, never synced")
}

/// `unread`: the datasets that the last sync couldn't read completely.
pub(crate) fn integration_synced(
    platform: &str,
    status: IntegrationStatus,
    at: Timestamp,
    stale: bool,
    unread: &[String],
) -> String {
    let stale = if stale { " (stale)" } else { "" };
    let gaps = if unread.is_empty() {
        String::new()
    } else {
        format!(", not completely read: {}", unread.join(", "))
    };
    format!("{platform}: {status}, last synced {at}{stale}{gaps}")
}

/// A dataset that could not be read completely. `doubt` is the reason why a list that the vendor returned isn't believed.
pub(crate) fn unread_dataset(dataset: Dataset, state: CollectionState, doubt: Option<&str>) -> String {
    match doubt {
        Some(doubt) => format!("{dataset} ({state}: {doubt})"),
        None => dataset.to_string(),
    }
}

pub(crate) fn verify_and_confirm(id: IntegrationId, dataset: Dataset) -> String {
    format!(
        "run `watchpost integrations verify {id}` to see whether a permission is missing; if `{dataset}` did shrink, run \
         `watchpost integrations confirm-shrink {id} {dataset}`, then `watchpost sync`"
    )
}

pub(crate) fn set_a_credential(id: IntegrationId) -> String {
    format!(
        "create a new credential at the vendor and set it with `watchpost integrations set-credential {id}`, which keeps \
         all findings and decisions, then run `watchpost sync`"
    )
}

pub(crate) fn verify_the_integration(id: IntegrationId) -> String {
    format!("run `watchpost integrations verify {id}` to see what is missing, then `watchpost sync`")
}

pub(crate) fn score(score: &dyn Display, rating: &dyn Display, as_of: Option<Timestamp>) -> String {
    let as_of = as_of.map_or_else(String::new, |at| format!(", as of {at}"));
    format!("score {score} ({rating}){as_of}")
}

/// `limit` is `None` if the system has no limit.
pub(crate) fn open_files(limit: Option<u64>, capacity: &Capacity) -> String {
    let limit = limit.map_or_else(|| "no limit".to_owned(), |limit| format!("a limit of {limit}"));
    let Capacity {
        connections,
        connections_per_key,
        streams,
        streams_per_key,
        ..
    } = capacity;
    format!(
        "{limit}, which allows a server {connections} connections ({connections_per_key} per key) and {streams} event streams ({streams_per_key} per key)"
    )
}

pub(crate) fn server_up(url: &str) -> String {
    format!("a server accepts connections at {url}")
}

pub(crate) fn server_unavailable(url: &str) -> String {
    format!("{url}: not available")
}

/// The name of a check, with the workspace if there are several.
pub(crate) fn name(check: &str, workspace: Option<&str>) -> String {
    workspace.map_or_else(|| check.to_owned(), |workspace| format!("{check} ({workspace})"))
}

pub(crate) fn log_unwritten(reason: &str) -> String {
    format!("can't be written: {reason}")
}

pub(crate) fn chain_intact(rows: u64) -> String {
    format!("intact, {}", counted(rows, "row", "rows"))
}

/// No server runs, and the settings name none.
pub(crate) fn no_server(url: &str) -> String {
    format!("none runs at {url}, and the settings name none (a desktop assistant over stdio needs none)")
}
