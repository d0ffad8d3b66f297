//! Texts of `watchpost sync`.

use crate::text::counted;
use watchpost_core::{
    integration::fact::Dataset,
    value::word::{CollectionState, Platform},
};

pub(crate) const NOTHING_TO_SYNC: &str = "there is nothing to sync: connect a platform with `watchpost integrations add \
                                          okta` or `watchpost integrations add m365`";
pub(crate) const SYNCING: &str = "syncing";
pub(crate) const COMPLETED: &str =
    "The platforms are synced and analyzed. `watchpost score` shows the result.";
pub(crate) const INCOMPLETE: &str = "Not everything could be read.";
pub(crate) const REASON_UNKNOWN: &str = "the reason is unknown";

/// A dataset that a sync could not read or didn't believe.
pub(crate) fn unread(
    platform: Platform,
    dataset: Dataset,
    state: CollectionState,
    detail: Option<&str>,
) -> String {
    let detail = detail.map(|detail| format!(": {detail}")).unwrap_or_default();
    format!("{}: `{dataset}` {state}{detail}", platform.title())
}

pub(crate) fn queued(syncs: usize) -> String {
    format!(
        "Queued {} for a running server.",
        counted(syncs as u64, "sync", "syncs")
    )
}

pub(crate) fn still_running(minutes: u64) -> String {
    format!("not finished after {minutes} minutes: `watchpost integrations list` shows the state")
}
