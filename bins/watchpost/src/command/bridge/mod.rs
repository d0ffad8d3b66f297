//! `watchpost bridge`: speaks stdio to a desktop assistant and HTTP to a Watchpost server, message by message. It runs nothing that
//! it receives and opens no address but the one it was given.

mod events;
mod message;
mod server;

use self::{
    message::{parse, read_line},
    server::Server,
};
use anyhow::{Context as _, Result};
use clap::Args;
use reqwest::Url;
use serde_json::Value;
use std::{path::PathBuf, sync::Arc};
use tokio::{
    io::BufReader,
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
};

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

pub(crate) async fn run(args: Bridge) -> Result<()> {
    let server = Arc::new(Server::new(args.url, args.key_file.as_deref())?);
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
