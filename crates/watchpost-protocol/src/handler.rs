//! What a server built on this crate implements, and what it gets and gives.

use crate::{
    cache::CacheHint,
    call_error::CallError,
    capabilities::Capabilities,
    change::{Changes, Interest, NoChanges},
    client::{ClientCapabilities, ClientInfo},
    completion::Completions,
    id::{ProgressToken, RequestId},
    input::{InputRequired, Inputs},
    log_level::LogLevel,
    method::Method,
    notify::{Notify, Outbox, Peer, Seal},
    parameter::ParameterHeaders,
    prompt::{PromptPage, PromptResult},
    request::Request,
    resource::{ResourcePage, ResourceRead},
    revision::{Era, Revision},
    task::TaskState,
    tool::{ToolCatalog, ToolResult},
};
use std::{
    borrow::Cow,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

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
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// One request to a handler.
#[derive(Debug)]
pub struct Call<'a> {
    /// What is asked.
    pub method: Method<'a>,
    /// By whom, and how it can be talked to.
    pub meta: RequestMeta<'a>,
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

/// How a call ended.
#[derive(Debug, Clone)]
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
#[derive(Debug, Clone)]
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
#[derive(Debug, Clone)]
pub struct ToolPage {
    /// The tools of this page.
    pub catalog: Arc<ToolCatalog>,
    /// Where the next page begins; `None` on the last.
    pub next_cursor: Option<String>,
    /// How long it holds; the same scope on every page.
    pub cache: CacheHint,
}
