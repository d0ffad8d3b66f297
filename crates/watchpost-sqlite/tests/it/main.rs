//! The store through its ports and its file.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod conformance;
mod file;
mod once;
mod plans;
mod unknown;
mod upgrade;
