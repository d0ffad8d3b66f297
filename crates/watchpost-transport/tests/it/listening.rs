//! What changes while a client listens: subscriptions of modern clients, and what legacy sessions hear unasked.

use crate::{
    app::{App, GOOD},
    stdio::Process,
    talk::{INITIALIZED, PING, call_with_progress, initialize, modern, post, shake_hands},
    wire::{Request, Wire},
};
use serde_json::{Value, json};
use watchpost_protocol::Change;

const REVISION: &str = "2025-11-25";
const TAG: &str = "io.modelcontextprotocol/subscriptionId";

fn wishes() -> Value {
    json!({"toolsListChanged": true, "promptsListChanged": true, "resourceSubscriptions": ["bench://a"]})
}

fn listen(id: impl Into<Value>, wishes: &Value) -> Request {
    modern(id, "subscriptions/listen", json!({"notifications": wishes}))
}

/// Opens a subscription and gives what was granted.
async fn subscribe(app: &App, id: impl Into<Value>, wishes: &Value) -> (Wire, Value) {
    let mut stream = app.connect().await;
    let reply = stream.ask(&listen(id, wishes)).await;
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
async fn a_subscription_says_what_was_granted_and_then_tells_just_that() {
    let app = App::start().await;
    for id in [json!(5), json!("five")] {
        let (mut stream, granted) = subscribe(&app, id.clone(), &wishes()).await;
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
async fn progress_of_a_call_stays_off_the_subscription() {
    let app = App::start().await;
    let (mut stream, _) = subscribe(&app, 5, &wishes()).await;
    let mut wire = app.connect().await;
    let call = json!({"name": "step", "_meta": {"progressToken": 5}});
    wire.send(modern(5, "tools/call", call).bytes()).await;
    assert!(wire.reply().await.is_events());
    assert_eq!(wire.message().await.unwrap()["method"], "notifications/progress");
    app.bench.release.add_permits(1);
    assert_eq!(wire.message().await.unwrap()["id"], 5);
    app.bench.hub.publish(&Change::Tools);
    assert_eq!(
        stream.message().await.unwrap()["method"],
        "notifications/tools/list_changed",
        "nothing came before"
    );
}

/// SUB-06.
#[tokio::test]
async fn a_server_that_stops_ends_its_subscriptions_with_their_result() {
    let mut app = App::start().await;
    let (mut stream, _) = subscribe(&app, 5, &wishes()).await;
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
async fn subscriptions_are_bounded_and_end_with_their_key() {
    let app = App::with(|config| config.limits.streams_per_key = 1).await;
    let (mut stream, _) = subscribe(&app, 5, &wishes()).await;
    let second = app.connect().await.ask(&listen(6, &wishes())).await;
    assert!(!second.is_events());
    assert!(second.json()["error"]["code"].is_i64(), "{second:?}");
    app.gate.revoke(GOOD);
    while let Some(message) = stream.message().await {
        assert_eq!(message["id"], 5, "nothing but the end is told");
    }
    assert_eq!(app.service.open_streams(), 0);
}

/// RSC-06, SUB-10, INI-11.
#[tokio::test]
async fn a_legacy_session_hears_of_lists_and_of_what_it_subscribed_to() {
    let app = App::start().await;
    let mut wire = app.connect().await;
    let hello = wire.ask(&post(initialize(REVISION))).await;
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
    assert_eq!(wire.ask(&in_session(INITIALIZED.to_owned())).await.status, 202);
    let empty = json!({"jsonrpc": "2.0", "id": 3, "result": {}});
    assert_eq!(
        wire.ask(&about("resources/subscribe", "bench://a")).await.json(),
        empty
    );
    let mut stream = app.connect().await;
    let open = Request::new("GET", "/mcp")
        .key(GOOD)
        .header("Accept", "text/event-stream")
        .header("Mcp-Session-Id", &id);
    assert!(stream.ask(&open).await.is_events());
    assert_eq!(
        wire.ask(&about("resources/subscribe", "bench://b")).await.json(),
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
        wire.ask(&about("resources/unsubscribe", "bench://a"))
            .await
            .json(),
        empty
    );
    app.bench.hub.publish(&updated("bench://a"));
    app.bench.hub.publish(&Change::Tools);
    assert_eq!(
        stream.message().await.unwrap(),
        json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}),
        "what was unsubscribed isn't told"
    );
}

/// INI-06, SUB-10, SUB-08, CAN-03, CAN-06.
#[tokio::test]
async fn one_process_listens_in_both_eras_and_is_told_when_it_is_over() {
    let mut process = Process::admitted();
    process.ask(initialize(REVISION)).await;
    process.bench.hub.publish(&Change::Tools);
    assert_eq!(
        process.ask(PING).await["id"],
        1,
        "nothing is told before the client is ready"
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
    assert_eq!(cancelled, [&json!(8)], "and of a call the server never says that");
}

/// SHT-06.
#[tokio::test]
async fn what_changes_is_told_once_to_each_session() {
    let app = App::start().await;
    let mut streams = Vec::new();
    for _ in 0..2 {
        let id = shake_hands(&mut app.connect().await, REVISION).await;
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
            "nothing twice"
        );
    }
}
