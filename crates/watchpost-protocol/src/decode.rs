//! From bytes to a message that is legal in its place, or to the answer that refuses it.

use crate::{
    capabilities::Capabilities,
    code::RpcError,
    encode,
    id::RequestId,
    json::{
        RawJson,
        scanner::{
            Fault, Located, Members, locate,
            recover::{Recovered, recover},
        },
    },
    parameter::ParameterHeaders,
    request::{
        Batch, BatchItem, Incoming, Notification, Operation, Reply, Request, Response, TransportFacts,
    },
    revision::{
        Era, Revision, Revisions,
        era::{ArrayVerdict, Kind, Signals, Wire, classify, classify_array},
    },
    validate::{Validated, Validator},
};
use bytes::Bytes;
use std::collections::BTreeSet;

/// Bounds on what a client may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
#[derive(Debug, Clone)]
pub(crate) struct Decoder {
    pub(crate) limits: Limits,
    pub(crate) served: Revisions,
    pub(crate) capabilities: Capabilities,
    pub(crate) headers: ParameterHeaders,
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
            effects: Vec::new(),
        }
    }
}

/// A legal message.
#[expect(
    clippy::large_enum_variant,
    reason = "the large variant is the common one, and is moved once"
)]
enum Decoded {
    Request(Request),
    Notification(Notification),
    Response(Response),
}

/// A message of one of the three kinds.
enum Shape {
    Request(RequestId<'static>),
    Notification,
    Response,
}

impl Shape {
    fn kind(&self) -> Kind {
        match self {
            Self::Request(_) => Kind::Request,
            Self::Notification => Kind::Notification,
            Self::Response => Kind::Response,
        }
    }

    fn into_id(self) -> Option<RequestId<'static>> {
        match self {
            Self::Request(id) => Some(id),
            Self::Notification | Self::Response => None,
        }
    }
}

/// A message that passed its validation. What is served has the shape of a request.
fn decoded(validated: Validated, shape: Shape, body: &Bytes, members: Members, wire: Wire) -> Decoded {
    match (validated, shape) {
        (
            Validated::Serve {
                revision,
                operation,
                session,
            },
            Shape::Request(id),
        ) => Decoded::Request(Request {
            body: body.clone(),
            members,
            id,
            wire,
            revision,
            operation,
            session,
        }),
        (Validated::Notification(notification), _) => Decoded::Notification(notification),
        (Validated::Response | Validated::Serve { .. }, _) => Decoded::Response(response(body, &members)),
    }
}

impl Decoder {
    pub(crate) fn decode(&self, body: &Bytes, facts: &TransportFacts<'_>) -> Incoming {
        let peer = self.peer(facts);
        let refused = |error, Recovered { id, notification }| {
            let answerable = !notification;
            Incoming::Rejected(
                Refusal {
                    error,
                    id,
                    answerable,
                    peer,
                }
                .reply(facts.wire),
            )
        };
        let limit = usize::try_from(self.limits.message_bytes).unwrap_or(usize::MAX);
        if body.len() > limit {
            return refused(RpcError::too_large(limit), Recovered::default());
        }
        match locate(body, self.limits.depth, self.limits.batch) {
            Err(fault) if fault.is_syntax() => refused(self.fault(fault), Recovered::default()),
            Err(fault) => refused(self.fault(fault), recover(body)),
            Ok(Located::Array(elements)) => match self.batch(body, &elements, facts) {
                Ok(incoming) => incoming,
                Err(error) => refused(error, Recovered::default()),
            },
            Ok(Located::One(members)) => match self.message(body, members, facts, peer) {
                Ok(Decoded::Request(request)) => Incoming::Request(request),
                Ok(Decoded::Notification(notification)) => Incoming::Notification(notification),
                Ok(Decoded::Response(response)) => Incoming::Responses(vec![response]),
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

    /// One message: its shape, its era, and the rest of the validation of that era.
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
        let shape = shape(body, &members).map_err(|(error, id)| {
            // Key presence decides: with a method and without an id it was meant as a notification (RPC-04).
            let answerable = members.id.is_present() || !members.method.is_present();
            Refusal {
                error,
                id,
                answerable,
                peer,
            }
        })?;
        let method = members
            .method
            .of(body)
            .and_then(RawJson::string)
            .unwrap_or_default();
        let signals = Signals {
            wire: facts.wire,
            kind: shape.kind(),
            initialize: method == "initialize",
            envelope,
            header: facts.version,
            negotiated: facts.session.map(|session| session.revision),
        };
        let verdict = classify(&signals, self.served);
        let validator = Validator {
            served: self.served,
            capabilities: self.capabilities,
            headers: &self.headers,
            body,
            members: &members,
            facts,
            method: &method,
        };
        match validator.validate(verdict, shape.kind()) {
            Ok(validated) => Ok(decoded(validated, shape, body, members, facts.wire)),
            Err(error) => {
                let modern = verdict.era() == Era::Modern;
                let answerable = shape.kind() == Kind::Request;
                Err(Refusal {
                    error,
                    id: shape.into_id(),
                    answerable,
                    peer: if modern { Some(Revision::V2026_07_28) } else { peer },
                })
            }
        }
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
                Ok(Shape::Response) => responses = responses.saturating_add(1),
                Ok(_) => {}
                // A bad id makes a bad request, which gets its own answer below; anything else is no message.
                Err(_) if members.method.is_present() => {}
                Err((error, _)) => return Err(error),
            }
        }
        if responses == elements.len() {
            let responses = elements.iter().map(|members| response(body, members));
            return Ok(Incoming::Responses(responses.collect()));
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
                    Some(request.id),
                ),
                Ok(Decoded::Request(request)) => {
                    if ids.insert(request.id.clone()) {
                        return BatchItem::Request(request);
                    }
                    (RpcError::duplicate_id(), Some(request.id))
                }
                Ok(Decoded::Notification(notification)) => return BatchItem::Notification(notification),
                Ok(Decoded::Response(_)) => return BatchItem::Notification(Notification::Ignored),
                Err(refusal) if !refusal.answerable => return BatchItem::Notification(Notification::Ignored),
                Err(refusal) => (refusal.error, refusal.id),
            };
            BatchItem::Rejected(encode::error(id.as_ref(), Some(revision), &error))
        });
        let items = items.collect();
        Ok(Incoming::Batch(Batch {
            wire: facts.wire,
            items,
        }))
    }
}

/// A message that is a response.
fn response(body: &[u8], members: &Members) -> Response {
    let id = members.id.of(body).and_then(RequestId::read);
    Response {
        id: id.map(RequestId::into_owned),
        result: members.result.of(body).map(|result| result.as_str().to_owned()),
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
            _ => Ok(Shape::Response),
        };
    }
    if !members.method.is_string(body) {
        return Err((invalid("`method` has to be a string"), id));
    }
    if outcome != (false, false) {
        return Err((
            invalid("a message with a `method` has no `result` and no `error`"),
            id,
        ));
    }
    match (members.id.is_present(), id) {
        (false, _) => Ok(Shape::Notification),
        (true, Some(id)) => Ok(Shape::Request(id)),
        (true, None) => Err((invalid(BAD_ID), None)),
    }
}

const BAD_ID: &str = "`id` has to be a string of at most 1024 bytes or an integer of at most 64 bits";
