//! The client's process, which is its session.

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
    RequestId, RpcError, SessionState, TransportFacts, Wire, client_request,
};

/// The JSON-RPC code for a refused credential: HTTP's number, outside the range that JSON-RPC keeps.
const REFUSED: i64 = 401;

/// As above, for a store that doesn't answer.
const UNAVAILABLE: i64 = 503;

/// How a call ended.
#[expect(clippy::large_enum_variant, reason = "the large variant is the common one")]
enum CallEnd {
    Answered {
        request: Request,
        finished: Finished,
    },
    Batch(Finished),
    /// A subscription was opened; it's cancelled by the id of its request.
    Listening(Box<(ChangeStream, OutstandingCall<(), RequestId<'static>>)>),
    /// A subscription was refused.
    Refused(Reply),
}

type Call = Pin<Box<dyn Future<Output = CallEnd> + Send>>;

/// What happened without the client's doing.
pub(super) enum Event {
    /// A call has ended; this is to be said about it.
    Finished(Vec<Bytes>),
    /// Something changed that the client listens for.
    Changed(Bytes),
}

pub(super) struct StdioSession<G: Gate, H> {
    service: Arc<StdioService<G, H>>,
    outstanding: Arc<Outstanding<(), RequestId<'static>>>,
    local: Arc<LocalState>,
    notifications: mpsc::Sender<Bytes>,
    calls: JoinSet<CallEnd>,
    /// What a handshake settled.
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

    /// The decoder's own limit.
    pub(super) fn message_bytes_max(&self) -> usize {
        usize::try_from(self.service.server.limits().message_bytes).unwrap_or(usize::MAX - 1)
    }

    /// Calls in progress.
    pub(super) fn calls(&self) -> usize {
        self.calls.len()
    }

    pub(super) fn abort_calls(&mut self) {
        self.calls.abort_all();
    }

    /// Whether the client hears of changes.
    pub(super) fn is_listening(&self) -> bool {
        !self.listening.is_empty()
    }

    /// Ends every subscription; gives what is to be said about it.
    pub(super) fn end_listening(&mut self) -> Vec<Bytes> {
        self.listening.end()
    }

    /// Ends every subscription if the principal isn't valid any more.
    pub(super) async fn check_listening(&mut self) -> Vec<Bytes> {
        match Self::admitted(&self.service).await {
            Ok(_) => Vec::new(),
            Err(_) => self.listening.end(),
        }
    }

    /// Waits until a call ends or something changes. Cancel safe.
    pub(super) async fn next_event(&mut self) -> Event {
        let finished = tokio::select! {
            biased;
            Some(finished) = self.calls.join_next() => finished.ok(),
            message = self.listening.next() => return Event::Changed(message),
        };
        Event::Finished(self.finish(finished))
    }

    /// What the next call that ends has to say; `None` once there is no call left.
    pub(super) async fn next_finished(&mut self) -> Option<Vec<Bytes>> {
        let finished = self.calls.join_next().await?;
        Some(self.finish(finished.ok()))
    }

    /// Handles one line; gives what is to be said at once.
    pub(super) async fn handle_line(&mut self, line: Line) -> Vec<Bytes> {
        let message = match line {
            Line::Message(message) => message,
            // The decoder looks at the length first, and knows in which form this client wants its errors.
            Line::TooLong => Bytes::from(vec![b' '; self.message_bytes_max() + 1]),
        };
        let service = Arc::clone(&self.service);
        let principal = match Self::admitted(&service).await {
            Ok(principal) => principal,
            Err(error) => return Vec::from_iter(self.refuse(&message, &error)),
        };
        let facts = TransportFacts::new(Wire::Stdio, self.state.as_ref());
        let call: Call = match service.server.decode(&message, &facts) {
            Incoming::Request(request) => {
                let Some(entered) = self.outstanding.enter((), request.id().clone()) else {
                    let refused = service.server.refuse(&request, &RpcError::duplicate_id());
                    return Vec::from_iter(refused.body);
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
            patience: service.timing.client_answer,
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
                return CallEnd::Refused(service.server.refuse(&request, &error));
            }
            match service.server.listen(&principal, &request, Link::default()).await {
                Ok(stream) => CallEnd::Listening(Box::new((stream, entered))),
                Err(refused) => CallEnd::Refused(refused),
            }
        })
    }

    /// Looks once whether the call is quick; gives it a task otherwise.
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

    /// Applies what a finished call changed and gives what it has to say; nothing about one that was cancelled, in
    /// either era.
    fn finish(&mut self, end: Option<CallEnd>) -> Vec<Bytes> {
        let finished = match end {
            None => return Vec::new(),
            Some(CallEnd::Listening(listening)) => {
                let (stream, entered) = *listening;
                let acknowledgment = stream.acknowledgment();
                self.listening.add(stream, entered);
                return vec![acknowledgment];
            }
            Some(CallEnd::Refused(reply)) => return Vec::from_iter(reply.body),
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
            Ok(_) | Err(Refusal::Invalid) => Err(RpcError::new(REFUSED, "Invalid API key", 401)),
            Err(Refusal::Missing) => Err(RpcError::new(REFUSED, "API key required", 401)),
            Err(Refusal::Throttled { .. } | Refusal::Unavailable { .. }) => {
                Err(RpcError::new(UNAVAILABLE, "Service unavailable", 503))
            }
        }
    }

    /// The one answer that a refused client gets, whatever it asks.
    fn refuse(&self, message: &Bytes, error: &RpcError) -> Option<Bytes> {
        let server = &self.service.server;
        match server.decode(message, &TransportFacts::new(Wire::Stdio, None)) {
            Incoming::Request(request) => server.refuse(&request, error).body,
            Incoming::Batch(batch) => server.refuse_batch(&batch, error).body,
            Incoming::Notification(_) | Incoming::Responses(_) => None,
            Incoming::Rejected(reply) => reply.body.map(|body| replace_error(&body, error)),
        }
    }
}

/// A rejection tells what this server knows, so a refused client sees only the id of it. What isn't JSON is
/// still called that.
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

/// Takes what a call says before its answer to the writer, and asks the client there.
struct StdioChannel {
    lines: mpsc::Sender<Bytes>,
    pace: Pace,
    local: Arc<LocalState>,
    patience: Duration,
}

impl Outbox for StdioChannel {
    fn send(&self, message: Bytes) {
        if self.pace.allows_one() {
            // A full writer means a client that doesn't read; it misses a step of progress.
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
            let answered = tokio::time::timeout(self.patience, question.answered());
            answered.await.ok().flatten()
        })
    }
}
