//! The declaration of a tool, and the traits for its behavior.

use crate::{
    arguments::Arguments,
    confirm::{Preview, Risk},
    error::Failure,
    tool::{Answer, Context},
};
use std::future::Future;
use watchpost_core::access::{KeyScope, Permission};

/// The hints of a tool about its effects. MCP's defaults are the pessimistic values, so all four hints are always stated.
/// They are declared separately from the permission, not derived from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hints {
    /// Whether the tool changes nothing.
    pub read_only: bool,
    /// Whether the tool changes or hides existing data.
    pub destructive: bool,
    /// Whether repeating a call has no further effect.
    pub idempotent: bool,
    /// Whether the tool makes Watchpost connect to external systems.
    pub open_world: bool,
}

/// The hints of every query.
pub(crate) const QUERY: Hints = Hints {
    read_only: true,
    destructive: false,
    idempotent: true,
    open_world: false,
};

/// The declaration of a tool.
#[derive(Debug, Clone, Copy)]
pub struct Declaration {
    /// The name on the wire.
    pub name: &'static str,
    /// The name for people.
    pub title: &'static str,
    /// The description, from which a model must choose the right tool at the first try.
    pub description: &'static str,
    /// The permission that the caller needs. There is no default.
    pub permission: Permission,
    /// The hints about the tool's effects.
    pub hints: Hints,
}

impl Declaration {
    /// Whether the permission is that of queries.
    pub(super) const fn reads(&self) -> bool {
        matches!(self.permission, Permission::ReadPosture)
    }
    /// Whether the permission requires a write key.
    pub(super) const fn takes_write_key(&self) -> bool {
        !self.permission.granted_to_scope(KeyScope::Read)
    }
}

/// A tool as clients see it. Its behavior is in [`QueryTool`], or in [`ActionTool`] and [`WriteTool`].
pub(crate) trait Tool: 'static {
    /// The declaration.
    const DECLARATION: Declaration;
    /// The arguments.
    type Input: Arguments;
    /// The structured answer, for its schema.
    type Output: schemars::JsonSchema;
}

/// A tool that changes nothing. Any key may call it, its replies may be cached, and the server stores the audit entry.
pub(crate) trait QueryTool: Tool {
    /// Answers a call.
    fn run(context: &Context<'_>, input: Self::Input)
    -> impl Future<Output = Result<Answer, Failure>> + Send;
}

/// A tool that changes something. Its use case stores the audit entry with the change.
pub(crate) trait ActionTool: Tool {
    /// Executes a call.
    fn run(context: &Context<'_>, input: Self::Input)
    -> impl Future<Output = Result<Answer, Failure>> + Send;
}

/// An action that requires a write key. Its errors say whether a retry is safe, and a person may be asked before a call.
/// Nothing here has a default, so every tool of this kind must declare its risk.
pub(crate) trait WriteTool: ActionTool {
    /// The calls that are hard to undo.
    const RISK: Risk;
    /// Describes the effect of a call without changing anything.
    fn preview(
        context: &Context<'_>,
        input: &Self::Input,
    ) -> impl Future<Output = Result<Preview, Failure>> + Send;
}
