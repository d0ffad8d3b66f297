//! What a tool is: its declaration ([`Tool`]) and what it does ([`QueryTool`], [`ActionTool`], [`WriteTool`]), the
//! entry that the list of tools has of it, and what a running tool has at hand.

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
