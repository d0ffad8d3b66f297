//! Answers about syncs.

use super::count;
use watchpost_core::value::word::Platform;

pub(crate) const NOTHING_TO_SYNC: &str = "Connect a platform: run `watchpost integrations add okta` or `watchpost integrations add m365`; `watchpost integrations resume` resumes a paused one";

pub(crate) const ALREADY_RUNNING: &str =
    "Nothing was changed: every requested sync is already queued or running.";

pub(crate) fn queued(syncs: usize) -> String {
    format!(
        "Queued: {}; get_integrations shows the progress.",
        count(u64::try_from(syncs).unwrap_or(u64::MAX), "sync")
    )
}

pub(crate) fn no_integrations(platform: Option<Platform>) -> String {
    match platform {
        Some(platform) => format!(
            "Nothing to sync: there is no active {} integration. {NOTHING_TO_SYNC}.",
            platform.title()
        ),
        None => format!("Nothing to sync: there is no active integration. {NOTHING_TO_SYNC}."),
    }
}

pub(crate) fn after_repeat(repeated: &str, result: &str) -> String {
    format!("{repeated} {result}")
}

/// The answer once all requested syncs have ended.
pub(crate) fn ended(syncs: u64, incomplete: usize) -> String {
    let syncs = count(syncs, "sync");
    if incomplete == 0 {
        format!("Completed: {syncs} and the analysis that follows.")
    } else {
        format!("Ended: {syncs}; {incomplete} did not complete, and get_integrations shows why.")
    }
}

/// The question before a sync of one platform, or of all.
pub(crate) fn confirm(platform: Option<Platform>) -> String {
    match platform {
        Some(platform) => format!("Sync {} now?", platform.title()),
        None => "Sync all connected platforms now?".to_owned(),
    }
}
