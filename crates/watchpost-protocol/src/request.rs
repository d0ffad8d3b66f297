//! Decoded messages: a transport receives them from `decode` and passes them to `handle`.

use crate::{
    change::Interest,
    client::{ClientCapabilities, ClientInfo, SessionState},
    completion::CompletionQuery,
    header::Header,
    id::{ProgressToken, RequestId},
    input::Inputs,
    json::{
        RawJson,
        scanner::{Members, Span},
    },
    log_level::LogLevel,
    method::Method,
    parameter::ParameterSource,
    revision::{Era, Revision, era::TransportKind},
};
use bytes::Bytes;
use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

/// The context of a message that the transport provides besides its bytes.
#[derive(Debug, Clone, Copy)]
pub struct TransportFacts<'a> {
    /// The transport that carried the message.
    pub transport: TransportKind,
    /// The `MCP-Protocol-Version` header. This header and the next two are always absent outside of HTTP.
    pub version: Header<'a>,
    /// The `Mcp-Method` header.
    pub method: Header<'a>,
    /// The `Mcp-Name` header.
    pub name: Header<'a>,
    /// Access to the `Mcp-Param-*` headers.
    pub parameters: Option<&'a dyn ParameterSource>,
    /// The result of the legacy handshake of this session or process. `None` before the handshake, or without a
    /// session.
    pub session: Option<&'a Arc<SessionState>>,
}

impl<'a> TransportFacts<'a> {
    /// Creates facts without headers.
    pub fn new(transport: TransportKind, session: Option<&'a Arc<SessionState>>) -> Self {
        Self {
            transport,
            version: Header::Absent,
            method: Header::Absent,
            name: Header::Absent,
            parameters: None,
            session,
        }
    }
}

/// A decoded message or array of messages. It owns its bytes, so it can be moved to another task.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "the large variant is the common one")]
pub enum Incoming {
    /// A request. Pass it to `Server::handle`.
    Request(Request),
    /// A notification. It is never answered; HTTP acknowledges it with 202 and no body.
    Notification(Notification),
    /// A legacy client's responses to requests from the server. HTTP acknowledges them with 202 and no body,
    /// even if no request is waiting for them.
    Responses(Vec<Response>),
    /// An array of messages, valid only in 2025-03-26. Pass it to `Server::handle_batch`.
    Batch(Batch),
    /// The message was rejected. This is the complete response.
    Rejected(Reply),
}

/// A client's response to a request from the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The id of the request, if the response has a valid one.
    pub id: Option<RequestId<'static>>,
    /// The result, a JSON value. `None` if the response is an error.
    pub result: Option<String>,
}

/// A notification from the client, reduced to what the transport must do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notification {
    /// The legacy handshake is complete. The server may now send unsolicited notifications.
    Initialized,
    /// The client cancelled this request of the same session or process: stop it and don't answer it. Ignore
    /// ids of requests that aren't in progress.
    Cancelled(RequestId<'static>),
    /// The notification needs no action.
    Ignored,
}

/// The elements of an array of messages, in order.
#[derive(Debug)]
pub struct Batch {
    pub(crate) transport: TransportKind,
    pub(crate) items: Vec<BatchItem>,
}

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "the large variant is the common one")]
pub(crate) enum BatchItem {
    Request(Request),
    Notification(Notification),
    /// The complete response to a rejected element.
    Rejected(Bytes),
}

impl Batch {
    /// Returns the notifications of the array. The transport acts on them before it passes the batch on.
    pub fn notifications(&self) -> impl Iterator<Item = &Notification> {
        self.items.iter().filter_map(|item| match item {
            BatchItem::Notification(notification) => Some(notification),
            BatchItem::Request(_) | BatchItem::Rejected(_) => None,
        })
    }

    /// Returns the requests of the array.
    pub fn requests(&self) -> impl Iterator<Item = &Request> {
        self.items.iter().filter_map(|item| match item {
            BatchItem::Request(request) => Some(request),
            BatchItem::Notification(_) | BatchItem::Rejected(_) => None,
        })
    }
}

/// The response to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status, if the message came over HTTP. On HTTP+SSE, 202 means that `body` is sent on the event
    /// stream; with any other status, `body` is the response to the POST itself. Has no meaning on stdio.
    pub status: u16,
    /// One JSON text without line breaks. `None` if there is nothing to send.
    pub body: Option<Bytes>,
    /// Changes of the session that the transport must apply before it sends the response.
    pub effects: Vec<Effect>,
}

impl Reply {
    /// Returns the new session's state, if this is the response to a successful handshake.
    pub fn new_session(&self) -> Option<&Arc<SessionState>> {
        self.effects.iter().find_map(|effect| match effect {
            Effect::SessionOpened(state) => Some(state),
            _ => None,
        })
    }
}

/// A change of a session made by a legacy request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// A handshake succeeded. The transport stores or seals this state; on HTTP it also issues the session's
    /// id.
    SessionOpened(Arc<SessionState>),
    /// The session subscribed to the resource with this URI.
    Subscribed(String),
    /// The session unsubscribed from the resource with this URI.
    Unsubscribed(String),
    /// The session asked for log messages of this level and above.
    LogLevel(LogLevel),
}

/// The operation that a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Legacy: `initialize`.
    Initialize,
    /// Legacy: `ping`.
    Ping,
    /// Modern: `server/discover`.
    Discover,
    /// `tools/list`.
    ListTools,
    /// `tools/call`.
    CallTool,
    /// `resources/list`.
    ListResources,
    /// `resources/templates/list`.
    ListResourceTemplates,
    /// `resources/read`.
    ReadResource,
    /// `prompts/list`.
    ListPrompts,
    /// `prompts/get`.
    GetPrompt,
    /// `completion/complete`.
    Complete,
    /// Legacy: `logging/setLevel`.
    SetLogLevel,
    /// Legacy: `resources/subscribe`.
    Subscribe,
    /// Legacy: `resources/unsubscribe`.
    Unsubscribe,
    /// Modern: `subscriptions/listen`, answered by `Server::listen`.
    Listen,
    /// `tasks/get`.
    GetTask,
    /// `tasks/update`.
    UpdateTask,
    /// `tasks/cancel`.
    CancelTask,
}

impl Operation {
    /// Whether the server may ask the client for input during this operation (MRT-01).
    pub(crate) fn may_ask(self) -> bool {
        matches!(self, Self::CallTool | Self::GetPrompt | Self::ReadResource)
    }
}

/// A validated request: its era and revision are known, its envelope and routing headers are correct, its
/// method is offered, and its parameters have the right shape.
#[derive(Debug)]
pub struct Request {
    pub(crate) body: Bytes,
    pub(crate) members: Members,
    pub(crate) id: RequestId<'static>,
    pub(crate) transport: TransportKind,
    pub(crate) revision: Revision,
    pub(crate) operation: Operation,
    /// For `initialize`, the state of the new session; otherwise the state of the session of the request.
    pub(crate) session: Option<Arc<SessionState>>,
}

impl Request {
    fn member(&self, span: Span) -> Option<RawJson<'_>> {
        span.of(&self.body)
    }

    /// Returns the request's id.
    pub fn id(&self) -> &RequestId<'static> {
        &self.id
    }

    /// Returns the revision under which the request is served.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// Returns the request's era.
    pub fn era(&self) -> Era {
        self.revision.era()
    }

    /// Whether the client reads a protocol error in a response whose HTTP status is that of a failure. Other clients show
    /// the model a tool error only if it is a result.
    pub(crate) fn reads_errors_by_status(&self) -> bool {
        self.era() == Era::Modern && self.transport == TransportKind::Http
    }

    /// Returns the operation that the request asks for.
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// Whether the client accepts a task as the result (TKX-01).
    pub(crate) fn may_become_task(&self) -> bool {
        self.era() == Era::Modern && self.capabilities().tasks
    }

    /// Whether messages to the client may precede the response: progress and log messages that the client asked
    /// for, or questions to a legacy client. If not, the transport needs no [`Outbox`](crate::Outbox).
    pub fn wants_outbox(&self) -> bool {
        let may_ask = self.session.is_some() && self.operation.may_ask();
        may_ask || self.members.progress_token.is_present() || self.members.log_level.is_present()
    }

    pub(crate) fn progress_token(&self) -> Option<ProgressToken<'_>> {
        self.member(self.members.progress_token).and_then(RequestId::read)
    }

    pub(crate) fn log_level(&self) -> Option<LogLevel> {
        self.member(self.members.log_level)?.parse().ok()
    }

    /// Returns the level that `logging/setLevel` sets.
    pub(crate) fn level(&self) -> Option<LogLevel> {
        self.member(self.members.level)?.parse().ok()
    }

    pub(crate) fn text(&self, span: Span) -> Cow<'_, str> {
        self.member(span).and_then(RawJson::string).unwrap_or_default()
    }

    pub(crate) fn state(&self) -> Option<Cow<'_, str>> {
        self.member(self.members.request_state)?.string()
    }

    pub(crate) fn inputs(&self, state: Option<Vec<u8>>) -> Option<Inputs> {
        let is_answer = self.era() == Era::Modern;
        Inputs::read(
            self.member(self.members.input_responses).filter(|_| is_answer),
            state,
        )
    }

    /// Returns the filter of `subscriptions/listen`.
    pub(crate) fn interest(&self) -> Interest {
        Interest::read(self.member(self.members.notifications)).unwrap_or_default()
    }

    /// Returns the bytes to which sealed state is bound: the method, the name or URI, and the arguments in
    /// canonical form.
    pub(crate) fn context(&self) -> Vec<u8> {
        let members = &self.members;
        let arguments = self
            .member(members.arguments)
            .and_then(|arguments| arguments.parse::<serde_json::Value>().ok())
            .map(|arguments| canonical(&arguments));
        let method = self.text(members.method);
        let parts = [
            method.as_bytes(),
            self.text(members.name).as_bytes(),
            self.text(members.uri).as_bytes(),
            arguments.as_deref().unwrap_or("{}").as_bytes(),
        ]
        .map(<[u8]>::to_vec);
        let mut out = Vec::new();
        for part in parts {
            out.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            out.extend_from_slice(&part);
        }
        out
    }

    pub(crate) fn traceparent(&self) -> Option<Cow<'_, str>> {
        self.member(self.members.traceparent)?.string()
    }

    pub(crate) fn client(&self) -> Option<Cow<'_, ClientInfo>> {
        match self.era() {
            Era::Legacy => self
                .session
                .as_ref()
                .map(|session| Cow::Borrowed(&session.client)),
            Era::Modern => self
                .member(self.members.envelope_client_info)
                .and_then(ClientInfo::read)
                .map(Cow::Owned),
        }
    }

    pub(crate) fn capabilities(&self) -> ClientCapabilities {
        match self.era() {
            Era::Legacy => self
                .session
                .as_ref()
                .map(|session| session.capabilities)
                .unwrap_or_default(),
            Era::Modern => self
                .member(self.members.envelope_capabilities)
                .map(ClientCapabilities::read)
                .unwrap_or_default(),
        }
    }

    /// Returns the method as the handler sees it, or `None` for methods that this crate answers without the
    /// handler.
    pub(crate) fn method<'a>(&'a self, inputs: &'a Inputs) -> Option<Method<'a>> {
        let uri = || self.text(self.members.uri);
        let id = || self.text(self.members.task_id);
        Some(match self.operation {
            Operation::Initialize
            | Operation::Ping
            | Operation::Discover
            | Operation::SetLogLevel
            | Operation::Listen => return None,
            Operation::ListTools => Method::ListTools {
                cursor: self.cursor(),
            },
            Operation::CallTool => Method::CallTool {
                name: self.text(self.members.name),
                arguments: self.member(self.members.arguments),
            },
            Operation::ListResources => Method::ListResources {
                cursor: self.cursor(),
            },
            Operation::ListResourceTemplates => Method::ListResourceTemplates {
                cursor: self.cursor(),
            },
            Operation::ReadResource => Method::ReadResource { uri: uri() },
            Operation::ListPrompts => Method::ListPrompts {
                cursor: self.cursor(),
            },
            Operation::GetPrompt => Method::GetPrompt {
                name: self.text(self.members.name),
                arguments: self
                    .member(self.members.arguments)
                    .and_then(|arguments| arguments.parse::<BTreeMap<String, Option<String>>>().ok())
                    .unwrap_or_default()
                    .into_iter()
                    .filter_map(|(name, value)| Some((name, value?)))
                    .collect(),
            },
            Operation::Complete => Method::Complete(self.completion().ok()?),
            Operation::Subscribe => Method::Subscribe { uri: uri() },
            Operation::Unsubscribe => Method::Unsubscribe { uri: uri() },
            Operation::GetTask => Method::GetTask { id: id() },
            Operation::UpdateTask => Method::UpdateTask {
                id: id(),
                answers: inputs,
            },
            Operation::CancelTask => Method::CancelTask { id: id() },
        })
    }

    fn cursor(&self) -> Option<Cow<'_, str>> {
        self.member(self.members.cursor).and_then(RawJson::string)
    }

    fn completion(&self) -> Result<CompletionQuery<'_>, &'static str> {
        let Members {
            reference,
            argument,
            context,
            ..
        } = self.members;
        CompletionQuery::read(
            self.member(reference),
            self.member(argument),
            self.member(context),
        )
    }
}

/// Returns JSON text that is equal for equal values: sorted keys, no white space.
fn canonical(value: &serde_json::Value) -> String {
    use serde_json::Value;
    match value {
        Value::Object(members) => {
            let ordered: BTreeMap<&String, &Value> = members.iter().collect();
            let members: Vec<String> = ordered
                .into_iter()
                .map(|(key, value)| format!("{}:{}", Value::from(key.as_str()), canonical(value)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(canonical).collect();
            format!("[{}]", items.join(","))
        }
        other => other.to_string(),
    }
}
