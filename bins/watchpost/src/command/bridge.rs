//! `watchpost bridge`: speaks stdio to a desktop assistant and HTTP to a Watchpost server, message by message. It runs nothing that
//! it receives and opens no address but the one it was given.

use crate::failure::{code, fail};
use anyhow::{Context as _, Result};
use base64::Engine as _;
use clap::Args;
use reqwest::{StatusCode, Url, header::HeaderMap};
use serde_json::{Value, json};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    sync::{Mutex, Semaphore},
    task::{AbortHandle, JoinSet},
};

/// Bytes of one message, either way.
const MESSAGE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Requests under way at once.
const REQUESTS_MAX: usize = 32;
const VERSION_KEY: &str = "io.modelcontextprotocol/protocolVersion";

#[derive(Debug, Args)]
pub(crate) struct Bridge {
    /// The server's address, e.g. https://watchpost.example.com/mcp
    #[arg(long)]
    url: Url,
    /// A file that holds the key [default: the environment's WATCHPOST_API_KEY]
    #[arg(long)]
    key_file: Option<std::path::PathBuf>,
}

struct Link {
    client: reqwest::Client,
    url: Url,
    key: Option<String>,
    session: Mutex<Option<String>>,
    version: Mutex<Option<String>>,
    out: Mutex<tokio::io::Stdout>,
    running: Mutex<HashMap<String, AbortHandle>>,
}

pub(crate) async fn run(bridge: Bridge) -> Result<()> {
    let local = bridge
        .url
        .host_str()
        .is_some_and(|host| matches!(host, "127.0.0.1" | "localhost" | "[::1]"));
    if !(bridge.url.scheme() == "https" || (bridge.url.scheme() == "http" && local)) {
        return Err(fail(
            code::USAGE,
            "`--url`: a key travels only over https, or over http to this machine",
        ));
    }
    let key = match &bridge.key_file {
        Some(file) => Some(
            std::fs::read_to_string(file)
                .with_context(|| format!("can't read {}", file.display()))?
                .trim()
                .to_owned(),
        ),
        None => std::env::var("WATCHPOST_API_KEY")
            .ok()
            .filter(|key| !key.is_empty()),
    };
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(5))
        .build()
        .context("can't prepare the HTTP client")?;
    let link = Arc::new(Link {
        client,
        url: bridge.url,
        key,
        session: Mutex::default(),
        version: Mutex::default(),
        out: Mutex::new(tokio::io::stdout()),
        running: Mutex::default(),
    });
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
        if line.len() > MESSAGE_BYTES_MAX {
            link.say(&json!({"jsonrpc": "2.0", "error": {"code": -32600, "message": "the message is longer than 8 MiB"}})).await?;
            continue;
        }
        let Ok(message) = serde_json::from_slice::<Value>(&line) else {
            link.say(
                &json!({"jsonrpc": "2.0", "error": {"code": -32700, "message": "the line is not JSON"}}),
            )
            .await?;
            continue;
        };
        if message["method"] == "notifications/cancelled" && link.cancel(&message).await {
            continue;
        }
        let permit = Arc::clone(&permits)
            .acquire_owned()
            .await
            .context("the bridge is closing")?;
        let body = line.clone();
        let id = message.get("id").cloned();
        let is_first = message["method"] == "initialize";
        let task = {
            let link = Arc::clone(&link);
            let message = message.clone();
            async move {
                let answered = link.forward(body, &message).await;
                if let Some(id) = message.get("id") {
                    link.running.lock().await.remove(&id.to_string());
                }
                if let (Err(error), Some(id), true) =
                    (answered, message.get("id"), message.get("method").is_some())
                {
                    let text = format!("the Watchpost server can't be reached: {error}");
                    let _ = link
                        .say(&json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32603, "message": text}}))
                        .await;
                }
                drop(permit);
            }
        };
        if is_first {
            // What follows needs the session that this opens.
            task.await;
        } else {
            let handle = tasks.spawn(task);
            if let Some(id) = id {
                link.running.lock().await.insert(id.to_string(), handle);
            }
        }
        while tasks.try_join_next().is_some() {}
    }
    while tasks.join_next().await.is_some() {}
    link.end_session().await;
    Ok(())
}

/// Reads a line, whole, but keeps no more than one byte past the limit. `false` at the end.
async fn read_line(
    input: &mut (impl tokio::io::AsyncBufRead + Unpin),
    line: &mut Vec<u8>,
) -> std::io::Result<bool> {
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

impl Link {
    async fn say(&self, message: &Value) -> std::io::Result<()> {
        self.write(message.to_string().as_bytes()).await
    }

    async fn write(&self, message: &[u8]) -> std::io::Result<()> {
        let mut out = self.out.lock().await;
        // A message is one line: JSON has no raw line ends inside strings, and those between tokens mean nothing.
        let line: Vec<u8> = message
            .iter()
            .copied()
            .filter(|b| *b != b'\n' && *b != b'\r')
            .collect();
        out.write_all(&line).await?;
        out.write_all(b"\n").await?;
        out.flush().await
    }

    /// A stateless request is cancelled by closing its connection. `true` if that is what was done.
    async fn cancel(&self, message: &Value) -> bool {
        if self.session.lock().await.is_some() {
            return false;
        }
        let id = message["params"]["requestId"].to_string();
        match self.running.lock().await.remove(&id) {
            Some(handle) => {
                handle.abort();
                true
            }
            None => false,
        }
    }

    async fn headers(&self, message: &Value) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut put = |name: &'static str, value: &str| {
            if let Ok(value) = value.parse() {
                headers.insert(name, value);
            }
        };
        put("content-type", "application/json");
        put("accept", "application/json, text/event-stream");
        if let Some(key) = &self.key {
            put("authorization", &format!("Bearer {key}"));
        }
        if let Some(version) = message["params"]["_meta"][VERSION_KEY].as_str() {
            put("mcp-protocol-version", version);
            if let Some(method) = message["method"].as_str() {
                put("mcp-method", method);
                let name = match method {
                    "resources/read" => &message["params"]["uri"],
                    "tasks/get" | "tasks/update" | "tasks/cancel" => &message["params"]["taskId"],
                    _ => &message["params"]["name"],
                };
                if let Some(name) = name.as_str() {
                    put("mcp-name", &header_value(name));
                }
            }
        } else if message["method"] != "initialize" {
            if let Some(session) = self.session.lock().await.as_deref() {
                put("mcp-session-id", session);
            }
            if let Some(version) = self.version.lock().await.as_deref() {
                put("mcp-protocol-version", version);
            }
        }
        headers
    }

    async fn forward(&self, body: Vec<u8>, message: &Value) -> Result<()> {
        let headers = self.headers(message).await;
        let mut answer = self
            .client
            .post(self.url.clone())
            .headers(headers)
            .body(body)
            .send()
            .await
            .map_err(reqwest::Error::without_url)?;
        let status = answer.status();
        if message["method"] == "initialize" {
            let session = answer
                .headers()
                .get("mcp-session-id")
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned);
            *self.session.lock().await = session;
        }
        let wait: Option<u64> = answer
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok()?.parse().ok());
        let kind = answer
            .headers()
            .get("content-type")
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        if kind.starts_with("text/event-stream") {
            let mut events = Events::default();
            while let Some(chunk) = answer.chunk().await.map_err(reqwest::Error::without_url)? {
                for data in events.feed(&chunk)? {
                    self.note_version(message, &data).await;
                    self.write(&data).await?;
                }
            }
            return Ok(());
        }
        let mut content = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(reqwest::Error::without_url)? {
            content.extend_from_slice(&chunk);
            anyhow::ensure!(
                content.len() <= MESSAGE_BYTES_MAX,
                "its answer is longer than 8 MiB"
            );
        }
        let is_message = serde_json::from_slice::<Value>(&content)
            .is_ok_and(|value| value.is_array() || value["jsonrpc"] == "2.0");
        if is_message {
            self.note_version(message, &content).await;
            self.write(&content).await?;
            return Ok(());
        }
        let Some(id) = message.get("id").filter(|_| message.get("method").is_some()) else {
            return Ok(());
        };
        let (number, text) = match status {
            StatusCode::UNAUTHORIZED => {
                let said = serde_json::from_slice::<Value>(&content).ok().and_then(|value| value["error"].as_str().map(str::to_owned));
                (401, said.unwrap_or_else(|| "Invalid API key".to_owned()))
            }
            StatusCode::TOO_MANY_REQUESTS => (429, throttled(wait)),
            StatusCode::NOT_FOUND => (-32603, "the server answers 404: check `--url`, which ends in /mcp; or the session ended, and the client must start anew".to_owned()),
            other => (-32603, format!("the server answers {other}")),
        };
        self.say(&json!({"jsonrpc": "2.0", "id": id, "error": {"code": number, "message": text}}))
            .await?;
        Ok(())
    }

    async fn note_version(&self, message: &Value, answer: &[u8]) {
        if message["method"] == "initialize"
            && let Ok(answer) = serde_json::from_slice::<Value>(answer)
            && let Some(version) = answer["result"]["protocolVersion"].as_str()
        {
            *self.version.lock().await = Some(version.to_owned());
        }
    }

    async fn end_session(&self) {
        if let Some(session) = self.session.lock().await.take() {
            let mut request = self
                .client
                .delete(self.url.clone())
                .header("mcp-session-id", session)
                .timeout(Duration::from_secs(2));
            if let Some(key) = &self.key {
                request = request.header("authorization", format!("Bearer {key}"));
            }
            // The server forgets it by itself, too.
            let _ = request.send().await;
        }
    }
}

/// A routing header's value: plain where it can be, else in the Base64 form of the specification.
fn header_value(text: &str) -> String {
    let plain = text.bytes().all(|b| (0x20..0x7f).contains(&b))
        && text.trim() == text
        && !text.starts_with("=?base64?");
    if plain {
        return text.to_owned();
    }
    let mut out = String::from("=?base64?");
    out.push_str(&base64::engine::general_purpose::STANDARD.encode(text));
    out.push_str("?=");
    out
}

/// Takes an event stream apart.
#[derive(Default)]
struct Events {
    line: Vec<u8>,
    data: Vec<u8>,
}

impl Events {
    /// The data of each event that `chunk` completes.
    fn feed(&mut self, chunk: &[u8]) -> Result<Vec<Vec<u8>>> {
        let mut out = Vec::new();
        for &byte in chunk {
            if byte != b'\n' {
                self.line.push(byte);
                anyhow::ensure!(
                    self.line.len() <= MESSAGE_BYTES_MAX,
                    "an event is longer than 8 MiB"
                );
                continue;
            }
            let line = std::mem::take(&mut self.line);
            let line = line.strip_suffix(b"\r").unwrap_or(&line);
            if line.is_empty() {
                if !self.data.is_empty() {
                    out.push(std::mem::take(&mut self.data));
                }
            } else if let Some(data) = line.strip_prefix(b"data:") {
                self.data
                    .extend_from_slice(data.strip_prefix(b" ").unwrap_or(data));
                anyhow::ensure!(
                    self.data.len() <= MESSAGE_BYTES_MAX,
                    "an event is longer than 8 MiB"
                );
            }
        }
        Ok(out)
    }
}

/// What a client over its limit is told, with the time that the server named in `Retry-After`.
fn throttled(wait_seconds: Option<u64>) -> String {
    match wait_seconds {
        Some(1) => "too many requests: try again in 1 second".to_owned(),
        Some(seconds) => format!("too many requests: try again in {seconds} seconds"),
        None => "too many requests: try again in a minute".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_over_its_limit_is_told_when_to_come_back() {
        assert_eq!(
            throttled(Some(1_800)),
            "too many requests: try again in 1800 seconds"
        );
        assert_eq!(throttled(Some(1)), "too many requests: try again in 1 second");
        assert_eq!(throttled(None), "too many requests: try again in a minute");
    }

    #[test]
    fn events_come_out_whole_however_they_are_cut() {
        let stream = b": hello\r\n\r\nevent: message\ndata: {\"a\":1}\n\nid: 1\ndata:{\"b\":\ndata: 2}\n\n";
        for size in 1..stream.len() {
            let mut events = Events::default();
            let mut out = Vec::new();
            for chunk in stream.chunks(size) {
                out.extend(events.feed(chunk).unwrap());
            }
            assert_eq!(
                out,
                [b"{\"a\":1}".to_vec(), b"{\"b\":2}".to_vec()],
                "in pieces of {size}"
            );
        }
    }

    #[test]
    fn routing_values_that_are_not_plain_travel_as_base64() {
        let check = |text: &str, expected: &str| assert_eq!(header_value(text), expected);
        check("list_findings", "list_findings");
        check("ä", "=?base64?w6Q=?=");
        check(" x", "=?base64?IHg=?=");
        check("=?base64?", "=?base64?PT9iYXNlNjQ/?=");
    }
}
