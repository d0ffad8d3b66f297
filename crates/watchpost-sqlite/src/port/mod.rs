//! The domain's ports, implemented for [`store::SqliteStore`] with the functions of the tables. One file for each aggregate.

mod access;
mod apps;
mod audit;
mod completions;
mod findings;
mod identities;
mod imports;
mod instance;
mod integrations;
mod jobs;
mod posture;
mod remediations;
mod scans;
pub(crate) mod store;
