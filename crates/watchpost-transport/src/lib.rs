//! Moves MCP messages: streamable HTTP for both eras on one endpoint, HTTP+SSE of 2024-11-05, and stdio.
//!
//! Two halves, put together by a [`Service`] behind [`serve`]. *Admission* lets requests in: connections, `Host` and
//! `Origin`, sizes, the credential, which a [`Gate`] turns into a principal. Behind it stand *mounts* with their routes:
//! MCP, whose messages a [`Server`](watchpost_protocol::Server) answers; the [`Probes`] of health and metrics; and any
//! other [`Mount`], for example a REST API or pages. None of them knows the others.
//!
//! One request costs no task and no channel: its handler is polled by the task of its connection. Any number
//! of runtimes can serve one listening socket with clones of one service.
//!
//! # What this crate does not do
//! It knows no domain, no key format and no tool; it decides no era and no revision; it reads no clock and no random
//! generator but those of its [`Config`]; it has no TLS (a proxy does that), no CORS, no OAuth and no compression.
//! Nothing that it remembers is needed by another process: legacy sessions are sealed into their ids.
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
//! Each [`Mount`] declares its routes, and admission enforces what they say: a [`Route`] can't be served without an
//! [`Access`]. To add one beside MCP, write a mount and hand it to [`Service::with_mounts`]:
//!
//! ```
//! use http::{Method, StatusCode};
//! use watchpost_transport::*;
//!
//! struct Greeting;
//!
//! impl Mount<()> for Greeting {
//!     fn routes(&self) -> Vec<Route> {
//!         vec![Route::new("/api/v1/greeting", [Method::GET], Access::Either)]
//!     }
//!
//!     async fn serve(&self, admitted: Admitted<'_, ()>) -> Response {
//!         let path = admitted.request.head.uri.path();
//!         let mut response = Response::new(ResponseBody::bytes(format!("hello from {path}\n")));
//!         *response.status_mut() = StatusCode::OK;
//!         response
//!     }
//! }
//!
//! let mounts = Mounts::<()>::default().and(Greeting);
//! # drop(mounts);
//! ```
//!
//! Nothing else is to do: a route whose path and method another mount has is an error at the start, a path that is in
//! no route answers 401 without a credential and 404 with one, and the tests that walk [`Service::routes`] cover it.

mod admission;
mod config;
mod connection;
mod environment;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod gate;
mod mcp;
mod probes;
mod response;
mod routing;
mod service;
mod sessions;
mod stdio;
mod streams;

pub use admission::hosts::AllowedHosts;
pub use config::{Config, Limits, SessionKey, Surface, Timing};
pub use connection::accept::serve;
pub use connection::body::{BodyError, RequestBody};
pub use environment::{Clock, Random};
pub use gate::{Binding, Caller, Credential, Gate, Probes, Refusal, Secret};
pub use response::{Response, ResponseBody};
pub use routing::mount::{Admitted, Mount, Mounts, Request};
pub use routing::route::{Access, Route};
pub use routing::table::RouteConflict;
pub use service::Service;
pub use sessions::states::StateKeys;
pub use stdio::{serve_stdio, service::StdioService};
