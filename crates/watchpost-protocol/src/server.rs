//! The entry points for a transport.

use crate::{
    call_error::CallError,
    change::{ChangeStream, Interest},
    client::SessionState,
    code::{INVALID_PARAMS, RequiredCapability, RpcError},
    decode::{Decoder, Limits},
    encode::{self, Encoder},
    handler::{Call, Completed, Handler, Link, Outcome, RequestMeta},
    input::{InputRequired, Inputs},
    method::Method,
    request::{Batch, BatchItem, Effect, Incoming, Operation, Reply, Request, TransportFacts},
    revision::{Era, Revisions, era::TransportKind},
    text,
    tool::ToolResult,
};
use bytes::Bytes;

/// The maximum number of rounds of questions to a legacy client within one request.
const ROUNDS_MAX: usize = 8;

/// A handler wrapped in the protocol. One server is shared by all connections of all transports and holds no
/// connection state.
#[derive(Debug)]
pub struct Server<H> {
    handler: H,
    decoder: Decoder,
    encoder: Encoder,
}

impl<H: Handler> Server<H> {
    /// Creates a server that supports every known revision, with the default limits.
    pub fn new(handler: H) -> Self {
        Self::with_limits(handler, Revisions::ALL, Limits::default())
    }

    /// Creates a server that supports the given revisions within the given limits. The handler's info,
    /// capabilities and parameter headers are read once, here.
    pub fn with_limits(handler: H, served: Revisions, limits: Limits) -> Self {
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

    /// Returns the handler.
    pub fn handler(&self) -> &H {
        &self.handler
    }

    /// Returns the limits on messages. A transport stops reading a body that exceeds them.
    pub fn limits(&self) -> Limits {
        self.decoder.limits
    }

    /// Decodes and validates one message: an HTTP body, or a line without its line break. Does no I/O and never
    /// panics. A message that passes is valid; [`Server::handle`] finds no further protocol errors in it.
    pub fn decode(&self, body: &Bytes, facts: &TransportFacts<'_>) -> Incoming {
        self.decoder.decode(body, facts)
    }

    /// Answers a request. Awaits only the handler and, if the handler asks a legacy client for input, that
    /// client's answers. For [`Operation::Listen`], call [`Server::listen`] instead.
    pub async fn handle(&self, principal: &H::Principal, request: &Request, link: Link<'_>) -> Reply {
        let (status, body, effects) = match self.answer(principal, request, link).await {
            Ok(body) => (200, body, Vec::from_iter(effect(request))),
            Err(error) => (error.status, self.error(request, &error), Vec::new()),
        };
        Reply {
            status: reply_status(request.transport, status),
            body: Some(body),
            effects,
        }
    }

    /// Opens a subscription of a modern client. The source of changes is registered when this returns, so no
    /// change is lost between the acknowledgment, which the transport must send first, and the notifications.
    ///
    /// # Errors
    /// Returns the error response if the subscription is rejected.
    pub async fn listen(
        &self,
        principal: &H::Principal,
        request: &Request,
        link: Link<'_>,
    ) -> Result<ChangeStream, Reply> {
        let reject = |error: &RpcError| self.reject(request, error);
        if request.operation != Operation::Listen {
            return Err(reject(&RpcError::internal()));
        }
        let interest = request.interest().restrict_to(self.decoder.capabilities);
        let method = Method::Listen { interest: &interest };
        let inputs = Inputs::default();
        let call = Call {
            method: method.clone(),
            meta: RequestMeta::new(request, link, &inputs),
        };
        match self.handler.call(principal, call).await {
            Outcome::Complete(Completed::Acknowledged) => {}
            Outcome::Error(error) => return Err(reject(&error.into_rpc(&method, request.era()))),
            Outcome::Complete(_) | Outcome::InputRequired(_) | Outcome::Task(_) => {
                return Err(reject(&RpcError::internal()));
            }
        }
        let changes = self.handler.watch(principal, &interest);
        let ending = self.encoder.listen_ended(request.id());
        Ok(ChangeStream::modern(
            changes,
            interest,
            request.revision,
            request.id(),
            ending,
        ))
    }

    /// Opens the stream of unsolicited notifications for a legacy session: changes of lists, and changes of the
    /// resources with the given URIs, to which the session subscribed.
    pub fn unsolicited<U>(&self, principal: &H::Principal, session: &SessionState, uris: U) -> ChangeStream
    where
        U: IntoIterator<Item = String>,
    {
        let interest = self.unsolicited_interest(uris);
        let changes = self.handler.watch(principal, &interest);
        ChangeStream::legacy(changes, interest, session.revision)
    }

    /// Returns the interest of [`Server::unsolicited`] for a changed set of subscriptions.
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

    /// Whether the server can send unsolicited notifications to a legacy session.
    pub fn has_changes(&self) -> bool {
        self.decoder.capabilities.has_changes()
    }

    fn error(&self, request: &Request, error: &RpcError) -> Bytes {
        encode::error(Some(request.id()), Some(request.revision), error)
    }

    /// Answers the messages of an array in order, with one array. The reply is empty if no element needs a
    /// response.
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

    /// Returns the response that rejects a request without calling the handler, for a reason known to the
    /// transport: an
    /// invalid credential, an id already in use, or a cancelled exchange.
    pub fn reject(&self, request: &Request, error: &RpcError) -> Reply {
        Reply {
            status: reply_status(request.transport, error.status),
            body: Some(self.error(request, error)),
            effects: Vec::new(),
        }
    }

    /// Like [`Server::reject`], for every request of an array.
    pub fn reject_batch(&self, batch: &Batch, error: &RpcError) -> Reply {
        let answers: Vec<Bytes> = batch
            .items
            .iter()
            .filter_map(|item| match item {
                BatchItem::Request(request) => self.reject(request, error).body,
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
                (Outcome::Error(CallError::Unavailable(text)), Method::CallTool { .. })
                    if !request.reads_errors_by_status() =>
                {
                    return Ok(self.tool_error(request, &text));
                }
                (Outcome::Error(error), _) => return Err(error.into_rpc(&method, request.era())),
                (Outcome::Complete(completed), method) if answers(&completed, method) => {
                    return Ok(self.encoder.completed(request.id(), request.revision, &completed));
                }
                (Outcome::Task(task), Method::CallTool { .. }) if request.may_become_task() => {
                    return Ok(self.encoder.task_created(request.id(), request.revision, &task));
                }
                (Outcome::InputRequired(required), _) if request.operation.may_ask() => required,
                // An outcome of the wrong kind is a bug in the handler. Sending it would make an invalid
                // message.
                (Outcome::Complete(_) | Outcome::Task(_) | Outcome::InputRequired(_), _) => {
                    return Err(RpcError::internal());
                }
            };
            let rejection = self.cannot_ask(request, &required);
            if request.era() == Era::Modern {
                return match rejection {
                    Some(error) => Err(error),
                    None => self.ask_modern(request, link, required),
                };
            }
            let answered = match rejection {
                Some(error) => Err(error),
                None => ask_legacy(request, link, required, inputs, round).await,
            };
            inputs = match answered {
                Ok(answered) => answered,
                Err(error) => return self.input_unavailable(request, error),
            };
        }
        self.input_unavailable(request, RpcError::invalid_params(text::INPUT_NOT_GIVEN))
    }

    /// Reports that a legacy client can't give the input that a call needs. For a tool, the model gets a tool
    /// error, so that
    /// it can tell the user.
    fn input_unavailable(&self, request: &Request, error: RpcError) -> Result<Bytes, RpcError> {
        if request.operation != Operation::CallTool || error.code() != INVALID_PARAMS {
            return Err(error);
        }
        Ok(self.tool_error(request, error.message()))
    }

    fn tool_error(&self, request: &Request, message: &str) -> Bytes {
        let result = Completed::Tool(ToolResult::error(message));
        self.encoder.completed(request.id(), request.revision, &result)
    }

    /// Reads the answers of a modern request. Fails if its state wasn't sealed by this server (MRT-04, MRT-05).
    fn inputs(&self, request: &Request, link: Link<'_>) -> Result<Inputs, RpcError> {
        let operation = request.operation;
        if request.era() == Era::Legacy || !(operation.may_ask() || operation == Operation::UpdateTask) {
            return Ok(Inputs::default());
        }
        let state = match request.state().filter(|_| operation.may_ask()) {
            None => None,
            Some(sealed) => {
                let opened = link.seal.and_then(|seal| seal.open(&request.context(), &sealed));
                Some(opened.ok_or_else(|| RpcError::invalid_params(text::INVALID_REQUEST_STATE))?)
            }
        };
        request.inputs(state).ok_or_else(RpcError::internal)
    }

    /// Returns an error if the client can't be asked for this input: it didn't declare the capability, or its
    /// revision doesn't
    /// support the request.
    fn cannot_ask(&self, request: &Request, required: &InputRequired) -> Option<RpcError> {
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

    /// Answers a request that doesn't need the handler's `call`.
    fn answer_without_handler(&self, principal: &H::Principal, request: &Request) -> Result<Bytes, RpcError> {
        let id = request.id();
        let capabilities = self.decoder.capabilities;
        let instructions = || self.handler.instructions(principal);
        match request.operation {
            Operation::Initialize => Ok(self.encoder.initialize(
                id,
                request.revision,
                self.handler.info(),
                capabilities,
                instructions().as_deref(),
            )),
            Operation::Discover => {
                Ok(self
                    .encoder
                    .discover(id, self.decoder.served, capabilities, instructions().as_deref()))
            }
            Operation::Ping | Operation::SetLogLevel => Ok(self.encoder.empty(id, request.revision)),
            // All other operations have a handler method, except `Listen`, which has its own entry point.
            _ => Err(RpcError::internal()),
        }
    }
}

/// Asks a legacy client by server-to-client requests, one after the other, and returns the answers for the
/// handler's next call.
async fn ask_legacy(
    request: &Request,
    link: Link<'_>,
    required: InputRequired,
    mut inputs: Inputs,
    round: usize,
) -> Result<Inputs, RpcError> {
    let Some(peer) = link.peer else {
        return Err(RpcError::invalid_params(text::NO_CHANNEL_TO_USER));
    };
    for (key, asked) in required.requests {
        // The last round asks nothing: a client whose answers still don't fit has failed.
        let result = if round < ROUNDS_MAX.saturating_sub(1) {
            peer.ask(asked.method(), asked.params(request.revision)).await
        } else {
            None
        };
        inputs.record(key, result);
    }
    inputs.set_state(required.state);
    Ok(inputs)
}

/// Returns the change of the session that a successful request makes.
fn effect(request: &Request) -> Option<Effect> {
    let uri = || request.text(request.members.uri).into_owned();
    match request.operation {
        Operation::Initialize => request.session.clone().map(Effect::SessionOpened),
        Operation::Subscribe => Some(Effect::Subscribed(uri())),
        Operation::Unsubscribe => Some(Effect::Unsubscribed(uri())),
        Operation::SetLogLevel => request.level().map(Effect::LogLevel),
        _ => None,
    }
}

/// Whether the result is of the kind that answers the method.
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

/// Returns the HTTP status of a reply. On HTTP+SSE, responses to requests are sent on the event stream and the
/// POST gets
/// 202.
fn reply_status(transport: TransportKind, status: u16) -> u16 {
    match transport {
        TransportKind::HttpSse => 202,
        TransportKind::Http | TransportKind::Stdio => status,
    }
}

/// Combines responses into the reply to an array of messages.
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
        status: reply_status(batch.transport, 200),
        body: Some(out.into()),
        effects: Vec::new(),
    }
}
