//! `watchpost bridge`: speaks stdio to a desktop assistant and HTTP to a Watchpost server, message by message. It runs nothing that
//! it receives and opens no address but the one it was given.

mod events;
mod server;

use self::server::Server;
use anyhow::{Context as _, Result};
use clap::Args;
use reqwest::Url;
use serde_json::Value;
use std::{path::PathBuf, sync::Arc};
use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt as _, BufReader},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
};

/// Bytes of one message, either way.
const MESSAGE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Requests under way at once.
const REQUESTS_MAX: usize = 32;

#[derive(Debug, Args)]
pub(crate) struct Bridge {
    /// The server's address, e.g. https://watchpost.example.com/mcp
    #[arg(long)]
    url: Url,
    /// A file that holds the key [default: the environment's WATCHPOST_API_KEY]
    #[arg(long)]
    key_file: Option<PathBuf>,
}

/// A JSON-RPC error: its code and its message.
type RpcError = (i64, String);

pub(crate) async fn run(args: Bridge) -> Result<()> {
    let server = Arc::new(Server::new(args)?);
    let permits = Arc::new(Semaphore::new(REQUESTS_MAX));
    let mut tasks = JoinSet::new();
    let mut input = BufReader::new(tokio::io::stdin());
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = read_line(&mut input, &mut line)
            .await
            .context("can't read from standard input")?;
        if !read {
            break;
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let message = match parse(&line) {
            Ok(message) => message,
            Err(error) => {
                server.write_error(None, error).await?;
                continue;
            }
        };
        if message["method"] == "notifications/cancelled" && server.cancel(&message).await {
            continue;
        }
        let permit = Arc::clone(&permits)
            .acquire_owned()
            .await
            .context("the bridge is closing")?;
        let id = message.get("id").cloned();
        let is_first = message["method"] == "initialize";
        let task = forward(Arc::clone(&server), line.clone(), message, permit);
        if is_first {
            // What follows needs the session that this opens.
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

fn parse(line: &[u8]) -> Result<Value, RpcError> {
    if line.len() > MESSAGE_BYTES_MAX {
        return Err((-32600, "the message is longer than 8 MiB".to_owned()));
    }
    serde_json::from_slice(line).map_err(|_| (-32700, "the line is not JSON".to_owned()))
}

/// Forwards a message; a request that can't be forwarded is answered with an error.
async fn forward(server: Arc<Server>, body: Vec<u8>, message: Value, permit: OwnedSemaphorePermit) {
    let outcome = server.forward(body, &message).await;
    if let Some(id) = message.get("id") {
        server.running.lock().await.remove(&id.to_string());
    }
    if let (Err(error), Some(id), true) = (outcome, message.get("id"), message.get("method").is_some()) {
        let text = format!("the Watchpost server can't be reached: {error}");
        let _ = server.write_error(Some(id), (-32603, text)).await;
    }
    drop(permit);
}

/// Reads a line, whole, but keeps no more than one byte past the limit. `false` at the end.
async fn read_line(input: &mut (impl AsyncBufRead + Unpin), line: &mut Vec<u8>) -> std::io::Result<bool> {
    let mut any = false;
    loop {
        let (used, done) = {
            let chunk = input.fill_buf().await?;
            if chunk.is_empty() {
                return Ok(any);
            }
            any = true;
            let (part, used, done) = match chunk.iter().position(|b| *b == b'\n') {
                Some(at) => (chunk.get(..at).unwrap_or_default(), at + 1, true),
                None => (chunk, chunk.len(), false),
            };
            let room = (MESSAGE_BYTES_MAX + 1).saturating_sub(line.len());
            line.extend_from_slice(part.get(..part.len().min(room)).unwrap_or_default());
            (used, done)
        };
        input.consume(used);
        if done {
            return Ok(true);
        }
    }
}
