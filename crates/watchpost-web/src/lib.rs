//! The REST API, a mount of the transport.
//!
//! [`OPERATIONS`] lists all operations, each with its declaration. From the list follow the router, the routes that admission
//! enforces, the OpenAPI document at `/openapi.json`, and the page `docs/api.md`, so that none of them can lack one.
//!
//! A request is served in four steps: its permission is checked; its parameters are parsed, strictly; the use case runs; and
//! the answer is sent once the audit entry is committed. A change's entry is stored with the change. Reads can be opened only
//! by storing their entry, which the types of `watchpost-core` enforce.
//!
//! # What this crate does not do
//! It opens no sockets and checks no credentials: that is the transport's admission and its gate. It makes no decisions: the
//! use cases of `watchpost-core` do. It doesn't know the Model Context Protocol; an operation that is also a tool there has
//! the tool's name.

mod answer;
mod compat;
mod context;
mod declaration;
mod endpoint;
mod export;
mod failure;
mod fields;
mod mount;
mod openapi;
mod operation;
mod operations;
mod position;
mod schema;
mod serve;
mod text;
mod v1;
mod web;
mod wire;

pub use declaration::{Declaration, Form, Method};
pub use failure::Code;
pub use mount::WebMount;
pub use openapi::document;
pub use operation::Operation;
pub use operations::OPERATIONS;
pub use position::PositionKey;
pub use web::Health;
