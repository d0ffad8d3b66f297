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
//! # A server
//! [`watchpost_protocol`] shows how a [`Handler`](watchpost_protocol::Handler) is written. Around one, a program says who
//! is let in, what time it is and what nobody can guess, and chooses a transport:
//!
//! ```no_run
//! use std::sync::Arc;
//! use tokio::net::TcpListener;
//! use watchpost_protocol::{Handler, Server};
//! use watchpost_transport::*;
//!
//! /// Lets everyone in, as nobody: for loopback alone.
//! struct Open;
//!
//! impl Gate for Open {
//!     type Principal = ();
//!     async fn admit(&self, _: Option<Credential<'_>>, _: &Caller<'_>) -> Result<(), Refusal> {
//!         Ok(())
//!     }
//!     fn binding(&self, (): &()) -> Binding {
//!         Binding::new(b"nobody").expect("it's short")
//!     }
//!     async fn still_valid(&self, (): &()) -> bool {
//!         true
//!     }
//! }
//!
//! impl Probes for Open {
//!     async fn ready(&self) -> Result<(), String> {
//!         Ok(())
//!     }
//!     async fn metrics(&self) -> String {
//!         String::new()
//!     }
//! }
//!
//! # async fn run<H: Handler<Principal = ()>>(handler: H, keys: [[u8; 32]; 2], clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> std::io::Result<()> {
//! let [session_key, state_key] = keys;
//! let config = Config::new(SessionKey::new(session_key), StateKeys::new(state_key), clock, random);
//! let service = Service::new(config, Arc::new(Open), Arc::new(Server::new(handler)), Open);
//! serve(TcpListener::bind("127.0.0.1:8080").await?, service, std::future::pending()).await;
//! # Ok(())
//! # }
//! ```
//!
//! The examples `clock_stdio`, `clock_http` and `clock_sse` are whole programs, one per transport; `conformance_server`
//! shows everything that a server can offer.
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
