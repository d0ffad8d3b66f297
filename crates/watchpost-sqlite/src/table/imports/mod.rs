//! Imports: files, batches, results, and the verdicts on Watchpost's checks.

mod discard;
mod keep;
mod read;
mod row;
mod stage;

pub(crate) use discard::{abandon, clear_abandoned, forget_files, purge_some, unfinished};
pub(crate) use keep::keep;
pub(crate) use read::{by_id, page, results, verdicts};
pub(crate) use stage::{ImportWriter, begin};
