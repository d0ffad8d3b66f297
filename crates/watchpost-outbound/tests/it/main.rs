//! Tests of the client and the resolver against listeners on loopback.
#![expect(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod address;
mod dns;
mod limits;
mod retries;
mod support;
mod surface;
