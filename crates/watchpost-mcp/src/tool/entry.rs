//! An entry in the list of tools, and a call with parsed arguments.

use crate::{
    arguments::{self, AuditArguments, UnknownArguments},
    confirm::{Preview, Risk},
    error::Failure,
    schema,
    tool::{ActionTool, Answer, Caller, Context, Declaration, QueryTool, Tool, WriteTool},
};
use std::{future::Future, pin::Pin};
use watchpost_core::audit::AuditKey;

/// An entry in the list of tools.
pub struct ToolEntry {
    /// The tool's declaration.
    pub declaration: Declaration,
    pub(crate) kind: Kind,
    input_schema: fn() -> serde_json::Value,
    output_schema: fn() -> serde_json::Value,
}

/// The kind of a tool, which determines how the server handles its calls.
pub(crate) enum Kind {
    /// Calls are answered from the cache if possible.
    Query(Prepare<dyn RunQuery>),
    /// Calls are executed without a question.
    Action(Prepare<dyn RunAction>),
    /// A person may be asked before a call is executed.
    Write {
        /// The calls that are hard to undo.
        risk: Risk,
        /// Parses a call's arguments.
        prepare: Prepare<dyn RunWrite>,
    },
}

/// Parses a call's arguments. All arguments are parsed by such a function.
pub(crate) type Prepare<R> = for<'k> fn(Option<&str>, &'k AuditKey) -> Result<Prepared<'k, R>, Failure>;

/// A call with parsed arguments.
pub(crate) struct Prepared<'k, R: ?Sized> {
    /// The arguments in the form of the audit log.
    pub(crate) arguments: AuditArguments<'k>,
    /// The call to run.
    pub(crate) call: Box<R>,
    /// The names of the arguments that were ignored. Always empty for actions.
    pub(crate) ignored: Vec<String>,
}

/// The future of a running call.
pub(crate) type Running<'c, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'c>>;

/// A parsed call of a [`QueryTool`].
pub(crate) trait RunQuery: Send + Sync {
    /// Answers the call.
    fn run<'c>(self: Box<Self>, context: &'c Context<'c>) -> Running<'c, Answer>;
}

/// A parsed call of an [`ActionTool`].
pub(crate) trait RunAction: Send + Sync {
    /// Executes the call.
    fn run<'c>(self: Box<Self>, context: &'c Context<'c>) -> Running<'c, Answer>;
}

/// A parsed call of a [`WriteTool`].
pub(crate) trait RunWrite: RunAction {
    /// Describes the effect of the call without changing anything.
    fn preview<'c>(&'c self, context: &'c Context<'c>) -> Running<'c, Preview>;
}

/// The parsed arguments of one tool.
struct Parsed<T: Tool>(T::Input);

impl<T: QueryTool> RunQuery for Parsed<T> {
    fn run<'c>(self: Box<Self>, context: &'c Context<'c>) -> Running<'c, Answer> {
        Box::pin(T::run(context, self.0))
    }
}

impl<T: ActionTool> RunAction for Parsed<T> {
    fn run<'c>(self: Box<Self>, context: &'c Context<'c>) -> Running<'c, Answer> {
        Box::pin(T::run(context, self.0))
    }
}

impl<T: WriteTool> RunWrite for Parsed<T> {
    fn preview<'c>(&'c self, context: &'c Context<'c>) -> Running<'c, Preview> {
        Box::pin(T::preview(context, &self.0))
    }
}

fn parse<'k, T: Tool>(
    raw: Option<&str>,
    key: &'k AuditKey,
    unknown: UnknownArguments,
) -> Result<(AuditArguments<'k>, Parsed<T>, Vec<String>), Failure> {
    let tool = T::DECLARATION.name;
    let (input, ignored): (T::Input, _) = arguments::parse(tool, raw, unknown)?;
    Ok((AuditArguments::new(tool, &input, key), Parsed(input), ignored))
}

impl ToolEntry {
    /// Creates the entry of a query.
    ///
    /// # Panics
    /// If the tool's permission isn't that of queries. The list is a static, so this fails the build.
    pub(crate) const fn query<T: QueryTool>() -> Self {
        assert!(
            T::DECLARATION.reads() && T::DECLARATION.hints.read_only,
            "a query requires the permission to read and no other"
        );
        Self::of::<T>(Kind::Query(|raw, key| {
            let (arguments, call, ignored) = parse::<T>(raw, key, UnknownArguments::Ignore)?;
            let call: Box<dyn RunQuery> = Box::new(call);
            Ok(Prepared {
                arguments,
                call,
                ignored,
            })
        }))
    }

    /// Creates the entry of an action that a read key may call.
    ///
    /// # Panics
    /// If the tool's permission is that of queries, or requires a write key. The list is a static, so this fails the build.
    pub(crate) const fn action<T: ActionTool>() -> Self {
        assert!(
            !T::DECLARATION.reads() && !T::DECLARATION.hints.read_only,
            "an action isn't a query"
        );
        assert!(
            !T::DECLARATION.takes_write_key(),
            "an action that requires a write key must be a `WriteTool`, which declares its risk"
        );
        Self::of::<T>(Kind::Action(|raw, key| {
            let (arguments, call, ignored) = parse::<T>(raw, key, UnknownArguments::Refuse)?;
            let call: Box<dyn RunAction> = Box::new(call);
            Ok(Prepared {
                arguments,
                call,
                ignored,
            })
        }))
    }

    /// Creates the entry of a tool that requires a write key.
    ///
    /// # Panics
    /// If the tool's permission requires none. The list is a static, so this fails the build.
    pub(crate) const fn write<T: WriteTool>() -> Self {
        assert!(
            T::DECLARATION.takes_write_key() && !T::DECLARATION.hints.read_only,
            "a write tool requires a permission that read keys don't have"
        );
        Self::of::<T>(Kind::Write {
            risk: T::RISK,
            prepare: |raw, key| {
                let (arguments, call, ignored) = parse::<T>(raw, key, UnknownArguments::Refuse)?;
                let call: Box<dyn RunWrite> = Box::new(call);
                Ok(Prepared {
                    arguments,
                    call,
                    ignored,
                })
            },
        })
    }

    const fn of<T: Tool>(kind: Kind) -> Self {
        Self {
            declaration: T::DECLARATION,
            kind,
            input_schema: schema::of_input::<T::Input>,
            output_schema: schema::of_output::<T::Output>,
        }
    }

    /// Whether the tool changes nothing.
    pub const fn is_query(&self) -> bool {
        matches!(self.kind, Kind::Query(_))
    }
    /// Returns the calls that are hard to undo; `None` for a tool that requires no write key.
    pub const fn risk(&self) -> Option<Risk> {
        match &self.kind {
            Kind::Query(_) | Kind::Action(_) => None,
            Kind::Write { risk, .. } => Some(*risk),
        }
    }
    /// Whether the tool requires a write key.
    pub const fn takes_write_key(&self) -> bool {
        self.risk().is_some()
    }
    /// Returns the JSON Schema of the arguments.
    pub fn input_schema(&self) -> serde_json::Value {
        (self.input_schema)()
    }
    /// Returns the JSON Schema of the structured answer.
    pub fn output_schema(&self) -> serde_json::Value {
        (self.output_schema)()
    }
    /// Returns the arguments of a call that is denied, in the form of the audit log.
    pub(crate) fn reduce(&self, raw: Option<&str>, key: &AuditKey) -> String {
        let arguments = match &self.kind {
            Kind::Query(prepare) => prepare(raw, key).map(|call| call.arguments),
            Kind::Action(prepare) => prepare(raw, key).map(|call| call.arguments),
            Kind::Write { prepare, .. } => prepare(raw, key).map(|call| call.arguments),
        };
        arguments.map_or_else(|_| NOT_PARSED.to_owned(), |arguments| arguments.text(None))
    }
}

/// The text in the audit log for arguments that can't be parsed.
pub(crate) const NOT_PARSED: &str = "{}";

impl std::fmt::Debug for ToolEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.declaration.fmt(f)
    }
}

/// Runs a query for a resource, outside a tool call. The resource stores the audit entry.
pub(crate) async fn answer<T: QueryTool>(
    caller: Caller<'_>,
    arguments: &serde_json::Value,
) -> Result<Answer, Failure> {
    let raw = arguments.to_string();
    let (arguments, Parsed(input), _) = parse::<T>(Some(&raw), caller.audit_key, UnknownArguments::Refuse)?;
    T::run(&Context::new(caller, &arguments, None), input).await
}
