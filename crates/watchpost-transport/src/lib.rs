//! Transports for MCP messages: Streamable HTTP for both eras on one endpoint, HTTP+SSE of 2024-11-05, and
//! stdio.
//!
//! A [`Service`], served by [`serve`], has two parts. *Admission* checks connections, `Host` and `Origin`
//! headers, sizes and the credential, which a [`Gate`] turns into a principal. Behind it are the *mounts* with
//! their routes: MCP, whose messages a [`Server`](watchpost_protocol::Server) answers; the [`Probes`] for
//! health and metrics; and any other [`Mount`], for example a REST API or web pages. Mounts are independent of
//! each other.
//!
//! A request needs no task and no channel of its own: the task of its connection polls its handler. Any number
//! of runtimes can serve one listening socket with clones of one service.
//!
//! # What this crate does not do
//! It knows nothing about an application, its key formats or its tools. It doesn't determine eras or revisions.
//! It uses only the clock and the random generator of its [`Config`]. It has no TLS (a proxy provides it), no
//! CORS, no OAuth and no compression. No other process needs the state that it keeps, because legacy sessions
//! are sealed into their ids.
//!
//! # Example
//! The documentation of [`watchpost_protocol`] shows how to write a [`Handler`](watchpost_protocol::Handler).
//! To serve it, a program provides a gate, probes, a clock and a random generator, and chooses a transport:
//!
//! ```no_run
//! use std::sync::Arc;
//! use tokio::net::TcpListener;
//! use watchpost_protocol::{Handler, Server};
//! use watchpost_transport::*;
//!
//! /// Admits every request without a credential. Suitable for loopback addresses only.
//! struct Open;
//!
//! impl Gate for Open {
//!     type Principal = ();
//!     async fn admit(&self, _: Option<Credential<'_>>, _: &Caller<'_>) -> Result<(), Refusal> {
//!         Ok(())
//!     }
//!     fn binding(&self, (): &()) -> Binding {
//!         Binding::new(b"nobody").expect("the binding is short")
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
//! The examples `clock_stdio`, `clock_http` and `clock_sse` are complete programs, one per transport. The
//! example `conformance_server` offers everything that the protocol supports.
//!
//! # Adding a route
//! Each [`Mount`] declares its routes with their required access, and admission enforces it: a [`Route`] can't
//! be created without an [`Access`]. To add routes, implement a mount and pass it to [`Service::with_mounts`]:
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
//! Nothing else is required. If two mounts declare the same path and method, [`Service::with_mounts`] returns
//! an error. A path without a route is answered with 401 without a credential and with 404 with one.
//! [`Service::routes`] lists all routes, so that tests can check each of them.

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
mod text;

pub use admission::hosts::AllowedHosts;
pub use config::{Config, Limits, SessionKey, Surface, Timing};
pub use connection::accept::serve;
pub use connection::body::{BodyError, RequestBody};
pub use environment::{Clock, Random};
pub use gate::{Binding, Caller, Credential, Gate, Probes, Refusal, Secret};
pub use response::{Response, ResponseBody};
pub use routing::mount::{Admitted, ErrorBody, Mount, Mounts, Request, ServiceError};
pub use routing::route::{Access, Route};
pub use routing::table::RouteConflict;
pub use service::{Occupancy, Service};
pub use sessions::states::StateKeys;
pub use stdio::{serve_stdio, service::StdioService};
