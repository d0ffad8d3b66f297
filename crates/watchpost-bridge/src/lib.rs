//! The bridge: forwards messages between a desktop assistant on stdio and a Watchpost server over HTTP.
//!
//! `watchpost`, `watchpost-http` and `watchpost-sse` provide it as their command `bridge`, so that a client's
//! configuration can name any of these binaries.
//!
//! # What this crate does not do
//! It doesn't interpret tools or results, executes nothing that it receives, and connects only to the configured address.

mod error;
mod events;
mod message;
mod server;
mod text;

pub use self::error::BridgeError;

use self::{
    message::{parse, read_line},
    server::Server,
};
use clap::Args;
use reqwest::Url;
use serde_json::Value;
use std::{path::PathBuf, sync::Arc};
use tokio::{
    io::BufReader,
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
};

/// Maximum number of concurrent requests.
const REQUESTS_MAX: usize = 32;

/// The flags of the command `bridge`.
#[derive(Debug, Clone, Args)]
pub struct BridgeFlags {
    /// The server's address, such as `https://watchpost.example.com/mcp`
    #[arg(long)]
    url: Url,
    /// A file with the API key [default: the environment variable WATCHPOST_API_KEY]
    #[arg(long)]
    key_file: Option<PathBuf>,
}

/// Forwards messages between the client on standard input and output and the server until the input ends.
///
/// Needs a Tokio runtime with I/O and time enabled.
///
/// # Errors
/// If the key would travel unencrypted, if its file can't be read, or if standard input or output fails. A server that
/// can't be reached is not an error: the client gets a JSON-RPC error for each request.
pub async fn run(flags: BridgeFlags) -> Result<(), BridgeError> {
    let server = Arc::new(Server::new(flags.url, flags.key_file.as_deref())?);
    let permits = Arc::new(Semaphore::new(REQUESTS_MAX));
    let mut tasks = JoinSet::new();
    let mut input = BufReader::new(tokio::io::stdin());
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = read_line(&mut input, &mut line)
            .await
            .map_err(BridgeError::Input)?;
        if !read {
            break;
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let message = match parse(&line) {
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
        let is_first = message["method"] == "initialize";
        let task = forward(Arc::clone(&server), line.clone(), message, permit);
        if is_first {
            // The next messages need the session that this one opens.
            task.await;
        } else {
            let handle = tasks.spawn(task);
            if let Some(id) = id {
                server.running.lock().await.insert(id.to_string(), handle);
            }
        }
        while tasks.try_join_next().is_some() {}
    }
    while tasks.join_next().await.is_some() {}
    server.end_session().await;
    Ok(())
}

/// Forwards a message. If a request can't be forwarded, writes an error to the client.
async fn forward(server: Arc<Server>, body: Vec<u8>, message: Value, permit: OwnedSemaphorePermit) {
    let outcome = server.forward(body, &message).await;
    if let Some(id) = message.get("id") {
        server.running.lock().await.remove(&id.to_string());
    }
    if let (Err(error), Some(id), true) = (outcome, message.get("id"), message.get("method").is_some()) {
        let reason = text::request_failed(&error);
        let _ = server.write_error(Some(id), (-32603, reason)).await;
    }
    drop(permit);
}
