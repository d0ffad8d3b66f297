//! Tests of the connectors against the simulator, over HTTP on loopback.
#![expect(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod address;
mod dns;
mod domains;
mod empty;
mod faults;
mod forms;
mod import;
mod rates;
mod secrecy;
mod settings;
mod sign_in;
mod snapshots;
mod support;
mod sync;
mod verify;
mod workloads;
