//! The MCP server of Watchpost. [`McpServer`] implements [`Handler`] of `watchpost_protocol` over the use cases of
//! [`watchpost_core::service::Watchpost`]: tools, resources and prompts (one file each), completion, and tasks.
//!
//! The structured part of an answer is serialized once. The same bytes are sent as structured content and, for older
//! clients, in the text block between two markers that label them as data from outside. Text from outside appears only
//! in JSON strings; sentences and errors, which stand in the module `text`, contain none.
//!
//! # What this crate does not do
//! It does not handle revisions, envelopes, sessions or transports, check credentials, or read tables: the caller's
//! [`WorkspaceScope`] comes from the gate, and all data from the core's ports. It never changes anything on a customer's
//! platform.
//!
//! # Adding tools, resources and prompts
//! For a tool, see [`tools`]. For a resource or a prompt, see the root of its module.
//!
//! [`Handler`]: watchpost_protocol::Handler
//! [`WorkspaceScope`]: watchpost_core::access::WorkspaceScope

mod arguments;
mod changes;
mod confirm;
mod cursor;
mod document;
mod error;
mod fence;
mod finding_change;
mod finding_details;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod instructions;
mod prompts;
mod reply_cache;
mod resources;
mod scan_wire;
mod schema;
mod server;
mod tasks;
mod text;
mod tool;
pub mod tools;
mod wire;

pub use changes::ChangeFeed;
pub use confirm::{ConfirmMode, Risk};
pub use cursor::CursorKey;
pub use document::tools_page;
pub use server::McpServer;
