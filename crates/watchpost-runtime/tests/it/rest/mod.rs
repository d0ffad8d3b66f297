//! The REST API of a real server, over HTTP, beside the same server's MCP endpoint.

mod audit;
mod changes;
mod compatible;
mod files;
mod lists;
mod twins;
mod walk;

use crate::demo::{Copy, now};
use serde_json::{Value, json};
use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::mpsc,
    thread,
    time::Duration,
};
use tokio::sync::oneshot;
use watchpost_core::{
    access::{Expiry, KeyScope},
    audit::CallRecord,
    value::id::KeyId,
};
use watchpost_runtime::{
    config::Settings,
    instance::{Environment, init},
    launch::Surface,
    serve::serve_until,
};

/// A key that no workspace has.
const UNKNOWN_KEY: &str = "wp_0123456789abcdefghijABCDEFGHIJ3O07sR";

/// A server on the demo's data, with keys of each kind.
struct Server {
    address: SocketAddr,
    demo: Copy,
    read: String,
    write: String,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<thread::JoinHandle<()>>,
}

/// A reply.
#[derive(Debug)]
struct Reply {
    status: u16,
    /// The headers, with names in lower case.
    headers: Vec<(String, String)>,
    body: String,
}

impl Reply {
    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(header, _)| header == name);
        found.map(|(_, value)| value.as_str())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A request, built step by step.
#[derive(Debug, Clone)]
struct Request {
    method: &'static str,
    path: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Request {
    fn new(method: &'static str, path: &str) -> Self {
        Self {
            method,
            path: path.to_owned(),
            headers: Vec::new(),
            body: String::new(),
        }
    }

    fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    fn post(path: &str, body: &Value) -> Self {
        let mut request = Self::new("POST", path).header("Content-Type", "application/json");
        request.body = body.to_string();
        request
    }

    fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn key(self, key: &str) -> Self {
        self.header("X-Api-Key", key)
    }
}

impl Server {
    fn start() -> Self {
        let mut settings = Settings::default();
        settings.http.listen = "127.0.0.1:0".parse().expect("an address");
        settings.http.threads = 1;
        // So that each wrong key can come from an address of its own.
        settings.http.trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
        settings.limits.requests_per_hour = 0;
        let demo = Copy::with(settings);
        let (stop, stopped) = oneshot::channel::<()>();
        let (announce, announced) = mpsc::channel();
        let instance = demo.instance.clone();
        let serving = thread::spawn(move || {
            let stop = || {
                Ok(async move {
                    let _ = stopped.await;
                })
            };
            serve_until(&instance, Surface::Everything, stop, |address| {
                Ok(announce.send(address)?)
            })
            .expect("the server runs");
        });
        let address = announced
            .recv_timeout(Duration::from_secs(60))
            .expect("an address");
        let mut server = Self {
            address,
            demo,
            read: String::new(),
            write: String::new(),
            stop: Some(stop),
            serving: Some(serving),
        };
        server.read = server.new_key("default", KeyScope::Read).0;
        server.write = server.new_key("default", KeyScope::Write).0;
        server
    }

    fn run<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("an event loop")
            .block_on(work)
    }

    /// Creates a key in a workspace.
    fn new_key(&self, workspace: &str, scope: KeyScope) -> (String, KeyId) {
        let instance = &self.demo.instance;
        self.run(async {
            let workspace = instance.workspace(Some(workspace)).await.expect("a workspace");
            let call = CallRecord::new("cli", "keys create", "{}");
            let issued = instance
                .watchpost()
                .create_key(
                    &instance.operator(&workspace),
                    "test",
                    scope,
                    Expiry::Days90,
                    10,
                    call,
                )
                .await
                .expect("a key");
            (issued.key.reveal().to_owned(), issued.id)
        })
    }

    /// Creates a key and revokes it.
    fn revoked_key(&self) -> String {
        let (key, id) = self.new_key("default", KeyScope::Write);
        let instance = &self.demo.instance;
        self.run(async {
            let workspace = instance.workspace(Some("default")).await.expect("a workspace");
            let call = CallRecord::new("cli", "keys revoke", "{}");
            instance
                .watchpost()
                .revoke_key(&instance.operator(&workspace), id, call)
                .await
                .expect("a revocation");
        });
        key
    }

    /// Creates a key that expired yesterday.
    fn expired_key(&self) -> String {
        self.demo.clock.freeze(now().plus_days(-91));
        let (key, _) = self.new_key("default", KeyScope::Write);
        self.demo.clock.freeze(now());
        key
    }

    /// Creates another workspace in the same file, and a write key of it.
    fn foreign_key(&self) -> String {
        let dir = self.demo.data_dir();
        self.run(async {
            init(&dir, Some("other"), &Environment::system())
                .await
                .expect("a workspace");
        });
        self.new_key("other", KeyScope::Write).0
    }

    fn send(&self, request: &Request) -> Reply {
        let mut stream = TcpStream::connect(self.address).expect("a connection");
        let timeout = Some(Duration::from_secs(60));
        stream.set_read_timeout(timeout).expect("a timeout");
        let mut head = format!(
            "{} {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n",
            request.method,
            request.path,
            self.address,
            request.body.len()
        );
        for (name, value) in &request.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let bytes = format!("{head}\r\n{}", request.body);
        stream.write_all(bytes.as_bytes()).expect("a request");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("a reply");
        let answer = String::from_utf8(answer).expect("text");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1));
        let mut reply = Reply {
            status: status.and_then(|status| status.parse().ok()).expect("a status"),
            headers: lines
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
                .collect(),
            body: body.to_owned(),
        };
        if reply.header("transfer-encoding") == Some("chunked") {
            reply.body = unchunked(body);
        }
        reply
    }

    /// Reads with the read key.
    fn get(&self, path: &str) -> Value {
        let reply = self.send(&Request::get(path).key(&self.read));
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
        reply.json()
    }

    /// Changes something with the write key.
    fn post(&self, path: &str, body: &Value) -> Value {
        let reply = self.send(&Request::post(path, body).key(&self.write));
        assert!((200..300).contains(&reply.status), "{path}: {reply:?}");
        reply.json()
    }

    /// Calls a tool of the same server. Returns the structured answer.
    fn tool(&self, key: &str, tool: &str, arguments: &Value) -> Value {
        let body = json!({
            "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}
        });
        let request = Request::post("/mcp", &body)
            .header("Accept", "application/json, text/event-stream")
            .header("MCP-Protocol-Version", "2025-06-18")
            .key(key);
        let reply = self.send(&request);
        assert_eq!(reply.status, 200, "{tool}: {reply:?}");
        reply.json()["result"].clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(serving) = self.serving.take() {
            let _ = serving.join();
        }
    }
}

/// Joins the chunks of a body.
fn unchunked(body: &str) -> String {
    let mut out = String::new();
    let mut rest = body;
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).expect("a size");
        if size == 0 {
            break;
        }
        out.push_str(after.get(..size).expect("a chunk"));
        rest = after.get(size + 2..).expect("the end of a chunk");
    }
    out
}
