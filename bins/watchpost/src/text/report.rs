//! Texts of `watchpost report`.

use std::{fmt::Display, path::Path};

pub(crate) fn written(file: &Path, bytes: usize) -> String {
    format!("Wrote {} ({bytes} bytes).", file.display())
}

pub(crate) fn file_exists(file: &Path) -> String {
    format!(
        "`{}` already exists: name another file, or add --force",
        file.display()
    )
}

pub(crate) fn unwritable(file: &Path, error: &dyn Display) -> String {
    format!("can't write `{}`: {error}", file.display())
}
