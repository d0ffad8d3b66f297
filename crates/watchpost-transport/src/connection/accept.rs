//! Accepts connections and serves them.

use crate::{
    config::Limits,
    connection::{
        Connection,
        frames::FrameCredit,
        framing::Framing,
        permits::ConnectionPermit,
        timed_socket::{Activity, TimedSocket, Wire},
        uptake::StreamExecutor,
    },
    gate::{Gate, Probes},
    response::RETRY_SOON,
    service::Service,
    text,
};
use hyper::{
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulConnection,
};
use std::{
    convert::Infallible,
    future::{Future, poll_fn},
    io::{self, Read as _, Write as _},
    net::IpAddr,
    pin::pin,
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use watchpost_protocol::Handler;

/// The pause after the system failed to accept a connection, for example because no file descriptors are left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The minimum buffer size that hyper accepts, in bytes.
const HTTP1_BUFFER_MIN: usize = 8192;

/// The time for the headers on a reserved connection. It serves a single probe, which must be quick.
const RESERVED_HEAD: Duration = Duration::from_secs(2);

/// Serves `listener` until `stop` resolves. Then waits up to [`Timing::stop_grace`](crate::Timing::stop_grace)
/// for requests in progress, and returns.
///
/// Runs on any Tokio runtime. Several runtimes may each serve a clone of the listening socket with a clone of
/// the service; they share limits and sessions. In that case, also call [`Service::stop`] once, so that all
/// open streams end.
pub async fn serve<G, H, P>(listener: TcpListener, service: Service<G, H, P>, stop: impl Future<Output = ()>)
where
    G: Gate,
    H: Handler<Principal = G::Principal>,
    P: Probes,
{
    let (stopping, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        tokio::select! {
            biased;
            () = &mut stop => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let peer = peer.ip().to_canonical();
                    match service.admission().admit_connection(peer) {
                        Some(permit) => {
                            let stopped = stopped.clone();
                            connections.spawn(serve_one(stream, peer, service.clone(), permit, stopped));
                        }
                        None => {
                            if service.admission().logs_connection() {
                                tracing::warn!(client = %peer, "a connection was refused: there are too many");
                            }
                            // The client may be gone.
                            let _ = refuse(stream);
                        }
                    }
                }
                Err(error) => {
                    if service.admission().logs_connection() {
                        tracing::warn!(%error, "a connection couldn't be accepted");
                    }
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    service.stop();
    // Sending fails only if there are no receivers, and therefore no connections.
    let _ = stopping.send(true);
    let grace = service.config().timing.stop_grace;
    let finished =
        tokio::time::timeout(grace, async { while connections.join_next().await.is_some() {} }).await;
    if finished.is_err() {
        tracing::warn!(
            open = connections.len(),
            "some connections didn't finish in time and are closed"
        );
        connections.shutdown().await;
    }
}

/// Answers a connection for which there is no place, without waiting for it. A client that has sent nothing so far may see
/// that the connection ends instead.
fn refuse(stream: TcpStream) -> io::Result<()> {
    // The system knows better than the event loop what has arrived already.
    let mut stream = stream.into_std()?;
    // The system would discard the answer together with unread bytes.
    let mut scratch = [0; 8 << 10];
    let _ = stream.read(&mut scratch);
    stream.write_all(text::connection_refused(RETRY_SOON.as_secs()).as_bytes())
}

async fn serve_one<G, H, P>(
    stream: TcpStream,
    peer: IpAddr,
    service: Service<G, H, P>,
    permit: ConnectionPermit,
    mut stopped: watch::Receiver<bool>,
) where
    G: Gate,
    H: Handler<Principal = G::Principal>,
    P: Probes,
{
    // Responses are complete messages, so delaying them to collect more data would only add latency.
    let _ = stream.set_nodelay(true);
    let limits = &service.config().limits;
    let mut timing = service.config().timing.clone();
    if permit.reserved {
        timing.head = timing.head.min(RESERVED_HEAD);
        timing.idle = Duration::ZERO;
    }

    let version = tokio::select! {
        version = tokio::time::timeout(timing.head, peek_version(&stream)) => version,
        _ = stopped.wait_for(|stopped| *stopped) => return,
    };
    // The client sent no byte in time, or the connection failed.
    let Ok(Ok(version)) = version else { return };

    let activity = Activity::new();
    let reserved = permit.reserved;
    let wire = match version {
        HttpVersion::Http1 => Wire::Http1(Framing::default()),
        HttpVersion::Http2 => Wire::Http2(FrameCredit::new()),
    };
    let socket = TimedSocket::new(stream, wire, Arc::clone(&activity), &timing, permit);
    let io = TokioIo::new(socket);
    let connection = Arc::new(Connection::new(peer, reserved, activity));
    let answering = service_fn(|request| {
        let service = service.clone();
        let connection = Arc::clone(&connection);
        // Boxed: hyper reserves space for this future as long as the connection is open, and an open stream
        // would keep all of it.
        Box::pin(async move { Ok::<_, Infallible>(service.answer(request, connection).await) })
    });
    let outcome = match version {
        HttpVersion::Http1 => {
            let connection = http1(limits, reserved).serve_connection(io, answering);
            drive(connection, &mut stopped).await
        }
        HttpVersion::Http2 => {
            let connection = http2(limits, timing.write_stall).serve_connection(io, answering);
            // HTTP/2 is rare and its future is larger.
            Box::pin(drive(connection, &mut stopped)).await
        }
    };
    if let Err(error) = outcome {
        // Clients that disconnect or send invalid data are common, so this isn't a warning.
        tracing::debug!(%error, "a connection ended early");
    }
}

// hyper-util's `auto` isn't used: its detection doubles the read buffer of every HTTP/1 connection.
fn http1(limits: &Limits, reserved: bool) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        // `TimedSocket` limits the time for headers.
        .header_read_timeout(None)
        // The read buffer also limits the headers: if they don't fit, the response is 431.
        .max_buf_size(limits.head_bytes.max(HTTP1_BUFFER_MIN))
        // `pipeline_flush` isn't used: with it, responses to requests that can't be parsed are never written.
        .keep_alive(!reserved);
    builder
}

fn http2(limits: &Limits, write_stall: Duration) -> http2::Builder<StreamExecutor> {
    let mut builder = http2::Builder::new(StreamExecutor { write_stall });
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(128)
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(128)
        .max_send_buf_size(limits.stream_buffer_bytes)
        .initial_stream_window_size(256 << 10)
        .initial_connection_window_size(1 << 20)
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(20));
    builder
}

/// The HTTP version that a client uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HttpVersion {
    Http1,
    Http2,
}

/// The first bytes of every HTTP/2 connection (RFC 9113, 3.4).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

impl HttpVersion {
    /// Detects the version from the first bytes. Three bytes of the preface suffice, because no HTTP/1 method
    /// starts with them. A client that sends fewer bytes at first is treated as HTTP/1.
    fn of(bytes: &[u8]) -> Self {
        let compared = bytes.len().min(HTTP2_PREFACE.len());
        if compared >= 3 && bytes.get(..compared) == HTTP2_PREFACE.get(..compared) {
            Self::Http2
        } else {
            Self::Http1
        }
    }
}

/// Waits for the first bytes without consuming them.
async fn peek_version(stream: &TcpStream) -> io::Result<HttpVersion> {
    let mut bytes = [0; HTTP2_PREFACE.len()];
    let read = stream.peek(&mut bytes).await?;
    Ok(HttpVersion::of(bytes.get(..read).unwrap_or_default()))
}

/// Serves a connection to its end. When the server stops, requests in progress may finish.
async fn drive<C>(connection: C, stopped: &mut watch::Receiver<bool>) -> Result<(), C::Error>
where
    C: GracefulConnection,
{
    let mut serving = pin!(connection);
    let mut stopping = pin!(stopped.wait_for(|stopped| *stopped));
    let mut is_stopping = false;
    poll_fn(|cx| {
        if !is_stopping && stopping.as_mut().poll(cx).is_ready() {
            is_stopping = true;
            serving.as_mut().graceful_shutdown();
        }
        serving.as_mut().poll(cx)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preface_distinguishes_http_2_from_http_1() {
        let check = |bytes: &[u8], expected| assert_eq!(HttpVersion::of(bytes), expected, "{bytes:?}");
        check(HTTP2_PREFACE, HttpVersion::Http2);
        check(b"PRI", HttpVersion::Http2);
        check(b"PRI * HTTP/1.1\r\n", HttpVersion::Http1);
        check(b"PR", HttpVersion::Http1);
        check(b"POST /mcp HTTP/1.1\r\n", HttpVersion::Http1);
        check(b"", HttpVersion::Http1);
    }
}
