//! Tests of the simulator over HTTP, as a connector uses it.
#![expect(clippy::unwrap_used, reason = "a panic fails the test")]

mod client;
mod faults;
mod findings;
mod hosts;
mod resources;
mod settings;
mod snapshots;
mod vendors;
