//! The body of every stream, and the limits on the number of streams.

use crate::{
    config::{Config, Timing},
    connection::permits::{Counter, KeyedCounter, KeyedPermit, Permit},
    gate::{Binding, Gate},
    streams::frame::KEEP_ALIVE,
};
use bytes::Bytes;
use http_body::{Body, Frame};
use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Instant, Sleep};

/// The source of a stream's events.
pub(crate) trait Source: Send + Unpin + 'static {
    /// Returns the next event, already encoded. `None` ends the stream.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>>;

    /// Whether the stream may end now because the server is stopping.
    fn may_stop(&self) -> bool;

    /// Returns the last event of a stream that ends early, already encoded.
    fn closing_event(&mut self) -> Option<Bytes> {
        None
    }

    /// Returns what is sent on a quiet stream so that proxies don't close it.
    fn keep_alive(&self) -> Option<Bytes> {
        Some(KEEP_ALIVE)
    }
}

/// The open streams, and what is needed to guard them.
pub(crate) struct Streams<G> {
    gate: Arc<G>,
    stopping: Arc<AtomicBool>,
    timing: Timing,
    total: Arc<Counter>,
    by_principal: Arc<KeyedCounter<Binding>>,
}

/// The permits of an open stream.
pub(crate) type StreamPermits = (Permit, KeyedPermit<Binding>);

impl<G: Gate> Streams<G> {
    pub(crate) fn new(gate: Arc<G>, stopping: Arc<AtomicBool>, config: &Config) -> Arc<Self> {
        Arc::new(Self {
            gate,
            stopping,
            timing: config.timing.clone(),
            total: Counter::new(config.limits.streams_total),
            by_principal: KeyedCounter::new(config.limits.streams_per_key),
        })
    }

    /// Returns the number of open streams.
    pub(crate) fn open(&self) -> usize {
        self.total.now()
    }

    /// Reserves a place for a stream. Returns `None` if a limit is reached.
    pub(crate) fn enter(&self, principal: &G::Principal) -> Option<StreamPermits> {
        let binding = self.gate.binding(principal);
        Some((self.total.enter()?, self.by_principal.enter(binding)?))
    }

    /// Guards a stream. `held` is dropped when the stream ends.
    pub(crate) fn guard<S: Source, K>(
        &self,
        source: S,
        principal: G::Principal,
        held: K,
    ) -> Guarded<G, S, K> {
        Guarded::new(
            source,
            Arc::clone(&self.gate),
            principal,
            Arc::clone(&self.stopping),
            &self.timing,
            held,
        )
    }
}

/// The byte stream of a mount other than MCP. No comments may be inserted into it.
pub(crate) struct RawStream(pub(crate) Pin<Box<dyn Body<Data = Bytes, Error = Infallible> + Send>>);

impl Source for RawStream {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            match self.0.as_mut().poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    // Trailers are ignored.
                    if let Ok(bytes) = frame.into_data() {
                        return Poll::Ready(Some(bytes));
                    }
                }
                Poll::Ready(Some(Err(never))) => match never {},
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    fn may_stop(&self) -> bool {
        false
    }

    fn keep_alive(&self) -> Option<Bytes> {
        None
    }
}

/// A [`Source`] with a guard, which sends comments while it is quiet and ends it when its principal becomes
/// invalid or the server stops.
pub(crate) struct Guarded<G: Gate, S, K> {
    source: S,
    gate: Arc<G>,
    principal: G::Principal,
    stopping: Arc<AtomicBool>,
    keep_alive: Duration,
    tick: Duration,
    timer: Pin<Box<Sleep>>,
    last_sent: Instant,
    checking: Option<Pin<Box<dyn Future<Output = bool> + Send>>>,
    ended: bool,
    /// Permits and registrations, held as long as the stream is open.
    _held: K,
}

impl<G: Gate, S: Source, K> Guarded<G, S, K> {
    fn new(
        source: S,
        gate: Arc<G>,
        principal: G::Principal,
        stopping: Arc<AtomicBool>,
        timing: &Timing,
        held: K,
    ) -> Self {
        let tick = timing.revocation_check.min(timing.keep_alive);
        let now = Instant::now();
        Self {
            source,
            gate,
            principal,
            stopping,
            keep_alive: timing.keep_alive,
            tick,
            timer: Box::pin(tokio::time::sleep_until(now + tick)),
            last_sent: now,
            checking: None,
            ended: false,
            _held: held,
        }
    }

    /// Polls the guard. It may yield a comment, or `None` to end the stream.
    fn poll_guard(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            if let Some(checking) = &mut self.checking {
                match checking.as_mut().poll(cx) {
                    Poll::Ready(true) => self.checking = None,
                    Poll::Ready(false) => return Poll::Ready(None),
                    Poll::Pending => return Poll::Pending,
                }
            }
            if self.timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            let now = Instant::now();
            self.timer.as_mut().reset(now + self.tick);
            if self.stopping.load(Ordering::Acquire) && self.source.may_stop() {
                return Poll::Ready(None);
            }
            let gate = Arc::clone(&self.gate);
            let principal = self.principal.clone();
            self.checking = Some(Box::pin(async move { gate.still_valid(&principal).await }));
            if now.duration_since(self.last_sent) >= self.keep_alive
                && let Some(comment) = self.source.keep_alive()
            {
                return Poll::Ready(Some(comment));
            }
        }
    }
}

/// No field needs to be pinned: futures and streams are boxed.
impl<G: Gate, S, K> Unpin for Guarded<G, S, K> {}

impl<G: Gate, S: Source, K: Send + 'static> Body for Guarded<G, S, K> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        if this.ended {
            return Poll::Ready(None);
        }
        // The guard is polled first, so that a stream that is always ready can be ended too.
        let next = match this.poll_guard(cx) {
            Poll::Ready(None) => {
                this.ended = true;
                let last = this.source.closing_event();
                return Poll::Ready(last.map(|event| Ok(Frame::data(event))));
            }
            Poll::Ready(next) => next,
            Poll::Pending => match this.source.poll_next(cx) {
                Poll::Ready(next) => next,
                Poll::Pending => return Poll::Pending,
            },
        };
        match next {
            Some(event) => {
                this.last_sent = Instant::now();
                Poll::Ready(Some(Ok(Frame::data(event))))
            }
            None => {
                this.ended = true;
                Poll::Ready(None)
            }
        }
    }
}
