//! Folders whose files are imported: one function each, which returns what differs from the folder's `right` answer.

use super::Handler;

/// The folders with files to import, and their functions.
pub(super) const HANDLERS: &[(&str, Handler)] = &[];
