//! The domain's ports, implemented for [`store::SqliteStore`] with the functions of the tables. One file for each aggregate.

mod access;
mod apps;
mod audit;
mod completions;
pub(crate) mod copy;
mod findings;
mod identities;
mod import_lock;
mod imports;
mod instance;
mod integrations;
mod jobs;
mod posture;
mod remediations;
mod scans;
pub(crate) mod store;
