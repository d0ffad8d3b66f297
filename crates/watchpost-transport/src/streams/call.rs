//! A call in progress. It is answered with JSON if it ends soon and without notifications, otherwise with a
//! stream.

use crate::{
    sessions::{local::LocalState, outstanding::OutstandingCall},
    streams::{frame, guarded::Source, queue::EventQueue},
    text,
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

/// The outcome of a call.
#[derive(Debug)]
pub(crate) enum Finished {
    Replied(Reply),
    /// The client cancelled the call. The reply is for exchanges that need a response; streams just end.
    Cancelled(Reply),
}

impl Finished {
    pub(crate) fn into_reply(self) -> Reply {
        match self {
            Self::Replied(reply) | Self::Cancelled(reply) => reply,
        }
    }

    /// Returns the message to send, on transports where a cancelled call needs none.
    pub(crate) fn into_message(self) -> Option<Bytes> {
        match self {
            Self::Replied(reply) => reply.body,
            Self::Cancelled(_) => None,
        }
    }
}

/// Answers one request, until it is finished or cancelled. If the handler panics, the response is an error and
/// other requests aren't affected.
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
            Finished::Cancelled(server.reject(request, &error))
        }
        Err(error) => Finished::Replied(server.reject(request, &error)),
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
    Finished::Replied(handled.unwrap_or_else(|()| server.reject_batch(batch, &internal_error())))
}

fn internal_error() -> RpcError {
    RpcError::new(code::INTERNAL_ERROR, text::INTERNAL_ERROR, 200)
}

/// Polls a future. Returns `Err` if it panics; it must not be polled again then.
pub(crate) fn poll_caught<F: Future + ?Sized>(
    future: Pin<&mut F>,
    cx: &mut Context<'_>,
) -> Poll<Result<F::Output, ()>> {
    match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
        Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
        Ok(Poll::Pending) => Poll::Pending,
        Err(_panic) => {
            // The panic hook has logged the location. The panic message may contain user data, so it isn't
            // logged here.
            tracing::error!("a handler panicked");
            Poll::Ready(Err(()))
        }
    }
}

/// A call as a trait object.
pub(crate) type Boxed = Pin<Box<dyn Future<Output = Finished> + Send>>;

/// A call that can continue in a task of its own.
pub(crate) struct DetachableCall {
    call: Option<Boxed>,
    outlives_client: bool,
}

impl DetachableCall {
    /// Wraps a call. If `outlives_client`, the call continues when the client disconnects: a legacy client
    /// cancels by a notification, a modern one by disconnecting.
    pub(crate) fn new(call: impl Future<Output = Finished> + Send + 'static, outlives_client: bool) -> Self {
        Self {
            call: Some(Box::pin(call)),
            outlives_client,
        }
    }

    /// Polls the call. It is ready at most once.
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

/// The average number of notifications of one call per second.
const NOTIFICATIONS_PER_SECOND: f64 = 10.0;

/// The number of notifications of one call that may be sent in a burst.
const NOTIFICATIONS_BURST: f64 = 20.0;

/// Limits the notifications of one call to about ten per second. Short bursts are allowed.
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

/// Sends the messages of a call that precede its result on its event stream, including questions to the client.
pub(crate) struct CallChannel {
    queue: Arc<EventQueue>,
    pace: Pace,
    /// The state of a session whose client can be asked.
    local: Option<Arc<LocalState>>,
    /// Whether the client can resume the stream.
    is_resumable: bool,
    /// The time in which a client must answer a question.
    answer_timeout: Duration,
}

impl CallChannel {
    pub(crate) fn new(queue: Arc<EventQueue>, answer_timeout: Duration) -> Self {
        Self {
            queue,
            pace: Pace::default(),
            local: None,
            is_resumable: false,
            answer_timeout,
        }
    }

    /// Sets the state of the session whose client can be asked.
    pub(crate) fn asking(mut self, local: Arc<LocalState>) -> Self {
        self.local = Some(local);
        self
    }

    /// Sets whether the client can resume the stream.
    pub(crate) fn resumable(mut self, is_resumable: bool) -> Self {
        self.is_resumable = is_resumable;
        self
    }

    /// Returns this channel if it can be used to ask the client.
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

    fn disconnect(&self, retry: Duration) {
        if self.is_resumable {
            self.queue.disconnect(retry);
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
            let answered = tokio::time::timeout(self.answer_timeout, question.answered());
            answered.await.ok().flatten()
        })
    }
}

/// The events of a call: its notifications, then its result.
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

    /// Waits for the end of the call, without its notifications.
    pub(crate) async fn into_finished(mut self) -> Finished {
        match (self.finished.take(), &mut self.call) {
            (Some(finished), _) => finished,
            (None, Some(call)) => poll_fn(|cx| call.poll(cx)).await,
            (None, None) => std::future::pending().await,
        }
    }

    /// Stores the result. The notifications queued before are sent first; later ones are dropped.
    fn finish(&mut self, finished: Finished) {
        self.call = None;
        self.finished = Some(finished);
        self.notifications.close();
    }

    /// Returns the retry time if the client should disconnect and resume the stream. Reset by this call.
    pub(crate) fn take_disconnect(&self) -> Option<Duration> {
        self.notifications.take_disconnect()
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
            // The reader was too slow, so the queue has closed.
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }

    fn may_stop(&self) -> bool {
        false
    }
}
