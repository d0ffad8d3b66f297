//! Tests over real sockets on loopback, with a fake gate and a client that sends exact bytes.
#![expect(clippy::unwrap_used, reason = "a panic fails the test")]

mod admission;
mod app;
mod asking;
mod bad_input;
mod clients;
mod http2;
mod http_client;
mod http_sse;
mod listening;
mod malformed;
mod mounts;
mod resuming;
mod sessions;
mod shares;
mod stdio;
mod stop;
mod streams;
mod subscriptions;
mod talk;
mod transcript;
