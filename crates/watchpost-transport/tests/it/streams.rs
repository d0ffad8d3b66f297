use crate::{
    app::{App, Bench, GOOD},
    http_client::{HttpClient, Request},
    talk::{PING, call, call_with_progress, handshake, modern, post},
};
use serde_json::json;
use std::time::Duration;
use watchpost_protocol::Change;
use watchpost_transport::Timing;

const REVISION: &str = "2025-11-25";

fn listen(id: &str) -> Request {
    Request::new("GET", "/mcp")
        .key(GOOD)
        .header("Accept", "text/event-stream")
        .header("Mcp-Session-Id", id)
}

async fn open_stream(app: &App) -> (HttpClient, String) {
    let id = handshake(&mut app.connect().await, REVISION).await;
    let mut stream = app.connect().await;
    let reply = stream.ask(&listen(&id)).await;
    assert_eq!((reply.status, reply.is_events()), (200, true));
    assert_eq!(reply.header("cache-control"), Some("no-cache, no-transform"));
    assert_eq!(reply.header("x-accel-buffering"), Some("no"));
    (stream, id)
}

/// HTP-01, HTP-13, SHT-03.
#[tokio::test]
async fn quick_calls_without_notifications_are_answered_as_json() {
    let app = App::start().await;
    let mut client = app.connect().await;
    for request in [
        post(call(1, "echo")),
        post(call_with_progress(1, "echo")),
        modern(1, "tools/call", json!({"name": "echo"})),
    ] {
        let reply = client.ask(&request).await;
        assert_eq!(
            reply.header("content-type"),
            Some("application/json"),
            "{reply:?}"
        );
    }
}

/// HTP-01, HTP-07, HTP-08, HTP-10, HTP-12, HTP-13, SHT-03, SHT-04, PRG-01, PRG-03.
#[tokio::test]
async fn progress_precedes_the_result_on_a_separate_stream() {
    let app = App::start().await;
    let mut client = app.connect().await;
    let in_envelope = json!({"name": "step", "_meta": {"progressToken": "p"}});
    for request in [
        post(call_with_progress(1, "step")),
        modern(1, "tools/call", in_envelope),
    ] {
        client.send(request.bytes()).await;
        let reply = client.reply().await;
        assert!(reply.is_events());
        assert_eq!(reply.header("x-accel-buffering"), Some("no"));
        let first = client.event().await.unwrap();
        let first = first.strip_prefix("event: message\ndata: ").expect("no id");
        let first: serde_json::Value = serde_json::from_str(first).unwrap();
        assert_eq!(
            (
                first["method"].as_str(),
                first["params"]["progressToken"].as_str()
            ),
            (Some("notifications/progress"), Some("p"))
        );
        app.bench.release.add_permits(1);
        let last = client.message().await.unwrap();
        assert_eq!(last["result"]["content"][0]["text"], "done");
        assert_eq!(client.message().await, None, "the response ends the stream");
    }
    assert_eq!(
        client.ask(&post(PING)).await.status,
        200,
        "the connection is still usable"
    );
}

#[tokio::test]
async fn progress_of_a_call_that_ends_at_once_is_not_lost() {
    let app = App::start().await;
    app.bench.release.add_permits(1);
    let mut client = app.connect().await;
    client.send(post(call_with_progress(1, "step")).bytes()).await;
    assert!(client.reply().await.is_events());
    assert_eq!(
        client.message().await.unwrap()["method"],
        "notifications/progress"
    );
    assert_eq!(client.message().await.unwrap()["id"], 1);
    assert_eq!(client.message().await, None);
}

/// HTP-11, HTP-13.
#[tokio::test]
async fn a_long_call_becomes_a_stream_with_comments() {
    assert_eq!(Timing::default().keep_alive, Duration::from_secs(15));
    let app = App::with(|config| config.timing.keep_alive = Duration::from_millis(30)).await;
    let mut client = app.connect().await;
    client.send(post(call(1, "wait")).bytes()).await;
    assert!(client.reply().await.is_events());
    assert_eq!(client.event().await.unwrap(), ": keep-alive");
    app.bench.release.add_permits(1);
    assert_eq!(client.message().await.unwrap()["id"], 1);
    assert_eq!(client.message().await, None);
}

/// HTP-09, SHT-05, CAN-01, CAN-03.
#[tokio::test]
async fn a_legacy_call_outlives_its_client_and_a_modern_one_does_not() {
    let app = App::start().await;
    let mut client = app.connect().await;
    client
        .send(modern(1, "tools/call", json!({"name": "wait"})).bytes())
        .await;
    Bench::until(&app.bench.started, 1).await;
    drop(client);
    Bench::until(&app.bench.dropped, 1).await;

    let mut client = app.connect().await;
    client.send(post(call(1, "wait")).bytes()).await;
    Bench::until(&app.bench.started, 2).await;
    drop(client);
    app.bench.release.add_permits(1);
    Bench::until(&app.bench.finished, 1).await;
    assert_eq!(*app.bench.dropped.borrow(), 1);
}

/// SHT-06, SHT-10.
#[tokio::test]
async fn a_session_has_up_to_four_streams_and_the_newest_gets_the_notifications() {
    let app = App::start().await;
    let (mut first, id) = open_stream(&app).await;
    let mut others = Vec::new();
    for _ in 0..3 {
        let mut stream = app.connect().await;
        assert_eq!(stream.ask(&listen(&id)).await.status, 200);
        others.push(stream);
    }
    let mut newest = app.connect().await;
    assert_eq!(newest.ask(&listen(&id)).await.status, 200);
    assert_eq!(first.message().await, None, "the oldest of five ends");
    app.bench.hub.publish(&Change::Tools);
    let message = newest.message().await.unwrap();
    assert_eq!(message["method"], "notifications/tools/list_changed");
    drop(newest);
    while app.service.open_streams() > 3 {
        tokio::task::yield_now().await;
    }
    // The stream before it takes over. It got nothing while the other one was open.
    app.bench.hub.publish(&Change::Resources);
    let message = others.last_mut().unwrap().message().await.unwrap();
    assert_eq!(message["method"], "notifications/resources/list_changed");
}

/// SES-04.
#[tokio::test]
async fn a_session_ends_with_its_streams() {
    let app = App::with(|config| config.timing.keep_alive = Duration::from_millis(30)).await;
    let (mut stream, id) = open_stream(&app).await;
    let mut client = app.connect().await;
    assert_eq!(
        client
            .ask(&listen(&id).set("Accept", "application/json"))
            .await
            .status,
        406
    );
    assert_eq!(stream.event().await.unwrap(), ": keep-alive");
    let end = Request::new("DELETE", "/mcp")
        .key(GOOD)
        .header("Mcp-Session-Id", &id);
    assert_eq!(client.ask(&end).await.status, 204);
    assert_eq!(stream.message().await, None, "the stream ends with its session");
}

/// SHT-06, SHT-07, PRG-03.
#[tokio::test]
async fn messages_of_a_call_are_not_sent_on_the_stream_of_its_session() {
    let app = App::start().await;
    let (mut stream, id) = open_stream(&app).await;
    let in_session = |body: String| post(body).header("Mcp-Session-Id", &id);
    let mut client = app.connect().await;
    client
        .send(in_session(call_with_progress(1, "step")).bytes())
        .await;
    assert!(client.reply().await.is_events());
    assert_eq!(
        client.message().await.unwrap()["method"],
        "notifications/progress"
    );
    app.bench.release.add_permits(1);
    assert_eq!(client.message().await.unwrap()["id"], 1);
    assert_eq!(client.message().await, None);
    assert_eq!(client.ask(&in_session(call(2, "echo"))).await.json()["id"], 2);
    let end = Request::new("DELETE", "/mcp")
        .key(GOOD)
        .header("Mcp-Session-Id", &id);
    assert_eq!(client.ask(&end).await.status, 204);
    assert_eq!(stream.message().await, None, "nothing was sent on it");
}

/// SHT-01, SHT-07, SES-05.
#[tokio::test]
async fn the_stream_of_a_session_can_be_opened_on_every_path_that_accepts_its_posts() {
    let app = App::start().await;
    for path in ["/", "/sse", "/mcp"] {
        let mut client = app.connect().await;
        let reply = client
            .ask(&Request::post(path, crate::talk::initialize(REVISION)).key(GOOD))
            .await;
        let id = reply.header("mcp-session-id").unwrap().to_owned();
        let session = |method| Request::new(method, path).header("Mcp-Session-Id", &id);
        assert_eq!(
            client.ask(&session("GET")).await.status,
            401,
            "{path} needs a key"
        );
        let mut stream = app.connect().await;
        let reply = stream
            .ask(&session("GET").key(GOOD).header("Accept", "text/event-stream"))
            .await;
        assert!(reply.is_events(), "{path}: {reply:?}");
        assert_eq!(
            client.ask(&session("DELETE").key(GOOD)).await.status,
            204,
            "{path}"
        );
        assert_eq!(
            stream.event().await,
            None,
            "{path}: the stream ends without an `endpoint` event"
        );
    }
}

#[tokio::test]
async fn the_streams_of_a_revoked_key_end() {
    let app = App::start().await;
    let (mut stream, _) = open_stream(&app).await;
    let mut old = app.connect().await;
    assert!(old.ask(&Request::new("GET", "/sse").key(GOOD)).await.is_events());
    old.event().await.unwrap();
    let mut calling = app.connect().await;
    calling.send(post(call_with_progress(1, "step")).bytes()).await;
    assert!(calling.reply().await.is_events());
    calling.message().await.unwrap();
    assert_eq!(app.service.open_streams(), 3);
    app.gate.revoke(GOOD);
    assert_eq!(stream.message().await, None);
    assert_eq!(old.message().await, None);
    assert_eq!(calling.message().await, None);
    assert_eq!(app.connect().await.ask(&post(PING)).await.status, 401);
}

/// SEC-04.
#[tokio::test]
async fn streams_are_limited_in_total_and_per_key() {
    for per_key in [true, false] {
        let app = App::with(|config| {
            let limit = if per_key {
                &mut config.limits.streams_per_key
            } else {
                &mut config.limits.streams_total
            };
            *limit = 1;
        })
        .await;
        let mut first = app.connect().await;
        assert!(
            first
                .ask(&Request::new("GET", "/sse").key(GOOD))
                .await
                .is_events()
        );
        let mut second = app.connect().await;
        assert_eq!(
            second.ask(&Request::new("GET", "/sse").key(GOOD)).await.status,
            503
        );
        let other = second
            .ask(&Request::new("GET", "/sse").key(crate::app::OTHER))
            .await;
        assert_eq!(other.status, if per_key { 200 } else { 503 });
    }
}

#[tokio::test]
async fn at_the_stream_limit_a_call_is_answered_as_json() {
    let app = App::with(|config| config.limits.streams_total = 0).await;
    let mut client = app.connect().await;
    client.send(post(call_with_progress(1, "step")).bytes()).await;
    Bench::until(&app.bench.started, 1).await;
    app.bench.release.add_permits(1);
    let reply = client.reply().await;
    assert_eq!(reply.json()["result"]["content"][0]["text"], "done");
}
