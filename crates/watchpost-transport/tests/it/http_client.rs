//! An HTTP client that sends exact bytes.

use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Longer than any step of a test should take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A connection.
pub(crate) struct HttpClient {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// A response. For an event stream, only the headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// The headers, with names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(header, _)| header == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn is_events(&self) -> bool {
        self.header("content-type") == Some("text/event-stream")
    }
}

impl HttpClient {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self {
            stream: TcpStream::connect(address).await.unwrap(),
            buffer: Vec::new(),
        }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Sends as much as possible. The server may already have closed the connection.
    pub(crate) async fn try_send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref()).await;
    }

    pub(crate) async fn ask(&mut self, request: &Request) -> Reply {
        self.send(request.bytes()).await;
        self.reply().await
    }

    /// Reads the next response. Panics if the server closes the connection first.
    pub(crate) async fn reply(&mut self) -> Reply {
        self.try_reply()
            .await
            .expect("a response arrives before the connection ends")
    }

    /// Reads only the headers of the next response, as for HEAD.
    pub(crate) async fn head(&mut self) -> Reply {
        self.try_head()
            .await
            .expect("a response arrives before the connection ends")
    }

    async fn try_head(&mut self) -> Option<Reply> {
        let head = self.until(b"\r\n\r\n").await?;
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        Some(Reply {
            status,
            headers,
            body: String::new(),
        })
    }

    pub(crate) async fn try_reply(&mut self) -> Option<Reply> {
        let mut reply = self.try_head().await?;
        if reply.is_events() {
            return Some(reply);
        }
        if let Some(length) = reply.header("content-length") {
            let length: usize = length.parse().unwrap();
            while self.buffer.len() < length {
                assert!(self.fill().await, "the body is complete");
            }
            let body: Vec<u8> = self.buffer.drain(..length).collect();
            reply.body = String::from_utf8(body).unwrap();
        }
        Some(reply)
    }

    /// Reads the next event of a stream, without its blank line. Returns `None` at the end of the stream.
    pub(crate) async fn event(&mut self) -> Option<String> {
        let size = self.until(b"\r\n").await?;
        let size = usize::from_str_radix(&size, 16).expect("there is a chunk size");
        if size == 0 {
            self.until(b"\r\n").await;
            return None;
        }
        while self.buffer.len() < size + 2 {
            if !self.fill().await {
                return None;
            }
        }
        let chunk: Vec<u8> = self.buffer.drain(..size + 2).collect();
        Some(String::from_utf8(chunk).unwrap().trim_end().to_owned())
    }

    /// Reads the JSON of the next `message` event. Skips comments and events without data.
    pub(crate) async fn message(&mut self) -> Option<serde_json::Value> {
        loop {
            let event = self.event().await?;
            let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
            if event.starts_with(':') || field("data:").is_some_and(|data| data.trim().is_empty()) {
                continue;
            }
            assert_eq!(field("event: "), Some("message"), "{event:?}");
            return Some(serde_json::from_str(field("data: ").expect("data")).unwrap());
        }
    }

    /// Waits whether the server closes the connection.
    pub(crate) async fn is_closed(&mut self) -> bool {
        self.buffer.clear();
        !self.fill().await
    }

    /// Reads and discards everything until the server closes the connection.
    pub(crate) async fn until_closed(&mut self) {
        while self.fill().await {
            self.buffer.clear();
        }
    }

    /// Reads the next `count` bytes.
    pub(crate) async fn bytes(&mut self, count: usize) -> Vec<u8> {
        while self.buffer.len() < count {
            assert!(self.fill().await, "the connection stays open");
        }
        self.buffer.drain(..count).collect()
    }

    async fn until(&mut self, end: &[u8]) -> Option<String> {
        loop {
            if let Some(at) = self.buffer.windows(end.len()).position(|window| window == end) {
                let found: Vec<u8> = self.buffer.drain(..at + end.len()).collect();
                return Some(String::from_utf8(found[..at].to_vec()).unwrap());
            }
            if !self.fill().await {
                return None;
            }
        }
    }

    async fn fill(&mut self) -> bool {
        self.buffer.reserve(16_384);
        let read = tokio::time::timeout(TIMEOUT, self.stream.read_buf(&mut self.buffer));
        read.await
            .expect("a response arrives in time")
            .is_ok_and(|read| read > 0)
    }
}

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    method: &'static str,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
}

impl Request {
    /// Creates a request to `localhost` without a credential.
    pub(crate) fn new(method: &'static str, path: &str) -> Self {
        Self {
            method,
            path: path.to_owned(),
            headers: vec![("Host".into(), "localhost".into())],
            body: None,
        }
    }

    /// Creates a POST with the headers that every MCP client sends.
    pub(crate) fn post(path: &str, body: impl Into<String>) -> Self {
        Self::new("POST", path)
            .header("Content-Type", "application/json")
            .header("Accept", "application/json, text/event-stream")
            .body(body)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Replaces all values of a header.
    pub(crate) fn set(self, name: &str, value: &str) -> Self {
        self.without(name).header(name, value)
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers
            .retain(|(header, _)| !header.eq_ignore_ascii_case(name));
        self
    }

    pub(crate) fn key(self, key: &str) -> Self {
        self.header("X-Api-Key", key)
    }

    pub(crate) fn body(mut self, body: impl Into<String>) -> Self {
        self.body = Some(body.into());
        self
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        use std::fmt::Write as _;
        let mut out = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            write!(out, "{name}: {value}\r\n").unwrap();
        }
        if let Some(body) = &self.body {
            write!(out, "Content-Length: {}\r\n", body.len()).unwrap();
        }
        out.push_str("\r\n");
        out.push_str(self.body.as_deref().unwrap_or_default());
        out.into_bytes()
    }
}
