//! A socket that closes when the client is too slow.
//!
//! hyper's own header timeout also runs between requests, and sets a timer for each of them. Here a connection
//! has one timer for reading, and its deadline is checked only when it fires, so a request sets no timers.

use crate::{
    config::Timing,
    connection::{deadline::DeadlineTimer, frames::FrameCredit, framing::Framing},
    text,
};
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
    /// Whether the connection is closed soon after its requests have ended.
    closing: AtomicBool,
}

/// The time after which a connection without requests is closed if it should be: enough to send the last response.
const CLOSING: Duration = Duration::from_secs(1);

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
            closing: AtomicBool::new(false),
        })
    }

    /// Closes the connection soon after its requests have ended.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
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

/// The checks of the bytes of each version of HTTP.
#[derive(Debug)]
pub(crate) enum Wire {
    Http1(Framing),
    /// An HTTP/1 connection with an invalid request, and the rest of what hyper gets in its place.
    Http1Invalid(&'static [u8]),
    Http2(FrameCredit),
}

/// Bytes that no request may contain where [`Framing`] finds an error, and the end of a head. hyper answers them with 400.
const INVALID: &[u8] = b"\0\r\n\r\n";

impl Wire {
    /// Checks received bytes, of which the first `before` were received earlier.
    fn receive(&mut self, buf: &mut ReadBuf<'_>, before: usize) -> io::Result<()> {
        let received = buf.filled().get(before..).unwrap_or_default();
        match self {
            Self::Http1(framing) => {
                if let Err(valid) = framing.check(received) {
                    buf.set_filled(before + valid);
                    *self = Self::Http1Invalid(INVALID);
                    self.put_invalid(buf);
                }
                Ok(())
            }
            Self::Http1Invalid(_) => Ok(()),
            Self::Http2(credit) => {
                if credit.receive(received) {
                    Ok(())
                } else {
                    Err(io::Error::new(io::ErrorKind::InvalidData, text::TOO_MANY_FRAMES))
                }
            }
        }
    }

    /// Gives hyper the next bytes in place of an invalid request, and no bytes, which means the end, after them. Returns `false`
    /// if the connection has no invalid request.
    fn put_invalid(&mut self, buf: &mut ReadBuf<'_>) -> bool {
        let Self::Http1Invalid(rest) = self else {
            return false;
        };
        let (part, after) = rest.split_at(rest.len().min(buf.remaining()));
        buf.put_slice(part);
        *rest = after;
        true
    }

    /// Looks at bytes of which the first `written` were written.
    fn send(&mut self, bufs: &[io::IoSlice<'_>], written: usize) {
        let Self::Http2(credit) = self else { return };
        let mut left = written;
        for buf in bufs {
            let part = buf.get(..left.min(buf.len())).unwrap_or_default();
            credit.send(part);
            left -= part.len();
        }
    }
}

/// The permits that a connection holds until it is closed.
pub(crate) trait Held: Send + Unpin + 'static {
    /// Whether there are few permits left.
    fn is_crowded(&self) -> bool;
}

/// A socket with timeouts.
#[derive(Debug)]
pub(crate) struct TimedSocket<T: Socket, K: Held> {
    /// `None` only while it is being dropped.
    io: Option<T>,
    wire: Wire,
    activity: Arc<Activity>,
    head: Duration,
    idle: Duration,
    idle_crowded: Duration,
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

impl<T: Socket, K: Held> Drop for TimedSocket<T, K> {
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

impl<T: Socket, K: Held> TimedSocket<T, K> {
    pub(crate) fn new(io: T, wire: Wire, activity: Arc<Activity>, timing: &Timing, held: K) -> Self {
        Self {
            io: Some(io),
            wire,
            activity,
            head: timing.head,
            idle: timing.idle,
            idle_crowded: timing.idle_crowded,
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
        let allowed = if self.activity.closing.load(Ordering::Relaxed) {
            allowed.min(CLOSING)
        } else {
            allowed
        };
        let deadline = self.since + allowed;
        let now = Instant::now();
        let is_idle = self.activity.phase.load(Ordering::Relaxed) == IDLE;
        if is_idle && now + self.idle_crowded < deadline {
            let is_crowded = self.held.as_ref().is_some_and(Held::is_crowded);
            if is_crowded && now >= self.since + self.idle_crowded {
                return true;
            }
            // Looks again later.
            return self.reading.has_passed(now + self.idle_crowded, cx);
        }
        self.reading.has_passed(deadline, cx)
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

impl<T: Socket, K: Held> AsyncRead for TimedSocket<T, K> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.wire.put_invalid(buf) {
            return Poll::Ready(Ok(()));
        }
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
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) => {
                this.wire.receive(buf, before)?;
                this.after_read(buf.filled().len() > before);
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl<T: Socket, K: Held> AsyncWrite for TimedSocket<T, K> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(this.io()).poll_write(cx, buf);
        if let Poll::Ready(Ok(written)) = outcome {
            this.wire.send(&[io::IoSlice::new(buf)], written);
        }
        this.check_write(outcome, cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(this.io()).poll_write_vectored(cx, bufs);
        if let Poll::Ready(Ok(written)) = outcome {
            this.wire.send(bufs, written);
        }
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

    /// Whether most permits are in use.
    impl Held for bool {
        fn is_crowded(&self) -> bool {
            *self
        }
    }

    fn timing(head_ms: u64, idle_ms: u64, stall_ms: u64) -> Timing {
        Timing {
            head: Duration::from_millis(head_ms),
            idle: Duration::from_millis(idle_ms),
            write_stall: Duration::from_millis(stall_ms),
            ..Timing::default()
        }
    }

    fn http1() -> Wire {
        Wire::Http1(Framing::default())
    }

    const LONG: u64 = 3_600_000;

    #[tokio::test]
    async fn a_client_that_never_completes_its_headers_is_disconnected() {
        let (mut client, server) = tokio::io::duplex(64);
        let mut watched = TimedSocket::new(server, http1(), Activity::new(), &timing(20, LONG, LONG), false);
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
        let mut watched = TimedSocket::new(
            server,
            http1(),
            Arc::clone(&activity),
            &timing(LONG, 20, LONG),
            false,
        );
        drop(activity.begin(false));
        let mut buf = [0; 64];
        assert_eq!(
            watched.read(&mut buf).await.unwrap_err().kind(),
            io::ErrorKind::TimedOut
        );
    }

    #[tokio::test]
    async fn a_connection_between_requests_ends_earlier_if_places_are_few() {
        for is_crowded in [false, true] {
            let (_client, server) = tokio::io::duplex(64);
            let activity = Activity::new();
            let timing = Timing {
                idle_crowded: Duration::from_millis(10),
                ..timing(LONG, LONG, LONG)
            };
            let mut watched = TimedSocket::new(server, http1(), Arc::clone(&activity), &timing, is_crowded);
            drop(activity.begin(false));
            let mut buf = [0; 64];
            let read = tokio::time::timeout(Duration::from_millis(100), watched.read(&mut buf)).await;
            assert_eq!(read.is_ok(), is_crowded);
        }
    }

    #[tokio::test]
    async fn a_request_in_progress_has_no_timeout_on_the_socket() {
        let (mut client, server) = tokio::io::duplex(64);
        let activity = Activity::new();
        let mut watched =
            TimedSocket::new(server, http1(), Arc::clone(&activity), &timing(1, 1, LONG), false);
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
        let mut watched = TimedSocket::new(server, http1(), Activity::new(), &timing(LONG, LONG, 20), false);
        let error = watched.write_all(&[0; 64]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
