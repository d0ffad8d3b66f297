//! The tables, one module for each aggregate. Their functions take a transaction or a connection and the workspace's number,
//! and don't depend on the store.

pub(crate) mod apps;
pub(crate) mod audit;
pub(crate) mod completions;
pub(crate) mod coverage;
pub(crate) mod documents;
pub(crate) mod facts;
pub(crate) mod findings;
pub(crate) mod identities;
pub(crate) mod imports;
pub(crate) mod integrations;
pub(crate) mod jobs;
pub(crate) mod keys;
pub(crate) mod names;
pub(crate) mod once;
pub(crate) mod posture;
pub(crate) mod remediations;
pub(crate) mod removal;
pub(crate) mod scans;
pub(crate) mod words;
pub(crate) mod work;
pub(crate) mod workspaces;
