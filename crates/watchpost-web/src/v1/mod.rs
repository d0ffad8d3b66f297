//! The operations of `/api/v1`, one file for each resource.

pub(crate) mod apps;
pub(crate) mod checks;
pub(crate) mod comparisons;
pub(crate) mod files;
pub(crate) mod finding_changes;
pub(crate) mod findings;
pub(crate) mod health;
pub(crate) mod integrations;
pub(crate) mod people;
pub(crate) mod posture;
pub(crate) mod reports;
pub(crate) mod rules;
pub(crate) mod scan_results;
pub(crate) mod scans;
pub(crate) mod syncs;
