//! Decoded messages: what a transport gets from `decode`, and hands to `handle`.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;

use crate::client::{ClientCapabilities, ClientInfo, SessionState};
use crate::handler::{LogLevel, Method};
use crate::header::Header;
use crate::id::{ProgressToken, RequestId};
use crate::json::RawJson;
use crate::revision::{Era, Revision, Wire};
use crate::scan::{Members, Span};

/// What a transport knows about a message besides its bytes.
#[derive(Clone, Copy, Debug)]
pub struct TransportFacts<'a> {
    /// How it came.
    pub wire: Wire,
    /// `MCP-Protocol-Version`; always absent off HTTP, like the next two.
    pub version: Header<'a>,
    /// `Mcp-Method`.
    pub method: Header<'a>,
    /// `Mcp-Name`.
    pub name: Header<'a>,
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
            session,
        }
    }
}

/// One decoded message, or one array of them. Owns its bytes, so it can move into a task.
#[derive(Debug)]
pub enum Incoming {
    /// Give it to `Server::handle`.
    Request(Request),
    /// Never answered; HTTP acknowledges it with 202 and no body.
    Notification(Notification),
    /// A client's answer to a request of ours. None is ever outstanding, so it's dropped; HTTP acknowledges it
    /// with 202 and no body.
    Response,
    /// An array of messages, legal under 2025-03-26 alone. Give it to `Server::handle_batch`.
    Batch(Batch),
    /// Refused before any handler: the answer is ready.
    Rejected(Reply),
}

/// A notification from the client, as far as a transport has to act on it.
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status where the message came by HTTP. On HTTP+SSE, 202 means that `body` goes out on the event
    /// stream; any other status goes back, with `body`, on the POST itself. Means nothing on stdio.
    pub status: u16,
    /// One JSON text without raw newlines; `None` if nothing is to be said.
    pub body: Option<Bytes>,
    /// A legacy handshake succeeded: keep or seal this for the session, and on HTTP issue its id.
    pub opened: Option<Arc<SessionState>>,
}

/// What a request asks of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

    /// Whether the client wants to hear of its progress, so that it's worth giving it an outbox.
    pub fn wants_progress(&self) -> bool {
        self.members.progress_token.is_present()
    }

    pub(crate) fn progress_token(&self) -> Option<ProgressToken<'_>> {
        self.member(self.members.progress_token).and_then(RequestId::read)
    }

    pub(crate) fn log_level(&self) -> Option<LogLevel> {
        self.member(self.members.log_level)?.parse().ok()
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
    pub(crate) fn method(&self) -> Option<Method<'_>> {
        match self.operation {
            Operation::Initialize | Operation::Ping | Operation::Discover => None,
            Operation::ListTools => Some(Method::ListTools {
                cursor: self.member(self.members.cursor).and_then(RawJson::string),
            }),
            Operation::CallTool => Some(Method::CallTool {
                name: self
                    .member(self.members.name)
                    .and_then(RawJson::string)
                    .unwrap_or_default(),
                arguments: self.member(self.members.arguments),
            }),
            Operation::ListResources => Some(Method::ListResources {
                cursor: self.member(self.members.cursor).and_then(RawJson::string),
            }),
            Operation::ListResourceTemplates => Some(Method::ListResourceTemplates {
                cursor: self.member(self.members.cursor).and_then(RawJson::string),
            }),
            Operation::ReadResource => Some(Method::ReadResource {
                uri: self
                    .member(self.members.uri)
                    .and_then(RawJson::string)
                    .unwrap_or_default(),
            }),
        }
    }
}
