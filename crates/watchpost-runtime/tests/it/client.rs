//! A client of a server in this process, which uses the protocol without a transport.

use serde_json::{Value, json};
use std::sync::Arc;
use watchpost_core::access::WorkspaceScope;
use watchpost_mcp::McpServer;
use watchpost_protocol::{Incoming, Link, Server, TransportFacts, TransportKind};
use watchpost_runtime::instance::Instance;

pub(crate) struct Client {
    pub(crate) server: Server<McpServer>,
    pub(crate) scope: Arc<WorkspaceScope>,
    extensions: Value,
}

impl Client {
    /// A client for the operator of an instance's only workspace.
    pub(crate) async fn new(instance: &Instance) -> Self {
        let workspace = instance.workspace(None).await.expect("one workspace");
        Self {
            server: Server::new(instance.mcp().expect("a server")),
            scope: instance.operator(&workspace),
            extensions: json!({}),
        }
    }

    /// Adds the support of tasks to the client.
    pub(crate) fn with_tasks(mut self) -> Self {
        self.extensions = json!({"io.modelcontextprotocol/tasks": {}});
        self
    }

    pub(crate) fn decode(&self, method: &str, mut params: Value) -> Incoming {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {"extensions": self.extensions}
        });
        let message = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let bytes = serde_json::to_vec(&message).expect("JSON").into();
        self.server
            .decode(&bytes, &TransportFacts::new(TransportKind::Stdio, None))
    }

    /// Sends a request with a scope. Returns the whole answer, even if the protocol rejects the request.
    pub(crate) async fn send_as(&self, scope: &Arc<WorkspaceScope>, method: &str, params: Value) -> Value {
        let reply = match self.decode(method, params) {
            Incoming::Request(request) => self.server.handle(scope, &request, Link::default()).await,
            Incoming::Rejected(reply) => reply,
            other => panic!("not a request: {other:?}"),
        };
        serde_json::from_slice(&reply.body.expect("an answer")).expect("JSON")
    }

    pub(crate) async fn send(&self, method: &str, params: Value) -> Value {
        self.send_as(&self.scope, method, params).await
    }

    /// Calls a tool. Returns the whole answer.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> Value {
        self.send("tools/call", json!({"name": tool, "arguments": arguments}))
            .await
    }
}
