//! One local client on standard input and output.
//!
//! One message per line. Requests are served at the same time; one place writes, so lines never mix.

mod lines;

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use watchpost_protocol::{
    Handler, Incoming, Notification, Outbox, RequestId, RpcError, Server, SessionState, TransportFacts, Wire,
};

use crate::config::{Limits, Timing};
use crate::gate::{Gate, Refusal};
use crate::sessions::outstanding::Outstanding;
use crate::streams::call::{Finished, Pace, attend, attend_batch};
use lines::{Line, Lines};

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
    /// Of these, `stop_grace` counts.
    pub timing: Timing,
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
    let StdioSeat {
        server,
        gate,
        admission,
        limits,
        timing,
    } = seat;
    let (notifications, mut notified) = mpsc::channel(NOTIFICATIONS_MAX);
    let mut process = Process {
        server,
        gate,
        admission,
        session: None,
        outstanding: Outstanding::new(),
        notifications,
        calls: JoinSet::new(),
    };
    let mut lines = Lines::new(input, limits.message_bytes.min(process.message_bytes_max()));
    let mut output = Output {
        output,
        line: BytesMut::new(),
    };
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
                if let Some(answer) = process.settle(finished.ok()) {
                    output.write(&answer).await?;
                }
            }
            Some(notification) = notified.recv() => output.write(&notification).await?,
            line = lines.next(), if !is_full => match line? {
                None => break,
                Some(line) => {
                    let answer = process.take(line).await;
                    while let Ok(notification) = notified.try_recv() {
                        output.write(&notification).await?;
                    }
                    if let Some(answer) = answer {
                        output.write(&answer).await?;
                    }
                }
            },
        }
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
        if let Some(answer) = process.settle(finished.ok()) {
            output.write(&answer).await?;
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

type Call = Pin<Box<dyn Future<Output = Finished> + Send>>;

/// The client's process, which is its session.
struct Process<G: Gate, H> {
    server: Arc<Server<H>>,
    gate: Arc<G>,
    admission: Result<G::Principal, Refusal>,
    session: Option<Arc<SessionState>>,
    outstanding: Arc<Outstanding<(), RequestId<'static>>>,
    notifications: mpsc::Sender<Bytes>,
    calls: JoinSet<Finished>,
}

impl<G, H> Process<G, H>
where
    G: Gate,
    H: Handler<Principal = G::Principal>,
{
    /// The decoder's own limit.
    fn message_bytes_max(&self) -> usize {
        usize::try_from(self.server.limits().message_bytes).unwrap_or(usize::MAX - 1)
    }

    /// Takes one line; gives the answer if it is there at once.
    async fn take(&mut self, line: Line) -> Option<Bytes> {
        let message = match line {
            Line::Message(message) => message,
            // The decoder looks at the length first, and knows in which form this client wants its errors.
            Line::TooLong => Bytes::from(vec![b' '; self.message_bytes_max() + 1]),
        };
        let principal = match self.admitted().await {
            Ok(principal) => principal,
            Err(error) => return self.refuse(&message, &error),
        };
        let facts = TransportFacts::new(Wire::Stdio, self.session.as_ref());
        let call: Call = match self.server.decode(&message, &facts) {
            Incoming::Request(request) => {
                let Some(entered) = self.outstanding.enter((), request.id().clone()) else {
                    return self.server.refuse(&request, &RpcError::duplicate_id()).body;
                };
                let server = Arc::clone(&self.server);
                let outbox = request
                    .wants_outbox()
                    .then(|| ToWriter::new(self.notifications.clone()));
                Box::pin(async move {
                    let outbox = outbox.as_ref().map(|outbox| outbox as &dyn Outbox);
                    attend(&server, &principal, &request, Some(&entered), outbox).await
                })
            }
            Incoming::Batch(batch) => {
                batch
                    .notifications()
                    .for_each(|notification| self.heed(notification));
                let server = Arc::clone(&self.server);
                Box::pin(async move { attend_batch(&server, &principal, &batch).await })
            }
            Incoming::Notification(notification) => {
                self.heed(&notification);
                return None;
            }
            Incoming::Responses(_) => return None,
            Incoming::Rejected(reply) => return reply.body,
        };
        self.start(call).await
    }

    /// Looks once whether the call is quick; gives it a task otherwise.
    async fn start(&mut self, mut call: Call) -> Option<Bytes> {
        let first = poll_fn(|cx| match call.as_mut().poll(cx) {
            Poll::Ready(finished) => Poll::Ready(Some(finished)),
            Poll::Pending => Poll::Ready(None),
        })
        .await;
        if first.is_none() {
            self.calls.spawn(call);
        }
        self.settle(first)
    }

    /// Notes what a finished call opened and gives what it has to say; nothing about one that was cancelled,
    /// in either era.
    fn settle(&mut self, finished: Option<Finished>) -> Option<Bytes> {
        let Finished::Replied(reply) = finished? else {
            return None;
        };
        if let Some(state) = reply.opened() {
            self.session = Some(Arc::clone(state));
        }
        reply.body
    }

    fn heed(&self, notification: &Notification) {
        if let Notification::Cancelled(id) = notification {
            self.outstanding.cancel((), id.clone());
        }
    }

    async fn admitted(&self) -> Result<G::Principal, RpcError> {
        match &self.admission {
            Ok(principal) if self.gate.still_valid(principal).await => Ok(principal.clone()),
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
        match self.server.decode(message, &facts) {
            Incoming::Request(request) => self.server.refuse(&request, error).body,
            Incoming::Batch(batch) => self.server.refuse_batch(&batch, error).body,
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

/// Takes a call's notifications to the writer.
struct ToWriter {
    lines: mpsc::Sender<Bytes>,
    pace: Pace,
}

impl ToWriter {
    fn new(lines: mpsc::Sender<Bytes>) -> Self {
        Self {
            lines,
            pace: Pace::default(),
        }
    }
}

impl Outbox for ToWriter {
    fn send(&self, message: Bytes) {
        if self.pace.allows_one() {
            // A full writer means a client that doesn't read; it misses a step of progress.
            let _ = self.lines.try_send(message);
        }
    }
}
