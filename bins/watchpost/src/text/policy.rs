//! Texts of `watchpost policy`.

use crate::text::counted;
use std::{fmt::Display, path::Path};

pub(crate) const NO_POLICIES: &str = "No rules or checks match.";
pub(crate) const NO_CHECKS: &str = "No checks apply.";

/// A value of `--framework` or `--service` that doesn't exist.
pub(crate) fn unknown_value(known: &[&str]) -> String {
    format!("use one of {}", known.join(", "))
}

pub(crate) fn not_found(id: &str) -> String {
    format!("there is no rule or check `{id}`: `watchpost policy list` shows them")
}

/// The last line of a test run.
pub(crate) fn cases_run(policies: usize, passed: usize, failed: usize) -> String {
    format!(
        "{}, {} passed, {failed} failed",
        counted(policies as u64, "rule or check", "rules and checks"),
        counted(passed as u64, "case", "cases"),
    )
}

pub(crate) fn cases_failed(failed: usize) -> String {
    format!("{} failed", counted(failed as u64, "case", "cases"))
}

pub(crate) fn unreadable(file: &Path, error: &dyn Display) -> String {
    format!("can't open `{}`: {error}", file.display())
}
