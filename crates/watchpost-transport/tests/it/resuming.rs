//! Resumable streams, and log messages on streams.

use crate::{
    app::{App, Bench, GOOD, OTHER},
    http_client::{HttpClient, Request},
    talk::{call, handshake, modern, post},
};
use serde_json::{Value, json};

fn come_back(id: &str, event: &str) -> Request {
    Request::new("GET", "/mcp")
        .key(GOOD)
        .header("Accept", "text/event-stream")
        .header("Mcp-Session-Id", id)
        .header("Last-Event-ID", event)
}

fn field<'a>(event: &'a str, name: &str) -> Option<&'a str> {
    event.lines().find_map(|line| line.strip_prefix(name))
}

/// SHT-11, SHT-13, SHT-07.
#[tokio::test]
async fn a_returning_client_receives_the_response_it_missed() {
    let app = App::start().await;
    let mut client = app.connect().await;
    let id = handshake(&mut client, "2025-11-25").await;
    let mut stream = app.connect().await;
    stream
        .send(post(call(9, "disconnect")).header("Mcp-Session-Id", &id).bytes())
        .await;
    assert!(stream.reply().await.is_events());
    let first = stream.event().await.unwrap();
    let opening = field(&first, "id: ").unwrap().to_owned();
    assert_eq!(field(&first, "data:").map(str::trim), Some(""), "{first:?}");
    let mut retry = None;
    let mut ids = vec![opening.clone()];
    while let Some(event) = stream.event().await {
        assert_eq!(field(&event, "data:").map(str::trim), Some(""), "{event:?}");
        retry = field(&event, "retry: ").map(str::to_owned).or(retry);
        ids.push(field(&event, "id: ").unwrap().to_owned());
    }
    assert_eq!(retry.as_deref(), Some("7"));
    app.bench.release.add_permits(1);
    let mut back = app.connect().await;
    assert!(back.ask(&come_back(&id, ids.last().unwrap())).await.is_events());
    let answer = back.event().await.unwrap();
    ids.push(field(&answer, "id: ").unwrap().to_owned());
    let answer: Value = serde_json::from_str(field(&answer, "data: ").unwrap()).unwrap();
    assert_eq!(answer["id"], 9);
    assert_eq!(answer["result"]["content"][0]["text"], "resumed");
    assert_eq!(back.event().await, None);
    ids.sort();
    ids.dedup();
    assert!(ids.len() >= 3, "each event has an id of its own: {ids:?}");

    // From the start, all events are sent again. Events of another session aren't found.
    let mut again = app.connect().await;
    assert!(again.ask(&come_back(&id, &opening)).await.is_events());
    assert_eq!(again.message().await.unwrap()["id"], 9);
    let other = handshake(&mut client, "2025-11-25").await;
    for (id, event, key) in [
        (&other, opening.as_str(), GOOD),
        (&id, opening.as_str(), OTHER),
        (&id, "0123456789abcdef-0", GOOD),
        (&id, "nonsense", GOOD),
        (&id, "", GOOD),
    ] {
        let reply = client.ask(&come_back(id, event).set("X-Api-Key", key)).await;
        assert_eq!(reply.status, 404, "{event}");
    }
}

/// Returns the first event on the stream of a call that logs.
async fn first_event(client: &mut HttpClient, request: Request) -> String {
    client.send(request.bytes()).await;
    assert!(client.reply().await.is_events());
    let first = client.event().await.unwrap();
    while client.event().await.is_some() {}
    first
}

fn set_level(level: &str) -> String {
    json!({"jsonrpc": "2.0", "id": 3, "method": "logging/setLevel", "params": {"level": level}}).to_string()
}

/// SHT-12, SHT-11.
#[tokio::test]
async fn only_clients_of_resumable_revisions_get_an_opening_event() {
    let app = App::start().await;
    let mut client = app.connect().await;
    for (revision, can_return) in [("2025-03-26", false), ("2025-06-18", false), ("2025-11-25", true)] {
        let id = handshake(&mut client, revision).await;
        let in_session = |body: String| post(body).header("Mcp-Session-Id", &id);
        assert_eq!(client.ask(&in_session(set_level("debug"))).await.status, 200);
        let first = first_event(&mut client, in_session(call(9, "say"))).await;
        assert_eq!(
            field(&first, "id: ").is_some(),
            can_return,
            "{revision}: {first:?}"
        );
        assert_eq!(first.contains("a detail"), !can_return, "{revision}: {first:?}");
    }
}

#[tokio::test]
async fn disconnecting_has_no_effect_if_the_client_cannot_resume() {
    let app = App::start().await;
    let mut client = app.connect().await;
    let id = handshake(&mut client, "2025-06-18").await;
    client
        .send(post(call(9, "disconnect")).header("Mcp-Session-Id", &id).bytes())
        .await;
    Bench::until(&app.bench.started, 1).await;
    app.bench.release.add_permits(1);
    let reply = client.reply().await;
    assert_eq!(reply.json()["result"]["content"][0]["text"], "resumed");
}

/// LOG-02.
#[tokio::test]
async fn a_legacy_session_gets_the_log_levels_it_asked_for() {
    let app = App::start().await;
    let mut client = app.connect().await;
    let id = handshake(&mut client, "2025-06-18").await;
    let in_session = |body: String| post(body).header("Mcp-Session-Id", &id);
    let quiet = client.ask(&in_session(call(9, "say"))).await;
    assert!(!quiet.is_events(), "no log messages were requested: {quiet:?}");
    for level in ["loud", "", "Error"] {
        let refused = client.ask(&in_session(set_level(level))).await;
        assert_eq!(refused.json()["error"]["code"], -32602, "{level}");
    }
    for (level, messages) in [("debug", 2), ("error", 1), ("emergency", 0)] {
        let set = client.ask(&in_session(set_level(level))).await;
        assert_eq!(set.json(), json!({"jsonrpc": "2.0", "id": 3, "result": {}}));
        client.send(in_session(call(9, "say")).bytes()).await;
        let reply = client.reply().await;
        let mut told = Vec::new();
        if reply.is_events() {
            while let Some(message) = client.message().await {
                told.push(message);
            }
            assert_eq!(told.pop().unwrap()["id"], 9, "the response is last");
        }
        assert_eq!(told.len(), messages, "{level}");
        if let Some(last) = told.last() {
            assert_eq!(
                last,
                &json!({"jsonrpc": "2.0", "method": "notifications/message",
                    "params": {"level": "error", "logger": "bench", "data": "a failure"}})
            );
        }
    }
}

/// LOG-01, ENV-05.
#[tokio::test]
async fn a_modern_request_gets_log_messages_only_if_it_asks_for_them() {
    let app = App::start().await;
    let mut client = app.connect().await;
    for (level, messages) in [(Some("debug"), 2), (Some("warning"), 1), (None, 0)] {
        let mut params = json!({"name": "say", "_meta": {}});
        if let Some(level) = level {
            params["_meta"]["io.modelcontextprotocol/logLevel"] = level.into();
        }
        client.send(modern(9, "tools/call", params).bytes()).await;
        let reply = client.reply().await;
        assert_eq!(reply.is_events(), messages > 0, "{level:?}");
        let mut told = 0;
        while reply.is_events() {
            let Some(message) = client.message().await else {
                break;
            };
            told += usize::from(message["method"] == "notifications/message");
        }
        assert_eq!(told, messages, "{level:?}");
    }
}
