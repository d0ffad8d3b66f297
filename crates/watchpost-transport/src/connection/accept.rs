//! The accept loop.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use watchpost_protocol::Handler;

use crate::admission::address;
use crate::connection::permits::Admitted;
use crate::connection::watched::{Activity, Watched};
use crate::gate::{Gate, Probes};
use crate::service::{Connection, Service};

/// How long to wait after the system refused a connection, for example for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The least that hyper takes for a buffer, in bytes.
const HTTP1_BUFFER_MIN: usize = 8192;

/// A connection of the reserve is for one probe: it has to be quick.
const RESERVED_HEAD: Duration = Duration::from_secs(2);

/// Serves `listener` until `stop` resolves, then lets what runs finish within
/// [`Timing::stop_grace`](crate::Timing::stop_grace) and returns.
///
/// Runs on any tokio runtime. Several runtimes may each serve their own clone of one listening socket with
/// clones of one service; limits and sessions are then shared between them. Call
/// [`Service::stop`] as well (once), so that open streams end.
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
                    let shared = service.shared();
                    let exempt = peer.is_loopback() || address::trusted(peer, &shared.config.proxies);
                    if let Some(admitted) = shared.connections.admit(peer, exempt) {
                        connections.spawn(serve_one(stream, peer, service.clone(), admitted, stopped.clone()));
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    service.stop();
    // No receiver left means no connection left.
    let _ = stopping.send(true);
    let grace = service.shared().config.timing.stop_grace;
    let finished =
        tokio::time::timeout(grace, async { while connections.join_next().await.is_some() {} }).await;
    if finished.is_err() {
        tracing::warn!(
            open = connections.len(),
            "some connections did not finish in time and are cut"
        );
        connections.shutdown().await;
    }
}

async fn serve_one<G, H, P>(
    stream: TcpStream,
    peer: IpAddr,
    service: Service<G, H, P>,
    admitted: Admitted,
    mut stopped: watch::Receiver<bool>,
) where
    G: Gate,
    H: Handler<Principal = G::Principal>,
    P: Probes,
{
    // Answers are whole messages: waiting for more of them only adds latency.
    let _ = stream.set_nodelay(true);
    let limits = &service.shared().config.limits;
    let mut timing = service.shared().config.timing.clone();
    if admitted.reserved {
        timing.head = timing.head.min(RESERVED_HEAD);
        timing.idle = Duration::ZERO;
    }

    let spoken = tokio::select! {
        spoken = tokio::time::timeout(timing.head, first_words(&stream)) => spoken,
        _ = stopped.wait_for(|stopped| *stopped) => return,
    };
    // Neither a byte in time nor an end: nobody is there.
    let Ok(Ok(spoken)) = spoken else { return };

    let activity = Activity::new();
    let reserved = admitted.reserved;
    let io = TokioIo::new(Watched::new(stream, Arc::clone(&activity), &timing, admitted));
    let connection = Arc::new(Connection::new(peer, reserved, activity));
    let answering = service_fn(|request| {
        let service = service.clone();
        let connection = Arc::clone(&connection);
        // Boxed: hyper keeps the place of this future for as long as the connection is there, and an open stream
        // would pay for the whole of it.
        Box::pin(async move { Ok::<_, Infallible>(service.answer(request, connection).await) })
    });
    // Not `auto` of hyper-util: its look ahead makes the read buffer of every HTTP/1 connection grow to twice its size.
    let outcome = match spoken {
        Spoken::Http1 => {
            let mut builder = http1::Builder::new();
            builder
                .timer(TokioTimer::new())
                // `Watched` times headers.
                .header_read_timeout(None)
                // The read buffer bounds the headers: 431 when they don't fit.
                .max_buf_size(limits.head_bytes.max(HTTP1_BUFFER_MIN))
                // Not `pipeline_flush`: with it, answers to requests that can't be parsed are never written.
                .keep_alive(!reserved);
            drive(builder.serve_connection(io, answering), &mut stopped).await
        }
        Spoken::Http2 => {
            let mut builder = http2::Builder::new(TokioExecutor::new());
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
            // The rare kind, and the larger one.
            Box::pin(drive(builder.serve_connection(io, answering), &mut stopped)).await
        }
    };
    if let Err(error) = outcome {
        // Peers that hang up or send rubbish are daily business.
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Which protocol a peer speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spoken {
    Http1,
    Http2,
}

/// How every HTTP/2 connection begins (RFC 9113, 3.4).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

impl Spoken {
    /// No method of HTTP/1 begins like the preface from its third byte on, so three bytes of it are enough; whoever
    /// sends fewer at first is taken for HTTP/1.
    fn of(words: &[u8]) -> Self {
        let compared = words.len().min(HTTP2_PREFACE.len());
        if compared >= 3 && words.get(..compared) == HTTP2_PREFACE.get(..compared) {
            Self::Http2
        } else {
            Self::Http1
        }
    }
}

/// Waits for the first bytes, and leaves them where they are.
async fn first_words(stream: &TcpStream) -> io::Result<Spoken> {
    let mut words = [0; HTTP2_PREFACE.len()];
    let read = stream.peek(&mut words).await?;
    Ok(Spoken::of(words.get(..read).unwrap_or_default()))
}

/// Serves a connection to its end; lets it finish what it's at once the server stops.
async fn drive<C>(connection: C, stopped: &mut watch::Receiver<bool>) -> Result<(), C::Error>
where
    C: GracefulConnection,
{
    let mut serving = pin!(connection);
    let mut stopping = pin!(stopped.wait_for(|stopped| *stopped));
    let mut told = false;
    poll_fn(|cx| {
        if !told && stopping.as_mut().poll(cx).is_ready() {
            told = true;
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
    fn the_preface_tells_http_2_from_http_1() {
        let check = |words: &[u8], expected| assert_eq!(Spoken::of(words), expected, "{words:?}");
        check(HTTP2_PREFACE, Spoken::Http2);
        check(b"PRI", Spoken::Http2);
        check(b"PRI * HTTP/1.1\r\n", Spoken::Http1);
        check(b"PR", Spoken::Http1);
        check(b"POST /mcp HTTP/1.1\r\n", Spoken::Http1);
        check(b"", Spoken::Http1);
    }
}
