//! The bridge: forwards messages between a desktop assistant on stdio and a Watchpost server over HTTP.
//!
//! `watchpost`, `watchpost-http` and `watchpost-sse` provide it as their command `bridge`, so that a client's
//! configuration can name any of these binaries.
//!
//! # What this crate does not do
//! It doesn't interpret tools or results, executes nothing that it receives, and connects only to the configured address.

mod error;
mod events;
mod headers;
mod message;
mod server;
mod session;
mod text;

pub use self::error::BridgeError;

use self::{
    message::{parse, read_line},
    server::{Server, Timing},
};
use clap::Args;
use reqwest::Url;
use serde_json::Value;
use std::{path::PathBuf, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncBufRead, AsyncWrite, BufReader},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
};

/// Maximum number of concurrent requests.
const REQUESTS_MAX: usize = 32;
/// The time for which running requests are answered after the end of the input.
const FINISH_MAX: Duration = Duration::from_millis(400);

/// The flags of the command `bridge`.
#[derive(Debug, Clone, Args)]
pub struct BridgeFlags {
    /// The server's address, such as `https://watchpost.example.com/mcp`
    #[arg(long)]
    url: Url,
    /// A file with the API key [default: the environment variable WATCHPOST_API_KEY]
    #[arg(long)]
    key_file: Option<PathBuf>,
    /// A header for each request, such as `X-Api-Key:${MY_KEY}`, in which `${NAME}` is an environment variable; also read
    /// from the environment variable MCP_HEADERS
    #[arg(long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
}

/// Forwards messages between the client on standard input and output and the server until the input ends or the process
/// receives SIGTERM, SIGINT or SIGHUP.
///
/// Needs a Tokio runtime with I/O and time enabled.
///
/// # Errors
/// If the key would travel unencrypted, if it can't be read or isn't a key, if a header isn't valid, or if standard input or
/// output fails. A server that can't be reached is not an error: the client gets a JSON-RPC error for each request.
pub async fn run(flags: BridgeFlags) -> Result<(), BridgeError> {
    let environment = |name: &str| std::env::var(name).ok();
    let headers = headers::headers(&flags.headers, flags.key_file.as_deref(), &environment)?;
    let server = Server::new(flags.url, headers, Timing::default(), tokio::io::stdout())?;
    let stop = stop_signal().map_err(BridgeError::Input)?;
    bridge(Arc::new(server), BufReader::new(tokio::io::stdin()), stop).await
}

/// Returns a future that completes when the process is asked to stop.
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut hangup = signal(SignalKind::hangup())?;
        Ok(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
                _ = hangup.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    {
        Ok(async {
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        })
    }
}

/// Forwards messages until the input ends or `stop` completes. Then ends within a second, whatever is open.
async fn bridge<W: AsyncWrite + Send + Unpin + 'static>(
    server: Arc<Server<W>>,
    mut input: impl AsyncBufRead + Unpin,
    stop: impl Future<Output = ()>,
) -> Result<(), BridgeError> {
    let mut stop = std::pin::pin!(stop);
    let permits = Arc::new(Semaphore::new(REQUESTS_MAX));
    let mut tasks = JoinSet::new();
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = tokio::select! {
            read = read_line(&mut input, &mut line) => read.map_err(BridgeError::Input)?,
            () = &mut stop => false,
        };
        if !read {
            break;
        }
        let text = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&line);
        if text.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let message = match parse(&mut line) {
            Ok(message) => message,
            Err(error) => {
                server
                    .write_error(None, error)
                    .await
                    .map_err(BridgeError::Output)?;
                continue;
            }
        };
        if message["method"] == "notifications/cancelled" && server.cancel(&message).await {
            continue;
        }
        let permit = Arc::clone(&permits)
            .acquire_owned()
            .await
            .expect("the semaphore is never closed");
        let id = message.get("id").cloned();
        let method = message["method"].as_str().unwrap_or_default();
        // The next messages need the session that a handshake opens.
        let is_handshake = matches!(method, "initialize" | "notifications/initialized");
        let is_initialized = method == "notifications/initialized";
        let task = forward(Arc::clone(&server), line.clone(), message, permit);
        if is_handshake {
            task.await;
            if is_initialized {
                listen(&server).await;
            }
        } else {
            let handle = tasks.spawn(task);
            if let Some(id) = id {
                server.running.lock().await.insert(id.to_string(), handle);
            }
        }
        while tasks.try_join_next().is_some() {}
    }
    let finished = async { while tasks.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(FINISH_MAX, finished).await;
    tasks.abort_all();
    if let Some(standing) = server.standing.lock().await.take() {
        standing.abort();
    }
    server.end_session().await;
    Ok(())
}

/// Starts reading the standing stream of the session, instead of that of an earlier one.
async fn listen<W: AsyncWrite + Send + Unpin + 'static>(server: &Arc<Server<W>>) {
    let reader = Arc::clone(server);
    let task = tokio::spawn(async move { reader.forward_notifications().await });
    let earlier = server.standing.lock().await.replace(task.abort_handle());
    if let Some(earlier) = earlier {
        earlier.abort();
    }
}

/// Forwards a message. If a request can't be forwarded, writes an error to the client.
async fn forward<W: AsyncWrite + Unpin>(
    server: Arc<Server<W>>,
    body: Vec<u8>,
    message: Value,
    permit: OwnedSemaphorePermit,
) {
    let outcome = server.forward(&body, &message).await;
    if let Some(id) = message.get("id") {
        server.running.lock().await.remove(&id.to_string());
    }
    if let (Err(error), Some(id), true) = (outcome, message.get("id"), message.get("method").is_some()) {
        let reason = text::request_failed(&error);
        let _ = server.write_error(Some(id), (-32603, reason)).await;
    }
    drop(permit);
}

#[cfg(test)]
mod tests;
