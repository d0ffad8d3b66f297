//! The framework for tools: the declaration ([`Tool`]), the behavior ([`QueryTool`], [`ActionTool`], [`WriteTool`]), the
//! entry in the list of tools, and the context of a running tool.

mod answer;
mod context;
mod declaration;
mod entry;
mod follow_up;

pub use declaration::{Declaration, Hints};
pub use entry::ToolEntry;

pub(crate) use answer::{Answer, Link};
pub(crate) use context::{Caller, Context};
pub(crate) use declaration::{ActionTool, QUERY, QueryTool, Tool, WriteTool};
pub(crate) use entry::{Kind, NOT_PARSED, Prepare, Prepared, RunAction, RunQuery, RunWrite, answer};
pub(crate) use follow_up::{FollowUp, SYNCS_MAX};
