//! Change notifications: subscriptions of modern clients, and unsolicited notifications of legacy sessions.

use crate::{
    app::{App, GOOD},
    http_client::{HttpClient, Request},
    stdio::Process,
    talk::{INITIALIZED, PING, call_with_progress, handshake, initialize, modern, post},
};
use serde_json::{Value, json};
use watchpost_protocol::Change;

const REVISION: &str = "2025-11-25";
const TAG: &str = "io.modelcontextprotocol/subscriptionId";

fn filter() -> Value {
    json!({"toolsListChanged": true, "promptsListChanged": true, "resourceSubscriptions": ["bench://a"]})
}

fn listen(id: impl Into<Value>, filter: &Value) -> Request {
    modern(id, "subscriptions/listen", json!({"notifications": filter}))
}

/// Opens a subscription and returns its acknowledgment.
async fn subscribe(app: &App, id: impl Into<Value>, filter: &Value) -> (HttpClient, Value) {
    let mut stream = app.connect().await;
    let reply = stream.ask(&listen(id, filter)).await;
    assert!(reply.is_events(), "{reply:?}");
    assert!(reply.header("mcp-session-id").is_none());
    let granted = stream.message().await.unwrap();
    (stream, granted)
}

fn updated(uri: &str) -> Change {
    Change::Resource(uri.to_owned())
}

/// SUB-01, SUB-02, SUB-03, SUB-04, SUB-05, HTP-12.
#[tokio::test]
async fn a_subscription_is_acknowledged_and_receives_only_what_was_granted() {
    let app = App::start().await;
    for id in [json!(5), json!("five")] {
        let (mut stream, granted) = subscribe(&app, id.clone(), &filter()).await;
        assert_eq!(
            granted,
            json!({"jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged", "params": {
                "notifications": {"toolsListChanged": true, "resourceSubscriptions": ["bench://a"]},
                "_meta": {TAG: id},
            }})
        );
        for change in [Change::Resources, Change::Prompts, updated("bench://b")] {
            app.bench.hub.publish(&change);
        }
        app.bench.hub.publish(&updated("bench://a"));
        let event = stream.event().await.unwrap();
        let told: Value =
            serde_json::from_str(event.strip_prefix("event: message\ndata: ").unwrap()).unwrap();
        assert_eq!(
            told,
            json!({"jsonrpc": "2.0", "method": "notifications/resources/updated",
                "params": {"uri": "bench://a", "_meta": {TAG: id}}})
        );
        app.bench.hub.publish(&Change::Tools);
        let told = stream.message().await.unwrap();
        assert_eq!(told["method"], "notifications/tools/list_changed");
        assert_eq!(told["params"]["_meta"][TAG], id);
    }
}

/// SUB-07, PRG-03.
#[tokio::test]
async fn progress_of_a_call_is_not_sent_on_a_subscription() {
    let app = App::start().await;
    let (mut stream, _) = subscribe(&app, 5, &filter()).await;
    let mut client = app.connect().await;
    let call = json!({"name": "step", "_meta": {"progressToken": 5}});
    client.send(modern(5, "tools/call", call).bytes()).await;
    assert!(client.reply().await.is_events());
    assert_eq!(
        client.message().await.unwrap()["method"],
        "notifications/progress"
    );
    app.bench.release.add_permits(1);
    assert_eq!(client.message().await.unwrap()["id"], 5);
    app.bench.hub.publish(&Change::Tools);
    assert_eq!(
        stream.message().await.unwrap()["method"],
        "notifications/tools/list_changed",
        "no other message came before"
    );
}

/// SUB-06.
#[tokio::test]
async fn a_stopping_server_ends_its_subscriptions_with_their_result() {
    let mut app = App::start().await;
    let (mut stream, _) = subscribe(&app, 5, &filter()).await;
    let serving = app.stop();
    let last = stream.message().await.unwrap();
    assert_eq!(
        (&last["id"], &last["result"]["resultType"]),
        (&json!(5), &json!("complete"))
    );
    assert_eq!(last["result"]["_meta"][TAG], 5);
    assert_eq!(stream.message().await, None);
    serving.await.unwrap();
}

/// SUB-09.
#[tokio::test]
async fn subscriptions_are_limited_and_end_when_their_key_is_revoked() {
    let app = App::with(|config| config.limits.streams_per_key = 1).await;
    let (mut stream, _) = subscribe(&app, 5, &filter()).await;
    let second = app.connect().await.ask(&listen(6, &filter())).await;
    assert!(!second.is_events());
    assert!(second.json()["error"]["code"].is_i64(), "{second:?}");
    app.gate.revoke(GOOD);
    while let Some(message) = stream.message().await {
        assert_eq!(message["id"], 5, "only the end is reported");
    }
    assert_eq!(app.service.open_streams(), 0);
}

/// RSC-06, SUB-10, INI-11.
#[tokio::test]
async fn a_legacy_session_is_notified_of_lists_and_its_subscriptions() {
    let app = App::start().await;
    let mut client = app.connect().await;
    let hello = client.ask(&post(initialize(REVISION))).await;
    let capabilities = &hello.json()["result"]["capabilities"];
    assert_eq!(capabilities["tools"], json!({"listChanged": true}));
    assert_eq!(
        capabilities["resources"],
        json!({"listChanged": true, "subscribe": true})
    );
    let id = hello.header("mcp-session-id").unwrap().to_owned();
    let in_session = |body: String| post(body).header("Mcp-Session-Id", &id);
    let about = |method: &str, uri: &str| {
        in_session(json!({"jsonrpc": "2.0", "id": 3, "method": method, "params": {"uri": uri}}).to_string())
    };
    assert_eq!(client.ask(&in_session(INITIALIZED.to_owned())).await.status, 202);
    let empty = json!({"jsonrpc": "2.0", "id": 3, "result": {}});
    assert_eq!(
        client
            .ask(&about("resources/subscribe", "bench://a"))
            .await
            .json(),
        empty
    );
    let mut stream = app.connect().await;
    let open = Request::new("GET", "/mcp")
        .key(GOOD)
        .header("Accept", "text/event-stream")
        .header("Mcp-Session-Id", &id);
    assert!(stream.ask(&open).await.is_events());
    assert_eq!(
        client
            .ask(&about("resources/subscribe", "bench://b"))
            .await
            .json(),
        empty
    );
    for uri in ["bench://a", "bench://b", "bench://c"] {
        app.bench.hub.publish(&updated(uri));
    }
    for uri in ["bench://a", "bench://b"] {
        assert_eq!(
            stream.message().await.unwrap(),
            json!({"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": {"uri": uri}})
        );
    }
    assert_eq!(
        client
            .ask(&about("resources/unsubscribe", "bench://a"))
            .await
            .json(),
        empty
    );
    app.bench.hub.publish(&updated("bench://a"));
    app.bench.hub.publish(&Change::Tools);
    assert_eq!(
        stream.message().await.unwrap(),
        json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}),
        "an unsubscribed resource isn't reported"
    );
}

/// INI-06, SUB-10, SUB-08, CAN-03, CAN-06.
#[tokio::test]
async fn one_process_subscribes_in_both_eras_and_is_notified_of_the_end() {
    let mut process = Process::admitted();
    process.ask(initialize(REVISION)).await;
    process.bench.hub.publish(&Change::Tools);
    assert_eq!(
        process.ask(PING).await["id"],
        1,
        "no notification precedes `initialized`"
    );
    process.send(INITIALIZED).await;
    assert_eq!(process.ask(PING).await["id"], 1);
    process.bench.hub.publish(&Change::Tools);
    assert_eq!(
        process.next().await.unwrap(),
        json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})
    );
    let listen = |id: i64| {
        json!({"jsonrpc": "2.0", "id": id, "method": "subscriptions/listen", "params": {
            "notifications": {"resourceSubscriptions": ["bench://a"]},
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": {},
            },
        }})
        .to_string()
    };
    for id in [7, 8] {
        assert_eq!(process.ask(listen(id)).await["params"]["_meta"][TAG], id);
    }
    process.send(crate::talk::cancel(7)).await;
    assert_eq!(process.ask(PING).await["id"], 1);
    process.bench.hub.publish(&updated("bench://a"));
    let told = process.next().await.unwrap();
    assert_eq!(told["params"]["_meta"][TAG], 8, "the other one was cancelled");
    process.send(call_with_progress(9, "step")).await;
    assert_eq!(process.next().await.unwrap()["method"], "notifications/progress");
    process.signal_stop();
    let mut last = Vec::new();
    while let Some(message) = process.next().await {
        last.push(message);
    }
    let ends: Vec<&Value> = last.iter().filter(|message| message["id"] == 8).collect();
    assert_eq!(ends.len(), 1, "{last:?}");
    assert_eq!(ends[0]["result"]["_meta"][TAG], 8);
    let cancelled: Vec<&Value> = last
        .iter()
        .filter(|message| message["method"] == "notifications/cancelled")
        .map(|message| &message["params"]["requestId"])
        .collect();
    assert_eq!(cancelled, [&json!(8)], "the server never cancels a call");
}

/// SHT-06.
#[tokio::test]
async fn each_session_is_notified_once_of_a_change() {
    let app = App::start().await;
    let mut streams = Vec::new();
    for _ in 0..2 {
        let id = handshake(&mut app.connect().await, REVISION).await;
        let mut stream = app.connect().await;
        let open = Request::new("GET", "/mcp")
            .key(GOOD)
            .header("Accept", "text/event-stream")
            .header("Mcp-Session-Id", &id);
        assert!(stream.ask(&open).await.is_events());
        streams.push(stream);
    }
    app.bench.hub.publish(&Change::Tools);
    for stream in &mut streams {
        assert_eq!(
            stream.message().await.unwrap()["method"],
            "notifications/tools/list_changed"
        );
    }
    app.bench.hub.publish(&Change::Resources);
    for stream in &mut streams {
        assert_eq!(
            stream.message().await.unwrap()["method"],
            "notifications/resources/list_changed",
            "no change is reported twice"
        );
    }
}
