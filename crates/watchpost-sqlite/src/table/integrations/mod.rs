//! Integrations: rows, credentials, syncs, collections.

mod add;
mod collection;
mod credential;
mod row;
mod secret;
mod standing;
mod sync;

pub(crate) use add::add;
pub(crate) use collection::{baseline, confirm_shrink, record_collection};
pub(crate) use credential::set_credential;
pub(crate) use row::{all, all_with_numbers, next_number, number_of};
pub(crate) use secret::{check_sealed, open_config, unreadable, wipe};
pub(crate) use standing::end_sync;
pub(crate) use sync::{begin, cancel_jobs, finish_sync, running_sync};
