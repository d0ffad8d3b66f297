//! One local client on standard input and output.
//!
//! One message per line. Requests are served at the same time; one place writes, so lines never mix.

mod lines;
mod listening;

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use watchpost_protocol::{
    ChangeStream, Effect, Era, Handler, Incoming, Link, Notification, Operation, Outbox, Peer, Request,
    RequestId, RpcError, Server, SessionState, TransportFacts, Wire, client_request,
};

use crate::config::{Limits, Timing};
use crate::environment::{Clock, Random};
use crate::gate::{Gate, Refusal};
use crate::sessions::notes::SessionNotes;
use crate::sessions::outstanding::{Entered, Outstanding};
use crate::sessions::states::{Sealing, StateKeys};
use crate::streams::call::{Finished, Pace, attend, attend_batch};
use lines::{Line, Lines};
use listening::Listening;

/// The JSON-RPC code for a refused credential: HTTP's number, outside the range that JSON-RPC keeps.
const REFUSED: i64 = 401;

/// As above, for a store that doesn't answer.
const UNAVAILABLE: i64 = 503;

/// Notifications that wait for the writer; more are dropped.
const NOTIFICATIONS_MAX: usize = 256;

/// What serves the one client of this process.
pub struct StdioSeat<G: Gate, H> {
    /// The server, which may serve other transports too.
    pub server: Arc<Server<H>>,
    /// Asked before each request whether the principal is still valid.
    pub gate: Arc<G>,
    /// What the gate said at the start. After a refusal the client stays connected, and each of its requests
    /// is answered with an error that says why. A principal that stops being valid later is refused from
    /// then on.
    pub admission: Result<G::Principal, Refusal>,
    /// Of these, `message_bytes` and `calls_per_stream` count.
    pub limits: Limits,
    /// Of these, `stop_grace`, `client_answer` and `revocation_check` count.
    pub timing: Timing,
    /// Seals what travels through modern clients.
    pub state_keys: StateKeys,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// The generator for nonces.
    pub random: Arc<dyn Random>,
}

/// Serves one client until its input ends or `stop` resolves; then calls in progress get
/// [`Timing::stop_grace`] to finish.
///
/// # Errors
/// When `input` can't be read or `output` can't be written.
pub async fn serve_stdio<G, H, R, W>(
    seat: StdioSeat<G, H>,
    input: R,
    output: W,
    stop: impl Future<Output = ()>,
) -> io::Result<()>
where
    G: Gate,
    H: Handler<Principal = G::Principal>,
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let (notifications, mut notified) = mpsc::channel(NOTIFICATIONS_MAX);
    let limits = seat.limits.clone();
    let timing = seat.timing.clone();
    let mut process = Process {
        seat: Arc::new(seat),
        session: None,
        outstanding: Outstanding::new(),
        notes: Arc::default(),
        notifications,
        calls: JoinSet::new(),
        listening: Listening::default(),
    };
    let mut lines = Lines::new(input, limits.message_bytes.min(process.message_bytes_max()));
    let mut output = Output {
        output,
        line: BytesMut::new(),
    };
    let mut check = tokio::time::interval(timing.revocation_check);
    check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut stop = pin!(stop);
    loop {
        let is_full = process.calls.len() >= limits.calls_per_stream;
        tokio::select! {
            biased;
            () = &mut stop => break,
            Some(finished) = process.calls.join_next() => {
                // What a call said goes out before its answer.
                while let Ok(notification) = notified.try_recv() {
                    output.write(&notification).await?;
                }
                for message in process.settle(finished.ok()) {
                    output.write(&message).await?;
                }
            }
            Some(notification) = notified.recv() => output.write(&notification).await?,
            message = process.listening.next() => output.write(&message).await?,
            _ = check.tick(), if !process.listening.is_empty() => {
                if Process::admitted(&process.seat).await.is_err() {
                    for message in process.listening.end() {
                        output.write(&message).await?;
                    }
                }
            }
            line = lines.next(), if !is_full => match line? {
                None => break,
                Some(line) => {
                    let answer = process.take(line).await;
                    while let Ok(notification) = notified.try_recv() {
                        output.write(&notification).await?;
                    }
                    for message in answer {
                        output.write(&message).await?;
                    }
                }
            },
        }
    }
    for message in process.listening.end() {
        // A client that has gone needs no farewell.
        let _ = output.write(&message).await;
    }
    let drained = drain(&mut process, &mut notified, &mut output);
    tokio::time::timeout(timing.stop_grace, drained)
        .await
        .unwrap_or(Ok(()))?;
    process.calls.abort_all();
    output.output.flush().await
}

async fn drain<G, H, W>(
    process: &mut Process<G, H>,
    notified: &mut mpsc::Receiver<Bytes>,
    output: &mut Output<W>,
) -> io::Result<()>
where
    G: Gate,
    H: Handler<Principal = G::Principal>,
    W: AsyncWrite + Unpin,
{
    while let Some(finished) = process.calls.join_next().await {
        while let Ok(notification) = notified.try_recv() {
            output.write(&notification).await?;
        }
        for message in process.settle(finished.ok()) {
            output.write(&message).await?;
        }
    }
    Ok(())
}

/// Writes whole lines.
struct Output<W> {
    output: W,
    line: BytesMut,
}

/// Lines up to this size keep their buffer for the next one.
const LINE_KEPT: usize = 64 << 10;

impl<W: AsyncWrite + Unpin> Output<W> {
    async fn write(&mut self, message: &Bytes) -> io::Result<()> {
        self.line.clear();
        self.line.reserve(message.len() + 1);
        self.line.extend_from_slice(message);
        self.line.extend_from_slice(b"\n");
        self.output.write_all(&self.line).await?;
        self.output.flush().await?;
        if self.line.capacity() > LINE_KEPT {
            self.line = BytesMut::new();
        }
        Ok(())
    }
}

/// How a call of this client ended.
enum Done {
    Finished(Finished),
    /// A subscription was opened; it's cancelled by the id of its request.
    Listening(Box<(ChangeStream, Entered<(), RequestId<'static>>)>),
}

type Call = Pin<Box<dyn Future<Output = Done> + Send>>;

/// The client's process, which is its session.
struct Process<G: Gate, H> {
    seat: Arc<StdioSeat<G, H>>,
    session: Option<Arc<SessionState>>,
    outstanding: Arc<Outstanding<(), RequestId<'static>>>,
    notes: Arc<SessionNotes>,
    notifications: mpsc::Sender<Bytes>,
    calls: JoinSet<Done>,
    listening: Listening,
}

impl<G, H> Process<G, H>
where
    G: Gate,
    H: Handler<Principal = G::Principal>,
{
    /// The decoder's own limit.
    fn message_bytes_max(&self) -> usize {
        usize::try_from(self.seat.server.limits().message_bytes).unwrap_or(usize::MAX - 1)
    }

    /// Takes one line; gives what is to be said at once.
    async fn take(&mut self, line: Line) -> Vec<Bytes> {
        let message = match line {
            Line::Message(message) => message,
            // The decoder looks at the length first, and knows in which form this client wants its errors.
            Line::TooLong => Bytes::from(vec![b' '; self.message_bytes_max() + 1]),
        };
        let seat = Arc::clone(&self.seat);
        let principal = match Self::admitted(&seat).await {
            Ok(principal) => principal,
            Err(error) => return Vec::from_iter(self.refuse(&message, &error)),
        };
        let facts = TransportFacts::new(Wire::Stdio, self.session.as_ref());
        let call: Call = match seat.server.decode(&message, &facts) {
            Incoming::Request(request) => {
                let Some(entered) = self.outstanding.enter((), request.id().clone()) else {
                    let refused = seat.server.refuse(&request, &RpcError::duplicate_id());
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
                    self.heed(notification, &principal);
                }
                Box::pin(async move { Done::Finished(attend_batch(&seat.server, &principal, &batch).await) })
            }
            Incoming::Notification(notification) => {
                self.heed(&notification, &principal);
                return Vec::new();
            }
            Incoming::Responses(responses) => {
                responses
                    .into_iter()
                    .for_each(|response| self.notes.answer(response));
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
        entered: Entered<(), RequestId<'static>>,
    ) -> Call {
        let seat = Arc::clone(&self.seat);
        let is_legacy = request.era() == Era::Legacy;
        let level = self.notes.level().filter(|_| is_legacy);
        let line = request.wants_outbox().then(|| ToWriter {
            lines: self.notifications.clone(),
            pace: Pace::default(),
            notes: Arc::clone(&self.notes),
            patience: seat.timing.client_answer,
        });
        Box::pin(async move {
            let seal = Sealing {
                keys: &seat.state_keys,
                binding: seat.gate.binding(&principal),
                clock: &*seat.clock,
                random: &*seat.random,
            };
            let link = Link {
                outbox: line.as_ref().map(|line| line as &dyn Outbox),
                peer: line.as_ref().filter(|_| is_legacy).map(|line| line as &dyn Peer),
                seal: Some(&seal),
                log_level: level,
                cancelled: None,
            };
            Done::Finished(attend(&seat.server, &principal, &request, Some(&entered), link).await)
        })
    }

    fn listen(
        &self,
        request: Request,
        principal: G::Principal,
        entered: Entered<(), RequestId<'static>>,
    ) -> Call {
        let seat = Arc::clone(&self.seat);
        let has_place = self.listening.len() < seat.limits.calls_per_stream;
        Box::pin(async move {
            if !has_place {
                let error = RpcError::subscription_limit();
                return Done::Finished(Finished::Replied(seat.server.refuse(&request, &error)));
            }
            match seat.server.listen(&principal, &request, Link::default()).await {
                Ok(stream) => Done::Listening(Box::new((stream, entered))),
                Err(refused) => Done::Finished(Finished::Replied(refused)),
            }
        })
    }

    /// Looks once whether the call is quick; gives it a task otherwise.
    async fn start(&mut self, mut call: Call) -> Vec<Bytes> {
        let first = poll_fn(|cx| match call.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending => Poll::Ready(None),
        })
        .await;
        if first.is_none() {
            self.calls.spawn(call);
        }
        self.settle(first)
    }

    /// Notes what a finished call changed and gives what it has to say; nothing about one that was cancelled, in
    /// either era.
    fn settle(&mut self, done: Option<Done>) -> Vec<Bytes> {
        let reply = match done {
            None | Some(Done::Finished(Finished::Cancelled(_))) => return Vec::new(),
            Some(Done::Listening(listening)) => {
                let (stream, entered) = *listening;
                let acknowledgment = stream.acknowledgment();
                self.listening.add(stream, entered);
                return vec![acknowledgment];
            }
            Some(Done::Finished(Finished::Replied(reply))) => reply,
        };
        for effect in &reply.effects {
            match effect {
                Effect::Opened(state) => self.session = Some(Arc::clone(state)),
                Effect::LogLevel(level) => self.notes.set_level(*level),
                // A client that fills its own bound misses what it asked for beyond it, and nobody else anything.
                Effect::Subscribed(uri) => drop(self.notes.subscribe(uri.clone())),
                Effect::Unsubscribed(uri) => self.notes.unsubscribe(uri),
            }
        }
        if !reply.effects.is_empty() {
            let interest = self.seat.server.unsolicited_interest(self.notes.uris());
            self.listening.set_interest(interest);
        }
        Vec::from_iter(reply.body)
    }

    fn heed(&mut self, notification: &Notification, principal: &G::Principal) {
        match notification {
            Notification::Cancelled(id) => self.outstanding.cancel((), id.clone()),
            Notification::Initialized => {
                if let Some(state) = &self.session {
                    let uris = self.notes.uris();
                    self.listening
                        .begin(self.seat.server.unsolicited(principal, state, uris));
                }
            }
            Notification::Ignored => {}
        }
    }

    async fn admitted(seat: &StdioSeat<G, H>) -> Result<G::Principal, RpcError> {
        match &seat.admission {
            Ok(principal) if seat.gate.still_valid(principal).await => Ok(principal.clone()),
            Ok(_) | Err(Refusal::Invalid) => Err(RpcError::new(REFUSED, "Invalid API key", 401)),
            Err(Refusal::Missing) => Err(RpcError::new(REFUSED, "API key required", 401)),
            Err(Refusal::Throttled { .. } | Refusal::Unavailable { .. }) => {
                Err(RpcError::new(UNAVAILABLE, "Service unavailable", 503))
            }
        }
    }

    /// The one answer that a refused client gets, whatever it asks.
    fn refuse(&self, message: &Bytes, error: &RpcError) -> Option<Bytes> {
        let facts = TransportFacts::new(Wire::Stdio, None);
        match self.seat.server.decode(message, &facts) {
            Incoming::Request(request) => self.seat.server.refuse(&request, error).body,
            Incoming::Batch(batch) => self.seat.server.refuse_batch(&batch, error).body,
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
struct ToWriter {
    lines: mpsc::Sender<Bytes>,
    pace: Pace,
    notes: Arc<SessionNotes>,
    patience: Duration,
}

impl Outbox for ToWriter {
    fn send(&self, message: Bytes) {
        if self.pace.allows_one() {
            // A full writer means a client that doesn't read; it misses a step of progress.
            let _ = self.lines.try_send(message);
        }
    }
}

impl Peer for ToWriter {
    fn ask<'a>(
        &'a self,
        method: &'static str,
        params: Vec<u8>,
    ) -> Pin<Box<dyn Future<Output = Option<String>> + Send + 'a>> {
        Box::pin(async move {
            let question = self.notes.question()?;
            let message = client_request(question.id(), method, &params);
            self.lines.try_send(message).ok()?;
            let answered = tokio::time::timeout(self.patience, question.answered());
            answered.await.ok().flatten()
        })
    }
}
