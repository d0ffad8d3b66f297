//! The simulator as a connector sees it: over HTTP.
#![expect(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod client;
mod faults;
mod findings;
mod hosts;
mod settings;
mod snapshots;
mod vendors;
