//! The ports of the domain over the tables: one file for each aggregate, around [`store::SqliteStore`].

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
