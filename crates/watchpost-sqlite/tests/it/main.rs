//! Tests of the store through its ports and its file.
#![expect(clippy::unwrap_used, reason = "a panic fails the test")]

mod conformance;
mod credentials;
mod file;
mod imports;
mod once;
mod plans;
mod unknown;
mod upgrade;
