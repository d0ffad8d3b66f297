//! The texts of the command line for operators, in one module per command. Not here: the help texts, which are the doc
//! comments of the arguments.

pub(crate) mod apps;
pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod client_config;
pub(crate) mod doctor;
pub(crate) mod exemption;
pub(crate) mod findings;
pub(crate) mod identity;
pub(crate) mod import;
pub(crate) mod imports;
pub(crate) mod init;
pub(crate) mod integrations;
pub(crate) mod keys;
pub(crate) mod next;
pub(crate) mod policy;
pub(crate) mod remediations;
pub(crate) mod report;
pub(crate) mod scan;
pub(crate) mod schedule;
pub(crate) mod score;
pub(crate) mod sync;
pub(crate) mod value;

use std::{fmt::Display, path::Path};

/// The context of an error of a file.
pub(crate) fn unreadable_file(path: &Path) -> String {
    format!("can't read `{}`", path.display())
}

pub(crate) const UNREADABLE_INPUT: &str = "can't read standard input";
pub(crate) const STOPPED: &str = "stopped by a signal: what was not finished is queued again; a running server or `watchpost sync` continues it";
pub(crate) const UNREADABLE_TERMINAL: &str = "can't read from the terminal";

/// The command can't begin, for a reason of the system.
pub(crate) fn cannot_start(error: &dyn Display) -> String {
    format!("error: can't start: {error}")
}

/// A use case failed for a reason that only the person at the machine may see.
pub(crate) fn internal_error(cause: &str) -> String {
    format!("internal error: {cause}")
}

/// The database is damaged.
pub(crate) fn database_damaged(cause: &str) -> String {
    format!(
        "the database is damaged ({cause}): `watchpost doctor` names what is damaged; stop Watchpost, keep a copy of the data \
         folder, and restore a backup into a new one with `watchpost restore`"
    )
}

/// The store can't be used now. `cause` is the message of the system.
pub(crate) fn unavailable(reason: &str, cause: &str) -> String {
    format!(
        "{reason} ({cause}): free space on the disk of the data folder if it is full, make its file system writable if it is \
         read-only, or wait for the process that has locked the database; then repeat the command"
    )
}

/// Stored words are unknown.
pub(crate) fn unknown_words(count: u64) -> String {
    format!(
        "warning: this version doesn't know {}, so rows may be missing above: `watchpost doctor` names them",
        counted(count, "stored word that was read", "stored words that were read")
    )
}

/// Owed audit entries are stored now.
pub(crate) fn entries_settled(stored: usize) -> String {
    format!(
        "stored {} of earlier commands in the audit log, as `audit.settled`",
        counted(stored as u64, "entry", "entries")
    )
}

/// Lines of the file of owed audit entries are lost.
pub(crate) fn entries_left_out(count: usize) -> String {
    format!(
        "warning: {} of the file of owed audit entries could not be stored, because it is damaged or of another workspace",
        counted(count as u64, "line", "lines")
    )
}

/// The database was opened only for reading.
pub(crate) fn only_reading(reason: &dyn Display) -> String {
    format!("the database is only read: {reason}")
}

/// A change was sent to the store, and it isn't known whether it was made.
pub(crate) fn outcome_unknown(error: &dyn Display, cause: &str) -> String {
    format!("{error}: {cause}; check the current state before you repeat the command")
}

/// `1 row`, `2 rows`.
fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// `a compliance`, `an exposure`: a word with its indefinite article.
fn with_article(word: &str) -> String {
    let article = if word.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {word}")
}

/// The steps of a remediation under a title, numbered; nothing if there are none.
fn numbered_steps(steps: &[String]) -> String {
    if steps.is_empty() {
        return String::new();
    }
    let mut text = String::from("\n\nWhat to do");
    for (number, step) in steps.iter().enumerate() {
        text.push_str(&format!("\n{}. {step}", number + 1));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_articles_agree_with_their_noun() {
        assert_eq!(counted(1, "row", "rows"), "1 row");
        assert_eq!(counted(0, "row", "rows"), "0 rows");
        assert_eq!(with_article("exposure"), "an exposure");
        assert_eq!(with_article("compliance"), "a compliance");
    }
}
