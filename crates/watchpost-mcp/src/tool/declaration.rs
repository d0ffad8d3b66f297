//! What is fixed about a tool, and what it does.

use crate::{
    arguments::Arguments,
    confirm::{Preview, Risk},
    error::Failure,
    tool::{Answer, Context},
};
use std::future::Future;
use watchpost_core::access::{KeyScope, Permission};

/// What a tool says about its effects. MCP's defaults are pessimistic, so all four are always stated. They are
/// declared beside the permission and derived from nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hints {
    /// It changes nothing.
    pub read_only: bool,
    /// It changes or hides something that is there.
    pub destructive: bool,
    /// Doing it again changes nothing more.
    pub idempotent: bool,
    /// It makes Watchpost talk to systems outside.
    pub open_world: bool,
}

/// The hints of every query.
pub(crate) const QUERY: Hints = Hints {
    read_only: true,
    destructive: false,
    idempotent: true,
    open_world: false,
};

/// What is fixed about a tool.
#[derive(Debug, Clone, Copy)]
pub struct Declaration {
    /// Its name on the wire.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// For a model that must pick the right tool at the first try.
    pub description: &'static str,
    /// What the caller needs. No default.
    pub permission: Permission,
    /// The four hints.
    pub hints: Hints,
}

impl Declaration {
    /// Whether the permission is that of queries.
    pub(super) const fn reads(&self) -> bool {
        matches!(self.permission, Permission::ReadPosture)
    }
    /// Whether the permission takes a write key.
    pub(super) const fn takes_write_key(&self) -> bool {
        !self.permission.granted_to_scope(KeyScope::Read)
    }
}

/// A tool: what clients see of it. What it does is one of [`QueryTool`], [`ActionTool`], and [`WriteTool`].
pub(crate) trait Tool: 'static {
    /// What is fixed about it.
    const DECLARATION: Declaration;
    /// Its arguments.
    type Input: Arguments;
    /// Its structured answer, for the schema.
    type Output: schemars::JsonSchema;
}

/// A tool that changes nothing: any key may call it, its replies may be kept, and the server stores the audit entry.
pub(crate) trait QueryTool: Tool {
    /// Answers.
    fn run(context: &Context<'_>, input: Self::Input)
    -> impl Future<Output = Result<Answer, Failure>> + Send;
}

/// A tool that leaves something behind: its use case stores the audit entry with the change.
pub(crate) trait ActionTool: Tool {
    /// Does it.
    fn run(context: &Context<'_>, input: Self::Input)
    -> impl Future<Output = Result<Answer, Failure>> + Send;
}

/// An action that takes a write key. Its errors say whether it can be called again, and a person may be asked first:
/// nothing here has a default, so that no tool of this kind escapes the question.
pub(crate) trait WriteTool: ActionTool {
    /// Which calls are hard to take back.
    const RISK: Risk;
    /// What a call would change. It changes nothing itself.
    fn preview(
        context: &Context<'_>,
        input: &Self::Input,
    ) -> impl Future<Output = Result<Preview, Failure>> + Send;
}
