//! A socket that closes when the client is too slow.
//!
//! hyper's own header timeout also runs between requests, and sets a timer for each of them. Here a connection
//! has one timer for reading, and its deadline is checked only when it fires, so a request sets no timers.

use crate::{config::Timing, connection::deadline::DeadlineTimer, text};
use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    time::Instant,
};

/// The state of a connection's requests, which the service updates and the socket reads.
#[derive(Debug)]
pub(crate) struct Activity {
    /// The number of requests whose response isn't complete.
    running: AtomicU32,
    phase: AtomicU8,
    /// Whether the connection is HTTP/2. Its frames also arrive between requests, so received bytes don't mean
    /// that headers have begun.
    multiplexed: AtomicBool,
}

/// Waiting for a request, or receiving its headers.
const HEAD: u8 = 0;
/// Between two requests.
const IDLE: u8 = 1;
/// Serving at least one request.
const BUSY: u8 = 2;
/// The last request just ended. The socket hasn't recorded the time yet.
const JUST_FINISHED: u8 = 3;

impl Activity {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            running: AtomicU32::new(0),
            phase: AtomicU8::new(HEAD),
            multiplexed: AtomicBool::new(false),
        })
    }

    /// Records that a request's headers are complete. Its response is complete when the returned guard is
    /// dropped.
    pub(crate) fn begin(self: &Arc<Self>, multiplexed: bool) -> RequestInProgress {
        self.running.fetch_add(1, Ordering::Relaxed);
        self.phase.store(BUSY, Ordering::Relaxed);
        if multiplexed {
            self.multiplexed.store(true, Ordering::Relaxed);
        }
        RequestInProgress(Arc::clone(self))
    }
}

/// A request in progress.
#[derive(Debug)]
pub(crate) struct RequestInProgress(Arc<Activity>);

impl Drop for RequestInProgress {
    fn drop(&mut self) {
        if self.0.running.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.0.phase.store(JUST_FINISHED, Ordering::Relaxed);
        }
    }
}

/// The underlying stream of a connection.
pub(crate) trait Socket: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Socket for T {}

/// A socket with timeouts.
#[derive(Debug)]
pub(crate) struct TimedSocket<T: Socket, K: Send + 'static> {
    /// `None` only while it is being dropped.
    io: Option<T>,
    activity: Arc<Activity>,
    head: Duration,
    idle: Duration,
    write_stall: Duration,
    /// The start of the current phase.
    since: Instant,
    reading: DeadlineTimer,
    stalled_since: Option<Instant>,
    writing: DeadlineTimer,
    /// Permits that the connection holds until it is closed.
    held: Option<K>,
}

/// The time and number of bytes for which data of the client is still read and discarded while the connection
/// closes. If the socket were closed at once, the client's system would discard the last response (for example
/// 431) unread.
const LINGER: Duration = Duration::from_millis(500);
const LINGER_BYTES: usize = 4 << 20;

impl<T: Socket, K: Send + 'static> Drop for TimedSocket<T, K> {
    fn drop(&mut self) {
        let (Some(mut io), Ok(runtime)) = (self.io.take(), tokio::runtime::Handle::try_current()) else {
            return;
        };
        let mut scratch = [0; 512];
        let mut unread = ReadBuf::new(&mut scratch);
        let looked = Pin::new(&mut io).poll_read(&mut Context::from_waker(Waker::noop()), &mut unread);
        if !matches!(looked, Poll::Ready(Ok(()))) || unread.filled().is_empty() {
            return;
        }
        let held = self.held.take();
        runtime.spawn(async move {
            let _held = held;
            let _ = tokio::time::timeout(LINGER, async {
                io.shutdown().await?;
                tokio::io::copy(&mut io.take(LINGER_BYTES as u64), &mut tokio::io::sink()).await
            })
            .await;
        });
    }
}

impl<T: Socket, K: Send + 'static> TimedSocket<T, K> {
    pub(crate) fn new(io: T, activity: Arc<Activity>, timing: &Timing, held: K) -> Self {
        Self {
            io: Some(io),
            activity,
            head: timing.head,
            idle: timing.idle,
            write_stall: timing.write_stall,
            since: Instant::now(),
            reading: DeadlineTimer::default(),
            stalled_since: None,
            writing: DeadlineTimer::default(),
            held: Some(held),
        }
    }

    fn io(&mut self) -> &mut T {
        self.io
            .as_mut()
            .expect("the socket is present until it is dropped")
    }

    fn after_read(&mut self, got_bytes: bool) {
        if got_bytes
            && self.activity.running.load(Ordering::Relaxed) == 0
            && !self.activity.multiplexed.load(Ordering::Relaxed)
        {
            let phase = self.activity.phase.swap(HEAD, Ordering::Relaxed);
            if phase != HEAD {
                self.since = Instant::now();
            }
        }
    }

    fn read_took_too_long(&mut self, cx: &mut Context<'_>) -> bool {
        let allowed = match self.activity.phase.load(Ordering::Relaxed) {
            HEAD => self.head,
            IDLE => self.idle,
            JUST_FINISHED => {
                self.activity.phase.store(IDLE, Ordering::Relaxed);
                self.since = Instant::now();
                self.idle
            }
            _ => return false,
        };
        self.reading.has_passed(self.since + allowed, cx)
    }

    fn check_write<R>(&mut self, outcome: Poll<io::Result<R>>, cx: &mut Context<'_>) -> Poll<io::Result<R>> {
        if outcome.is_ready() {
            self.stalled_since = None;
            return outcome;
        }
        let since = *self.stalled_since.get_or_insert_with(Instant::now);
        if self.writing.has_passed(since + self.write_stall, cx) {
            return Poll::Ready(Err(io::Error::new(
                io::ErrorKind::TimedOut,
                text::CLIENT_NOT_READING,
            )));
        }
        Poll::Pending
    }
}

impl<T: Socket, K: Send + Unpin + 'static> AsyncRead for TimedSocket<T, K> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        match Pin::new(this.io()).poll_read(cx, buf) {
            Poll::Pending => {
                if this.read_took_too_long(cx) {
                    return Poll::Ready(Err(io::Error::new(
                        io::ErrorKind::TimedOut,
                        text::NO_REQUEST_IN_TIME,
                    )));
                }
                Poll::Pending
            }
            ready => {
                this.after_read(buf.filled().len() > before);
                ready
            }
        }
    }
}

impl<T: Socket, K: Send + Unpin + 'static> AsyncWrite for TimedSocket<T, K> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(this.io()).poll_write(cx, buf);
        this.check_write(outcome, cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(this.io()).poll_write_vectored(cx, bufs);
        this.check_write(outcome, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.as_ref().is_some_and(AsyncWrite::is_write_vectored)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.get_mut().io()).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.get_mut().io()).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timing(head_ms: u64, idle_ms: u64, stall_ms: u64) -> Timing {
        Timing {
            head: Duration::from_millis(head_ms),
            idle: Duration::from_millis(idle_ms),
            write_stall: Duration::from_millis(stall_ms),
            ..Timing::default()
        }
    }

    const LONG: u64 = 3_600_000;

    #[tokio::test]
    async fn a_client_that_never_completes_its_headers_is_disconnected() {
        let (mut client, server) = tokio::io::duplex(64);
        let mut watched = TimedSocket::new(server, Activity::new(), &timing(20, LONG, LONG), ());
        client.write_all(b"POST").await.unwrap();
        let mut buf = [0; 64];
        assert_eq!(watched.read(&mut buf).await.unwrap(), 4);
        assert_eq!(
            watched.read(&mut buf).await.unwrap_err().kind(),
            io::ErrorKind::TimedOut
        );
    }

    #[tokio::test]
    async fn a_connection_between_requests_stays_open_for_the_idle_time() {
        let (_client, server) = tokio::io::duplex(64);
        let activity = Activity::new();
        let mut watched = TimedSocket::new(server, Arc::clone(&activity), &timing(LONG, 20, LONG), ());
        drop(activity.begin(false));
        let mut buf = [0; 64];
        assert_eq!(
            watched.read(&mut buf).await.unwrap_err().kind(),
            io::ErrorKind::TimedOut
        );
    }

    #[tokio::test]
    async fn a_request_in_progress_has_no_timeout_on_the_socket() {
        let (mut client, server) = tokio::io::duplex(64);
        let activity = Activity::new();
        let mut watched = TimedSocket::new(server, Arc::clone(&activity), &timing(1, 1, LONG), ());
        let running = activity.begin(false);
        let mut buf = [0; 64];
        let waited = tokio::time::timeout(Duration::from_millis(30), watched.read(&mut buf)).await;
        assert!(waited.is_err(), "still waiting");
        client.write_all(b"x").await.unwrap();
        assert_eq!(watched.read(&mut buf).await.unwrap(), 1);
        drop(running);
    }

    #[tokio::test]
    async fn a_client_that_reads_no_bytes_is_disconnected() {
        let (_client, server) = tokio::io::duplex(16);
        let mut watched = TimedSocket::new(server, Activity::new(), &timing(LONG, LONG, 20), ());
        let error = watched.write_all(&[0; 64]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
