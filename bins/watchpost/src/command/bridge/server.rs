//! The Watchpost server behind the bridge.

use super::{
    events::Events,
    message::{MESSAGE_BYTES_MAX, RpcError},
};
use crate::failure::{code, fail};
use anyhow::{Context as _, Result};
use base64::Engine as _;
use reqwest::{Client, Response, StatusCode, Url, header::HeaderMap, redirect::Policy};
use serde_json::{Value, json};
use std::{collections::HashMap, path::Path, time::Duration};
use tokio::{io::AsyncWriteExt as _, sync::Mutex, task::AbortHandle};

const VERSION_KEY: &str = "io.modelcontextprotocol/protocolVersion";

/// A server, with the session that the client's handshake opened there, and the client's standard input and output.
pub(super) struct Server {
    client: Client,
    url: Url,
    key: Option<String>,
    session: Mutex<Option<String>>,
    version: Mutex<Option<String>>,
    out: Mutex<tokio::io::Stdout>,
    /// Requests under way, by id.
    pub(super) running: Mutex<HashMap<String, AbortHandle>>,
}

impl Server {
    /// The server at a URL, with the key of a file or of the environment. Nothing is sent yet.
    ///
    /// # Errors
    /// If the key could travel in the open, or its file can't be read.
    pub(super) fn new(url: Url, key_file: Option<&Path>) -> Result<Self> {
        let local = url
            .host_str()
            .is_some_and(|host| matches!(host, "127.0.0.1" | "localhost" | "[::1]"));
        if !(url.scheme() == "https" || (url.scheme() == "http" && local)) {
            return Err(fail(
                code::USAGE,
                "`--url`: a key travels only over https, or over http to this machine",
            ));
        }
        let key = match key_file {
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
        let client = Client::builder()
            .redirect(Policy::none())
            .connect_timeout(Duration::from_secs(5))
            .build()
            .context("can't prepare the HTTP client")?;
        Ok(Self {
            client,
            url,
            key,
            session: Mutex::default(),
            version: Mutex::default(),
            out: Mutex::new(tokio::io::stdout()),
            running: Mutex::default(),
        })
    }

    /// Writes a JSON-RPC error to the client; without `id` where the request's can't be told.
    pub(super) async fn write_error(
        &self,
        id: Option<&Value>,
        (code, text): RpcError,
    ) -> std::io::Result<()> {
        let mut message = json!({"jsonrpc": "2.0", "error": {"code": code, "message": text}});
        if let Some(id) = id {
            message["id"] = id.clone();
        }
        self.write(message.to_string().as_bytes()).await
    }

    /// Writes a message to the client.
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
    pub(super) async fn cancel(&self, message: &Value) -> bool {
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

    /// Sends a message and writes what comes back: one answer, or the events of a stream.
    ///
    /// # Errors
    /// If the server can't be reached or its answer is too long.
    pub(super) async fn forward(&self, body: Vec<u8>, message: &Value) -> Result<()> {
        let headers = self.headers(message).await;
        let response = self
            .client
            .post(self.url.clone())
            .headers(headers)
            .body(body)
            .send()
            .await
            .map_err(reqwest::Error::without_url)?;
        if message["method"] == "initialize" {
            *self.session.lock().await = header(&response, "mcp-session-id").map(str::to_owned);
        }
        if header(&response, "content-type").is_some_and(|kind| kind.starts_with("text/event-stream")) {
            return self.forward_events(response, message).await;
        }
        let status = response.status();
        let retry_after = header(&response, "retry-after").and_then(|value| value.parse().ok());
        let content = read_whole(response).await?;
        let is_message = serde_json::from_slice::<Value>(&content)
            .is_ok_and(|value| value.is_array() || value["jsonrpc"] == "2.0");
        if is_message {
            self.note_version(message, &content).await;
            self.write(&content).await?;
        } else if let Some(id) = message.get("id").filter(|_| message.get("method").is_some()) {
            self.write_error(Some(id), refusal(status, retry_after, &content))
                .await?;
        }
        Ok(())
    }

    async fn forward_events(&self, mut response: Response, message: &Value) -> Result<()> {
        let mut events = Events::default();
        while let Some(chunk) = response.chunk().await.map_err(reqwest::Error::without_url)? {
            for data in events.feed(&chunk)? {
                self.note_version(message, &data).await;
                self.write(&data).await?;
            }
        }
        Ok(())
    }

    /// Keeps the protocol version that the answer to `initialize` settled.
    async fn note_version(&self, message: &Value, answer: &[u8]) {
        if message["method"] == "initialize"
            && let Ok(answer) = serde_json::from_slice::<Value>(answer)
            && let Some(version) = answer["result"]["protocolVersion"].as_str()
        {
            *self.version.lock().await = Some(version.to_owned());
        }
    }

    pub(super) async fn end_session(&self) {
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

/// A header of a response, if it is text.
fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers().get(name).and_then(|value| value.to_str().ok())
}

async fn read_whole(mut response: Response) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(reqwest::Error::without_url)? {
        content.extend_from_slice(&chunk);
        anyhow::ensure!(
            content.len() <= MESSAGE_BYTES_MAX,
            "its answer is longer than 8 MiB"
        );
    }
    Ok(content)
}

/// The JSON-RPC error for a response that holds no message.
fn refusal(status: StatusCode, retry_after: Option<u64>, content: &[u8]) -> RpcError {
    match status {
        StatusCode::UNAUTHORIZED => {
            let error = serde_json::from_slice::<Value>(content)
                .ok()
                .and_then(|value| value["error"].as_str().map(str::to_owned));
            (401, error.unwrap_or_else(|| "Invalid API key".to_owned()))
        }
        StatusCode::TOO_MANY_REQUESTS => (429, throttled(retry_after)),
        StatusCode::NOT_FOUND => (
            -32603,
            "the server answers 404: check that `--url` ends in /mcp; if it does, the session has ended, so restart the client"
                .to_owned(),
        ),
        other => (-32603, format!("the server answers {other}")),
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
    fn routing_values_that_are_not_plain_travel_as_base64() {
        let check = |text: &str, expected: &str| assert_eq!(header_value(text), expected);
        check("list_findings", "list_findings");
        check("ä", "=?base64?w6Q=?=");
        check(" x", "=?base64?IHg=?=");
        check("=?base64?", "=?base64?PT9iYXNlNjQ/?=");
    }
}
