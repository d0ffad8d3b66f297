//! Tests of what the crate joins.

mod changes;
mod imports;
mod injections;
mod pipeline;
mod reports;
mod scan_tools;
mod scans;
