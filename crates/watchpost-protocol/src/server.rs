//! The entry points of a transport.

use std::sync::Arc;

use bytes::Bytes;

use crate::code::RpcError;
use crate::decode::{Decoder, Limits};
use crate::encode::{self, Encoder};
use crate::handler::{Call, Handler, Link, Method, Outcome, RequestMeta};
use crate::request::{Batch, BatchItem, Incoming, Operation, Reply, Request, TransportFacts};
use crate::revision::{Revisions, Wire};

/// A handler with the protocol around it. Shared by all connections of all transports; holds no connection
/// state at all.
#[derive(Debug)]
pub struct Server<H> {
    handler: H,
    decoder: Decoder,
    encoder: Encoder,
}

impl<H: Handler> Server<H> {
    /// Serves every known revision within the default limits.
    pub fn new(handler: H) -> Self {
        Self::with(handler, Revisions::ALL, Limits::default())
    }

    /// Serves some revisions within given limits. The handler's info and capabilities are read once, here.
    pub fn with(handler: H, served: Revisions, limits: Limits) -> Self {
        let decoder = Decoder {
            limits,
            served,
            capabilities: handler.capabilities(),
        };
        let encoder = Encoder::new(handler.info());
        Self {
            handler,
            decoder,
            encoder,
        }
    }

    /// The handler.
    pub fn handler(&self) -> &H {
        &self.handler
    }

    /// The bounds on messages; a transport stops reading a body that grows past them.
    pub fn limits(&self) -> Limits {
        self.decoder.limits
    }

    /// Checks one message (an HTTP body, a line without its end) and tells what it is. Does no I/O, never
    /// panics, and leaves nothing for later that could make the message illegal.
    pub fn decode(&self, body: &Bytes, facts: &TransportFacts<'_>) -> Incoming {
        self.decoder.decode(body, facts)
    }

    /// Answers a request, awaiting nothing but the handler.
    pub async fn handle(&self, principal: &H::Principal, request: &Request, link: Link<'_>) -> Reply {
        let body = self.answer(principal, request, link).await;
        let (status, body) = match body {
            Ok(body) => (200, body),
            Err(error) => (
                error.status,
                encode::error(Some(request.id()), Some(request.revision), &error),
            ),
        };
        let opened = request
            .session
            .as_ref()
            .filter(|_| request.operation == Operation::Initialize);
        Reply {
            status: on_wire(request.wire, status),
            body: Some(body),
            opened: opened.map(Arc::clone),
        }
    }

    /// Answers an array of messages, one after the other, with one array; with nothing if nothing in it wants
    /// an answer.
    pub async fn handle_batch(&self, principal: &H::Principal, batch: &Batch, link: Link<'_>) -> Reply {
        let mut answers = Vec::new();
        for item in &batch.items {
            match item {
                BatchItem::Request(request) => {
                    answers.extend(self.handle(principal, request, link).await.body);
                }
                BatchItem::Rejected(body) => answers.push(body.clone()),
                BatchItem::Notification(_) => {}
            }
        }
        array(batch, &answers)
    }

    /// The answer that refuses a request without asking the handler, for reasons that the transport knows: a
    /// bad credential, an id that's in use, a cancelled exchange.
    pub fn refuse(&self, request: &Request, error: &RpcError) -> Reply {
        let body = encode::error(Some(request.id()), Some(request.revision), error);
        Reply {
            status: on_wire(request.wire, error.status),
            body: Some(body),
            opened: None,
        }
    }

    /// Like [`Server::refuse`], for every request of an array.
    pub fn refuse_batch(&self, batch: &Batch, error: &RpcError) -> Reply {
        let answers: Vec<Bytes> = batch
            .items
            .iter()
            .filter_map(|item| match item {
                BatchItem::Request(request) => self.refuse(request, error).body,
                BatchItem::Rejected(body) => Some(body.clone()),
                BatchItem::Notification(_) => None,
            })
            .collect();
        array(batch, &answers)
    }

    async fn answer(
        &self,
        principal: &H::Principal,
        request: &Request,
        link: Link<'_>,
    ) -> Result<Bytes, RpcError> {
        let Some(method) = request.method() else {
            return Ok(self.answer_alone(principal, request));
        };
        let call = Call {
            method: method.clone(),
            meta: RequestMeta::new(request, link),
        };
        match (self.handler.call(principal, call).await, &method) {
            (Outcome::Error(error), _) => Err(error.into_rpc(&method, request.era())),
            (Outcome::Complete(completed), method) if answers(&completed, method) => {
                Ok(self.encoder.completed(request.id(), request.revision, &completed))
            }
            // A handler that answers a list with a call is broken, and its answer would be no legal message.
            (Outcome::Complete(_), _) => Err(RpcError::internal()),
        }
    }

    /// What needs no handler call.
    fn answer_alone(&self, principal: &H::Principal, request: &Request) -> Bytes {
        let id = request.id();
        let capabilities = self.decoder.capabilities;
        let instructions = || self.handler.instructions(principal);
        match request.operation {
            Operation::Initialize => self.encoder.initialized(
                id,
                request.revision,
                self.handler.info(),
                capabilities,
                instructions().as_deref(),
            ),
            Operation::Discover => {
                self.encoder
                    .discovered(id, self.decoder.served, capabilities, instructions().as_deref())
            }
            Operation::Ping
            | Operation::ListTools
            | Operation::CallTool
            | Operation::ListResources
            | Operation::ListResourceTemplates
            | Operation::ReadResource => self.encoder.empty(id, request.revision),
        }
    }
}

fn answers(completed: &crate::handler::Completed, method: &Method<'_>) -> bool {
    use crate::handler::Completed;
    matches!(
        (completed, method),
        (Completed::Tools(_), Method::ListTools { .. })
            | (Completed::Tool(_), Method::CallTool { .. })
            | (Completed::Resources(_), Method::ListResources { .. })
            | (
                Completed::ResourceTemplates(_),
                Method::ListResourceTemplates { .. }
            )
            | (Completed::Resource(_), Method::ReadResource { .. })
    )
}

/// On HTTP+SSE every answer to a request goes out on the event stream, and the POST gets 202.
fn on_wire(wire: Wire, status: u16) -> u16 {
    match wire {
        Wire::HttpSse => 202,
        Wire::Http | Wire::Stdio => status,
    }
}

fn array(batch: &Batch, answers: &[Bytes]) -> Reply {
    if answers.is_empty() {
        return Reply {
            status: 202,
            body: None,
            opened: None,
        };
    }
    let mut out = vec![b'['];
    for (place, answer) in answers.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        out.extend_from_slice(answer);
    }
    out.push(b']');
    Reply {
        status: on_wire(batch.wire, 200),
        body: Some(out.into()),
        opened: None,
    }
}
