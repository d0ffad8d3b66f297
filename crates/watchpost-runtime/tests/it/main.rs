//! Tests of the crates together.

mod answers;
mod changes;
mod client;
mod conditional_access;
mod credentials;
mod demo;
mod field;
mod history;
mod imports;
mod injections;
mod lists;
mod pipeline;
mod reports;
mod rest;
mod rig;
mod scan_requests;
mod scan_tools;
mod scans;
