//! Facts: storing pages, finishing datasets, measuring the usage of apps.

mod identity;
mod reading;
mod retire;
mod store;
mod table;
mod usage;
mod values;

pub(crate) use reading::readings;
pub(crate) use retire::{DatasetFinisher, purge_accounts};
pub(crate) use store::FactWriter;
pub(crate) use usage::changed_usage;
