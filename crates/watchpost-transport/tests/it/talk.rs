//! MCP messages, as clients write them.

use crate::{
    app::GOOD,
    http_client::{HttpClient, Request},
};
use serde_json::{Value, json};

pub(crate) fn initialize(revision: &str) -> String {
    json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": revision,
        "capabilities": {"elicitation": {}},
        "clientInfo": {"name": "deskhost", "version": "3.1.0"},
    }})
    .to_string()
}

pub(crate) const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
pub(crate) const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

pub(crate) fn call(id: impl Into<Value>, tool: &str) -> String {
    json!({"jsonrpc": "2.0", "id": id.into(), "method": "tools/call", "params": {"name": tool}}).to_string()
}

/// Returns a call that asks for progress notifications.
pub(crate) fn call_with_progress(id: impl Into<Value>, tool: &str) -> String {
    json!({"jsonrpc": "2.0", "id": id.into(), "method": "tools/call", "params": {
        "name": tool, "_meta": {"progressToken": "p"},
    }})
    .to_string()
}

pub(crate) fn cancel(id: impl Into<Value>) -> String {
    json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id.into()}})
        .to_string()
}

/// Returns a modern request with everything that a client must send.
pub(crate) fn modern(id: impl Into<Value>, method: &str, mut params: Value) -> Request {
    params["_meta"]["io.modelcontextprotocol/protocolVersion"] = "2026-07-28".into();
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
    let name = params["name"].as_str().map(str::to_owned);
    let body = json!({"jsonrpc": "2.0", "id": id.into(), "method": method, "params": params}).to_string();
    let request = Request::post("/mcp", body)
        .key(GOOD)
        .header("MCP-Protocol-Version", "2026-07-28")
        .header("Mcp-Method", method);
    match name {
        Some(name) => request.header("Mcp-Name", &name),
        None => request,
    }
}

/// Returns a POST to `/mcp` with the valid key.
pub(crate) fn post(body: impl Into<String>) -> Request {
    Request::post("/mcp", body).key(GOOD)
}

/// Performs the handshake and returns the session id.
pub(crate) async fn handshake(client: &mut HttpClient, revision: &str) -> String {
    let reply = client.ask(&post(initialize(revision))).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.json()["result"]["protocolVersion"], revision);
    reply
        .header("mcp-session-id")
        .expect("the response has a session id")
        .to_owned()
}
