//! A call in progress: answered as JSON if it is quick and quiet, as a stream otherwise.

use crate::{
    sessions::{local::LocalState, outstanding::OutstandingCall},
    streams::{frame, guarded::Source, queue::EventQueue},
};
use bytes::Bytes;
use std::{
    future::{Future, poll_fn},
    hash::Hash,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::Instant;
use watchpost_protocol::{
    Batch, Handler, Link, Outbox, Peer, Reply, Request, RpcError, Server, client_request, code,
};

/// How a call ended.
#[derive(Debug)]
pub(crate) enum Finished {
    Replied(Reply),
    /// The client cancelled. The reply is for exchanges that need an end; streams just end.
    Cancelled(Reply),
}

impl Finished {
    pub(crate) fn into_reply(self) -> Reply {
        match self {
            Self::Replied(reply) | Self::Cancelled(reply) => reply,
        }
    }

    /// What goes out where silence is allowed.
    pub(crate) fn into_message(self) -> Option<Bytes> {
        match self {
            Self::Replied(reply) => reply.body,
            Self::Cancelled(_) => None,
        }
    }
}

/// Answers one request until it is done or cancelled. A handler that panics costs its caller an error, and
/// nobody else anything.
pub(crate) async fn drive<H, S, I>(
    server: &Server<H>,
    principal: &H::Principal,
    request: &Request,
    entered: Option<&OutstandingCall<S, I>>,
    link: Link<'_>,
) -> Finished
where
    H: Handler,
    S: Hash + Eq + Clone,
    I: Hash + Eq + Clone,
{
    let link = Link {
        cancelled: entered.map(OutstandingCall::flag),
        ..link
    };
    let mut handling = pin!(server.handle(principal, request, link));
    let handled = poll_fn(|cx| match poll_caught(handling.as_mut(), cx) {
        Poll::Ready(handled) => Poll::Ready(handled.map_err(|()| internal_error())),
        Poll::Pending if entered.is_some_and(|entered| entered.is_cancelled(cx)) => {
            Poll::Ready(Err(RpcError::cancelled()))
        }
        Poll::Pending => Poll::Pending,
    })
    .await;
    match handled {
        Ok(reply) => Finished::Replied(reply),
        Err(error) if error.code() == code::REQUEST_CANCELLED => {
            Finished::Cancelled(server.refuse(request, &error))
        }
        Err(error) => Finished::Replied(server.refuse(request, &error)),
    }
}

/// Answers an array of messages.
pub(crate) async fn drive_batch<H: Handler>(
    server: &Server<H>,
    principal: &H::Principal,
    batch: &Batch,
) -> Finished {
    let mut handling = pin!(server.handle_batch(principal, batch, Link::default()));
    let handled = poll_fn(|cx| poll_caught(handling.as_mut(), cx)).await;
    Finished::Replied(handled.unwrap_or_else(|()| server.refuse_batch(batch, &internal_error())))
}

fn internal_error() -> RpcError {
    RpcError::new(code::INTERNAL_ERROR, "Internal error", 200)
}

/// `Err` after a panic; the future is never polled again then.
pub(crate) fn poll_caught<F: Future + ?Sized>(
    future: Pin<&mut F>,
    cx: &mut Context<'_>,
) -> Poll<Result<F::Output, ()>> {
    match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
        Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
        Ok(Poll::Pending) => Poll::Pending,
        Err(_panic) => {
            // The panic hook has reported where; what it says may quote data.
            tracing::error!("a handler panicked");
            Poll::Ready(Err(()))
        }
    }
}

/// What a call is while nobody looks inside.
pub(crate) type Boxed = Pin<Box<dyn Future<Output = Finished> + Send>>;

/// A call that may be moved while it runs.
pub(crate) struct DetachableCall {
    call: Option<Boxed>,
    outlives_client: bool,
}

impl DetachableCall {
    /// `outlives_client`: when the client hangs up, the call goes on by itself. Legacy clients cancel by
    /// saying so, modern ones by hanging up.
    pub(crate) fn new(call: impl Future<Output = Finished> + Send + 'static, outlives_client: bool) -> Self {
        Self {
            call: Some(Box::pin(call)),
            outlives_client,
        }
    }

    /// Ready at most once.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Finished> {
        let Some(call) = &mut self.call else {
            return Poll::Pending;
        };
        let outcome = call.as_mut().poll(cx);
        if outcome.is_ready() {
            self.call = None;
        }
        outcome
    }
}

impl Drop for DetachableCall {
    fn drop(&mut self) {
        if let Some(call) = self.call.take()
            && self.outlives_client
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(call);
        }
    }
}

/// Notifications of one call within a second, on average.
const NOTIFICATIONS_PER_SECOND: f64 = 10.0;

/// Notifications of one call that may follow each other at once.
const NOTIFICATIONS_BURST: f64 = 20.0;

/// Keeps one call's notifications to about ten a second; short bursts pass.
#[derive(Debug, Default)]
pub(crate) struct Pace(Mutex<Option<Budget>>);

#[derive(Debug)]
struct Budget {
    left: f64,
    counted: Instant,
}

impl Pace {
    pub(crate) fn allows_one(&self) -> bool {
        let now = Instant::now();
        let mut budget = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let budget = budget.get_or_insert(Budget {
            left: NOTIFICATIONS_BURST,
            counted: now,
        });
        let earned = now.duration_since(budget.counted).as_secs_f64() * NOTIFICATIONS_PER_SECOND;
        budget.left = (budget.left + earned).min(NOTIFICATIONS_BURST);
        budget.counted = now;
        let allows = budget.left >= 1.0;
        if allows {
            budget.left -= 1.0;
        }
        allows
    }
}

/// Takes what a call says before its answer to the event stream that carries it, and asks the client there.
pub(crate) struct CallChannel {
    queue: Arc<EventQueue>,
    pace: Pace,
    /// Of a session whose client can be asked.
    local: Option<Arc<LocalState>>,
    /// The client can leave this stream and come back.
    is_resumable: bool,
    /// How long a client may take to answer a question.
    patience: Duration,
}

impl CallChannel {
    pub(crate) fn new(queue: Arc<EventQueue>, patience: Duration) -> Self {
        Self {
            queue,
            pace: Pace::default(),
            local: None,
            is_resumable: false,
            patience,
        }
    }

    /// The client of this session can be asked.
    pub(crate) fn asking(mut self, local: Arc<LocalState>) -> Self {
        self.local = Some(local);
        self
    }

    /// The client can leave the stream and come back.
    pub(crate) fn resumable(mut self, is_resumable: bool) -> Self {
        self.is_resumable = is_resumable;
        self
    }

    /// Whether the client can be asked.
    pub(crate) fn peer(&self) -> Option<&dyn Peer> {
        self.local.is_some().then_some(self as &dyn Peer)
    }
}

impl Outbox for CallChannel {
    fn send(&self, message: Bytes) {
        if self.pace.allows_one() {
            self.queue.push(frame::message(&message));
        }
    }

    fn hang_up(&self, retry: Duration) {
        if self.is_resumable {
            self.queue.hang_up(retry);
        }
    }
}

impl Peer for CallChannel {
    fn ask<'a>(
        &'a self,
        method: &'static str,
        params: Vec<u8>,
    ) -> Pin<Box<dyn Future<Output = Option<String>> + Send + 'a>> {
        Box::pin(async move {
            let question = self.local.as_ref()?.question()?;
            let message = client_request(question.id(), method, &params);
            if !self.queue.push(frame::message(&message)) {
                return None;
            }
            let answered = tokio::time::timeout(self.patience, question.answered());
            answered.await.ok().flatten()
        })
    }
}

/// The events of one call: its notifications, then its answer, then the end.
pub(crate) struct CallEvents {
    call: Option<DetachableCall>,
    notifications: Arc<EventQueue>,
    finished: Option<Finished>,
}

impl CallEvents {
    pub(crate) fn of_running(call: DetachableCall, notifications: Arc<EventQueue>) -> Self {
        Self {
            call: Some(call),
            notifications,
            finished: None,
        }
    }

    pub(crate) fn of_finished(finished: Finished, notifications: Arc<EventQueue>) -> Self {
        let mut events = Self {
            call: None,
            notifications,
            finished: None,
        };
        events.finish(finished);
        events
    }

    /// The end of the call, without what was said on the way.
    pub(crate) async fn into_finished(mut self) -> Finished {
        match (self.finished.take(), &mut self.call) {
            (Some(finished), _) => finished,
            (None, Some(call)) => poll_fn(|cx| call.poll(cx)).await,
            (None, None) => std::future::pending().await,
        }
    }

    /// What was said before the answer goes before the answer; nothing comes after it.
    fn finish(&mut self, finished: Finished) {
        self.call = None;
        self.finished = Some(finished);
        self.notifications.close();
    }

    /// Whether the reader is to leave the stream and come back; asked once.
    pub(crate) fn take_hang_up(&self) -> Option<Duration> {
        self.notifications.take_hang_up()
    }
}

impl Source for CallEvents {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if let Some(call) = &mut self.call
            && let Poll::Ready(finished) = call.poll(cx)
        {
            self.finish(finished);
        }
        match self.notifications.poll_next(cx) {
            Poll::Ready(Some(event)) => Poll::Ready(Some(event)),
            Poll::Ready(None) if self.call.is_none() => {
                let last = self.finished.take().and_then(Finished::into_message);
                Poll::Ready(last.map(|json| frame::message(&json)))
            }
            // The reader was too slow: the queue closed itself.
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }

    fn may_stop(&self) -> bool {
        false
    }
}
