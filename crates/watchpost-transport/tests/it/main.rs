//! Real sockets on loopback, an invented gate, and a client that says exactly what it is told to.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod admission;
mod app;
mod asking;
mod bad_input;
mod http_sse;
mod listening;
mod malformed;
mod mounts;
mod resuming;
mod sessions;
mod stdio;
mod stop;
mod streams;
mod subscriptions;
mod talk;
mod transcript;
mod wire;
