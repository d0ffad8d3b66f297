//! From bytes to a legal request: the part of the validation ladder (mcp.md 7.3) that isn't HTTP's own, steps 5
//! to 12. The first failure wins.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;

use crate::client::{ClientCapabilities, ClientInfo, SessionState};
use crate::code::RpcError;
use crate::encode;
use crate::handler::{Capabilities, LogLevel};
use crate::header::Header;
use crate::id::RequestId;
use crate::json::{RawJson, clip};
use crate::request::{Batch, BatchItem, Incoming, Notification, Operation, Reply, Request, TransportFacts};
use crate::revision::{
    ArrayVerdict, Era, Kind, Revision, Revisions, Signals, Verdict, Wire, classify, classify_array,
};
use crate::scan::{ENVELOPE_CAPABILITIES, ENVELOPE_VERSION, Fault, Members, Scanned, recover_id, scan};

/// Bounds on what a client may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one message (or array of messages).
    pub message_bytes: u32,
    /// How deep objects and arrays may nest, the message itself included.
    pub depth: usize,
    /// Messages in one array.
    pub batch: usize,
}

impl Default for Limits {
    /// 1 MiB, 64 levels, 64 messages.
    fn default() -> Self {
        Self {
            message_bytes: 1 << 20,
            depth: 64,
            batch: 64,
        }
    }
}

/// What decoding needs to know about the server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decoder {
    pub(crate) limits: Limits,
    pub(crate) served: Revisions,
    pub(crate) capabilities: Capabilities,
}

/// Why a message is refused, and whom to tell.
struct Refusal {
    error: RpcError,
    id: Option<RequestId<'static>>,
    /// Nothing that isn't a request is answered where there's no exchange that needs an end.
    answerable: bool,
    peer: Option<Revision>,
}

impl Refusal {
    fn reply(&self, wire: Wire) -> Reply {
        let body = encode::error(self.id.as_ref(), self.peer, &self.error);
        let status = match wire {
            // The answer to a request travels on the event stream.
            Wire::HttpSse if self.id.is_some() => 202,
            Wire::HttpSse | Wire::Http | Wire::Stdio => self.error.status,
        };
        let silent = wire == Wire::Stdio && !self.answerable;
        Reply {
            status,
            body: (!silent).then_some(body),
            opened: None,
        }
    }
}

/// The element of a message: one that is legal and what it is.
enum Decoded {
    Request(Request),
    Notification(Notification),
    Response,
}

/// A message of one of the three kinds.
struct Shape {
    kind: Kind,
    /// Present on requests.
    id: Option<RequestId<'static>>,
}

impl Decoder {
    pub(crate) fn decode(&self, body: &Bytes, facts: &TransportFacts<'_>) -> Incoming {
        let peer = self.peer(facts);
        let refused = |error, id| {
            Incoming::Rejected(
                Refusal {
                    error,
                    id,
                    answerable: true,
                    peer,
                }
                .reply(facts.wire),
            )
        };
        let limit = usize::try_from(self.limits.message_bytes).unwrap_or(usize::MAX);
        if body.len() > limit {
            return refused(RpcError::too_large(limit), None);
        }
        match scan(body, self.limits.depth, self.limits.batch) {
            Err(fault) => {
                let id = if fault.is_syntax() { None } else { recover_id(body) };
                refused(self.fault(fault), id)
            }
            Ok(Scanned::Array(elements)) => match self.batch(body, &elements, facts) {
                Ok(incoming) => incoming,
                Err(error) => refused(error, None),
            },
            Ok(Scanned::One(members)) => match self.message(body, members, facts, peer) {
                Ok(Decoded::Request(request)) => Incoming::Request(request),
                Ok(Decoded::Notification(notification)) => Incoming::Notification(notification),
                Ok(Decoded::Response) => Incoming::Response,
                Err(refusal) => Incoming::Rejected(refusal.reply(facts.wire)),
            },
        }
    }

    /// The revision that the other side is known to speak before its message is understood.
    fn peer(&self, facts: &TransportFacts<'_>) -> Option<Revision> {
        let negotiated = facts.session.map(|session| session.revision);
        negotiated.or_else(|| facts.version.text().and_then(Revision::parse))
    }

    fn fault(&self, fault: Fault) -> RpcError {
        match fault {
            Fault::Syntax { offset } => RpcError::parse(format!("the message isn't JSON: see byte {offset}")),
            Fault::Encoding { offset } => {
                RpcError::parse(format!("the message isn't UTF-8: see byte {offset}"))
            }
            Fault::Depth => RpcError::invalid_request(format!(
                "the message nests deeper than {} levels",
                self.limits.depth
            )),
            Fault::DuplicateKey { offset } => {
                RpcError::invalid_request(format!("an object has a key twice: see byte {offset}"))
            }
            Fault::BatchLength => {
                RpcError::invalid_request(format!("a batch has more than {} messages", self.limits.batch))
            }
        }
    }

    /// One message: its shape, its era, and the rest of the ladder of that era.
    fn message(
        &self,
        body: &Bytes,
        members: Members,
        facts: &TransportFacts<'_>,
        peer: Option<Revision>,
    ) -> Result<Decoded, Refusal> {
        let envelope = members.envelope_version.is_present();
        let peer = if envelope {
            Some(Revision::V2026_07_28)
        } else {
            peer
        };
        let shape = match shape(body, &members) {
            Ok(shape) => shape,
            Err((error, id)) => {
                return Err(Refusal {
                    error,
                    id,
                    answerable: true,
                    peer,
                });
            }
        };
        let refuse = |error: RpcError, peer: Option<Revision>| Refusal {
            error,
            id: shape.id.clone(),
            answerable: shape.kind == Kind::Request,
            peer,
        };
        let method = members
            .method
            .of(body)
            .and_then(RawJson::string)
            .unwrap_or_default();
        let signals = Signals {
            wire: facts.wire,
            kind: shape.kind,
            initialize: method == "initialize",
            envelope,
            header: facts.version,
            negotiated: facts.session.map(|session| session.revision),
        };
        let verdict = classify(&signals, self.served);
        let peer = if verdict.era() == Era::Modern {
            Some(Revision::V2026_07_28)
        } else {
            peer
        };
        let ladder = Ladder {
            decoder: self,
            body,
            members: &members,
            facts,
            method: &method,
        };
        let error = match (verdict, shape.kind) {
            (Verdict::Modern, _) => match ladder.modern() {
                Ok((revision, operation)) => {
                    return Ok(Decoded::Request(ladder.request(revision, operation, None)));
                }
                Err(error) => error,
            },
            (Verdict::Handshake, _) => match ladder.handshake() {
                Ok(state) => {
                    let state = Arc::new(state);
                    let revision = state.revision;
                    return Ok(Decoded::Request(ladder.request(
                        revision,
                        Operation::Initialize,
                        Some(state),
                    )));
                }
                Err(error) => error,
            },
            (Verdict::Legacy(_), Kind::Response) => return Ok(Decoded::Response),
            (Verdict::Legacy(_), Kind::Notification) => {
                return Ok(Decoded::Notification(ladder.notification()));
            }
            (Verdict::Legacy(revision), Kind::Request) => match ladder.legacy(revision) {
                Ok(operation) => {
                    let session = facts.session.map(Arc::clone);
                    return Ok(Decoded::Request(ladder.request(revision, operation, session)));
                }
                Err(error) => error,
            },
            (Verdict::ModernNotification, _) => match ladder.modern_notification() {
                Ok(notification) => return Ok(Decoded::Notification(notification)),
                Err(error) => error,
            },
            (Verdict::BeforeHandshake, _) => {
                // `ping` is answered at any time, and what doesn't exist doesn't exist at any time.
                match ladder.legacy(Revision::V2025_03_26) {
                    Ok(Operation::Ping) => {
                        return Ok(Decoded::Request(ladder.request(
                            Revision::V2025_03_26,
                            Operation::Ping,
                            None,
                        )));
                    }
                    Err(error) if error.code == crate::code::METHOD_NOT_FOUND => error,
                    Ok(_) | Err(_) if facts.wire == Wire::Stdio => envelope_missing(),
                    Ok(_) | Err(_) => RpcError::invalid_request("send `initialize` first"),
                }
            }
            (Verdict::SecondHandshake, _) => RpcError::invalid_request("this session is already initialized"),
            (Verdict::HandshakeUnderModernHeader, _) => RpcError::header_mismatch(
                "the MCP-Protocol-Version header names a revision without `initialize`",
            ),
            (Verdict::EnvelopeMissing, _) => envelope_missing(),
            (Verdict::ResponseToModern, _) => {
                RpcError::invalid_request("this revision has no requests that a client could respond to")
            }
            (Verdict::ModernOnLegacyWire, _) => RpcError::invalid_request(
                "this transport serves revisions before 2026-07-28; use the streamable HTTP endpoint",
            ),
            (Verdict::UnservedHeader, _) => RpcError::invalid_request(format!(
                "the MCP-Protocol-Version header names a revision that isn't served; served: {}",
                self.served
                    .iter()
                    .map(Revision::as_str)
                    .collect::<Vec<_>>()
                    .join(", ")
            )),
            (Verdict::RepeatedHeader, _) => {
                RpcError::invalid_request("the MCP-Protocol-Version header is there more than once")
            }
        };
        Err(refuse(error, peer))
    }

    /// An array: rows 3 and 4 of mcp.md 6.1, then each element by itself.
    fn batch(
        &self,
        body: &Bytes,
        elements: &[Members],
        facts: &TransportFacts<'_>,
    ) -> Result<Incoming, RpcError> {
        let invalid = RpcError::invalid_request;
        if elements.is_empty() {
            return Err(invalid("an empty array is no message"));
        }
        let negotiated = facts.session.map(|session| session.revision);
        let ArrayVerdict::Batch(revision) =
            classify_array(facts.wire, facts.version, negotiated, self.served)
        else {
            return Err(invalid("an array of messages isn't served under this revision"));
        };
        let mut responses = 0_usize;
        for members in elements {
            if members.envelope_version.is_present() {
                return Err(invalid("a message with an envelope can't be part of an array"));
            }
            match shape(body, members) {
                Ok(Shape {
                    kind: Kind::Response, ..
                }) => responses = responses.saturating_add(1),
                Ok(_) => {}
                // A bad id makes a bad request, which gets its own answer below; anything else is no message.
                Err(_) if members.method.is_present() => {}
                Err((error, _)) => return Err(error),
            }
        }
        if responses == elements.len() {
            return Ok(Incoming::Response);
        }
        if responses > 0 {
            return Err(invalid(
                "an array holds either responses or requests and notifications",
            ));
        }
        let mut ids = BTreeSet::new();
        let items = elements.iter().map(|members| {
            let decoded = self.message(body, *members, facts, Some(revision));
            let (error, id) = match decoded {
                Ok(Decoded::Request(request)) if request.operation == Operation::Initialize => (
                    invalid("`initialize` can't be part of an array"),
                    Some(request.id().into_owned()),
                ),
                Ok(Decoded::Request(request)) => {
                    if ids.insert(request.id().into_owned()) {
                        return BatchItem::Request(request);
                    }
                    (RpcError::duplicate_id(), Some(request.id().into_owned()))
                }
                Ok(Decoded::Notification(notification)) => return BatchItem::Notification(notification),
                Ok(Decoded::Response) => return BatchItem::Notification(Notification::Ignored),
                Err(refusal) if !refusal.answerable => return BatchItem::Notification(Notification::Ignored),
                Err(refusal) => (refusal.error, refusal.id),
            };
            BatchItem::Rejected(encode::error(id.as_ref(), Some(revision), &error))
        });
        Ok(Incoming::Batch(Batch {
            items: items.collect(),
        }))
    }
}

/// Which of the three messages it is; an error comes with the id, if there's a legal one.
fn shape(body: &[u8], members: &Members) -> Result<Shape, (RpcError, Option<RequestId<'static>>)> {
    let invalid = RpcError::invalid_request;
    if !members.is_object {
        return Err((invalid("a message is a JSON object"), None));
    }
    let id = members
        .id
        .of(body)
        .and_then(RequestId::read)
        .map(RequestId::into_owned);
    let version = members.jsonrpc.of(body).and_then(RawJson::string);
    if version.as_deref() != Some("2.0") {
        return Err((invalid("`jsonrpc` has to be \"2.0\""), id));
    }
    let outcome = (members.result.is_present(), members.error.is_present());
    if !members.method.is_present() {
        return match outcome {
            (true, true) => Err((invalid("a response has either `result` or `error`"), id)),
            (false, false) => Err((invalid("a message has a `method`, a `result` or an `error`"), id)),
            _ if members.id.is_present() && id.is_none() => Err((invalid(BAD_ID), None)),
            (true, false) if id.is_none() => Err((invalid("a result has the `id` of its request"), None)),
            _ => Ok(Shape {
                kind: Kind::Response,
                id: None,
            }),
        };
    }
    if !members.method.of(body).is_some_and(RawJson::is_string) {
        return Err((invalid("`method` has to be a string"), id));
    }
    if outcome != (false, false) {
        return Err((
            invalid("a message with a `method` has no `result` and no `error`"),
            id,
        ));
    }
    match (members.id.is_present(), id) {
        (false, _) => Ok(Shape {
            kind: Kind::Notification,
            id: None,
        }),
        (true, Some(id)) => Ok(Shape {
            kind: Kind::Request,
            id: Some(id),
        }),
        (true, None) => Err((invalid(BAD_ID), None)),
    }
}

const BAD_ID: &str = "`id` has to be a string of at most 1024 bytes or an integer of at most 64 bits";

fn envelope_missing() -> RpcError {
    RpcError::envelope(format!(
        "`params._meta` has to have `{ENVELOPE_VERSION}` and `{ENVELOPE_CAPABILITIES}`; \
         for revisions before 2026-07-28, send `initialize` first"
    ))
}

/// The header that repeats a parameter, by method: `params.` and the member's name.
fn named_member<'a>(method: &str, members: &Members, body: &'a [u8]) -> Option<Option<RawJson<'a>>> {
    let span = match method {
        "tools/call" | "prompts/get" => members.name,
        "resources/read" => members.uri,
        "tasks/get" | "tasks/update" | "tasks/cancel" => members.task_id,
        _ => return None,
    };
    Some(span.of(body))
}

/// One message on its way up.
struct Ladder<'a> {
    decoder: &'a Decoder,
    body: &'a Bytes,
    members: &'a Members,
    facts: &'a TransportFacts<'a>,
    method: &'a str,
}

impl Ladder<'_> {
    fn request(
        &self,
        revision: Revision,
        operation: Operation,
        session: Option<Arc<SessionState>>,
    ) -> Request {
        Request {
            body: self.body.clone(),
            members: *self.members,
            wire: self.facts.wire,
            revision,
            operation,
            session,
        }
    }

    /// Steps 7 to 12 for a modern request.
    fn modern(&self) -> Result<(Revision, Operation), RpcError> {
        let version = self.envelope()?;
        if self.facts.wire == Wire::Http {
            self.routing_headers(&version)?;
        }
        let revision = self.modern_revision(&version)?;
        let operation = match self.method {
            "server/discover" => Operation::Discover,
            "tools/list" if self.decoder.capabilities.tools => Operation::ListTools,
            "tools/call" if self.decoder.capabilities.tools => Operation::CallTool,
            method => return Err(RpcError::method_not_found(method, 404)),
        };
        self.parameters(operation)?;
        Ok((revision, operation))
    }

    fn modern_revision(&self, version: &str) -> Result<Revision, RpcError> {
        let served = self.decoder.served;
        Revision::parse(version)
            .filter(|revision| revision.era() == Era::Modern && served.serves(*revision))
            .ok_or_else(|| RpcError::unsupported_version(version, served.named()))
    }

    /// The envelope is complete and of the right types; gives the version that it names.
    fn envelope(&self) -> Result<std::borrow::Cow<'_, str>, RpcError> {
        let Members {
            envelope_version,
            envelope_capabilities,
            envelope_client_info,
            log_level,
            ..
        } = self.members;
        let Some(version) = envelope_version.of(self.body).and_then(RawJson::string) else {
            return Err(RpcError::envelope(format!(
                "`{ENVELOPE_VERSION}` has to be a string"
            )));
        };
        if !envelope_capabilities
            .of(self.body)
            .is_some_and(RawJson::is_object)
        {
            return Err(RpcError::envelope(format!(
                "`{ENVELOPE_CAPABILITIES}` has to be an object"
            )));
        }
        if envelope_client_info
            .of(self.body)
            .is_some_and(|info| !info.is_object())
        {
            return Err(RpcError::envelope(
                "`io.modelcontextprotocol/clientInfo` has to be an object",
            ));
        }
        if log_level
            .of(self.body)
            .is_some_and(|level| level.parse::<LogLevel>().is_err())
        {
            return Err(RpcError::envelope(
                "`io.modelcontextprotocol/logLevel` isn't a log level",
            ));
        }
        Ok(version)
    }

    /// Step 8: each routing header is there, once, and says what the body says (HDR-01 to HDR-06).
    fn routing_headers(&self, version: &str) -> Result<(), RpcError> {
        let facts = self.facts;
        same(
            "MCP-Protocol-Version",
            facts.version,
            facts.version.text(),
            version,
        )?;
        same("Mcp-Method", facts.method, facts.method.text(), self.method)?;
        match (named_member(self.method, self.members, self.body), facts.name) {
            (None, Header::Repeated) => same("Mcp-Name", facts.name, None, ""),
            // Nothing to repeat, and nothing repeated: that the parameter is missing is found below.
            (None, _) | (Some(None), Header::Absent) => Ok(()),
            (Some(value), header) => {
                let value = value.and_then(RawJson::string).unwrap_or_default();
                same("Mcp-Name", header, header.decoded().as_deref(), &value)
            }
        }
    }

    /// Step 12 for both eras.
    fn parameters(&self, operation: Operation) -> Result<(), RpcError> {
        let Members {
            params,
            meta,
            progress_token,
            cursor,
            name,
            arguments,
            ..
        } = self.members;
        if params.of(self.body).is_some_and(|params| !params.is_object()) {
            return Err(RpcError::invalid_params("`params` has to be an object"));
        }
        if meta.of(self.body).is_some_and(|meta| !meta.is_object()) {
            return Err(RpcError::invalid_params("`params._meta` has to be an object"));
        }
        if progress_token
            .of(self.body)
            .is_some_and(|token| RequestId::read(token).is_none())
        {
            return Err(RpcError::invalid_params(
                "`progressToken` has to be a string or an integer",
            ));
        }
        match operation {
            Operation::Initialize | Operation::Ping | Operation::Discover => Ok(()),
            Operation::ListTools if cursor.of(self.body).is_some_and(|cursor| !cursor.is_string()) => {
                Err(RpcError::invalid_params("`cursor` has to be a string"))
            }
            Operation::ListTools => Ok(()),
            Operation::CallTool if !name.of(self.body).is_some_and(RawJson::is_string) => Err(
                RpcError::invalid_params("`name` has to be a string: the tool to call"),
            ),
            Operation::CallTool if arguments.of(self.body).is_some_and(|value| !value.is_object()) => {
                Err(RpcError::invalid_params("`arguments` has to be an object"))
            }
            Operation::CallTool => Ok(()),
        }
    }

    fn legacy(&self, _revision: Revision) -> Result<Operation, RpcError> {
        let operation = match self.method {
            "ping" => Operation::Ping,
            "tools/list" if self.decoder.capabilities.tools => Operation::ListTools,
            "tools/call" if self.decoder.capabilities.tools => Operation::CallTool,
            method => return Err(RpcError::method_not_found(method, 200)),
        };
        self.parameters(operation)?;
        Ok(operation)
    }

    /// `initialize`: what it settles (INI-01 to INI-05).
    fn handshake(&self) -> Result<SessionState, RpcError> {
        self.parameters(Operation::Initialize)?;
        let Members {
            protocol_version,
            capabilities,
            client_info,
            ..
        } = self.members;
        let Some(requested) = protocol_version.of(self.body).and_then(RawJson::string) else {
            return Err(RpcError::invalid_params("`protocolVersion` has to be a string"));
        };
        let Some(capabilities) = capabilities.of(self.body).filter(|value| value.is_object()) else {
            return Err(RpcError::invalid_params("`capabilities` has to be an object"));
        };
        let Some(client) = client_info.of(self.body).and_then(ClientInfo::read) else {
            return Err(RpcError::invalid_params(
                "`clientInfo` has to be an object with `name` and `version`",
            ));
        };
        let served = self.decoder.served;
        let revision = served
            .negotiate(&requested)
            .ok_or_else(|| RpcError::unsupported_version(&requested, served.named()))?;
        Ok(SessionState {
            revision,
            client,
            capabilities: ClientCapabilities::read(capabilities),
        })
    }

    fn notification(&self) -> Notification {
        match self.method {
            "notifications/initialized" => Notification::Initialized,
            "notifications/cancelled" => self.cancelled(),
            _ => Notification::Ignored,
        }
    }

    /// A cancellation reaches only into its own session or process (CAN-07); a malformed one is ignored.
    fn cancelled(&self) -> Notification {
        if self.facts.wire == Wire::Http && self.facts.session.is_none() {
            return Notification::Ignored;
        }
        match self.members.request_id.of(self.body).and_then(RequestId::read) {
            Some(id) => Notification::Cancelled(id.into_owned()),
            None => Notification::Ignored,
        }
    }

    /// Row 10 of mcp.md 6.1: the version is checked wherever it's named, and the notification dropped. On stdio
    /// a cancellation takes effect.
    fn modern_notification(&self) -> Result<Notification, RpcError> {
        let header = self.facts.version.text();
        if self.members.envelope_version.is_present() {
            let Some(version) = self
                .members
                .envelope_version
                .of(self.body)
                .and_then(RawJson::string)
            else {
                return Err(RpcError::envelope(format!(
                    "`{ENVELOPE_VERSION}` has to be a string"
                )));
            };
            if let Some(header) = header {
                same("MCP-Protocol-Version", self.facts.version, Some(header), &version)?;
            }
            self.modern_revision(&version)?;
        } else if let Some(version) = header {
            self.modern_revision(version)?;
        }
        if self.facts.wire == Wire::Stdio && self.method == "notifications/cancelled" {
            return Ok(self.cancelled());
        }
        Ok(Notification::Ignored)
    }
}

/// A header whose decoded value has to be `expected`.
fn same(name: &str, header: Header<'_>, value: Option<&str>, expected: &str) -> Result<(), RpcError> {
    let complaint = match (header, value) {
        (Header::Absent, _) => format!("the {name} header is missing"),
        (Header::Repeated, _) => format!("the {name} header is there more than once"),
        (Header::One(_), None) => format!("the {name} header can't be decoded"),
        (Header::One(_), Some(value)) if value == expected => return Ok(()),
        (Header::One(_), Some(value)) => {
            format!(
                "the {name} header says '{}', the body says '{}'",
                clip(value, 64),
                clip(expected, 64)
            )
        }
    };
    Err(RpcError::header_mismatch(complaint))
}
