//! JSON-RPC 2.0 and the Model Context Protocol, by hand, without I/O: all five revisions, both eras.
//!
//! A transport gives bytes and headers to [`Server::decode`] and gets an [`Incoming`]; it gives a request, with
//! the principal that the credential made, to [`Server::handle`], and gets a [`Reply`] to write. A server
//! implements [`Handler`] once, in the terms of the newest revision, and serves every client.
//!
//! # What it doesn't do
//! It opens no socket, spawns no task, reads no clock, makes no session id, checks no credential, and knows
//! nothing of any domain. It keeps no state between messages: what a legacy handshake settled is a
//! [`SessionState`] that the transport keeps or seals.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::panic)]

mod client;
pub mod code;
mod decode;
mod encode;
mod handler;
mod header;
mod id;
mod json;
mod notify;
mod request;
mod revision;
mod scan;
mod server;
mod tool;

pub use client::{ClientCapabilities, ClientInfo, SessionState};
pub use code::RpcError;
pub use decode::Limits;
pub use handler::{
    Call, CallError, Capabilities, Completed, Handler, Link, LogLevel, Method, Outcome, RequestMeta,
    ServerInfo, ToolPage,
};
pub use header::Header;
pub use id::{ProgressToken, RequestId};
pub use json::RawJson;
pub use notify::{Notify, Outbox};
pub use request::{Batch, Incoming, Notification, Operation, Reply, Request, TransportFacts};
pub use revision::{Bodiless, Era, Revision, Revisions, Wire, classify_bodiless};
pub use server::Server;
pub use tool::{CacheHint, CacheScope, CatalogError, ToolCatalog, ToolDefinition, ToolHints, ToolResult};
