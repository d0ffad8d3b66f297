//! What a server built on this crate implements, and what it gets and gives.

use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::client::{ClientCapabilities, ClientInfo};
use crate::code::RpcError;
use crate::id::{ProgressToken, RequestId};
use crate::json::RawJson;
use crate::notify::{Notify, Outbox};
use crate::request::Request;
use crate::resource::{ResourcePage, ResourceText};
use crate::revision::{Era, Revision};
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

/// What a server offers. Prompts, completion, logging and subscriptions get their fields here together with their
/// methods; until then those methods answer -32601.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// `tools/list` and `tools/call`.
    pub tools: bool,
    /// `resources/list`, `resources/templates/list` and `resources/read`.
    pub resources: bool,
}

/// One request to a handler.
#[derive(Debug)]
pub struct Call<'a> {
    /// What is asked.
    pub method: Method<'a>,
    /// By whom, and how it can be talked to.
    pub meta: RequestMeta<'a>,
}

/// The methods that reach a handler. Those of prompts, completion, subscriptions and tasks become
/// variants together with their capabilities.
#[derive(Clone, Debug, PartialEq, Eq)]
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
}

/// What is known about a request besides its method.
#[derive(Debug)]
pub struct RequestMeta<'a> {
    request: &'a Request,
    link: Link<'a>,
    notify: Notify<'a>,
}

impl<'a> RequestMeta<'a> {
    pub(crate) fn new(request: &'a Request, link: Link<'a>) -> Self {
        let notify = Notify::new(link.outbox.zip(request.progress_token()), request.revision());
        Self {
            request,
            link,
            notify,
        }
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

    /// The lowest level of log messages that the client wants for this request; `None` is silence.
    pub fn log_level(&self) -> Option<LogLevel> {
        self.request.log_level()
    }

    /// The W3C trace context's `traceparent`, as it came.
    pub fn traceparent(&self) -> Option<Cow<'a, str>> {
        self.request.traceparent()
    }

    /// Sends progress to the client, if it wants it.
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
    /// Takes notifications that belong to the request. Worth making only if [`Request::wants_progress`].
    pub outbox: Option<&'a dyn Outbox>,
}

impl std::fmt::Debug for Link<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link")
            .field("cancelled", &self.cancelled)
            .field("outbox", &self.outbox.is_some())
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

/// How a call ended. Asking the client for input and handing out a task become variants together with the
/// parameters (`inputResponses`, `requestState`) and methods that answer them.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It has its result.
    Complete(Completed),
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
    Resource(ResourceText),
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
pub enum CallError {
    /// The tool doesn't exist for this caller.
    #[error("unknown tool")]
    UnknownTool,
    /// The resource doesn't exist for this caller.
    #[error("unknown resource")]
    UnknownResource,
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
            (Self::Internal, _) => RpcError::internal(),
            (error @ Self::Incident(_), _) => RpcError::incident(error.to_string()),
            (Self::InvalidParams(text), _) => RpcError::invalid_params(text),
            (error, _) => RpcError::invalid_params(error.to_string()),
        }
    }
}
