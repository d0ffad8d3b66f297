//! The progress of a client that takes the response of one HTTP/2 stream.
//!
//! A connection of HTTP/2 can be busy while one of its streams stands still: the client answers pings and opens
//! no window. So each stream has its own limit, in bytes that the client made room for. Other frames don't count.
//!
//! hyper polls the body of a response for the next piece only after the client made room for the first byte of
//! the last one. So the body, which yields small pieces, knows how much the client has taken.

use crate::connection::deadline::DeadlineTimer;
use hyper::rt::Executor;
use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::Instant;

/// The minimum number of bytes per second that a client must take while bytes are waiting for it.
const BYTES_PER_SECOND_MIN: u64 = 1024;

tokio::task_local! {
    static CURRENT: Arc<Uptake>;
}

/// The progress of one response.
#[derive(Debug, Default)]
pub(crate) struct Uptake {
    /// The number of bytes that the client made room for.
    taken: AtomicU64,
    /// Whether bytes are waiting for room.
    waiting: AtomicBool,
    /// The number of times at which nothing was waiting.
    drained: AtomicU64,
}

impl Uptake {
    /// Returns that of the stream whose task calls this. `None` on HTTP/1.
    pub(crate) fn current() -> Option<Arc<Self>> {
        CURRENT.try_with(Arc::clone).ok()
    }

    /// Records that the client made room for a piece.
    pub(crate) fn took(&self, bytes: usize) {
        self.taken.fetch_add(bytes as u64, Ordering::Relaxed);
        self.waiting.store(false, Ordering::Relaxed);
    }

    /// Records that a piece waits for room from now on.
    pub(crate) fn waits(&self) {
        self.waiting.store(true, Ordering::Relaxed);
    }

    /// Records that the client has taken everything so far.
    pub(crate) fn is_drained(&self) {
        self.drained.fetch_add(1, Ordering::Relaxed);
    }
}

/// Decides whether a stream stands still.
#[derive(Debug, Default)]
struct Stall {
    mark: Option<Mark>,
    timer: DeadlineTimer,
}

/// The state at the start of a measurement.
#[derive(Debug, Clone, Copy)]
struct Mark {
    at: Instant,
    taken: u64,
    drained: u64,
}

impl Stall {
    /// Whether the client took too few bytes for `allowed`: less than everything that was waiting, and less than the
    /// minimum rate. If not, the task is woken when it may be so.
    fn has_lasted(&mut self, uptake: &Uptake, allowed: Duration, cx: &mut Context<'_>) -> bool {
        let now = Mark {
            at: Instant::now(),
            taken: uptake.taken.load(Ordering::Relaxed),
            drained: uptake.drained.load(Ordering::Relaxed),
        };
        if !uptake.waiting.load(Ordering::Relaxed) {
            self.mark = None;
            return false;
        }
        let enough = BYTES_PER_SECOND_MIN.saturating_mul(allowed.as_secs().max(1));
        let mark = match self.mark {
            Some(mark) if mark.drained == now.drained && now.taken - mark.taken < enough => mark,
            _ => now,
        };
        self.mark = Some(mark);
        self.timer.has_passed(mark.at + allowed, cx)
    }
}

/// Runs the streams of HTTP/2 connections, and resets those whose client stands still.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StreamExecutor {
    pub(crate) write_stall: Duration,
}

impl<F> Executor<F> for StreamExecutor
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        let allowed = self.write_stall;
        tokio::spawn(async move {
            let uptake = Arc::new(Uptake::default());
            let mut stall = Stall::default();
            let mut stream = pin!(CURRENT.scope(Arc::clone(&uptake), stream));
            poll_fn(|cx| {
                if stream.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(());
                }
                if stall.has_lasted(&uptake, allowed, cx) {
                    // The end of this task drops the stream, which resets it.
                    tracing::debug!("a stream ended early: {}", crate::text::CLIENT_NOT_READING);
                    return Poll::Ready(());
                }
                Poll::Pending
            })
            .await;
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    const ALLOWED: Duration = Duration::from_secs(30);

    /// Simulates a client that takes `bytes` of an endless response every `interval`. Returns whether it is still served after
    /// five minutes.
    async fn is_served(bytes: usize, interval: Duration) -> bool {
        let (uptake, mut stall) = (Uptake::default(), Stall::default());
        let mut cx = Context::from_waker(Waker::noop());
        let end = Instant::now() + Duration::from_secs(300);
        while Instant::now() < end {
            uptake.waits();
            if stall.has_lasted(&uptake, ALLOWED, &mut cx) {
                return false;
            }
            tokio::time::advance(interval).await;
            if stall.has_lasted(&uptake, ALLOWED, &mut cx) {
                return false;
            }
            uptake.took(bytes);
        }
        true
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_must_take_a_minimum_of_bytes() {
        let second = Duration::from_secs(1);
        assert!(!is_served(0, second).await);
        assert!(
            !is_served(1, second).await,
            "a byte per second is as good as nothing"
        );
        assert!(!is_served(20_000, 29 * second).await);
        assert!(is_served(2_048, second).await);
        assert!(is_served(40_000, 29 * second).await);
        assert!(!is_served(1_000_000, 31 * second).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_quiet_stream_is_not_slow() {
        let (uptake, mut stall) = (Uptake::default(), Stall::default());
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..100 {
            // A small event, which the client takes late but completely.
            uptake.waits();
            assert!(!stall.has_lasted(&uptake, ALLOWED, &mut cx));
            tokio::time::advance(Duration::from_secs(20)).await;
            uptake.took(10);
            uptake.is_drained();
            assert!(!stall.has_lasted(&uptake, ALLOWED, &mut cx));
            tokio::time::advance(Duration::from_secs(60)).await;
        }
    }
}
