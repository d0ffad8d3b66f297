//! Texts of `watchpost audit`.

use crate::text::counted;
use std::{fmt::Display, path::Path};
use watchpost_core::audit::checkpoint::Checkpoint;

pub(crate) const NO_ENTRIES: &str = "No entries match.";
pub(crate) const VERIFYING: &str = "verifying";

pub(crate) fn verified_so_far(rows: u64) -> String {
    format!("verifying: {}", counted(rows, "row", "rows"))
}

/// `checkpoint`: the checkpoint that the rows agree with.
pub(crate) fn chain_intact(workspace: &str, rows: u64, tip: &str, checkpoint: Option<&Checkpoint>) -> String {
    let rows = counted(rows, "row", "rows");
    let end = match checkpoint {
        Some(checkpoint) => format!(
            "It agrees with the checkpoint of {} over {}.",
            checkpoint.at,
            counted(checkpoint.rows(), "row", "rows")
        ),
        None => "To make sure that no rows were removed or rewritten, compare it with a checkpoint or an earlier export \
                 (`--checkpoint`, `--against`)."
            .to_owned(),
    };
    format!("{workspace}: the chain is intact: {rows}, tip {tip}. {end}")
}

pub(crate) fn chain_broken(workspace: &str, row: u64, problem: &dyn Display) -> String {
    format!("{workspace}: the audit chain is broken at row {row}: {problem}")
}

/// `problem`: the way in which the database contradicts its checkpoint.
pub(crate) fn workspace_problem(workspace: &dyn Display, problem: &dyn Display) -> String {
    format!("{workspace}: the database contradicts its checkpoint: {problem}")
}

pub(crate) const ONE_WORKSPACE: &str = "an export is of one workspace: name it with `--workspace`";
pub(crate) const NO_CHECKPOINT_PLACE: &str = "There is no checkpoint to compare with: name one with `--checkpoint FILE`. The default file is known only with `master.key`.";
pub(crate) const KEY_NOT_TRUSTED: &str = "The checkpoints were verified with the key that they name themselves, which shows only that they were not \
                                          damaged. Name the key that you have noted with `--key`.";

pub(crate) fn checkpoint_missing(file: &Path) -> String {
    format!("There is no checkpoint at `{}`.", file.display())
}

pub(crate) fn checkpoint_invalid(file: &Path, reason: &dyn Display) -> String {
    format!("the checkpoint `{}` is not valid: {reason}", file.display())
}

pub(crate) fn export_unreadable(file: &Path) -> String {
    format!("can't read `{}`", file.display())
}

pub(crate) fn not_an_export(file: &Path) -> String {
    format!("`{}` has no row of an audit export", file.display())
}

pub(crate) fn export_matches(row: u64) -> String {
    format!("The export agrees with the database up to its last row {row}.")
}

pub(crate) fn export_differs(workspace: &str, row: u64) -> String {
    format!(
        "{workspace}: row {row} of the export is missing or different in the database: rows were removed or rewritten"
    )
}

/// The warning of every command while the database contradicts its checkpoint.
pub(crate) fn contradiction(problem: &dyn Display) -> String {
    format!(
        "Warning: {problem}. Servers accept no key: put the right database back, or accept this one with `watchpost restore \
         --accept`."
    )
}

pub(crate) fn no_checkpoint_taken(error: &dyn Display) -> String {
    format!("The change was made, but no checkpoint of the audit trail could be taken: {error}")
}

pub(crate) const NO_STATE_FOLDER: &str = "there is no state folder";

/// The entry of a command could not be stored.
pub(crate) fn entry_owed(file: &Path, why: &str) -> String {
    format!(
        "the audit log can't be written ({why}): the entry of this command is kept in `{}`, and your next command stores it \
         once the log can be written",
        file.display()
    )
}

/// The entry of a command could be stored nowhere.
pub(crate) fn entry_lost(operation: &str, why: &str, reason: &str) -> String {
    format!(
        "the audit log can't be written ({why}), and the entry of `watchpost {operation}` can't be kept either ({reason}): \
         write down who ran it, and when"
    )
}
