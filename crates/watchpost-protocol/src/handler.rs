//! The trait that a server implements, and the types of its calls and results.

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

/// The behavior of a server. It is written once, in terms of the modern era, and serves clients of every
/// revision.
pub trait Handler: Send + Sync + 'static {
    /// The authenticated caller. The transport makes it from the credential; this crate only passes it on.
    type Principal: Send + Sync + 'static;

    /// Returns the server's name and version.
    fn info(&self) -> &ServerInfo;

    /// Returns the capabilities of the server. Methods of capabilities that are missing here are answered with
    /// -32601.
    fn capabilities(&self) -> Capabilities;

    /// Returns the text that tells a model how to use this server, for this caller.
    fn instructions(&self, principal: &Self::Principal) -> Option<Cow<'_, str>>;

    /// Returns the arguments that clients repeat in HTTP headers. Read once, when the server is created.
    fn parameter_headers(&self) -> ParameterHeaders {
        ParameterHeaders::default()
    }

    /// Returns the source of changes for one stream of this caller. The source must be registered when this
    /// returns, so that no later change is lost. It must leave out changes that the caller may not see. For a
    /// modern stream, [`Method::Listen`] has already been answered.
    fn watch(&self, principal: &Self::Principal, interest: &Interest) -> Box<dyn Changes> {
        let _ = (principal, interest);
        Box::new(NoChanges)
    }

    /// Serves one request. Everything that the protocol can check has been checked. Dropping the future cancels
    /// the request.
    fn call(&self, principal: &Self::Principal, call: Call<'_>) -> impl Future<Output = Outcome> + Send;
}

/// The name and version of a server. Fields that a client's revision doesn't have aren't sent to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerInfo {
    /// The programmatic name.
    pub name: String,
    /// The display name.
    pub title: Option<String>,
    /// The version of the server program.
    pub version: String,
    /// A one-sentence description.
    pub description: Option<String>,
    /// The home page, an absolute URI.
    pub website_url: Option<String>,
    /// The icon that a client may show beside the name. It is sent in the handshake alone, not with each result.
    pub icon: Option<Icon>,
}

/// An image within the message that names it, so that a client never fetches anything to show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Icon {
    /// The file.
    pub bytes: &'static [u8],
    /// The media type of the file, such as `image/png`.
    pub media_type: &'static str,
    /// The width and height in pixels, such as `64x64`, or `any` for a format that scales.
    pub size: &'static str,
}

/// One call of a handler.
#[derive(Debug)]
pub struct Call<'a> {
    /// The requested method with its parameters.
    pub method: Method<'a>,
    /// The context of the request.
    pub meta: RequestMeta<'a>,
}

/// The context of a request: everything that is known about it besides its method.
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

    /// Returns the answers to the questions that the handler asked in earlier rounds of this request.
    pub fn inputs(&self) -> &'a Inputs {
        self.inputs
    }

    /// Whether this call can ask the user by a form: the client supports forms, and there is a channel to it.
    pub fn can_ask_form(&self) -> bool {
        let has_channel = match self.era() {
            Era::Legacy => self.link.peer.is_some(),
            Era::Modern => self.link.seal.is_some(),
        };
        has_channel && self.revision().has_elicitation() && self.capabilities().elicitation_form
    }

    /// Returns the era of the request. Handlers rarely need it.
    pub fn era(&self) -> Era {
        self.revision().era()
    }

    /// Returns the revision under which the request is served. Handlers rarely need it.
    pub fn revision(&self) -> Revision {
        self.request.revision()
    }

    /// Returns the id of the request. Its `Display` form is meant for logs.
    pub fn id(&self) -> &'a RequestId<'static> {
        self.request.id()
    }

    /// Returns the name and version that the client reports, if it does. Parsed on each call.
    pub fn client(&self) -> Option<Cow<'a, ClientInfo>> {
        self.request.client()
    }

    /// Returns the client's capabilities. Parsed on each call.
    pub fn capabilities(&self) -> ClientCapabilities {
        self.request.capabilities()
    }

    /// Returns the token for progress notifications, if the client asked for them.
    pub fn progress_token(&self) -> Option<ProgressToken<'a>> {
        self.request.progress_token()
    }

    /// Returns the lowest level of log messages that the client asked for. `None` means no log messages.
    pub fn log_level(&self) -> Option<LogLevel> {
        self.notify.log_level()
    }

    /// Returns the `traceparent` of the W3C trace context, unchanged.
    pub fn traceparent(&self) -> Option<Cow<'a, str>> {
        self.request.traceparent()
    }

    /// Returns the sender of progress and log messages, which sends only what the client asked for.
    pub fn notify(&self) -> &Notify<'a> {
        &self.notify
    }

    /// Whether the client has cancelled the request. Meant for code that doesn't await: the transport also
    /// drops the future.
    pub fn is_cancelled(&self) -> bool {
        self.link
            .cancelled
            .is_some_and(|flag| flag.load(Ordering::Relaxed))
    }
}

/// The connection of a request, made by the transport. The default has no channel to the client.
#[derive(Clone, Copy, Default)]
pub struct Link<'a> {
    /// Set once the client has cancelled the request.
    pub cancelled: Option<&'a AtomicBool>,
    /// Sends notifications that belong to the request. Needed only if [`Request::wants_outbox`].
    pub outbox: Option<&'a dyn Outbox>,
    /// Sends requests to a legacy client.
    pub peer: Option<&'a dyn Peer>,
    /// Seals state that travels through a modern client.
    pub seal: Option<&'a dyn Seal>,
    /// The log level that a legacy session has set.
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

/// The outcome of a call.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The call is complete and has a result.
    Complete(Completed),
    /// The call needs answers from the client first. Allowed only for [`Method::CallTool`],
    /// [`Method::GetPrompt`] and [`Method::ReadResource`] (MRT-01).
    InputRequired(InputRequired),
    /// The call continues as a task, which must already be stored so that the client can fetch it at once
    /// (TKX-02). Allowed only for [`Method::CallTool`], and only if the client declared the tasks extension
    /// (TKX-01).
    Task(TaskState),
    /// The call failed with a protocol error. A failure that a model should read and act on is a [`ToolResult`]
    /// with `is_error` instead.
    Error(CallError),
}

/// The result of one method. Each variant answers the [`Method`] of the same kind.
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
    /// The cursor of the next page. `None` on the last page.
    pub next_cursor: Option<String>,
    /// The cache hint. Its scope must be the same on every page.
    pub cache: CacheHint,
}
