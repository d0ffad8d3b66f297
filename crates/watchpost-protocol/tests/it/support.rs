//! A small server, and a client that sends messages to it as a transport would.

use crate::{
    features,
    schema::{assert_conforms, defines},
};
use bytes::Bytes;
use serde_json::{Value, json, value::RawValue};
use std::{
    borrow::Cow,
    future::Future,
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};
use watchpost_protocol::{
    CacheHint, CacheScope, Call, CallError, Capabilities, ChangeHub, Changes, ClientCapabilities, ClientInfo,
    Completed, Era, Handler, Header, Icon, Incoming, Interest, Link, Method, NoChanges, Notification,
    Operation, Outbox, Outcome, ParameterHeaders, ParameterSource, Reply, Request, ResourceDefinition,
    ResourcePage, ResourceRead, Revision, Server, ServerInfo, SessionState, ToolCatalog, ToolDefinition,
    ToolHints, ToolPage, ToolResult, TransportFacts, TransportKind,
};

/// Runs a future that never awaits.
pub(crate) fn run_ready<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("these tests never await"),
    }
}

pub(crate) struct Desk {
    info: ServerInfo,
    catalog: Arc<ToolCatalog>,
    tools: bool,
    /// If set, the server offers everything.
    changes: Option<ChangeHub>,
}

pub(crate) fn raw(value: &Value) -> Box<RawValue> {
    RawValue::from_string(value.to_string()).unwrap()
}

pub(crate) fn tool(name: &str) -> ToolDefinition {
    ToolDefinition {
        name: name.to_owned(),
        title: Some(format!("The {name} tool")),
        description: "Says what it was told.".to_owned(),
        input_schema: raw(&json!({"type": "object", "properties": {"text": {"type": "string"}}})),
        output_schema: Some(raw(
            &json!({"type": "object", "properties": {"received": {"type": "object"}}}),
        )),
        hints: ToolHints {
            read_only: true,
            destructive: false,
            idempotent: true,
            open_world: false,
        },
    }
}

impl Desk {
    pub(crate) fn new(tools: bool) -> Self {
        let info = ServerInfo {
            name: "desk".to_owned(),
            title: Some("The Desk".to_owned()),
            version: "1.2.3".to_owned(),
            description: Some("Answers.".to_owned()),
            website_url: Some("https://desk.example/".to_owned()),
            icon: Some(Icon {
                bytes: b"<svg/>",
                media_type: "image/svg+xml",
                size: "any",
            }),
        };
        let catalog = ToolCatalog::new(vec![tool("echo"), tool("fail")]).unwrap();
        Self {
            info,
            catalog: Arc::new(catalog),
            tools,
            changes: None,
        }
    }

    /// Creates a server that offers everything. Changes are published on the hub.
    pub(crate) fn full(hub: &ChangeHub) -> Self {
        let value = |kind: &str| json!({"type": kind, "x-mcp-header": "Value"});
        let mut routed = tool("routed");
        routed.input_schema = raw(&json!({"type": "object", "properties": {
            "value": value("string"),
            "deep": {"type": "object", "properties": {
                "count": {"type": "integer", "x-mcp-header": "Count"},
                "flag": {"type": "boolean", "x-mcp-header": "Flag"},
            }},
        }}));
        let desk = Self::new(true);
        Self {
            catalog: Arc::new(ToolCatalog::new(vec![tool("echo"), routed]).unwrap()),
            changes: Some(hub.clone()),
            ..desk
        }
    }
}

fn shelf(uri: &str, media_type: Option<&str>) -> ResourcePage {
    ResourcePage {
        resources: vec![ResourceDefinition {
            uri: uri.to_owned(),
            name: "drawer".to_owned(),
            title: Some("A drawer".to_owned()),
            description: Some("What lies in it.".to_owned()),
            media_type: media_type.map(str::to_owned),
        }],
        next_cursor: None,
        cache: CacheHint {
            ttl_ms: 5,
            scope: CacheScope::Public,
        },
    }
}

impl Handler for Desk {
    type Principal = &'static str;

    fn info(&self) -> &ServerInfo {
        &self.info
    }

    fn capabilities(&self) -> Capabilities {
        if self.changes.is_some() {
            return features::CAPABILITIES;
        }
        Capabilities {
            tools: offer(self.tools),
            resources: offer(self.tools),
            ..Capabilities::default()
        }
    }

    fn instructions(&self, principal: &&'static str) -> Option<Cow<'_, str>> {
        Some(format!("Hello \"{principal}\".").into())
    }

    fn parameter_headers(&self) -> ParameterHeaders {
        self.catalog.parameter_headers().clone()
    }

    fn watch(&self, _: &&'static str, interest: &Interest) -> Box<dyn Changes> {
        match &self.changes {
            Some(hub) => hub.open(interest),
            None => Box::new(NoChanges),
        }
    }

    async fn call(&self, _: &&'static str, call: Call<'_>) -> Outcome {
        match call.method {
            Method::ListTools { cursor } => {
                let next_cursor = match cursor.as_deref() {
                    None => Some(String::new()),
                    Some("") => None,
                    Some(_) => return Outcome::Error(CallError::InvalidCursor),
                };
                let cache = CacheHint {
                    ttl_ms: 60_000,
                    scope: CacheScope::Private,
                };
                let catalog = Arc::clone(&self.catalog);
                Outcome::Complete(Completed::Tools(ToolPage {
                    catalog,
                    next_cursor,
                    cache,
                }))
            }
            Method::ListResources { cursor } | Method::ListResourceTemplates { cursor }
                if cursor.is_some() =>
            {
                Outcome::Error(CallError::InvalidCursor)
            }
            Method::ListResources { .. } => {
                Outcome::Complete(Completed::Resources(shelf("desk://drawer/1", Some("text/plain"))))
            }
            Method::ListResourceTemplates { .. } => Outcome::Complete(Completed::ResourceTemplates(shelf(
                "desk://drawer/{number}",
                None,
            ))),
            Method::ReadResource { uri } if uri == "desk://drawer/1" => {
                Outcome::Complete(Completed::Resource(ResourceRead::text(
                    uri,
                    "text/plain",
                    "a \"pen\"\n",
                    CacheHint {
                        ttl_ms: 0,
                        scope: CacheScope::Private,
                    },
                )))
            }
            Method::ReadResource { .. } => Outcome::Error(CallError::UnknownResource),
            Method::CallTool { name, arguments } => match name.as_ref() {
                "echo" => {
                    // The bytes from a handler must be one line. In JSON, line breaks occur only between
                    // tokens.
                    let received = arguments.map_or("{}", |arguments| arguments.as_str());
                    let received = received.replace('\n', " ");
                    let structured = Bytes::from(format!("{{\"received\":{received}}}"));
                    let result = ToolResult {
                        structured: Some(structured),
                        ..ToolResult::text(&received)
                    };
                    Outcome::Complete(Completed::Tool(result))
                }
                "fail" => Outcome::Complete(Completed::Tool(ToolResult::error("say less"))),
                "count" => {
                    let notify = call.meta.notify();
                    for (progress, total) in [(1.0, None), (2.0, Some(9.5)), (2.0, None), (f64::NAN, None)] {
                        notify.progress(progress, total, Some("counting"));
                    }
                    notify.progress(3.25, Some(f64::INFINITY), None);
                    Outcome::Complete(Completed::Tool(ToolResult::text("counted")))
                }
                "who" => {
                    let meta = call.meta;
                    let text = json!({
                        "id": meta.id().to_string(),
                        "revision": meta.revision().as_str(),
                        "client": meta.client().map(|client| client.name.clone()),
                        "form": meta.capabilities().elicitation_form,
                        "url": meta.capabilities().elicitation_url,
                        "tasks": meta.capabilities().tasks,
                        "level": meta.log_level().map(|level| format!("{level:?}")),
                        "trace": meta.traceparent(),
                        "token": meta.progress_token().map(|token| token.to_string()),
                        "cancelled": meta.is_cancelled(),
                    });
                    Outcome::Complete(Completed::Tool(ToolResult::text(&text.to_string())))
                }
                "mixed-up" => {
                    let cache = CacheHint {
                        ttl_ms: 0,
                        scope: CacheScope::Public,
                    };
                    let catalog = Arc::clone(&self.catalog);
                    Outcome::Complete(Completed::Tools(ToolPage {
                        catalog,
                        next_cursor: None,
                        cache,
                    }))
                }
                "crash" => Outcome::Error(CallError::Internal),
                "strict" => Outcome::Error(CallError::InvalidParams("no".into())),
                "routed" => Outcome::Complete(Completed::Tool(ToolResult::text("routed"))),
                name if self.changes.is_some() => features::tool(name, &call.meta),
                _ => Outcome::Error(CallError::UnknownTool),
            },
            _ => features::call(call),
        }
    }
}

/// An outbox that stores its messages.
#[derive(Default)]
pub(crate) struct Kept(pub(crate) Mutex<Vec<Bytes>>);

impl Outbox for Kept {
    fn send(&self, message: Bytes) {
        self.0.lock().unwrap().push(message);
    }
}

/// The result of sending a message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Received {
    /// A response, with its HTTP status.
    Answer(u16, Value),
    /// A notification, which the transport acts on or ignores.
    Noted(Notification),
    /// A response from the client, which is dropped.
    Response,
    /// The message was rejected without a response.
    Silence,
}

impl Received {
    #[track_caller]
    pub(crate) fn json(&self) -> &Value {
        match self {
            Self::Answer(_, json) => json,
            other => panic!("no answer: {other:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn result(&self) -> &Value {
        let json = self.json();
        json.get("result").unwrap_or_else(|| panic!("no result: {json}"))
    }

    /// Returns the HTTP status and the error code. The code is 0 for a result.
    #[track_caller]
    pub(crate) fn outcome(&self) -> (u16, i64) {
        match self {
            Self::Answer(status, json) => (*status, json["error"]["code"].as_i64().unwrap_or(0)),
            other => panic!("no answer: {other:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn message(&self) -> &str {
        self.json()["error"]["message"].as_str().unwrap()
    }
}

pub(crate) fn session(revision: Revision) -> Arc<SessionState> {
    Arc::new(SessionState {
        revision,
        client: ClientInfo {
            name: "bench".to_owned(),
            version: "0".to_owned(),
        },
        capabilities: ClientCapabilities {
            elicitation_form: true,
            ..ClientCapabilities::default()
        },
    })
}

/// The headers that repeat arguments.
#[derive(Debug, Clone, Default)]
struct Parameters(Vec<(String, String)>);

impl ParameterSource for Parameters {
    fn parameter(&self, name: &str) -> Header<'_> {
        let values = self
            .0
            .iter()
            .filter(|(other, _)| other.eq_ignore_ascii_case(name));
        Header::from_values(values.map(|(_, value)| value.as_bytes()))
    }
}

/// A client on one transport.
#[derive(Clone)]
pub(crate) struct Peer {
    pub(crate) server: Arc<Server<Desk>>,
    pub(crate) transport: TransportKind,
    pub(crate) version: Vec<String>,
    pub(crate) method: Vec<String>,
    pub(crate) name: Vec<String>,
    parameters: Parameters,
    pub(crate) session: Option<Arc<SessionState>>,
}

impl Peer {
    pub(crate) fn new(transport: TransportKind) -> Self {
        Self::of(Server::new(Desk::new(true)), transport)
    }

    pub(crate) fn of(server: Server<Desk>, transport: TransportKind) -> Self {
        let server = Arc::new(server);
        Self {
            server,
            transport,
            version: vec![],
            method: vec![],
            name: vec![],
            parameters: Parameters::default(),
            session: None,
        }
    }

    /// Creates a client of a server that offers everything.
    pub(crate) fn full(transport: TransportKind, hub: &ChangeHub) -> Self {
        Self::of(Server::new(Desk::full(hub)), transport)
    }

    /// Creates a modern HTTP client of a server that offers everything.
    pub(crate) fn modern_full(method: &str, name: Option<&str>) -> Self {
        let peer = Self::full(TransportKind::Http, &ChangeHub::new());
        let peer = peer.version("2026-07-28").method(method);
        match name {
            Some(name) => peer.name(name),
            None => peer,
        }
    }

    /// Sets the header `Mcp-Param-{name}`.
    pub(crate) fn parameter(mut self, name: &str, value: &str) -> Self {
        self.parameters.0.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the capabilities of the session's client.
    pub(crate) fn with_capabilities(mut self, capabilities: ClientCapabilities) -> Self {
        let session = self.session.take().expect("the peer has a session");
        self.session = Some(Arc::new(SessionState {
            capabilities,
            ..SessionState::clone(&session)
        }));
        self
    }

    pub(crate) fn http() -> Self {
        Self::new(TransportKind::Http)
    }

    /// Creates a modern HTTP client that calls `method`.
    pub(crate) fn modern(method: &str, name: Option<&str>) -> Self {
        let peer = Self::http().version("2026-07-28").method(method);
        match name {
            Some(name) => peer.name(name),
            None => peer,
        }
    }

    pub(crate) fn version(mut self, value: &str) -> Self {
        self.version.push(value.to_owned());
        self
    }

    pub(crate) fn method(mut self, value: &str) -> Self {
        self.method.push(value.to_owned());
        self
    }

    pub(crate) fn name(mut self, value: &str) -> Self {
        self.name.push(value.to_owned());
        self
    }

    pub(crate) fn session(mut self, revision: Revision) -> Self {
        self.session = Some(session(revision));
        self
    }

    pub(crate) fn decode(&self, body: impl Into<Bytes>) -> Incoming {
        fn header(values: &[String]) -> Header<'_> {
            Header::from_values(values.iter().map(String::as_bytes))
        }
        let facts = TransportFacts {
            version: header(&self.version),
            method: header(&self.method),
            name: header(&self.name),
            parameters: Some(&self.parameters),
            ..TransportFacts::new(self.transport, self.session.as_ref())
        };
        self.server.decode(&body.into(), &facts)
    }

    #[track_caller]
    pub(crate) fn request(&self, body: &Value) -> Request {
        match self.decode(body.to_string()) {
            Incoming::Request(request) => request,
            other => panic!("no request: {other:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn send(&self, body: &Value) -> Received {
        self.send_bytes(body.to_string())
    }

    #[track_caller]
    pub(crate) fn send_bytes(&self, body: impl Into<Bytes>) -> Received {
        self.send_over(body, Link::default()).0
    }

    /// Sends a message, checks the response against the schema of its revision, and returns it.
    #[track_caller]
    pub(crate) fn send_over(
        &self,
        body: impl Into<Bytes>,
        link: Link<'_>,
    ) -> (Received, Option<Arc<SessionState>>) {
        let body: Bytes = body.into();
        let reply = match self.decode(body.clone()) {
            Incoming::Request(request) => {
                let reply = run_ready(self.server.handle(&"alice", &request, link));
                let json = parse(&reply);
                check_response(request.revision(), Some(request.operation()), &json);
                reply
            }
            Incoming::Batch(batch) => {
                let reply = run_ready(self.server.handle_batch(&"alice", &batch, link));
                if reply.body.is_some() {
                    let json = parse(&reply);
                    let requests: Vec<_> = batch.requests().collect();
                    for answer in json.as_array().unwrap() {
                        let asked = requests.iter().find(|request| {
                            serde_json::from_str::<Value>(&request.id().to_string()).unwrap() == answer["id"]
                        });
                        let operation = asked.map(|request| request.operation());
                        check_response(Revision::V2025_03_26, operation, answer);
                    }
                }
                reply
            }
            Incoming::Notification(notification) => return (Received::Noted(notification), None),
            Incoming::Responses(_) => return (Received::Response, None),
            Incoming::Rejected(reply) => {
                if reply.body.is_some() {
                    check_rejection(self, &body, &parse(&reply));
                }
                reply
            }
        };
        let received = match &reply.body {
            Some(_) => Received::Answer(reply.status, parse(&reply)),
            None => Received::Silence,
        };
        let opened = reply.new_session().map(Arc::clone);
        (received, opened)
    }
}

#[track_caller]
fn parse(reply: &Reply) -> Value {
    let body = reply.body.as_ref().expect("there is a response");
    assert!(!body.contains(&b'\n'), "a response is one line");
    serde_json::from_slice(body).expect("a response is JSON")
}

#[track_caller]
fn check_response(revision: Revision, operation: Option<Operation>, json: &Value) {
    if json.get("error").is_some() {
        check_error(revision, json);
        return;
    }
    let envelope = ["JSONRPCResultResponse", "JSONRPCResponse"];
    if let Some(name) = envelope
        .into_iter()
        .find(|name| defines(revision, name) == Some(true))
    {
        assert_conforms(revision, name, json);
    }
    let kind = json["result"]["resultType"].as_str();
    let result = match operation.expect("a result belongs to a request") {
        _ if kind == Some("input_required") => "InputRequiredResult",
        // These schemas don't include the extension.
        _ if kind == Some("task") => "Result",
        Operation::Initialize => "InitializeResult",
        Operation::Ping => "EmptyResult",
        Operation::Discover => "DiscoverResult",
        Operation::ListTools => "ListToolsResult",
        Operation::CallTool => "CallToolResult",
        Operation::ListResources => "ListResourcesResult",
        Operation::ListResourceTemplates => "ListResourceTemplatesResult",
        Operation::ReadResource => "ReadResourceResult",
        Operation::ListPrompts => "ListPromptsResult",
        Operation::GetPrompt => "GetPromptResult",
        Operation::Complete => "CompleteResult",
        Operation::SetLogLevel | Operation::Subscribe | Operation::Unsubscribe => "EmptyResult",
        Operation::Listen => "SubscriptionsListenResult",
        Operation::GetTask | Operation::UpdateTask | Operation::CancelTask => "Result",
        other => panic!("no schema is named for {other:?}"),
    };
    assert_conforms(revision, result, &json["result"]);
}

/// Of the codes reserved by JSON-RPC and MCP, only those defined by the revision may be sent: RPC-10, RPC-11,
/// RPC-12.
#[track_caller]
fn check_code(revision: Revision, code: i64) {
    let known = match code {
        -32700 | -32603..=-32600 | -32022..=-32020 => true,
        -32002 => revision.era() == Era::Legacy,
        code => !(-32768..=-32000).contains(&code),
    };
    assert!(known, "{code} in {revision}");
}

#[track_caller]
fn check_error(revision: Revision, json: &Value) {
    check_code(
        revision,
        json["error"]["code"].as_i64().expect("the error has a code"),
    );
    let name = ["JSONRPCErrorResponse", "JSONRPCError"]
        .into_iter()
        .find(|name| defines(revision, name) == Some(true))
        .unwrap_or("JSONRPCError");
    assert_conforms(revision, name, json);
    let special = match json["error"]["code"].as_i64() {
        Some(-32020) => "HeaderMismatchError",
        Some(-32021) => "MissingRequiredClientCapabilityError",
        Some(-32022) => "UnsupportedProtocolVersionError",
        _ => return,
    };
    assert_conforms(Revision::V2026_07_28, special, json);
}

/// Checks an error without a usable id. It is valid as it is if the schema allows leaving out the id. In the
/// other revisions the id is `null`, the only deviation from the schema (RPC-09), so the error is checked
/// without it.
#[track_caller]
fn check_rejection(peer: &Peer, body: &[u8], json: &Value) {
    let mut checked = json.clone();
    let unidentified = json.get("id").is_none_or(Value::is_null);
    if json.get("id").is_some_and(Value::is_null) {
        checked.as_object_mut().unwrap().remove("id");
    }
    let enveloped = String::from_utf8_lossy(body).contains("io.modelcontextprotocol/protocolVersion");
    let known = peer.session.as_ref().map(|session| session.revision);
    let named = peer.version.first().and_then(|name| Revision::parse(name));
    let revision = match (enveloped, known.or(named)) {
        (true, _) => Revision::V2026_07_28,
        _ if unidentified => Revision::V2025_11_25,
        (false, revision) => revision.unwrap_or(Revision::V2025_11_25),
    };
    check_error(revision, &checked);
}

/// Creates a modern request.
pub(crate) fn enveloped(method: &str, params: Value) -> Value {
    let mut params = params;
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params})
}

/// Creates a legacy request.
pub(crate) fn plain(method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params})
}

pub(crate) fn initialize(version: &str) -> Value {
    let client = json!({"name": "bench", "version": "3.1.0"});
    plain(
        "initialize",
        json!({"protocolVersion": version, "capabilities": {}, "clientInfo": client}),
    )
}

fn offer(is_offered: bool) -> watchpost_protocol::Offer {
    if is_offered {
        watchpost_protocol::Offer::Fixed
    } else {
        watchpost_protocol::Offer::None
    }
}
