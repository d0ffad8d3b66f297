//! JSON-RPC 2.0 and the Model Context Protocol without I/O, for all five revisions and both eras.
//!
//! A transport passes the bytes and headers of a message to [`Server::decode`] and receives an [`Incoming`]. It
//! passes a request, with the principal that it made from the credential, to [`Server::handle`] and receives a
//! [`Reply`] to write. A server implements [`Handler`] once, in terms of the newest revision, and serves
//! clients of all revisions.
//!
//! Revisions before 2026-07-28 are *legacy*: a client opens a session with `initialize`. Later revisions are
//! *modern*: each request carries an envelope with its revision and the client's capabilities. Ids in
//! parentheses, such as (RPC-04), name the protocol requirements that a piece of code implements.
//!
//! ```
//! use std::borrow::Cow;
//! use std::future::Future;
//! use std::sync::Arc;
//! use std::task::{Context, Poll, Waker};
//!
//! use serde_json::value::RawValue;
//! use watchpost_protocol::*;
//!
//! struct Clock {
//!     info: ServerInfo,
//!     tools: Arc<ToolCatalog>,
//! }
//!
//! impl Handler for Clock {
//!     type Principal = ();
//!
//!     fn info(&self) -> &ServerInfo {
//!         &self.info
//!     }
//!
//!     fn capabilities(&self) -> Capabilities {
//!         Capabilities { tools: Offer::Fixed, ..Capabilities::default() }
//!     }
//!
//!     fn instructions(&self, _: &()) -> Option<Cow<'_, str>> {
//!         None
//!     }
//!
//!     async fn call(&self, _: &(), call: Call<'_>) -> Outcome {
//!         match call.method {
//!             Method::ListTools { .. } => Outcome::Complete(Completed::Tools(ToolPage {
//!                 catalog: Arc::clone(&self.tools),
//!                 next_cursor: None,
//!                 cache: CacheHint { ttl_ms: 60_000, scope: CacheScope::Public },
//!             })),
//!             Method::CallTool { name, .. } if name == "time" => {
//!                 Outcome::Complete(Completed::Tool(ToolResult::text("It's noon.")))
//!             }
//!             Method::CallTool { .. } => Outcome::Error(CallError::UnknownTool),
//!             // The other methods' capabilities aren't declared, so they are never called.
//!             _ => Outcome::Error(CallError::Internal),
//!         }
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let time = ToolDefinition {
//!     name: "time".into(),
//!     title: None,
//!     description: "Tells the time.".into(),
//!     input_schema: RawValue::from_string(r#"{"type":"object"}"#.into())?,
//!     output_schema: None,
//!     hints: ToolHints { read_only: true, destructive: false, idempotent: true, open_world: false },
//! };
//! let server = Server::new(Clock {
//!     info: ServerInfo {
//!         name: "clock".into(),
//!         title: None,
//!         version: "1.0.0".into(),
//!         description: None,
//!         website_url: None,
//!         icon: None,
//!     },
//!     tools: Arc::new(ToolCatalog::new(vec![time])?),
//! });
//!
//! // A line from standard input, after a handshake that negotiated 2025-11-25.
//! let session = Arc::new(SessionState {
//!     revision: Revision::V2025_11_25,
//!     client: ClientInfo { name: "desk".into(), version: "1".into() },
//!     capabilities: ClientCapabilities::default(),
//! });
//! let facts = TransportFacts::new(TransportKind::Stdio, Some(&session));
//! let line = br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"time"}}"#;
//! let Incoming::Request(request) = server.decode(&line.as_slice().into(), &facts) else {
//!     return Err("not a request".into());
//! };
//! let mut reply = std::pin::pin!(server.handle(&(), &request, Link::default()));
//! let Poll::Ready(reply) = reply.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
//!     return Err("this handler never awaits".into());
//! };
//! assert_eq!(
//!     reply.body.ok_or("no response")?,
//!     r#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"It's noon."}],"isError":false}}"#
//! );
//! # Ok(())
//! # }
//! ```
//!
//! # What this crate does not do
//! It opens no sockets, spawns no tasks, reads no clock, creates no session ids and checks no credentials. It
//! contains no logic of any particular server. It keeps no state between messages: the transport stores or
//! seals the result of a legacy handshake, a [`SessionState`].
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::panic)]

mod cache;
mod call_error;
mod capabilities;
mod change;
mod client;
pub mod code;
mod completion;
mod content;
mod decode;
mod encode;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod handler;
mod header;
mod id;
mod input;
mod json;
mod log_level;
mod method;
mod notify;
mod parameter;
mod prompt;
mod request;
mod resource;
mod revision;
mod server;
mod task;
mod text;
mod tool;
mod validate;

pub use cache::{CacheHint, CacheScope};
pub use call_error::CallError;
pub use capabilities::{Capabilities, Offer};
pub use change::hub::ChangeHub;
pub use change::{Change, ChangeStream, Changes, INTEREST_MAX, Interest, NoChanges};
pub use client::{ClientCapabilities, ClientInfo, SessionState};
pub use code::{RequiredCapability, RpcError};
pub use completion::{COMPLETION_VALUES_MAX, CompletionQuery, CompletionRef, Completions};
pub use content::ContentBlock;
pub use decode::Limits;
pub use handler::{Call, Completed, Handler, Icon, Link, Outcome, RequestMeta, ServerInfo, ToolPage};
pub use header::Header;
pub use id::{ProgressToken, RequestId};
pub use input::{
    ClientAnswer, Field, Form, FormAnswer, FormContent, InputRequest, InputRequired, Inputs, TextFormat,
};
pub use json::{RawJson, repair::repair};
pub use log_level::LogLevel;
pub use method::Method;
pub use notify::{Notify, Outbox, Peer, Seal, client_request};
pub use parameter::{ParameterHeaders, ParameterSource};
pub use prompt::{PromptArgument, PromptDefinition, PromptMessage, PromptPage, PromptResult, Role};
pub use request::{
    Batch, Effect, Incoming, Notification, Operation, Reply, Request, Response, TransportFacts,
};
pub use resource::{ResourceBody, ResourceContents, ResourceDefinition, ResourcePage, ResourceRead};
pub use revision::era::{Bodiless, TransportKind, classify_bodiless};
pub use revision::{Era, Revision, Revisions};
pub use server::Server;
pub use task::{TaskState, TaskStatus};
pub use tool::{CatalogError, ToolCatalog, ToolDefinition, ToolHints, ToolResult};
