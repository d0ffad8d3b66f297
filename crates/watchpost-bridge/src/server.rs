//! The connection to the Watchpost server.

use super::{
    events::Events,
    message::{MESSAGE_BYTES_MAX, RpcError},
    session::Session,
};
use crate::{
    error::{BridgeError, ForwardError},
    text,
};
use base64::Engine as _;
use reqwest::{
    Client, Response, StatusCode, Url,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};
use serde_json::{Value, json};
use std::{collections::HashMap, net::IpAddr, time::Duration};
use tokio::{
    io::{AsyncWrite, AsyncWriteExt as _},
    sync::Mutex,
    task::AbortHandle,
};

const VERSION_KEY: &str = "io.modelcontextprotocol/protocolVersion";
const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The time limits of the connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timing {
    pub(super) connect: Duration,
    /// The time without a byte after which a connection counts as dead. The server sends a comment every 15 seconds.
    pub(super) silence: Duration,
    /// The interval of TCP keep-alive probes.
    pub(super) keep_alive: Duration,
    /// The wait before a stream is opened again.
    pub(super) retry: Duration,
    /// The time for ending the session when the input has ended.
    pub(super) end: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            silence: Duration::from_secs(60),
            keep_alive: Duration::from_secs(30),
            retry: Duration::from_secs(1),
            end: Duration::from_millis(200),
        }
    }
}

/// The maximum number of times that one answer is resumed.
const RESUMES_MAX: u32 = 3;

/// A connection to the server, with the session of the client's handshake and the output to the client.
pub(super) struct Server<W> {
    client: Client,
    url: Url,
    /// The headers of each request.
    headers: HeaderMap,
    timing: Timing,
    pub(super) session: Mutex<Session>,
    /// The task that reads the standing stream.
    pub(super) standing: Mutex<Option<AbortHandle>>,
    out: Mutex<W>,
    /// The unfinished requests, by id.
    pub(super) running: Mutex<HashMap<String, AbortHandle>>,
}

/// Whether the address is on this machine, so that nothing travels over a network.
fn is_local(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

impl<W: AsyncWrite + Unpin> Server<W> {
    /// Creates a connection to the server at `url`. Sends nothing yet.
    ///
    /// # Errors
    /// If a credential would travel unencrypted.
    pub(super) fn new(url: Url, headers: HeaderMap, timing: Timing, out: W) -> Result<Self, BridgeError> {
        let local = is_local(&url);
        if !(url.scheme() == "https" || (url.scheme() == "http" && local)) {
            return Err(BridgeError::InsecureUrl);
        }
        let mut client = Client::builder()
            .redirect(Policy::none())
            .connect_timeout(timing.connect)
            .read_timeout(timing.silence)
            .tcp_keepalive(timing.keep_alive);
        if local {
            // A proxy reaches its own machine under these names, not this one.
            client = client.no_proxy();
        }
        Ok(Self {
            client: client.build().map_err(BridgeError::Client)?,
            url,
            headers,
            timing,
            session: Mutex::default(),
            standing: Mutex::default(),
            out: Mutex::new(out),
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
        if self.session.lock().await.id.is_some() {
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

    /// Returns the headers of a request in the session.
    fn in_session(&self, session: &Session) -> HeaderMap {
        let mut headers = self.headers.clone();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(
            ACCEPT,
            HeaderValue::from_static("application/json, text/event-stream"),
        );
        for (name, value) in [(SESSION_ID, &session.id), (PROTOCOL_VERSION, &session.version)] {
            if let Some(value) = value.as_ref().and_then(|value| value.parse().ok()) {
                headers.insert(name, value);
            }
        }
        headers
    }

    /// Returns the headers of a message, and the id of the session that they name.
    async fn headers(&self, message: &Value) -> (HeaderMap, Option<String>) {
        let version = message["params"]["_meta"][VERSION_KEY].as_str();
        if version.is_none() && message["method"] != "initialize" {
            let session = self.session.lock().await;
            return (self.in_session(&session), session.id.clone());
        }
        let mut headers = self.in_session(&Session::default());
        let mut put = |name: &'static str, value: &str| {
            if let Ok(value) = value.parse() {
                headers.insert(name, value);
            }
        };
        if let Some(version) = version {
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
        }
        (headers, None)
    }

    async fn post(&self, headers: HeaderMap, body: &[u8]) -> Result<Response, ForwardError> {
        let request = self.client.post(self.url.clone());
        let sent = request.headers(headers).body(body.to_vec()).send().await;
        Ok(sent?)
    }

    /// Sends a message to the server and writes its answer to the client: one message, or the events of a stream. If the
    /// server has ended the session, starts another one and sends the message again: the server has not seen it.
    ///
    /// # Errors
    /// If the server can't be reached, its answer is too long, or the answer doesn't arrive.
    pub(super) async fn forward(&self, body: &[u8], message: &Value) -> Result<(), ForwardError> {
        let (headers, named) = self.headers(message).await;
        let mut response = self.post(headers, body).await?;
        if response.status() == StatusCode::NOT_FOUND
            && let Some(lost) = named
            && self.start_again(&lost).await?
        {
            let (headers, _) = self.headers(message).await;
            response = self.post(headers, body).await?;
        }
        let is_handshake = message["method"] == "initialize";
        if is_handshake && response.status().is_success() {
            let id = header(&response, &SESSION_ID).map(str::to_owned);
            self.session.lock().await.begin(body, id);
        } else if response.status().is_success() {
            self.session.lock().await.note(message, body);
        }
        let is_request = message.get("method").is_some();
        let id = message.get("id").filter(|_| is_request);
        if is_events(&response) {
            return self.forward_events(response, id, is_handshake).await;
        }
        let status = response.status();
        let retry_after = header(&response, &HeaderName::from_static("retry-after"));
        let retry_after = retry_after.and_then(|value| value.parse().ok());
        let content = read_whole(response).await?;
        let answer = serde_json::from_slice::<Value>(&content).ok();
        match (answer, id) {
            (Some(answer), _) if answer.is_array() || answer["jsonrpc"] == "2.0" => {
                self.note_version(is_handshake, &answer).await;
                self.write(&content).await?;
            }
            (answer, Some(id)) => {
                let reason = answer.as_ref().and_then(|answer| answer["error"].as_str());
                self.write_error(Some(id), http_error(status, retry_after, reason))
                    .await?;
            }
            (_, None) => {}
        }
        Ok(())
    }

    /// Starts a session instead of the one with this id, with the client's own handshake, unless another request has
    /// done so. The client doesn't see it. Returns `false` if that isn't possible.
    async fn start_again(&self, lost: &str) -> Result<bool, ForwardError> {
        let mut session = self.session.lock().await;
        if session.id.as_deref() != Some(lost) {
            return Ok(session.id.is_some());
        }
        let Some(handshake) = session.handshake.clone() else {
            return Ok(false);
        };
        let headers = self.in_session(&Session::default());
        let response = self.post(headers, &handshake).await?;
        let id = header(&response, &SESSION_ID).map(str::to_owned);
        if !response.status().is_success() || id.is_none() {
            return Ok(false);
        }
        let answer = self.only_answer(response).await?;
        let version = answer["result"]["protocolVersion"].as_str().map(str::to_owned);
        if version.is_none() {
            return Ok(false);
        }
        session.id = id;
        session.version = version;
        for body in session.replay() {
            let response = self.post(self.in_session(&session), &body).await?;
            self.only_answer(response).await?;
        }
        Ok(true)
    }

    /// Returns the last message of a response that the client doesn't see.
    async fn only_answer(&self, mut response: Response) -> Result<Value, ForwardError> {
        if !is_events(&response) {
            let content = read_whole(response).await?;
            return Ok(serde_json::from_slice(&content).unwrap_or_default());
        }
        let (mut events, mut last) = (Events::default(), Value::Null);
        while let Some(chunk) = response.chunk().await? {
            for data in events.feed(&chunk)? {
                last = serde_json::from_slice(&data).unwrap_or_default();
            }
        }
        Ok(last)
    }

    /// Writes the events of an answer to the client. If the stream ends before the answer, resumes it if the server
    /// supports that.
    async fn forward_events(
        &self,
        mut response: Response,
        id: Option<&Value>,
        is_handshake: bool,
    ) -> Result<(), ForwardError> {
        let mut events = Events::default();
        let mut answered = id.is_none();
        let mut resumes = 0;
        loop {
            let ended = loop {
                match response.chunk().await {
                    Ok(Some(chunk)) => {
                        for data in events.feed(&chunk)? {
                            let message: Value = serde_json::from_slice(&data).unwrap_or_default();
                            answered |= message.get("method").is_none() && message.get("id") == id;
                            answered |= message.is_array();
                            self.note_version(is_handshake, &message).await;
                            self.write(&data).await?;
                        }
                    }
                    Ok(None) => break None,
                    Err(error) => break Some(error),
                }
            };
            if answered {
                return Ok(());
            }
            let resumed = match &events.last_id {
                Some(last) if resumes < RESUMES_MAX => {
                    tokio::time::sleep(events.retry.unwrap_or(self.timing.retry)).await;
                    resumes += 1;
                    self.open_stream(Some(last)).await.ok().filter(is_events)
                }
                _ => None,
            };
            match (resumed, ended) {
                (Some(next), _) => response = next,
                (None, Some(error)) => return Err(error.into()),
                (None, None) => return Err(ForwardError::EndedEarly),
            }
        }
    }

    /// Opens a stream of the session: the standing one, or the rest of an answer.
    async fn open_stream(&self, last_event: Option<&str>) -> Result<Response, ForwardError> {
        let mut headers = {
            let session = self.session.lock().await;
            self.in_session(&session)
        };
        headers.remove(CONTENT_TYPE);
        headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        if let Some(last) = last_event.and_then(|last| last.parse().ok()) {
            headers.insert(LAST_EVENT_ID, last);
        }
        let request = self.client.get(self.url.clone()).headers(headers);
        Ok(request.send().await?)
    }

    /// Writes the notifications of the session's standing stream to the client, and opens the stream again when it ends,
    /// until the server has none.
    pub(super) async fn forward_notifications(&self) {
        loop {
            let Some(id) = self.session.lock().await.id.clone() else {
                return;
            };
            let mut wait = self.timing.retry;
            match self.open_stream(None).await {
                Ok(mut response) if is_events(&response) => {
                    let mut events = Events::default();
                    while let Ok(Some(chunk)) = response.chunk().await {
                        let Ok(messages) = events.feed(&chunk) else { break };
                        for data in messages {
                            if self.write(&data).await.is_err() {
                                return;
                            }
                        }
                    }
                    wait = events.retry.unwrap_or(wait);
                }
                // The session has ended.
                Ok(response) if response.status() == StatusCode::NOT_FOUND => {
                    if !self.start_again(&id).await.unwrap_or(false) {
                        return;
                    }
                }
                // The server is busy or being restarted.
                Ok(response)
                    if response.status().is_server_error()
                        || response.status() == StatusCode::TOO_MANY_REQUESTS => {}
                // The server has no such stream.
                Ok(_) => return,
                Err(_) => {}
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// Stores the protocol version from the answer to `initialize`.
    async fn note_version(&self, is_handshake: bool, answer: &Value) {
        if is_handshake && let Some(version) = answer["result"]["protocolVersion"].as_str() {
            self.session.lock().await.version = Some(version.to_owned());
        }
    }

    /// Ends the session, if there is one. Ignores errors: the session then expires on the server.
    pub(super) async fn end_session(&self) {
        let ending = async {
            let session = std::mem::take(&mut *self.session.lock().await);
            if session.id.is_some() {
                let request = self.client.delete(self.url.clone());
                let _ = request.headers(self.in_session(&session)).send().await;
            }
        };
        let _ = tokio::time::timeout(self.timing.end, ending).await;
    }
}

/// Returns a header of a response if its value is text.
fn header<'a>(response: &'a Response, name: &HeaderName) -> Option<&'a str> {
    response.headers().get(name).and_then(|value| value.to_str().ok())
}

fn is_events(response: &Response) -> bool {
    header(response, &CONTENT_TYPE).is_some_and(|kind| kind.starts_with("text/event-stream"))
}

async fn read_whole(mut response: Response) -> Result<Vec<u8>, ForwardError> {
    let mut content = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        content.extend_from_slice(&chunk);
        if content.len() > MESSAGE_BYTES_MAX {
            return Err(ForwardError::AnswerTooLong);
        }
    }
    Ok(content)
}

/// Returns the JSON-RPC error for a response without a message. `reason` is the server's own text, which names a host or
/// setting that it refuses.
fn http_error(status: StatusCode, retry_after: Option<u64>, reason: Option<&str>) -> RpcError {
    match (status, reason) {
        (StatusCode::UNAUTHORIZED, reason) => (401, reason.unwrap_or(text::INVALID_KEY).to_owned()),
        (StatusCode::TOO_MANY_REQUESTS, _) => (429, text::too_many_requests(retry_after)),
        (StatusCode::NOT_FOUND, _) => (-32603, text::NOT_FOUND.to_owned()),
        (other, Some(reason)) => (-32603, text::status_with_reason(&other, reason)),
        (other, None) => (-32603, text::unexpected_status(&other)),
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

    #[test]
    fn only_addresses_of_this_machine_are_local() {
        let check =
            |url: &str, expected: bool| assert_eq!(is_local(&Url::parse(url).unwrap()), expected, "{url}");
        check("http://127.0.0.1:8787/mcp", true);
        check("http://127.9.9.9/mcp", true);
        check("http://LOCALHOST/mcp", true);
        check("http://[::1]:1/mcp", true);
        check("http://localhost.example.com/mcp", false);
        check("http://10.0.0.1/mcp", false);
        check("https://watchpost.example.com/mcp", false);
    }
}
