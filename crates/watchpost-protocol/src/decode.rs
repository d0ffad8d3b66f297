//! Decoding: from bytes to a valid message, or to the response that rejects it.

use crate::{
    capabilities::Capabilities,
    code::RpcError,
    encode,
    id::RequestId,
    json::{
        RawJson,
        repair::{byte_order_mark, replace_unpaired_surrogates},
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
        era::{ArrayVerdict, Kind, Signals, TransportKind, classify, classify_array},
    },
    text,
    validate::{Validated, Validator},
};
use bytes::Bytes;
use std::collections::BTreeSet;

/// Limits on what a client may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The maximum size of a message, or of an array of messages, in bytes.
    pub message_bytes: u32,
    /// The maximum nesting depth of objects and arrays, counting the message itself as the first level.
    pub depth: usize,
    /// The maximum number of messages in an array.
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

/// The parts of the server's configuration that decoding needs.
#[derive(Debug, Clone)]
pub(crate) struct Decoder {
    pub(crate) limits: Limits,
    pub(crate) served: Revisions,
    pub(crate) capabilities: Capabilities,
    pub(crate) headers: ParameterHeaders,
}

/// The rejection of a message, from which its response is made.
struct Rejection {
    error: RpcError,
    id: Option<RequestId<'static>>,
    /// Whether a response is due. Only requests are answered, except that an HTTP exchange always gets a
    /// response.
    answerable: bool,
    peer: Option<Revision>,
}

impl Rejection {
    fn reply(&self, transport: TransportKind) -> Reply {
        let body = encode::error(self.id.as_ref(), self.peer, &self.error);
        let status = match transport {
            // The response to a request is sent on the event stream.
            TransportKind::HttpSse if self.id.is_some() => 202,
            TransportKind::HttpSse | TransportKind::Http | TransportKind::Stdio => self.error.status,
        };
        let silent = transport == TransportKind::Stdio && !self.answerable;
        Reply {
            status,
            body: (!silent).then_some(body),
            effects: Vec::new(),
        }
    }
}

/// A valid message.
#[expect(
    clippy::large_enum_variant,
    reason = "the large variant is the common one, and is moved once"
)]
enum Decoded {
    Request(Request),
    Notification(Notification),
    Response(Response),
}

/// The kind of a message, with the id of a request.
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

/// Combines the validation's result with the message's shape. A message that is served always has the shape of
/// a request.
fn decoded(
    validated: Validated,
    shape: Shape,
    body: &Bytes,
    members: Members,
    transport: TransportKind,
) -> Decoded {
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
            transport,
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
        let reject = |error, Recovered { id, notification }| {
            let answerable = !notification;
            Incoming::Rejected(
                Rejection {
                    error,
                    id,
                    answerable,
                    peer,
                }
                .reply(facts.transport),
            )
        };
        let limit = usize::try_from(self.limits.message_bytes).unwrap_or(usize::MAX);
        if body.len() > limit {
            return reject(RpcError::too_large(limit), Recovered::default());
        }
        let mut body = &body.slice(byte_order_mark(body)..);
        let mut located = locate(body, self.limits.depth, self.limits.batch);
        let repaired;
        if located.is_err()
            && let Some(text) = replace_unpaired_surrogates(body)
        {
            repaired = Bytes::from(text);
            body = &repaired;
            located = locate(body, self.limits.depth, self.limits.batch);
        }
        match located {
            Err(fault) if fault.is_syntax() => reject(self.fault(fault), Recovered::default()),
            Err(fault) => reject(self.fault(fault), recover(body)),
            Ok(Located::Array(elements)) => match self.batch(body, &elements, facts) {
                Ok(incoming) => incoming,
                Err(error) => reject(error, Recovered::default()),
            },
            Ok(Located::One(members)) => match self.message(body, members, facts, peer) {
                Ok(Decoded::Request(request)) => Incoming::Request(request),
                Ok(Decoded::Notification(notification)) => Incoming::Notification(notification),
                Ok(Decoded::Response(response)) => Incoming::Responses(vec![response]),
                Err(rejection) => Incoming::Rejected(rejection.reply(facts.transport)),
            },
        }
    }

    /// Returns the client's revision, as far as it is known before the message has been read.
    fn peer(&self, facts: &TransportFacts<'_>) -> Option<Revision> {
        let negotiated = facts.session.map(|session| session.revision);
        negotiated.or_else(|| facts.version.text().and_then(Revision::parse))
    }

    fn fault(&self, fault: Fault) -> RpcError {
        match fault {
            Fault::Syntax { offset } => RpcError::parse(text::not_json(offset)),
            Fault::Encoding { offset } => RpcError::parse(text::not_utf8(offset)),
            Fault::Depth => RpcError::invalid_request(text::nested_too_deep(self.limits.depth)),
            Fault::DuplicateKey { offset } => RpcError::invalid_request(text::duplicate_key(offset)),
            Fault::BatchLength => RpcError::invalid_request(text::batch_too_long(self.limits.batch)),
        }
    }

    /// Decodes one message: determines its shape and its era, and runs that era's validation.
    fn message(
        &self,
        body: &Bytes,
        members: Members,
        facts: &TransportFacts<'_>,
        peer: Option<Revision>,
    ) -> Result<Decoded, Rejection> {
        let envelope = members.envelope_version.is_present();
        let peer = if envelope {
            Some(Revision::V2026_07_28)
        } else {
            peer
        };
        let shape = shape(body, &members).map_err(|(error, id)| {
            // A message with a method and without an `id` key was meant as a notification (RPC-04).
            let answerable = members.id.is_present() || !members.method.is_present();
            Rejection {
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
            transport: facts.transport,
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
            Ok(validated) => Ok(decoded(validated, shape, body, members, facts.transport)),
            Err(error) => {
                let modern = verdict.era() == Era::Modern;
                let answerable = shape.kind() == Kind::Request;
                Err(Rejection {
                    error,
                    id: shape.into_id(),
                    answerable,
                    peer: if modern { Some(Revision::V2026_07_28) } else { peer },
                })
            }
        }
    }

    /// Decodes an array: checks that the client's revision has batches, then decodes each element (BAT-01).
    fn batch(
        &self,
        body: &Bytes,
        elements: &[Members],
        facts: &TransportFacts<'_>,
    ) -> Result<Incoming, RpcError> {
        let invalid = RpcError::invalid_request;
        if elements.is_empty() {
            return Err(invalid(text::EMPTY_ARRAY));
        }
        let negotiated = facts.session.map(|session| session.revision);
        let ArrayVerdict::Batch(revision) =
            classify_array(facts.transport, facts.version, negotiated, self.served)
        else {
            return Err(invalid(text::BATCH_NOT_SUPPORTED));
        };
        let mut responses = 0_usize;
        for members in elements {
            if members.envelope_version.is_present() {
                return Err(invalid(text::ENVELOPE_IN_ARRAY));
            }
            match shape(body, members) {
                Ok(Shape::Response) => responses = responses.saturating_add(1),
                Ok(_) => {}
                // An invalid id makes an invalid request, which gets its own response below. Anything else
                // isn't a message.
                Err(_) if members.method.is_present() => {}
                Err((error, _)) => return Err(error),
            }
        }
        if responses == elements.len() {
            let responses = elements.iter().map(|members| response(body, members));
            return Ok(Incoming::Responses(responses.collect()));
        }
        if responses > 0 {
            return Err(invalid(text::MIXED_ARRAY));
        }
        let mut ids = BTreeSet::new();
        let items = elements.iter().map(|members| {
            let decoded = self.message(body, *members, facts, Some(revision));
            let (error, id) = match decoded {
                Ok(Decoded::Request(request)) if request.operation == Operation::Initialize => {
                    (invalid(text::INITIALIZE_IN_ARRAY), Some(request.id))
                }
                Ok(Decoded::Request(request)) => {
                    if ids.insert(request.id.clone()) {
                        return BatchItem::Request(request);
                    }
                    (RpcError::duplicate_id(), Some(request.id))
                }
                Ok(Decoded::Notification(notification)) => return BatchItem::Notification(notification),
                Ok(Decoded::Response(_)) => return BatchItem::Notification(Notification::Ignored),
                Err(rejection) if !rejection.answerable => {
                    return BatchItem::Notification(Notification::Ignored);
                }
                Err(rejection) => (rejection.error, rejection.id),
            };
            BatchItem::Rejected(encode::error(id.as_ref(), Some(revision), &error))
        });
        let items = items.collect();
        Ok(Incoming::Batch(Batch {
            transport: facts.transport,
            items,
        }))
    }
}

/// Reads a message that has the shape of a response.
fn response(body: &[u8], members: &Members) -> Response {
    let id = members.id.of(body).and_then(RequestId::read);
    Response {
        id: id.map(RequestId::into_owned),
        result: members.result.of(body).map(|result| result.as_str().to_owned()),
    }
}

/// Determines the kind of a message. An error comes with the message's id, if it has a valid one.
fn shape(body: &[u8], members: &Members) -> Result<Shape, (RpcError, Option<RequestId<'static>>)> {
    let invalid = RpcError::invalid_request;
    if !members.is_object {
        return Err((invalid(text::MESSAGE_NOT_AN_OBJECT), None));
    }
    let id = members
        .id
        .of(body)
        .and_then(RequestId::read)
        .map(RequestId::into_owned);
    let version = members.jsonrpc.of(body).and_then(RawJson::string);
    if version.as_deref() != Some("2.0") {
        return Err((invalid(text::JSONRPC_VERSION), id));
    }
    let outcome = (members.result.is_present(), members.error.is_present());
    if !members.method.is_present() {
        return match outcome {
            (true, true) => Err((invalid(text::RESULT_AND_ERROR), id)),
            (false, false) => Err((invalid(text::UNKNOWN_MESSAGE_KIND), id)),
            _ if members.id.is_present() && id.is_none() => Err((invalid(text::INVALID_ID), None)),
            (true, false) if id.is_none() => Err((invalid(text::RESULT_WITHOUT_ID), None)),
            _ => Ok(Shape::Response),
        };
    }
    if !members.method.is_string(body) {
        return Err((invalid(text::METHOD_NOT_A_STRING), id));
    }
    if outcome != (false, false) {
        return Err((invalid(text::METHOD_WITH_RESULT), id));
    }
    match (members.id.is_present(), id) {
        (false, _) => Ok(Shape::Notification),
        (true, Some(id)) => Ok(Shape::Request(id)),
        (true, None) => Err((invalid(text::INVALID_ID), None)),
    }
}
