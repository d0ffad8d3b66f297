//! What a server built on this crate implements, and what it gets and gives.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::change::{Changes, Interest, NoChanges};
use crate::client::{ClientCapabilities, ClientInfo};
use crate::code::{RequiredCapability, RpcError};
use crate::completion::{CompletionQuery, Completions};
use crate::id::{ProgressToken, RequestId};
use crate::input::{InputRequired, Inputs};
use crate::json::RawJson;
use crate::notify::{Notify, Outbox, Peer, Seal};
use crate::parameter::ParameterHeaders;
use crate::prompt::{PromptPage, PromptResult};
use crate::request::Request;
use crate::resource::{ResourcePage, ResourceRead};
use crate::revision::{Era, Revision};
use crate::task::TaskState;
use crate::tool::{CacheHint, ToolCatalog, ToolResult};

/// A server's own part: written once, for the modern era, and served to every revision.
pub trait Handler: Send + Sync + 'static {
    /// Who is calling. The transport makes it from the credential; this crate only passes it on.
    type Principal: Send + Sync + 'static;

    /// Who the server is.
    fn info(&self) -> &ServerInfo;

    /// What the server offers. A method whose capability is missing here answers -32601.
    fn capabilities(&self) -> Capabilities;

    /// What a model should know before it uses this server, for this caller.
    fn instructions(&self, principal: &Self::Principal) -> Option<Cow<'_, str>>;

    /// The arguments that clients repeat in headers; read once, when the server is made.
    fn parameter_headers(&self) -> ParameterHeaders {
        ParameterHeaders::default()
    }

    /// Where the changes come from that one stream of this caller wants to hear of; it has to be registered when this
    /// returns. A change that the caller may not see has to be left out here. For a modern stream,
    /// [`Method::Listen`] has been answered before.
    fn watch(&self, principal: &Self::Principal, interest: &Interest) -> Box<dyn Changes> {
        let _ = (principal, interest);
        Box::new(NoChanges)
    }

    /// Serves one request. Everything that the protocol can check has been checked. Dropping the future is
    /// cancellation.
    fn call(&self, principal: &Self::Principal, call: Call<'_>) -> impl Future<Output = Outcome> + Send;
}

/// Who a server is. Fields that a revision doesn't have aren't sent to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerInfo {
    /// The programmatic name.
    pub name: String,
    /// The name for people.
    pub title: Option<String>,
    /// The version of the program.
    pub version: String,
    /// One sentence on what it is.
    pub description: Option<String>,
    /// Its home page, an absolute URI.
    pub website_url: Option<String>,
}

/// What a server offers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// `tools/list` and `tools/call`.
    pub tools: Offer,
    /// `prompts/list` and `prompts/get`.
    pub prompts: Offer,
    /// `resources/list`, `resources/templates/list` and `resources/read`.
    pub resources: Offer,
    /// Clients may subscribe to single resources.
    pub resource_subscriptions: bool,
    /// `completion/complete`.
    pub completions: bool,
    /// Log messages to the client: `logging/setLevel` for legacy clients; modern ones say it with each request.
    pub logging: bool,
    /// Calls may become tasks, for clients that declare the tasks extension.
    pub tasks: bool,
}

/// Whether a list is there, and whether it changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Offer {
    /// The methods answer -32601.
    #[default]
    None,
    /// It's there and stays as it is while the server runs.
    Fixed,
    /// It's there, and [`Handler::watch`] says when it changes.
    Changing,
}

impl Offer {
    /// Whether the methods are there.
    pub fn is_made(self) -> bool {
        self != Self::None
    }
}

impl Capabilities {
    /// Whether there is anything that a client could listen to.
    pub(crate) fn has_changes(self) -> bool {
        let Self {
            tools,
            prompts,
            resources,
            resource_subscriptions,
            tasks,
            ..
        } = self;
        [tools, prompts, resources].contains(&Offer::Changing) || resource_subscriptions || tasks
    }
}

/// One request to a handler.
#[derive(Debug)]
pub struct Call<'a> {
    /// What is asked.
    pub method: Method<'a>,
    /// By whom, and how it can be talked to.
    pub meta: RequestMeta<'a>,
}

/// The methods that reach a handler.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method<'a> {
    /// `tools/list`.
    ListTools {
        /// Where the page begins; `None` for the first. An empty string is a cursor.
        cursor: Option<Cow<'a, str>>,
    },
    /// `tools/call`.
    CallTool {
        /// The tool's name, not known to exist.
        name: Cow<'a, str>,
        /// A JSON object; `None` is the same as `{}`.
        arguments: Option<RawJson<'a>>,
    },
    /// `resources/list`.
    ListResources {
        /// As with tools.
        cursor: Option<Cow<'a, str>>,
    },
    /// `resources/templates/list`.
    ListResourceTemplates {
        /// As with tools.
        cursor: Option<Cow<'a, str>>,
    },
    /// `resources/read`.
    ReadResource {
        /// The address, not known to exist or to be one.
        uri: Cow<'a, str>,
    },
    /// `prompts/list`.
    ListPrompts {
        /// As with tools.
        cursor: Option<Cow<'a, str>>,
    },
    /// `prompts/get`.
    GetPrompt {
        /// The prompt's name, not known to exist.
        name: Cow<'a, str>,
        /// What the person filled in.
        arguments: BTreeMap<String, String>,
    },
    /// `completion/complete`.
    Complete(CompletionQuery<'a>),
    /// `resources/subscribe` of a legacy session: may it, and the entry of who did. The session remembers it; an
    /// unknown address is no error (mcp.md 13).
    Subscribe {
        /// The address, not known to exist or to be one.
        uri: Cow<'a, str>,
    },
    /// `resources/unsubscribe` of a legacy session.
    Unsubscribe {
        /// The address.
        uri: Cow<'a, str>,
    },
    /// `subscriptions/listen`: may it, and the entry of who did; [`Handler::watch`] follows.
    Listen {
        /// What of the wish this server offers.
        interest: &'a Interest,
    },
    /// `tasks/get`.
    GetTask {
        /// The task, not known to exist.
        id: Cow<'a, str>,
    },
    /// `tasks/update`: answers to what a task asked. Unknown keys, and those answered already, are ignored.
    UpdateTask {
        /// The task, not known to exist.
        id: Cow<'a, str>,
        /// The answers.
        answers: &'a Inputs,
    },
    /// `tasks/cancel`: a wish; the task may still end in another way.
    CancelTask {
        /// The task, not known to exist.
        id: Cow<'a, str>,
    },
}

/// What is known about a request besides its method.
#[derive(Debug)]
pub struct RequestMeta<'a> {
    request: &'a Request,
    link: Link<'a>,
    notify: Notify<'a>,
    inputs: &'a Inputs,
}

impl<'a> RequestMeta<'a> {
    pub(crate) fn new(request: &'a Request, link: Link<'a>, inputs: &'a Inputs) -> Self {
        let level = match request.era() {
            Era::Legacy => link.log_level,
            Era::Modern => request.log_level(),
        };
        let notify = Notify::new(link.outbox, request.progress_token(), level, request.revision());
        Self {
            request,
            link,
            notify,
            inputs,
        }
    }

    /// The answers to what the handler asked when it was called before for this request.
    pub fn inputs(&self) -> &'a Inputs {
        self.inputs
    }

    /// Whether the person can be asked by a form in this call: the client shows forms, and there's a way to it.
    pub fn can_ask_form(&self) -> bool {
        let has_way = match self.era() {
            Era::Legacy => self.link.peer.is_some(),
            Era::Modern => self.link.seal.is_some(),
        };
        has_way && self.revision().has_elicitation() && self.capabilities().elicitation_form
    }

    /// The era of the request; handlers rarely need it.
    pub fn era(&self) -> Era {
        self.revision().era()
    }

    /// The revision under which it is served; handlers rarely need it.
    pub fn revision(&self) -> Revision {
        self.request.revision()
    }

    /// The id of the request; its `Display` is the form for logs.
    pub fn id(&self) -> &'a RequestId<'static> {
        self.request.id()
    }

    /// Who the client says it is, if it does. Parsed on each call.
    pub fn client(&self) -> Option<Cow<'a, ClientInfo>> {
        self.request.client()
    }

    /// What the client can do. Parsed on each call.
    pub fn capabilities(&self) -> ClientCapabilities {
        self.request.capabilities()
    }

    /// The token under which the client wants to hear of progress.
    pub fn progress_token(&self) -> Option<ProgressToken<'a>> {
        self.request.progress_token()
    }

    /// The lowest level of log messages that the client wants; `None` is silence.
    pub fn log_level(&self) -> Option<LogLevel> {
        self.notify.log_level()
    }

    /// The W3C trace context's `traceparent`, as it came.
    pub fn traceparent(&self) -> Option<Cow<'a, str>> {
        self.request.traceparent()
    }

    /// Sends progress and log messages to the client, if it wants them.
    pub fn notify(&self) -> &Notify<'a> {
        &self.notify
    }

    /// Whether the client has cancelled. For work that doesn't await: the transport also drops the future.
    pub fn is_cancelled(&self) -> bool {
        self.link
            .cancelled
            .is_some_and(|flag| flag.load(Ordering::Relaxed))
    }
}

/// What ties a request to its connection; the transport makes it. The default has neither.
#[derive(Clone, Copy, Default)]
pub struct Link<'a> {
    /// Set once the client has cancelled the request.
    pub cancelled: Option<&'a AtomicBool>,
    /// Takes notifications that belong to the request. Worth making only if [`Request::wants_outbox`].
    pub outbox: Option<&'a dyn Outbox>,
    /// Takes requests to a legacy client.
    pub peer: Option<&'a dyn Peer>,
    /// Seals what travels through a modern client.
    pub seal: Option<&'a dyn Seal>,
    /// The level of log messages that a legacy session asked for.
    pub log_level: Option<LogLevel>,
}

impl std::fmt::Debug for Link<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link")
            .field("cancelled", &self.cancelled)
            .field("outbox", &self.outbox.is_some())
            .field("peer", &self.peer.is_some())
            .field("seal", &self.seal.is_some())
            .field("log_level", &self.log_level)
            .finish()
    }
}

/// Severity of log messages to the client, lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// For developers.
    Debug,
    /// Normal operation.
    Info,
    /// Normal but significant.
    Notice,
    /// Something may go wrong.
    Warning,
    /// Something failed.
    Error,
    /// A part is down.
    Critical,
    /// Someone must act now.
    Alert,
    /// Nothing works.
    Emergency,
}

impl LogLevel {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
            Self::Alert => "alert",
            Self::Emergency => "emergency",
        }
    }
}

/// How a call ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It has its result.
    Complete(Completed),
    /// It needs answers first: only for [`Method::CallTool`], [`Method::GetPrompt`] and [`Method::ReadResource`]
    /// (MRT-01).
    InputRequired(InputRequired),
    /// It goes on as a task, which is stored already so that it can be asked for at once (TKX-02): only for
    /// [`Method::CallTool`], and only if the client declared the extension (TKX-01).
    Task(TaskState),
    /// It failed as a protocol matter. What a model should read and act on is a [`ToolResult`] with `is_error`.
    Error(CallError),
}

/// The result of one method; each variant answers the [`Method`] of the same kind.
#[derive(Clone, Debug)]
pub enum Completed {
    /// Answers [`Method::ListTools`].
    Tools(ToolPage),
    /// Answers [`Method::CallTool`].
    Tool(ToolResult),
    /// Answers [`Method::ListResources`].
    Resources(ResourcePage),
    /// Answers [`Method::ListResourceTemplates`].
    ResourceTemplates(ResourcePage),
    /// Answers [`Method::ReadResource`].
    Resource(ResourceRead),
    /// Answers [`Method::ListPrompts`].
    Prompts(PromptPage),
    /// Answers [`Method::GetPrompt`].
    Prompt(PromptResult),
    /// Answers [`Method::Complete`].
    Completion(Completions),
    /// Answers [`Method::GetTask`].
    Task(TaskState),
    /// Answers [`Method::Subscribe`], [`Method::Unsubscribe`], [`Method::Listen`], [`Method::UpdateTask`] and
    /// [`Method::CancelTask`].
    Acknowledged,
}

/// One page of tools.
#[derive(Clone, Debug)]
pub struct ToolPage {
    /// The tools of this page.
    pub catalog: Arc<ToolCatalog>,
    /// Where the next page begins; `None` on the last.
    pub next_cursor: Option<String>,
    /// How long it holds; the same scope on every page.
    pub cache: CacheHint,
}

/// A protocol error of a handler.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The tool doesn't exist for this caller.
    #[error("unknown tool")]
    UnknownTool,
    /// The resource doesn't exist for this caller.
    #[error("unknown resource")]
    UnknownResource,
    /// The prompt doesn't exist for this caller.
    #[error("unknown prompt")]
    UnknownPrompt,
    /// A prompt's argument that is required isn't there.
    #[error("the argument `{0}` is missing")]
    MissingArgument(Cow<'static, str>),
    /// What is to be completed doesn't exist for this caller: no such prompt, template or argument.
    #[error("there is nothing of this name to complete")]
    UnknownCompletion,
    /// The task doesn't exist for this caller.
    #[error("unknown task")]
    UnknownTask,
    /// The client would have to declare this capability.
    #[error("the client lacks a capability")]
    MissingCapability(RequiredCapability),
    /// The cursor wasn't made by this server for this list.
    #[error("the cursor isn't one of this list; begin again without one")]
    InvalidCursor,
    /// The parameters are wrong; the text goes to the client.
    #[error("{0}")]
    InvalidParams(Cow<'static, str>),
    /// The server failed; nothing of why goes to the client, so the handler has logged it.
    #[error("internal error")]
    Internal,
    /// As [`CallError::Internal`], with the id under which the handler has logged it; the id goes to the client.
    #[error("internal error; the server's log has it as incident {0}")]
    Incident(String),
}

impl CallError {
    pub(crate) fn into_rpc(self, method: &Method<'_>, era: Era) -> RpcError {
        match (self, method) {
            (Self::UnknownResource, Method::ReadResource { uri }) => RpcError::unknown_resource(uri, era),
            (Self::UnknownTool, Method::CallTool { name, .. }) => {
                RpcError::invalid_params(format!("Unknown tool: {}", crate::json::clip(name, 128)))
            }
            (Self::UnknownPrompt, Method::GetPrompt { name, .. }) => {
                RpcError::invalid_params(format!("Unknown prompt: {}", crate::json::clip(name, 128)))
            }
            (error, _) => error.into_rpc_alone(era),
        }
    }

    /// Without the request that it answers.
    pub(crate) fn into_rpc_alone(self, era: Era) -> RpcError {
        match self {
            Self::Internal => RpcError::internal(),
            error @ Self::Incident(_) => RpcError::incident(error.to_string()),
            Self::InvalidParams(text) => RpcError::invalid_params(text),
            Self::MissingCapability(required) => RpcError::missing_capability(required, era),
            error => RpcError::invalid_params(error.to_string()),
        }
    }
}
