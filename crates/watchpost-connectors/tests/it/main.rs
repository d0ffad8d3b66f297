//! The connectors against the simulator, over real HTTP on loopback.
#![expect(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod address;
mod dns;
mod domains;
mod faults;
mod full;
mod import;
mod secrecy;
mod settings;
mod sign_in;
mod support;
mod verify;
mod workloads;
