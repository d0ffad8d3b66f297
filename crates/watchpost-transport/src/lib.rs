//! Moves MCP messages: streamable HTTP for both eras on one endpoint, HTTP+SSE of 2024-11-05, and stdio.
//!
//! # What this crate does not do
//! It knows no tool and no key's form, decides no era and no revision, and does not speak TLS.
//!
//! Of the way of a request (host and origin, limits, credential, era, handler, answer) this crate has the
//! outer half: what happens before a message is understood, and after its answer is written. A [`Gate`] turns
//! credentials into principals, a [`Server`](watchpost_protocol::Server) answers messages, [`Probes`] speak
//! for health and metrics, and a [`Service`] puts the three behind [`serve`].
//!
//! One request costs no task and no channel: its handler is polled by the task of its connection. Any number
//! of runtimes can serve one listening socket with clones of one service.
//!
//! # What it doesn't do
//! It knows no domain, no key format and no tool; it reads no clock and no random generator but those of its
//! [`Config`]; it has no TLS (a proxy does that), no CORS, no OAuth and no compression. Nothing that it
//! remembers is needed by another process: legacy sessions are sealed into their ids.
//!
//! # Adding a route
//! A variant and a path in `http/routes.rs`, a line in its table of public routes if it needs no key, and an
//! arm in `service.rs`. The route walk in the tests goes over the table.

mod admission;
mod config;
mod connection;
mod environment;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod gate;
mod http;
mod service;
mod sessions;
mod stdio;
mod streams;

pub use admission::hosts::AllowedHosts;
pub use config::{Config, Limits, SessionKey, Surface, Timing};
pub use connection::accept::serve;
pub use environment::{Clock, Random};
pub use gate::{Binding, Caller, Credential, Gate, Probes, Refusal};
pub use service::Service;
pub use sessions::states::StateKeys;
pub use stdio::{StdioSeat, serve_stdio};
