//! The accept loop.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
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

    let activity = Activity::new();
    let reserved = admitted.reserved;
    let io = TokioIo::new(Watched::new(stream, Arc::clone(&activity), &timing, admitted));
    let connection = Arc::new(Connection::new(peer, reserved, activity));

    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // `Watched` times headers.
        .header_read_timeout(None)
        // The read buffer bounds the headers: 431 when they don't fit.
        .max_buf_size(limits.head_bytes.max(HTTP1_BUFFER_MIN))
        // Not `pipeline_flush`: with it, answers to requests that can't be parsed are never written.
        .keep_alive(!reserved);
    builder
        .http2()
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

    let answering = service_fn(|request| {
        let service = service.clone();
        let connection = Arc::clone(&connection);
        async move { Ok::<_, Infallible>(service.answer(request, connection).await) }
    });
    let mut serving = pin!(builder.serve_connection(io, answering));
    let mut stopping = pin!(stopped.wait_for(|stopped| *stopped));
    let mut told = false;
    let outcome = poll_fn(|cx| {
        if !told && stopping.as_mut().poll(cx).is_ready() {
            told = true;
            serving.as_mut().graceful_shutdown();
        }
        serving.as_mut().poll(cx)
    })
    .await;
    if let Err(error) = outcome {
        // Peers that hang up or send rubbish are daily business.
        tracing::debug!(%error, "a connection ended early");
    }
}
