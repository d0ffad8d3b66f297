//! The connection to the Watchpost server.

use super::{
    events::Events,
    message::{MESSAGE_BYTES_MAX, RpcError},
};
use crate::{
    error::{BridgeError, ForwardError},
    text,
};
use base64::Engine as _;
use reqwest::{Client, Response, StatusCode, Url, header::HeaderMap, redirect::Policy};
use serde_json::{Value, json};
use std::{collections::HashMap, path::Path, time::Duration};
use tokio::{io::AsyncWriteExt as _, sync::Mutex, task::AbortHandle};

const VERSION_KEY: &str = "io.modelcontextprotocol/protocolVersion";

/// A connection to the server, with the session of the client's handshake and the output to the client.
pub(super) struct Server {
    client: Client,
    url: Url,
    key: Option<String>,
    session: Mutex<Option<String>>,
    version: Mutex<Option<String>>,
    out: Mutex<tokio::io::Stdout>,
    /// The unfinished requests, by id.
    pub(super) running: Mutex<HashMap<String, AbortHandle>>,
}

impl Server {
    /// Creates a connection to the server at `url`, with the key from a file or from the environment. Sends nothing yet.
    ///
    /// # Errors
    /// If the key would travel unencrypted, or its file can't be read.
    pub(super) fn new(url: Url, key_file: Option<&Path>) -> Result<Self, BridgeError> {
        let local = url
            .host_str()
            .is_some_and(|host| matches!(host, "127.0.0.1" | "localhost" | "[::1]"));
        if !(url.scheme() == "https" || (url.scheme() == "http" && local)) {
            return Err(BridgeError::InsecureUrl);
        }
        let key = match key_file {
            Some(file) => Some(
                std::fs::read_to_string(file)
                    .map_err(|source| BridgeError::KeyFile {
                        path: file.to_owned(),
                        source,
                    })?
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
            .map_err(BridgeError::Client)?;
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

    /// Writes a JSON-RPC error to the client, without `id` if the request's id is unknown.
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
        // A message is one line. JSON strings hold no raw line breaks, and line breaks between tokens have no meaning.
        let line: Vec<u8> = message
            .iter()
            .copied()
            .filter(|b| *b != b'\n' && *b != b'\r')
            .collect();
        out.write_all(&line).await?;
        out.write_all(b"\n").await?;
        out.flush().await
    }

    /// Cancels a request without a session by closing its connection. Returns `false` if the cancellation must be
    /// forwarded instead.
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

    /// Sends a message to the server and writes its answer to the client: one message, or the events of a stream.
    ///
    /// # Errors
    /// If the server can't be reached or its answer is too long.
    pub(super) async fn forward(&self, body: Vec<u8>, message: &Value) -> Result<(), ForwardError> {
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
            self.write_error(Some(id), http_error(status, retry_after, &content))
                .await?;
        }
        Ok(())
    }

    async fn forward_events(&self, mut response: Response, message: &Value) -> Result<(), ForwardError> {
        let mut events = Events::default();
        while let Some(chunk) = response.chunk().await.map_err(reqwest::Error::without_url)? {
            for data in events.feed(&chunk)? {
                self.note_version(message, &data).await;
                self.write(&data).await?;
            }
        }
        Ok(())
    }

    /// Stores the protocol version from the answer to `initialize`.
    async fn note_version(&self, message: &Value, answer: &[u8]) {
        if message["method"] == "initialize"
            && let Ok(answer) = serde_json::from_slice::<Value>(answer)
            && let Some(version) = answer["result"]["protocolVersion"].as_str()
        {
            *self.version.lock().await = Some(version.to_owned());
        }
    }

    /// Ends the session, if there is one. Ignores errors.
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
            // The session expires on the server if this fails.
            let _ = request.send().await;
        }
    }
}

/// Returns a header of a response if its value is text.
fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers().get(name).and_then(|value| value.to_str().ok())
}

async fn read_whole(mut response: Response) -> Result<Vec<u8>, ForwardError> {
    let mut content = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(reqwest::Error::without_url)? {
        content.extend_from_slice(&chunk);
        if content.len() > MESSAGE_BYTES_MAX {
            return Err(ForwardError::AnswerTooLong);
        }
    }
    Ok(content)
}

/// Returns the JSON-RPC error for a response without a message.
fn http_error(status: StatusCode, retry_after: Option<u64>, content: &[u8]) -> RpcError {
    match status {
        StatusCode::UNAUTHORIZED => {
            let error = serde_json::from_slice::<Value>(content)
                .ok()
                .and_then(|value| value["error"].as_str().map(str::to_owned));
            (401, error.unwrap_or_else(|| text::INVALID_KEY.to_owned()))
        }
        StatusCode::TOO_MANY_REQUESTS => (429, text::too_many_requests(retry_after)),
        StatusCode::NOT_FOUND => (-32603, text::NOT_FOUND.to_owned()),
        other => (-32603, text::unexpected_status(&other)),
    }
}

/// Encodes the value of a routing header: as plain text if possible, otherwise as `=?base64?…?=` (MCP 2026-07-28,
/// Transports > Streamable HTTP > Value Encoding).
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
    fn header_values_that_are_not_plain_text_are_encoded_in_base64() {
        let check = |text: &str, expected: &str| assert_eq!(header_value(text), expected);
        check("list_findings", "list_findings");
        check("ä", "=?base64?w6Q=?=");
        check(" x", "=?base64?IHg=?=");
        check("=?base64?", "=?base64?PT9iYXNlNjQ/?=");
    }
}
