//! The entry points of a transport.

use crate::{
    change::{ChangeStream, Interest},
    client::SessionState,
    code::{INVALID_PARAMS, RequiredCapability, RpcError},
    decode::{Decoder, Limits},
    encode::{self, Encoder},
    handler::{Call, Completed, Handler, Link, Outcome, RequestMeta},
    input::{InputRequired, Inputs},
    method::Method,
    request::{Batch, BatchItem, Effect, Incoming, Operation, Reply, Request, TransportFacts},
    revision::{Era, Revisions, era::Wire},
    tool::ToolResult,
};
use bytes::Bytes;

/// How often a handler may ask a legacy client within one request.
const ROUNDS_MAX: usize = 8;

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
            headers: handler.parameter_headers(),
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

    /// Answers a request, awaiting nothing but the handler and, for a legacy client that is asked, its answers.
    /// [`Operation::Listen`] goes to [`Server::listen`] instead.
    pub async fn handle(&self, principal: &H::Principal, request: &Request, link: Link<'_>) -> Reply {
        let (status, body, effects) = match self.answer(principal, request, link).await {
            Ok(body) => (200, body, Vec::from_iter(effect(request))),
            Err(error) => (error.status, self.error(request, &error), Vec::new()),
        };
        Reply {
            status: on_wire(request.wire, status),
            body: Some(body),
            effects,
        }
    }

    /// Opens a subscription of a modern client. The stream is registered when this returns, so nothing falls between
    /// its acknowledgment, which goes out first, and what follows.
    ///
    /// # Errors
    /// The answer that refuses it.
    pub async fn listen(
        &self,
        principal: &H::Principal,
        request: &Request,
        link: Link<'_>,
    ) -> Result<ChangeStream, Reply> {
        let refused = |error: &RpcError| self.refuse(request, error);
        if request.operation != Operation::Listen {
            return Err(refused(&RpcError::internal()));
        }
        let interest = request.interest().honored(self.decoder.capabilities);
        let method = Method::Listen { interest: &interest };
        let inputs = Inputs::default();
        let call = Call {
            method: method.clone(),
            meta: RequestMeta::new(request, link, &inputs),
        };
        match self.handler.call(principal, call).await {
            Outcome::Complete(Completed::Acknowledged) => {}
            Outcome::Error(error) => return Err(refused(&error.into_rpc(&method, request.era()))),
            Outcome::Complete(_) | Outcome::InputRequired(_) | Outcome::Task(_) => {
                return Err(refused(&RpcError::internal()));
            }
        }
        let changes = self.handler.watch(principal, &interest);
        let ending = self.encoder.listened(request.id());
        Ok(ChangeStream::modern(
            changes,
            interest,
            request.revision,
            request.id(),
            ending,
        ))
    }

    /// What a legacy session hears of without a request: the lists that change, and the resources that it
    /// subscribed to.
    pub fn unsolicited<U>(&self, principal: &H::Principal, session: &SessionState, uris: U) -> ChangeStream
    where
        U: IntoIterator<Item = String>,
    {
        let interest = self.unsolicited_interest(uris);
        let changes = self.handler.watch(principal, &interest);
        ChangeStream::legacy(changes, interest, session.revision)
    }

    /// The interest behind [`Server::unsolicited`], for a session that has subscribed to more or less since.
    pub fn unsolicited_interest<U>(&self, uris: U) -> Interest
    where
        U: IntoIterator<Item = String>,
    {
        let mut interest = Interest::of_lists(self.decoder.capabilities);
        if self.decoder.capabilities.resource_subscriptions {
            interest.uris.extend(uris);
        }
        interest
    }

    /// Whether a legacy session can hear of anything without a request.
    pub fn has_changes(&self) -> bool {
        self.decoder.capabilities.has_changes()
    }

    fn error(&self, request: &Request, error: &RpcError) -> Bytes {
        encode::error(Some(request.id()), Some(request.revision), error)
    }

    /// Answers an array of messages, one after the other, with one array; with nothing if nothing in it wants
    /// an answer.
    pub async fn handle_batch(&self, principal: &H::Principal, batch: &Batch, link: Link<'_>) -> Reply {
        let mut answers = Vec::new();
        let mut effects = Vec::new();
        for item in &batch.items {
            match item {
                BatchItem::Request(request) => {
                    let reply = self.handle(principal, request, link).await;
                    effects.extend(reply.effects);
                    answers.extend(reply.body);
                }
                BatchItem::Rejected(body) => answers.push(body.clone()),
                BatchItem::Notification(_) => {}
            }
        }
        Reply {
            effects,
            ..array(batch, &answers)
        }
    }

    /// The answer that refuses a request without asking the handler, for reasons that the transport knows: a
    /// bad credential, an id that's in use, a cancelled exchange.
    pub fn refuse(&self, request: &Request, error: &RpcError) -> Reply {
        Reply {
            status: on_wire(request.wire, error.status),
            body: Some(self.error(request, error)),
            effects: Vec::new(),
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
        let mut inputs = self.inputs(request, link)?;
        for round in 0..=ROUNDS_MAX {
            let Some(method) = request.method(&inputs) else {
                return self.answer_without_handler(principal, request);
            };
            let call = Call {
                method: method.clone(),
                meta: RequestMeta::new(request, link, &inputs),
            };
            let required = match (self.handler.call(principal, call).await, &method) {
                (Outcome::Error(error), _) => return Err(error.into_rpc(&method, request.era())),
                (Outcome::Complete(completed), method) if answers(&completed, method) => {
                    return Ok(self.encoder.completed(request.id(), request.revision, &completed));
                }
                (Outcome::Task(task), Method::CallTool { .. }) if request.may_become_task() => {
                    return Ok(self.encoder.task_created(request.id(), request.revision, &task));
                }
                (Outcome::InputRequired(required), _) if request.operation.may_ask() => required,
                // A handler that answers a list with a call is broken, and its answer would be no legal message.
                (Outcome::Complete(_) | Outcome::Task(_) | Outcome::InputRequired(_), _) => {
                    return Err(RpcError::internal());
                }
            };
            let unfit = self.unaskable(request, &required);
            if request.era() == Era::Modern {
                return match unfit {
                    Some(unfit) => Err(unfit),
                    None => self.ask_modern(request, link, required),
                };
            }
            let answered = match unfit {
                Some(unfit) => Err(unfit),
                None => ask_legacy(request, link, required, inputs, round).await,
            };
            inputs = match answered {
                Ok(answered) => answered,
                Err(error) => return self.unanswered(request, error),
            };
        }
        self.unanswered(
            request,
            RpcError::invalid_params("the client didn't give the answers that this request needs"),
        )
    }

    /// A legacy client can't be asked what a call needs. Of a tool, the model is told so (mcp.md 16.1).
    fn unanswered(&self, request: &Request, error: RpcError) -> Result<Bytes, RpcError> {
        if request.operation != Operation::CallTool || error.code() != INVALID_PARAMS {
            return Err(error);
        }
        let told = Completed::Tool(ToolResult::error(error.message()));
        Ok(self.encoder.completed(request.id(), request.revision, &told))
    }

    /// The answers that a modern request brings, if its state is one of ours (MRT-04, MRT-05).
    fn inputs(&self, request: &Request, link: Link<'_>) -> Result<Inputs, RpcError> {
        let operation = request.operation;
        if request.era() == Era::Legacy || !(operation.may_ask() || operation == Operation::UpdateTask) {
            return Ok(Inputs::default());
        }
        let state = match request.state().filter(|_| operation.may_ask()) {
            None => None,
            Some(sealed) => {
                let opened = link.seal.and_then(|seal| seal.open(&request.context(), &sealed));
                Some(opened.ok_or_else(|| {
                    RpcError::invalid_params(
                        "`requestState` isn't valid any more; send the request without it",
                    )
                })?)
            }
        };
        request.inputs(state).ok_or_else(RpcError::internal)
    }

    /// Why the client can't be asked this: it didn't declare what's needed, or its revision doesn't have it.
    fn unaskable(&self, request: &Request, required: &InputRequired) -> Option<RpcError> {
        let capabilities = request.capabilities();
        let (revision, era) = (request.revision, request.era());
        if required.requests.is_empty() && required.state.is_none() {
            return Some(RpcError::internal());
        }
        required.requests.iter().find_map(|(_, asked)| {
            let requires = asked.requires();
            let declared = match requires {
                RequiredCapability::ElicitationForm => capabilities.elicitation_form,
                RequiredCapability::Sampling => capabilities.sampling,
                RequiredCapability::Roots => capabilities.roots,
                RequiredCapability::Tasks => capabilities.tasks,
            };
            (!declared || !asked.fits(revision)).then(|| RpcError::missing_capability(requires, era))
        })
    }

    fn ask_modern(
        &self,
        request: &Request,
        link: Link<'_>,
        required: InputRequired,
    ) -> Result<Bytes, RpcError> {
        let state = match required.state {
            None => None,
            Some(state) => Some(
                link.seal
                    .and_then(|seal| seal.seal(&request.context(), &state))
                    .ok_or_else(RpcError::internal)?,
            ),
        };
        Ok(self.encoder.input_required(
            request.id(),
            request.revision,
            &required.requests,
            state.as_deref(),
        ))
    }

    /// What needs no handler call.
    fn answer_without_handler(&self, principal: &H::Principal, request: &Request) -> Result<Bytes, RpcError> {
        let id = request.id();
        let capabilities = self.decoder.capabilities;
        let instructions = || self.handler.instructions(principal);
        match request.operation {
            Operation::Initialize => Ok(self.encoder.initialized(
                id,
                request.revision,
                self.handler.info(),
                capabilities,
                instructions().as_deref(),
            )),
            Operation::Discover => {
                Ok(self
                    .encoder
                    .discovered(id, self.decoder.served, capabilities, instructions().as_deref()))
            }
            Operation::Ping | Operation::SetLogLevel => Ok(self.encoder.empty(id, request.revision)),
            // Everything else has a method of the handler; listening has an entry point of its own.
            _ => Err(RpcError::internal()),
        }
    }
}

/// Asks a legacy client in requests of ours, one after the other, and gives the answers for the next call of the
/// handler.
async fn ask_legacy(
    request: &Request,
    link: Link<'_>,
    required: InputRequired,
    mut inputs: Inputs,
    round: usize,
) -> Result<Inputs, RpcError> {
    let Some(peer) = link.peer else {
        return Err(RpcError::invalid_params(
            "this needs an answer of the person, and there is no way to ask on this connection",
        ));
    };
    for (key, asked) in required.requests {
        // A client that keeps giving answers that don't fit has failed.
        let result = if round < ROUNDS_MAX.saturating_sub(1) {
            peer.ask(asked.method(), asked.params(request.revision)).await
        } else {
            None
        };
        inputs.note(key, result);
    }
    inputs.set_state(required.state);
    Ok(inputs)
}

fn effect(request: &Request) -> Option<Effect> {
    let uri = || request.text(request.members.uri).into_owned();
    match request.operation {
        Operation::Initialize => request.session.clone().map(Effect::Opened),
        Operation::Subscribe => Some(Effect::Subscribed(uri())),
        Operation::Unsubscribe => Some(Effect::Unsubscribed(uri())),
        Operation::SetLogLevel => request.level().map(Effect::LogLevel),
        _ => None,
    }
}

fn answers(completed: &Completed, method: &Method<'_>) -> bool {
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
            | (Completed::Prompts(_), Method::ListPrompts { .. })
            | (Completed::Prompt(_), Method::GetPrompt { .. })
            | (Completed::Completion(_), Method::Complete(_))
            | (Completed::Task(_), Method::GetTask { .. })
            | (
                Completed::Acknowledged,
                Method::Subscribe { .. }
                    | Method::Unsubscribe { .. }
                    | Method::UpdateTask { .. }
                    | Method::CancelTask { .. }
            )
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
            effects: Vec::new(),
        };
    }
    let mut out = vec![b'['];
    for (index, answer) in answers.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(answer);
    }
    out.push(b']');
    Reply {
        status: on_wire(batch.wire, 200),
        body: Some(out.into()),
        effects: Vec::new(),
    }
}
