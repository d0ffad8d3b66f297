//! The MCP server of Watchpost: [`McpServer`] implements `watchpost_protocol`'s [`Handler`] over the use cases of
//! [`watchpost_core::service::Watchpost`], as tools, resources and prompts, one file each, completion, and tasks.
//!
//! An answer is built once: rows become an output struct, that becomes JSON bytes, and the same bytes go out as
//! structured content and, between two markers that call them data from outside, in the text block for older
//! clients. What strangers wrote only ever stands inside a JSON string; sentences and errors are our own words.
//!
//! # What this crate does not do
//! It knows nothing of revisions, envelopes, sessions or transports, checks no credential, and reads no table: the
//! caller's [`WorkspaceScope`] comes from the gate, and every look-up goes through the core's ports. It never
//! applies anything to a customer's platform.
//!
//! # Where to add something
//! A tool: see [`tools`]. A resource or a prompt: see the root of its folder.
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
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod instructions;
mod next;
mod prompts;
mod reply_cache;
mod resources;
mod scan_wire;
mod schema;
mod server;
mod tasks;
mod tool;
pub mod tools;
mod wire;

pub use changes::ChangeFeed;
pub use confirm::{ConfirmMode, Risk};
pub use cursor::CursorKey;
pub use document::tools_page;
pub use server::McpServer;
