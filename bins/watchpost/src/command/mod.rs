//! One file per command.

pub(crate) mod apps;
pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod client_config;
pub(crate) mod config;
pub(crate) mod doctor;
pub(crate) mod exemption;
pub(crate) mod findings;
pub(crate) mod identity;
pub(crate) mod import;
pub(crate) mod imports;
pub(crate) mod init;
pub(crate) mod integrations;
pub(crate) mod keys;
pub(crate) mod policy;
pub(crate) mod remediations;
pub(crate) mod report;
pub(crate) mod scan;
pub(crate) mod schedule;
pub(crate) mod score;
pub(crate) mod sync;
