//! The session of the local client, which is the process itself.

use crate::{
    gate::{Gate, Refusal},
    sessions::{
        effects::{self, Session},
        local::LocalState,
        outstanding::{Outstanding, OutstandingCall},
        states::Sealing,
    },
    stdio::{lines::Line, listening::Listening, service::StdioService},
    streams::call::{Finished, Pace, drive, drive_batch},
    text,
};
use bytes::Bytes;
use std::{
    collections::BTreeSet,
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};
use tokio::{sync::mpsc, task::JoinSet};
use watchpost_protocol::{
    ChangeStream, Era, Handler, Incoming, Link, Notification, Operation, Outbox, Peer, Reply, Request,
    RequestId, RpcError, SessionState, TransportFacts, TransportKind, client_request,
};

/// The JSON-RPC error code for a rejected credential. It equals the HTTP status and lies outside of the range
/// reserved by
/// JSON-RPC.
const UNAUTHORIZED: i64 = 401;

/// The JSON-RPC error code if the store doesn't respond.
const UNAVAILABLE: i64 = 503;

/// The outcome of a call.
#[expect(clippy::large_enum_variant, reason = "the large variant is the common one")]
enum CallEnd {
    Answered {
        request: Request,
        finished: Finished,
    },
    Batch(Finished),
    /// A subscription was opened. It can be cancelled by the id of its request.
    Listening(Box<(ChangeStream, OutstandingCall<(), RequestId<'static>>)>),
    /// A subscription was rejected.
    Rejected(Reply),
}

type Call = Pin<Box<dyn Future<Output = CallEnd> + Send>>;

/// An event that isn't a message from the client.
pub(super) enum Event {
    /// A call has ended. These are the messages to send for it.
    Finished(Vec<Bytes>),
    /// A change notification for the client.
    Changed(Bytes),
}

pub(super) struct StdioSession<G: Gate, H> {
    service: Arc<StdioService<G, H>>,
    outstanding: Arc<Outstanding<(), RequestId<'static>>>,
    local: Arc<LocalState>,
    notifications: mpsc::Sender<Bytes>,
    calls: JoinSet<CallEnd>,
    /// The result of the handshake.
    state: Option<Arc<SessionState>>,
    listening: Listening,
}

impl<G, H> Session for StdioSession<G, H>
where
    G: Gate,
    H: Handler<Principal = G::Principal>,
{
    fn opened(&mut self, state: &Arc<SessionState>) {
        self.state = Some(Arc::clone(state));
    }

    fn local(&self) -> Arc<LocalState> {
        Arc::clone(&self.local)
    }

    fn subscriptions_changed(&mut self, uris: BTreeSet<String>) {
        let interest = self.service.server.unsolicited_interest(uris);
        self.listening.set_interest(interest);
    }
}

impl<G, H> StdioSession<G, H>
where
    G: Gate,
    H: Handler<Principal = G::Principal>,
{
    pub(super) fn new(service: StdioService<G, H>, notifications: mpsc::Sender<Bytes>) -> Self {
        Self {
            service: Arc::new(service),
            outstanding: Outstanding::new(),
            local: Arc::default(),
            notifications,
            calls: JoinSet::new(),
            state: None,
            listening: Listening::default(),
        }
    }

    /// Returns the decoder's limit on the size of a message.
    pub(super) fn message_bytes_max(&self) -> usize {
        usize::try_from(self.service.server.limits().message_bytes).unwrap_or(usize::MAX - 1)
    }

    /// Returns the number of calls in progress.
    pub(super) fn calls(&self) -> usize {
        self.calls.len()
    }

    pub(super) fn abort_calls(&mut self) {
        self.calls.abort_all();
    }

    /// Whether the client receives change notifications.
    pub(super) fn is_listening(&self) -> bool {
        !self.listening.is_empty()
    }

    /// Ends all subscriptions. Returns the messages to send about it.
    pub(super) fn end_listening(&mut self) -> Vec<Bytes> {
        self.listening.end()
    }

    /// Ends all subscriptions if the principal is no longer valid. Returns the messages to send about it.
    pub(super) async fn check_listening(&mut self) -> Vec<Bytes> {
        match Self::admitted(&self.service).await {
            Ok(_) => Vec::new(),
            Err(_) => self.listening.end(),
        }
    }

    /// Waits until a call ends or a change occurs. Cancel safe.
    pub(super) async fn next_event(&mut self) -> Event {
        let finished = tokio::select! {
            biased;
            Some(finished) = self.calls.join_next() => finished.ok(),
            message = self.listening.next() => return Event::Changed(message),
        };
        Event::Finished(self.finish(finished))
    }

    /// Waits for the next call to end and returns its messages. Returns `None` if no calls are left.
    pub(super) async fn next_finished(&mut self) -> Option<Vec<Bytes>> {
        let finished = self.calls.join_next().await?;
        Some(self.finish(finished.ok()))
    }

    /// Handles one line. Returns the messages to send immediately.
    pub(super) async fn handle_line(&mut self, line: Line) -> Vec<Bytes> {
        let message = match line {
            Line::Message(message) => message,
            // The decoder checks the size first, and encodes the error for the client's revision.
            Line::TooLong => Bytes::from(vec![b' '; self.message_bytes_max() + 1]),
        };
        let service = Arc::clone(&self.service);
        let principal = match Self::admitted(&service).await {
            Ok(principal) => principal,
            Err(error) => return Vec::from_iter(self.reject(&message, &error)),
        };
        let facts = TransportFacts::new(TransportKind::Stdio, self.state.as_ref());
        let call: Call = match service.server.decode(&message, &facts) {
            Incoming::Request(request) => {
                if request.operation() == Operation::Initialize {
                    self.start_again();
                }
                let Some(entered) = self.outstanding.enter((), request.id().clone()) else {
                    let rejection = service.server.reject(&request, &RpcError::duplicate_id());
                    return Vec::from_iter(rejection.body);
                };
                if request.operation() == Operation::Listen {
                    self.listen(request, principal, entered)
                } else {
                    self.answer(request, principal, entered)
                }
            }
            Incoming::Batch(batch) => {
                for notification in batch.notifications() {
                    self.handle_notification(notification, &principal);
                }
                Box::pin(
                    async move { CallEnd::Batch(drive_batch(&service.server, &principal, &batch).await) },
                )
            }
            Incoming::Notification(notification) => {
                self.handle_notification(&notification, &principal);
                return Vec::new();
            }
            Incoming::Responses(responses) => {
                responses
                    .into_iter()
                    .for_each(|response| self.local.answer(response));
                return Vec::new();
            }
            Incoming::Rejected(reply) => return Vec::from_iter(reply.body),
        };
        self.start(call).await
    }

    /// Ends the legacy session, if there is one: its client sends another `initialize`, for a new session.
    fn start_again(&mut self) {
        if self.state.take().is_some() {
            self.outstanding.cancel_all();
            self.local.clear();
            self.listening.end_legacy();
        }
    }

    fn answer(
        &self,
        request: Request,
        principal: G::Principal,
        entered: OutstandingCall<(), RequestId<'static>>,
    ) -> Call {
        let service = Arc::clone(&self.service);
        let is_legacy = request.era() == Era::Legacy;
        let level = self.local.level().filter(|_| is_legacy);
        let channel = request.wants_outbox().then(|| StdioChannel {
            lines: self.notifications.clone(),
            pace: Pace::default(),
            local: Arc::clone(&self.local),
            answer_timeout: service.timing.client_answer,
        });
        Box::pin(async move {
            let seal = Sealing {
                keys: &service.state_keys,
                binding: service.gate.binding(&principal),
                clock: &*service.clock,
                random: &*service.random,
            };
            let peer = channel.as_ref().filter(|_| is_legacy);
            let link = Link {
                outbox: channel.as_ref().map(|channel| channel as &dyn Outbox),
                peer: peer.map(|channel| channel as &dyn Peer),
                seal: Some(&seal),
                log_level: level,
                cancelled: None,
            };
            let finished = drive(&service.server, &principal, &request, Some(&entered), link).await;
            CallEnd::Answered { request, finished }
        })
    }

    fn listen(
        &self,
        request: Request,
        principal: G::Principal,
        entered: OutstandingCall<(), RequestId<'static>>,
    ) -> Call {
        let service = Arc::clone(&self.service);
        let has_room = self.listening.len() < service.limits.calls_per_stream;
        Box::pin(async move {
            if !has_room {
                let error = RpcError::subscription_limit();
                return CallEnd::Rejected(service.server.reject(&request, &error));
            }
            match service.server.listen(&principal, &request, Link::default()).await {
                Ok(stream) => CallEnd::Listening(Box::new((stream, entered))),
                Err(rejection) => CallEnd::Rejected(rejection),
            }
        })
    }

    /// Polls the call once. If it isn't finished, it continues in a task of its own.
    async fn start(&mut self, mut call: Call) -> Vec<Bytes> {
        let first = poll_fn(|cx| match call.as_mut().poll(cx) {
            Poll::Ready(end) => Poll::Ready(Some(end)),
            Poll::Pending => Poll::Ready(None),
        })
        .await;
        if first.is_none() {
            self.calls.spawn(call);
        }
        self.finish(first)
    }

    /// Applies the changes of a finished call and returns its messages. A cancelled call has none, in either
    /// era.
    fn finish(&mut self, end: Option<CallEnd>) -> Vec<Bytes> {
        let finished = match end {
            None => return Vec::new(),
            Some(CallEnd::Listening(listening)) => {
                let (stream, entered) = *listening;
                let acknowledgment = stream.acknowledgment();
                self.listening.add(stream, entered);
                return vec![acknowledgment];
            }
            Some(CallEnd::Rejected(reply)) => return Vec::from_iter(reply.body),
            Some(CallEnd::Answered { request, finished }) => {
                let service = Arc::clone(&self.service);
                effects::apply(&service.server, &request, finished, self)
            }
            Some(CallEnd::Batch(finished)) => {
                effects::apply_batch(&finished, self);
                finished
            }
        };
        Vec::from_iter(finished.into_message())
    }

    fn handle_notification(&mut self, notification: &Notification, principal: &G::Principal) {
        match notification {
            Notification::Cancelled(id) => self.outstanding.cancel((), id.clone()),
            Notification::Initialized => {
                if let Some(state) = &self.state {
                    let uris = self.local.uris();
                    let changes = self.service.server.unsolicited(principal, state, uris);
                    self.listening.begin(changes);
                }
            }
            Notification::Ignored => {}
        }
    }

    async fn admitted(service: &StdioService<G, H>) -> Result<G::Principal, RpcError> {
        match &service.admission {
            Ok(principal) if service.gate.still_valid(principal).await => Ok(principal.clone()),
            Ok(_) | Err(Refusal::Invalid) => Err(RpcError::new(UNAUTHORIZED, text::INVALID_API_KEY, 401)),
            Err(Refusal::Missing) => Err(RpcError::new(UNAUTHORIZED, text::API_KEY_REQUIRED, 401)),
            Err(Refusal::Throttled { .. } | Refusal::Unavailable { .. }) => {
                Err(RpcError::new(UNAVAILABLE, text::SERVICE_UNAVAILABLE, 503))
            }
        }
    }

    /// Returns the response to a message of a client that isn't admitted.
    fn reject(&self, message: &Bytes, error: &RpcError) -> Option<Bytes> {
        let server = &self.service.server;
        match server.decode(message, &TransportFacts::new(TransportKind::Stdio, None)) {
            Incoming::Request(request) => server.reject(&request, error).body,
            Incoming::Batch(batch) => server.reject_batch(&batch, error).body,
            Incoming::Notification(_) | Incoming::Responses(_) => None,
            Incoming::Rejected(reply) => reply.body.map(|body| replace_error(&body, error)),
        }
    }
}

/// Replaces the error of a rejected message. The original could reveal what the server offers, so a client that
/// isn't admitted gets only the id back. A parse error is kept.
fn replace_error(rejection: &Bytes, error: &RpcError) -> Bytes {
    #[derive(serde::Deserialize)]
    struct Rejection<'a> {
        #[serde(borrow)]
        id: Option<&'a serde_json::value::RawValue>,
        error: Code,
    }
    #[derive(serde::Deserialize)]
    struct Code {
        code: i64,
    }
    let Ok(parsed) = serde_json::from_slice::<Rejection<'_>>(rejection) else {
        return rejection.clone();
    };
    if parsed.error.code == watchpost_protocol::code::PARSE_ERROR {
        return rejection.clone();
    }
    let id = parsed.id.map_or("null", serde_json::value::RawValue::get);
    let (code, message) = (error.code(), serde_json::Value::from(error.message()));
    Bytes::from(format!(
        r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":{code},"message":{message}}}}}"#
    ))
}

/// Sends the messages of a call that precede its result, including questions to the client.
struct StdioChannel {
    lines: mpsc::Sender<Bytes>,
    pace: Pace,
    local: Arc<LocalState>,
    answer_timeout: Duration,
}

impl Outbox for StdioChannel {
    fn send(&self, message: Bytes) {
        if self.pace.allows_one() {
            // The queue is full because the client doesn't read. It misses a notification.
            let _ = self.lines.try_send(message);
        }
    }
}

impl Peer for StdioChannel {
    fn ask<'a>(
        &'a self,
        method: &'static str,
        params: Vec<u8>,
    ) -> Pin<Box<dyn Future<Output = Option<String>> + Send + 'a>> {
        Box::pin(async move {
            let question = self.local.question()?;
            let message = client_request(question.id(), method, &params);
            self.lines.try_send(message).ok()?;
            let answered = tokio::time::timeout(self.answer_timeout, question.answered());
            answered.await.ok().flatten()
        })
    }
}
