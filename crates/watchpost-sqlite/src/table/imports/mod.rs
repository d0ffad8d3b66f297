//! Imports: files, batches, results, and what they say about our checks.

mod discard;
mod keep;
mod read;
mod row;
mod stage;

pub(crate) use discard::{clear, forget_files, give_up, purge_some};
pub(crate) use keep::keep;
pub(crate) use read::{by_id, page, results, verdicts};
pub(crate) use stage::{Staging, begin};
