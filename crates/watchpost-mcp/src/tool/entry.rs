//! A tool in the list of tools, and a call of it with its arguments parsed.

use crate::{
    arguments::{self, AuditArguments},
    confirm::{Preview, Risk},
    error::Failure,
    schema,
    tool::{ActionTool, Answer, Caller, Context, Declaration, QueryTool, Tool, WriteTool},
};
use std::{future::Future, pin::Pin};
use watchpost_core::audit::AuditKey;

/// A tool in the list: its declaration, and what the server does with it.
pub struct ToolEntry {
    /// What is fixed about it.
    pub declaration: Declaration,
    pub(crate) kind: Kind,
    input_schema: fn() -> serde_json::Value,
    output_schema: fn() -> serde_json::Value,
}

/// What the server does with calls of a tool.
pub(crate) enum Kind {
    /// Answers them, from kept replies where it can.
    Query(Prepare<dyn RunQuery>),
    /// Does them at once.
    Action(Prepare<dyn RunAction>),
    /// May ask a person first.
    Write {
        /// Which calls are hard to take back.
        risk: Risk,
        /// Parses a call's arguments.
        prepare: Prepare<dyn RunWrite>,
    },
}

/// Parses a call's arguments: the only place where that happens.
pub(crate) type Prepare<R> = for<'k> fn(Option<&str>, &'k AuditKey) -> Result<Prepared<'k, R>, Failure>;

/// A call with its arguments parsed.
pub(crate) struct Prepared<'k, R: ?Sized> {
    /// The arguments as the audit log keeps them.
    pub(crate) arguments: AuditArguments<'k>,
    /// What runs.
    pub(crate) call: Box<R>,
}

/// What a running call will come to.
pub(crate) type Running<'c, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'c>>;

/// A parsed call of a [`QueryTool`].
pub(crate) trait RunQuery: Send + Sync {
    /// Answers it.
    fn run<'c>(self: Box<Self>, context: &'c Context<'c>) -> Running<'c, Answer>;
}

/// A parsed call of an [`ActionTool`].
pub(crate) trait RunAction: Send + Sync {
    /// Does it.
    fn run<'c>(self: Box<Self>, context: &'c Context<'c>) -> Running<'c, Answer>;
}

/// A parsed call of a [`WriteTool`].
pub(crate) trait RunWrite: RunAction {
    /// What it would change.
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
) -> Result<(AuditArguments<'k>, Parsed<T>), Failure> {
    let tool = T::DECLARATION.name;
    let input: T::Input = arguments::parse(tool, raw)?;
    Ok((AuditArguments::new(tool, &input, key), Parsed(input)))
}

impl ToolEntry {
    /// The entry of a query.
    ///
    /// # Panics
    /// If the tool's permission isn't that of queries. The list is a static, so the build fails.
    pub(crate) const fn query<T: QueryTool>() -> Self {
        assert!(
            T::DECLARATION.reads() && T::DECLARATION.hints.read_only,
            "a query needs the permission to read and no other"
        );
        Self::of::<T>(Kind::Query(|raw, key| {
            let (arguments, call) = parse::<T>(raw, key)?;
            let call: Box<dyn RunQuery> = Box::new(call);
            Ok(Prepared { arguments, call })
        }))
    }

    /// The entry of an action that a read key may ask for.
    ///
    /// # Panics
    /// If the tool's permission is that of queries, or takes a write key. The list is a static, so the build fails.
    pub(crate) const fn action<T: ActionTool>() -> Self {
        assert!(
            !T::DECLARATION.reads() && !T::DECLARATION.hints.read_only,
            "an action isn't a query"
        );
        assert!(
            !T::DECLARATION.takes_write_key(),
            "an action that takes a write key is a `WriteTool`, which says how risky it is"
        );
        Self::of::<T>(Kind::Action(|raw, key| {
            let (arguments, call) = parse::<T>(raw, key)?;
            let call: Box<dyn RunAction> = Box::new(call);
            Ok(Prepared { arguments, call })
        }))
    }

    /// The entry of a tool that takes a write key.
    ///
    /// # Panics
    /// If the tool's permission takes none. The list is a static, so the build fails.
    pub(crate) const fn write<T: WriteTool>() -> Self {
        assert!(
            T::DECLARATION.takes_write_key() && !T::DECLARATION.hints.read_only,
            "a write tool needs a permission that read keys don't have"
        );
        Self::of::<T>(Kind::Write {
            risk: T::RISK,
            prepare: |raw, key| {
                let (arguments, call) = parse::<T>(raw, key)?;
                let call: Box<dyn RunWrite> = Box::new(call);
                Ok(Prepared { arguments, call })
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

    /// Whether it changes nothing.
    pub const fn is_query(&self) -> bool {
        matches!(self.kind, Kind::Query(_))
    }
    /// Which calls are hard to take back; `None` unless it takes a write key.
    pub const fn risk(&self) -> Option<Risk> {
        match &self.kind {
            Kind::Query(_) | Kind::Action(_) => None,
            Kind::Write { risk, .. } => Some(*risk),
        }
    }
    /// Whether it takes a write key.
    pub const fn takes_write_key(&self) -> bool {
        self.risk().is_some()
    }
    /// JSON Schema of the arguments.
    pub fn input_schema(&self) -> serde_json::Value {
        (self.input_schema)()
    }
    /// JSON Schema of the structured answer.
    pub fn output_schema(&self) -> serde_json::Value {
        (self.output_schema)()
    }
    /// The arguments of a call that is refused before it begins, as the audit log keeps them.
    pub(crate) fn reduce(&self, raw: Option<&str>, key: &AuditKey) -> String {
        let arguments = match &self.kind {
            Kind::Query(prepare) => prepare(raw, key).map(|call| call.arguments),
            Kind::Action(prepare) => prepare(raw, key).map(|call| call.arguments),
            Kind::Write { prepare, .. } => prepare(raw, key).map(|call| call.arguments),
        };
        arguments.map_or_else(|_| NOT_PARSED.to_owned(), |arguments| arguments.text(None))
    }
}

/// What the audit log keeps of arguments that can't be parsed.
pub(crate) const NOT_PARSED: &str = "{}";

impl std::fmt::Debug for ToolEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.declaration.fmt(f)
    }
}

/// A query's answer for what isn't a call of the tool: a resource. Its audit entry is the resource's.
pub(crate) async fn answer<T: QueryTool>(
    caller: Caller<'_>,
    arguments: &serde_json::Value,
) -> Result<Answer, Failure> {
    let (arguments, Parsed(input)) = parse::<T>(Some(&arguments.to_string()), caller.audit_key)?;
    T::run(&Context::new(caller, &arguments, None), input).await
}
