//! Tests of the protocol crate through its public API. `support` checks every message that a server sends in
//! these tests against the official schema of its revision.
#![expect(clippy::unwrap_used, reason = "test support may panic like a test")]
#![expect(
    clippy::needless_pass_by_value,
    reason = "tests are easier to read with inline values"
)]

mod answers;
mod batch;
mod bytes;
mod changes;
mod completion;
mod era;
mod features;
mod input;
mod lifecycle;
mod notices;
mod parameters;
mod prompts;
mod resources;
mod schema;
mod support;
mod tasks;
mod tools;
mod validation;
