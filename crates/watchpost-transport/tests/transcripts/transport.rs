//! A client for each transport. It sends messages and yields everything that it receives in one sequence.

use crate::{
    Fixture,
    environment::Open,
    http_client::{HttpClient, Request},
};
use serde_json::Value;
use std::{path::Path, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, WriteHalf},
    net::TcpListener,
    sync::{mpsc, oneshot},
};
use watchpost_protocol::Server;
use watchpost_transport::{
    Clock, Config, Limits, Random, Service, SessionKey, StateKeys, StdioService, Timing, serve, serve_stdio,
};

/// Longer than any step of a test should take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The transport of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Stdio,
    Http,
    HttpSse,
}

/// A fixed clock, and random bytes that never repeat.
struct FixedEnvironment;

impl Clock for FixedEnvironment {
    fn unix_seconds(&self) -> u64 {
        1_800_000_000
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

impl Random for FixedEnvironment {
    fn fill(&self, bytes: &mut [u8]) {
        crate::environment::Unpredictable.fill(bytes);
    }
}

/// A client in a conversation with its own server.
pub(crate) struct Conversation {
    revision: String,
    outgoing: Outgoing,
    incoming: mpsc::UnboundedReceiver<Value>,
    arrived: mpsc::UnboundedSender<Value>,
    /// Dropped last, which stops the server.
    _stop: oneshot::Sender<()>,
}

enum Outgoing {
    Stdio(WriteHalf<DuplexStream>),
    Http {
        address: std::net::SocketAddr,
        session: Option<String>,
    },
    HttpSse {
        client: HttpClient,
        path: String,
    },
}

impl Conversation {
    pub(crate) async fn open(transport: Transport, revision: &str) -> Self {
        let (arrived, incoming) = mpsc::unbounded_channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async {
            let _ = stopped.await;
        };
        let server = Arc::new(Server::new(Fixture::new()));
        let outgoing = if transport == Transport::Stdio {
            let (ours, theirs) = tokio::io::duplex(1 << 16);
            let (input, output) = tokio::io::split(theirs);
            let service = StdioService {
                server,
                gate: Arc::new(Open),
                admission: Ok(()),
                limits: Limits::default(),
                timing: Timing::default(),
                state_keys: StateKeys::new([1; 32]),
                clock: Arc::new(FixedEnvironment),
                random: Arc::new(FixedEnvironment),
            };
            tokio::spawn(serve_stdio(service, input, output, stopped));
            let (output, input) = tokio::io::split(ours);
            let arrived = arrived.clone();
            tokio::spawn(async move {
                let mut lines = BufReader::new(output).lines();
                while let Ok(Some(line)) = lines.next_line().await {
                    let _ = arrived.send(serde_json::from_str(&line).unwrap());
                }
            });
            Outgoing::Stdio(input)
        } else {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let config = Config::new(
                SessionKey::new([2; 32]),
                StateKeys::new([1; 32]),
                Arc::new(FixedEnvironment),
                Arc::new(FixedEnvironment),
            );
            let service = Service::new(config, Arc::new(Open), server, Open);
            tokio::spawn(serve(listener, service, stopped));
            if transport == Transport::Http {
                Outgoing::Http {
                    address,
                    session: None,
                }
            } else {
                let mut stream = HttpClient::connect(address).await;
                stream.ask(&Request::new("GET", "/sse")).await;
                let endpoint = stream.event().await.unwrap();
                let path = endpoint.split("data: ").nth(1).unwrap().to_owned();
                tokio::spawn(forward(stream, arrived.clone()));
                let client = HttpClient::connect(address).await;
                Outgoing::HttpSse { client, path }
            }
        };
        Self {
            revision: revision.to_owned(),
            outgoing,
            incoming,
            arrived,
            _stop: stop,
        }
    }

    /// Sends one message. The responses arrive later.
    pub(crate) async fn send(&mut self, message: &Value) {
        match &mut self.outgoing {
            Outgoing::Stdio(input) => {
                let line = format!("{message}\n");
                input.write_all(line.as_bytes()).await.unwrap();
            }
            Outgoing::HttpSse { client, path } => {
                let reply = client.ask(&Request::post(path, message.to_string())).await;
                // A response without an id is sent as the response to the POST itself.
                if reply.status != 202 {
                    let _ = self.arrived.send(reply.json());
                }
            }
            Outgoing::Http { address, session } => {
                let address = *address;
                let request = post(message, &self.revision, session.as_deref());
                let arrived = self.arrived.clone();
                if message["method"] == "initialize" {
                    let reply = HttpClient::connect(address).await.ask(&request).await;
                    *session = reply.header("mcp-session-id").map(str::to_owned);
                    let _ = arrived.send(reply.json());
                } else {
                    let mut client = HttpClient::connect(address).await;
                    let reply = client.ask(&request).await;
                    if reply.is_events() {
                        tokio::spawn(forward(client, arrived));
                    } else if !reply.body.is_empty() {
                        let _ = arrived.send(reply.json());
                    }
                }
                if let (true, Some(session)) = (message["method"] == "notifications/initialized", session) {
                    let request = Request::new("GET", "/mcp")
                        .header("Accept", "text/event-stream")
                        .header("Mcp-Session-Id", session);
                    let mut client = HttpClient::connect(address).await;
                    assert!(client.ask(&request).await.is_events());
                    tokio::spawn(forward(client, self.arrived.clone()));
                }
            }
        }
    }

    /// Waits for the next message from the server.
    pub(crate) async fn next(&mut self) -> Value {
        self.next_within(TIMEOUT)
            .await
            .expect("a message arrives in time")
    }

    pub(crate) async fn next_within(&mut self, timeout: Duration) -> Option<Value> {
        tokio::time::timeout(timeout, self.incoming.recv()).await.ok()?
    }

    /// Ends the conversation. Panics if the server sent more messages than expected.
    pub(crate) async fn end(mut self, file: &Path) {
        tokio::task::yield_now().await;
        let left = self.incoming.try_recv().ok();
        assert_eq!(
            left,
            None,
            "{}: more messages were received than recorded",
            file.display()
        );
    }
}

/// Forwards every message of an event stream, in order.
async fn forward(mut client: HttpClient, arrived: mpsc::UnboundedSender<Value>) {
    while let Some(event) = client.event().await {
        let data = event.lines().find_map(|line| line.strip_prefix("data: "));
        if let Some(data) = data.filter(|data| !data.is_empty()) {
            let _ = arrived.send(serde_json::from_str(data).unwrap());
        }
    }
}

/// Returns a POST of a message by a client of `revision`.
fn post(message: &Value, revision: &str, session: Option<&str>) -> Request {
    let mut request = Request::post("/mcp", message.to_string());
    let params = &message["params"];
    let is_modern = params["_meta"]["io.modelcontextprotocol/protocolVersion"].is_string();
    if is_modern {
        let method = message["method"].as_str().unwrap();
        request = request
            .header("MCP-Protocol-Version", revision)
            .header("Mcp-Method", method);
        let name = match method {
            "tools/call" | "prompts/get" => params["name"].as_str(),
            "resources/read" => params["uri"].as_str(),
            "tasks/get" | "tasks/update" | "tasks/cancel" => params["taskId"].as_str(),
            _ => None,
        };
        if let Some(name) = name {
            request = request.header("Mcp-Name", name);
        }
        if let Some(value) = params["arguments"]["value"].as_str() {
            request = request.header("Mcp-Param-Value", value);
        }
    }
    match session {
        Some(session) => request.header("Mcp-Session-Id", session),
        None => request,
    }
}
