//! Behavior of the protocol crate over its public surface. Every message that a server sends in any of these
//! tests is checked against the official schema of its revision by `support`.
#![expect(
    clippy::unwrap_used,
    reason = "a test's support may fail as loudly as the test"
)]
#![expect(
    clippy::needless_pass_by_value,
    reason = "a test reads better with its values in place"
)]

mod answers;
mod batch;
mod bytes;
mod changes;
mod completion;
mod era;
mod input;
mod lifecycle;
mod notices;
mod office;
mod parameters;
mod prompts;
mod resources;
mod schema;
mod support;
mod tasks;
mod tools;
mod validation;
