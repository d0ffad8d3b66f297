//! Texts of `watchpost audit`.

use crate::text::counted;
use std::fmt::Display;

pub(crate) const NO_ENTRIES: &str = "No entries match.";
pub(crate) const VERIFYING: &str = "verifying";

pub(crate) fn verified_so_far(rows: u64) -> String {
    format!("verifying: {}", counted(rows, "row", "rows"))
}

pub(crate) fn chain_intact(rows: u64, tip: &str) -> String {
    format!(
        "The chain is intact: {}, tip {tip}. To make sure that no rows were removed from its end, compare the tip with \
         that of an earlier export.",
        counted(rows, "row", "rows")
    )
}

pub(crate) fn chain_broken(row: u64, problem: &dyn Display) -> String {
    format!("the audit chain is broken at row {row}: {problem}")
}
