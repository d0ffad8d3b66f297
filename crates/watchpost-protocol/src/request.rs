//! Decoded messages: what a transport gets from `decode`, and hands to `handle`.

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
    revision::{Era, Revision, era::Wire},
};
use bytes::Bytes;
use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

/// What a transport knows about a message besides its bytes.
#[derive(Debug, Clone, Copy)]
pub struct TransportFacts<'a> {
    /// How it came.
    pub wire: Wire,
    /// `MCP-Protocol-Version`; always absent off HTTP, like the next two.
    pub version: Header<'a>,
    /// `Mcp-Method`.
    pub method: Header<'a>,
    /// `Mcp-Name`.
    pub name: Header<'a>,
    /// Finds `Mcp-Param-…`.
    pub parameters: Option<&'a dyn ParameterSource>,
    /// What the legacy handshake of this session or process settled; `None` before it, or without a session.
    pub session: Option<&'a Arc<SessionState>>,
}

impl<'a> TransportFacts<'a> {
    /// Facts without headers.
    pub fn new(wire: Wire, session: Option<&'a Arc<SessionState>>) -> Self {
        Self {
            wire,
            version: Header::Absent,
            method: Header::Absent,
            name: Header::Absent,
            parameters: None,
            session,
        }
    }
}

/// One decoded message, or one array of them. Owns its bytes, so it can move into a task.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "the large variant is the common one")]
pub enum Incoming {
    /// Give it to `Server::handle`.
    Request(Request),
    /// Never answered; HTTP acknowledges it with 202 and no body.
    Notification(Notification),
    /// A legacy client's answers to requests of ours. HTTP acknowledges them with 202 and no body, also those that
    /// nobody waits for.
    Responses(Vec<Response>),
    /// An array of messages, legal under 2025-03-26 alone. Give it to `Server::handle_batch`.
    Batch(Batch),
    /// Refused before any handler: the answer is ready.
    Rejected(Reply),
}

/// A client's answer to one request of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The id of the request, if there's a legal one.
    pub id: Option<RequestId<'static>>,
    /// The result, a JSON value; `None` is an error.
    pub result: Option<String>,
}

/// A notification from the client, as far as a transport has to act on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notification {
    /// The legacy handshake is complete; unsolicited notifications may go out from now on.
    Initialized,
    /// The client gave up on this request of the same session or process: stop it and don't answer. An id
    /// that isn't in flight is ignored.
    Cancelled(RequestId<'static>),
    /// Nothing to do.
    Ignored,
}

/// The elements of an array, in order.
#[derive(Debug)]
pub struct Batch {
    pub(crate) wire: Wire,
    pub(crate) items: Vec<BatchItem>,
}

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "the large variant is the common one")]
pub(crate) enum BatchItem {
    Request(Request),
    Notification(Notification),
    /// A refused element's own answer.
    Rejected(Bytes),
}

impl Batch {
    /// The notifications in it, for the transport to act on before it hands the batch on.
    pub fn notifications(&self) -> impl Iterator<Item = &Notification> {
        self.items.iter().filter_map(|item| match item {
            BatchItem::Notification(notification) => Some(notification),
            BatchItem::Request(_) | BatchItem::Rejected(_) => None,
        })
    }

    /// The requests in it.
    pub fn requests(&self) -> impl Iterator<Item = &Request> {
        self.items.iter().filter_map(|item| match item {
            BatchItem::Request(request) => Some(request),
            BatchItem::Notification(_) | BatchItem::Rejected(_) => None,
        })
    }
}

/// The answer to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status where the message came by HTTP. On HTTP+SSE, 202 means that `body` goes out on the event
    /// stream; any other status goes back, with `body`, on the POST itself. Means nothing on stdio.
    pub status: u16,
    /// One JSON text without raw newlines; `None` if nothing is to be said.
    pub body: Option<Bytes>,
    /// What the transport has to remember before the answer goes out.
    pub effects: Vec<Effect>,
}

impl Reply {
    /// What a handshake settled, if this answers a successful one.
    pub fn opened(&self) -> Option<&Arc<SessionState>> {
        self.effects.iter().find_map(|effect| match effect {
            Effect::Opened(state) => Some(state),
            _ => None,
        })
    }
}

/// What a legacy request changes about its session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// A handshake succeeded: keep or seal this for the session, and on HTTP issue its id.
    Opened(Arc<SessionState>),
    /// The session wants to hear when the resource with this URI changes.
    Subscribed(String),
    /// It doesn't any more.
    Unsubscribed(String),
    /// It wants log messages of this level and above.
    LogLevel(LogLevel),
}

/// What a request asks of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// The legacy handshake.
    Initialize,
    /// Legacy: are you there?
    Ping,
    /// Modern: who are you?
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
    /// Modern: `subscriptions/listen`, which `Server::listen` answers.
    Listen,
    /// `tasks/get`.
    GetTask,
    /// `tasks/update`.
    UpdateTask,
    /// `tasks/cancel`.
    CancelTask,
}

impl Operation {
    /// Whether a call may ask the client before it answers (MRT-01).
    pub(crate) fn may_ask(self) -> bool {
        matches!(self, Self::CallTool | Self::GetPrompt | Self::ReadResource)
    }
}

/// A request that is legal in its place: its era and revision are known, its envelope and routing headers are
/// right, its method is offered, and its parameters have the right shape.
#[derive(Debug)]
pub struct Request {
    pub(crate) body: Bytes,
    pub(crate) members: Members,
    pub(crate) id: RequestId<'static>,
    pub(crate) wire: Wire,
    pub(crate) revision: Revision,
    pub(crate) operation: Operation,
    /// For `initialize`, what it settles; otherwise what the handshake settled.
    pub(crate) session: Option<Arc<SessionState>>,
}

impl Request {
    fn member(&self, span: Span) -> Option<RawJson<'_>> {
        span.of(&self.body)
    }

    /// Its id.
    pub fn id(&self) -> &RequestId<'static> {
        &self.id
    }

    /// The revision under which it's served.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// Its era.
    pub fn era(&self) -> Era {
        self.revision.era()
    }

    /// What it asks.
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// Whether its client takes a task for an answer (TKX-01).
    pub(crate) fn may_become_task(&self) -> bool {
        self.era() == Era::Modern && self.capabilities().tasks
    }

    /// Whether anything may be said to the client before the answer, so that it's worth giving it an outbox: progress
    /// and log messages that it wants to hear, and questions to a legacy client.
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

    /// The level that `logging/setLevel` sets.
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

    /// What `subscriptions/listen` asks for.
    pub(crate) fn interest(&self) -> Interest {
        Interest::read(self.member(self.members.notifications)).unwrap_or_default()
    }

    /// What a sealed state is good for: this method with this name and these arguments, however they're spelt.
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

    /// The method as the handler sees it; `None` for those that the protocol answers by itself.
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
                    .and_then(|arguments| arguments.parse().ok())
                    .unwrap_or_default(),
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

/// JSON text that is the same however a value was spelt: keys in order, no white space.
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
