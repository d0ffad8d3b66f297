//! Facts: storing pages, ending datasets, measuring how apps are used.

mod identity;
mod retire;
mod store;
mod table;
mod usage;
mod values;

pub(crate) use retire::{Ending, purge_accounts};
pub(crate) use store::Storing;
pub(crate) use usage::changed_usage;
