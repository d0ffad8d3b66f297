//! Texts of `watchpost backup` and `watchpost restore`.

use crate::text::counted;
use std::path::Path;

pub(crate) fn file_exists(file: &Path) -> String {
    format!("`{}` already exists: name another file", file.display())
}

pub(crate) fn unresolvable(file: &Path) -> String {
    format!("can't make an absolute path of `{}`", file.display())
}

pub(crate) fn copied(file: &Path) -> String {
    format!(
        "Copied the database to {}, with a manifest beside it. The backup doesn't contain the master key: keep a copy of \
         that in another place.",
        file.display()
    )
}

/// The copy can't be written. `cause` is the message of the system.
pub(crate) fn unavailable(cause: &str) -> String {
    format!(
        "the database can't be copied ({cause}): free space on the disk of the backup or name a file on another one, or wait \
         for the process that has locked the database; then repeat the command"
    )
}

/// A disk is full or read-only. `error` names the file.
pub(crate) fn no_space(error: &str) -> String {
    format!("{error}: free space on its disk, make its file system writable, or name a path on another disk")
}

pub(crate) fn no_manifest(file: &Path) -> String {
    format!(
        "warning: there is no manifest beside `{}`, as older versions wrote none: the database's structure, audit trail and \
         credentials were checked, but not every byte",
        file.display()
    )
}

pub(crate) fn restored(data_dir: &Path) -> String {
    format!(
        "Checked the backup and restored it into {}. Run `watchpost doctor` to check the installation.",
        data_dir.display()
    )
}

pub(crate) const NOTHING_TO_ACCEPT: &str =
    "There is nothing to accept: no checkpoint contradicts the database.";

pub(crate) fn accepted(active_keys: usize) -> String {
    format!(
        "Accepted the database as it is and recorded the gap in the audit trail. It has {}, among which may be keys that were \
         revoked after it was copied: check `watchpost keys list`, then restart the servers.",
        counted(active_keys as u64, "active key", "active keys")
    )
}
