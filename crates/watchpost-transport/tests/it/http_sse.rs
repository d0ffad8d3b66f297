use crate::{
    app::{App, Bench, GOOD, OTHER},
    http_client::{HttpClient, Request},
    talk::{INITIALIZED, PING, call, call_with_progress, cancel, initialize},
};
use watchpost_transport::Surface;

/// Opens a stream and returns the path to post to.
async fn open(app: &App) -> (HttpClient, String) {
    let mut stream = app.connect().await;
    let reply = stream
        .ask(
            &Request::new("GET", "/sse")
                .key(GOOD)
                .header("Accept", "text/event-stream"),
        )
        .await;
    assert_eq!((reply.status, reply.is_events()), (200, true));
    let first = stream.event().await.unwrap();
    let path = first.strip_prefix("event: endpoint\ndata: ").unwrap().to_owned();
    assert!(path.starts_with("/messages?session_id="), "{path}");
    (stream, path)
}

async fn accepted(client: &mut HttpClient, path: &str, body: impl Into<String>) {
    let reply = client.ask(&Request::post(path, body).key(GOOD)).await;
    assert_eq!((reply.status, reply.body.as_str()), (202, ""));
}

/// SSE-01, SSE-02, SSE-03.
#[tokio::test]
async fn responses_to_posts_come_on_the_stream() {
    let app = App::start().await;
    let (mut stream, path) = open(&app).await;
    let mut client = app.connect().await;
    accepted(&mut client, &path, initialize("2024-11-05")).await;
    assert_eq!(
        stream.message().await.unwrap()["result"]["protocolVersion"],
        "2024-11-05"
    );
    accepted(&mut client, &path, INITIALIZED).await;
    accepted(&mut client, &path, call("a", "echo")).await;
    assert_eq!(stream.message().await.unwrap()["id"], "a");
    accepted(&mut client, &path, call(2, "no_such_tool")).await;
    assert_eq!(stream.message().await.unwrap()["error"]["code"], -32602);
    accepted(&mut client, &path, call_with_progress(3, "step")).await;
    assert_eq!(
        stream.message().await.unwrap()["method"],
        "notifications/progress"
    );
    accepted(&mut client, &path, PING).await;
    assert_eq!(
        stream.message().await.unwrap()["id"],
        1,
        "calls don't wait for each other"
    );
    app.bench.release.add_permits(1);
    assert_eq!(stream.message().await.unwrap()["id"], 3);
}

#[tokio::test]
async fn a_later_revision_can_be_negotiated_and_no_request_precedes_the_handshake() {
    let app = App::start().await;
    let (mut stream, path) = open(&app).await;
    let mut client = app.connect().await;
    accepted(&mut client, &path, call(1, "echo")).await;
    assert_eq!(stream.message().await.unwrap()["error"]["code"], -32600);
    accepted(&mut client, &path, initialize("2025-06-18")).await;
    assert_eq!(
        stream.message().await.unwrap()["result"]["protocolVersion"],
        "2025-06-18"
    );
}

/// INI-09.
#[tokio::test]
async fn a_second_handshake_on_a_stream_starts_a_new_session() {
    let app = App::start().await;
    let (mut stream, path) = open(&app).await;
    let mut client = app.connect().await;
    accepted(&mut client, &path, initialize("2025-06-18")).await;
    stream.message().await.unwrap();
    accepted(&mut client, &path, INITIALIZED.to_owned()).await;
    accepted(&mut client, &path, call(1, "wait")).await;
    Bench::until(&app.bench.started, 1).await;
    // The calls of the old session end without an answer, and their ids can be used again.
    accepted(&mut client, &path, initialize("2024-11-05")).await;
    let answer = stream.message().await.unwrap();
    assert_eq!(answer["result"]["protocolVersion"], "2024-11-05");
    Bench::until(&app.bench.dropped, 1).await;
    accepted(&mut client, &path, call(1, "echo")).await;
    let answer = stream.message().await.unwrap();
    assert_eq!(
        (&answer["id"], &answer["result"]["isError"]),
        (&1.into(), &false.into())
    );
}

/// SSE-04, SES-05.
#[tokio::test]
async fn posts_without_a_valid_session_are_rejected() {
    let app = App::start().await;
    let (_stream, path) = open(&app).await;
    let mut client = app.connect().await;
    let unknown = format!("/messages?session_id={}", "0".repeat(32));
    for (path, key, status) in [
        ("/messages", GOOD, 400),
        ("/messages?session_id=", GOOD, 400),
        ("/messages?session_id=../../etc", GOOD, 400),
        (unknown.as_str(), GOOD, 404),
        (path.as_str(), OTHER, 404),
        (path.as_str(), "wrong", 401),
    ] {
        let reply = client.ask(&Request::post(path, PING).key(key)).await;
        assert_eq!(reply.status, status, "{path} {key}");
    }
    let reply = client.ask(&Request::post(&path, PING)).await;
    assert_eq!(reply.status, 401, "a session isn't a credential");
    let reply = client.ask(&Request::post(&path, "nonsense").key(GOOD)).await;
    assert_eq!(
        (reply.status, reply.json()["error"]["code"].as_i64()),
        (400, Some(-32700))
    );
}

#[tokio::test]
async fn a_session_ends_with_its_stream() {
    let app = App::start().await;
    let (stream, path) = open(&app).await;
    drop(stream);
    let mut client = app.connect().await;
    loop {
        let reply = client.ask(&Request::post(&path, INITIALIZED).key(GOOD)).await;
        match reply.status {
            // The server may not have noticed yet.
            202 => tokio::task::yield_now().await,
            status => break assert_eq!(status, 404),
        }
    }
    assert_eq!(app.service.open_streams(), 0);
}

/// CAN-01, CAN-02.
#[tokio::test]
async fn a_cancelled_call_is_not_answered() {
    let app = App::start().await;
    let (mut stream, path) = open(&app).await;
    let mut client = app.connect().await;
    accepted(&mut client, &path, initialize("2024-11-05")).await;
    stream.message().await.unwrap();
    accepted(&mut client, &path, call(9, "wait")).await;
    Bench::until(&app.bench.started, 1).await;
    accepted(&mut client, &path, cancel(9)).await;
    Bench::until(&app.bench.dropped, 1).await;
    accepted(&mut client, &path, PING).await;
    assert_eq!(
        stream.message().await.unwrap()["id"],
        1,
        "the next response belongs to another request"
    );
}

/// SSE-05.
#[tokio::test]
async fn post_to_sse_is_streamable_http_unless_only_http_sse_is_served() {
    let app = App::start().await;
    let mut client = app.connect().await;
    assert_eq!(
        client.ask(&Request::post("/sse", PING).key(GOOD)).await.status,
        200
    );

    let app = App::with(|config| {
        config.surface = Surface::HttpSse;
        config.base_path = "/watch".to_owned();
    })
    .await;
    let mut client = app.connect().await;
    let reply = client.ask(&Request::post("/sse", PING).key(GOOD)).await;
    assert_eq!((reply.status, reply.header("allow")), (405, Some("GET, OPTIONS")));
    assert_eq!(
        client.ask(&Request::post("/mcp", PING).key(GOOD)).await.status,
        404
    );
    assert_eq!(client.ask(&Request::new("GET", "/healthz")).await.status, 200);
    let mut stream = app.connect().await;
    stream.ask(&Request::new("GET", "/sse").key(GOOD)).await;
    assert!(
        stream
            .event()
            .await
            .unwrap()
            .contains("data: /watch/messages?session_id=")
    );
}

/// A proxy may remove its path from requests or pass it on. Clients on the same machine use neither.
#[tokio::test]
async fn a_server_below_a_path_answers_with_and_without_it() {
    let app = App::with(|config| config.base_path = "/tools/watch".to_owned()).await;
    for path in [
        "/tools/watch/mcp",
        "/tools/watch/mcp/",
        "/tools/watch/",
        "/tools/watch",
        "/mcp",
    ] {
        let mut client = app.connect().await;
        let reply = client.ask(&Request::post(path, PING).key(GOOD)).await;
        assert_eq!(reply.status, 200, "{path}");
    }
    for path in ["/tools/watch/healthz", "/healthz"] {
        let mut client = app.connect().await;
        assert_eq!(client.ask(&Request::new("GET", path)).await.status, 200, "{path}");
    }
    let mut browser = app.connect().await;
    let welcome = browser.ask(&Request::new("GET", "/tools/watch/")).await;
    assert!(
        welcome.body.contains("to /tools/watch/mcp with"),
        "{}",
        welcome.body
    );
    for path in [
        "/tools/watch/.well-known/oauth-protected-resource",
        "/tools/watch/mcp/.well-known/openid-configuration",
        "/.well-known/oauth-protected-resource/tools/watch/mcp",
    ] {
        let mut client = app.connect().await;
        assert_eq!(client.ask(&Request::new("GET", path)).await.status, 404, "{path}");
    }
    // Another path that begins alike isn't the server's.
    for path in [
        "/tools/watchful/mcp",
        "/tools/mcp",
        "/tools/watch/tools/watch/mcp",
    ] {
        let mut client = app.connect().await;
        let reply = client.ask(&Request::post(path, PING).key(GOOD)).await;
        assert_eq!(reply.status, 404, "{path}");
    }
    for path in ["/tools/watch/sse", "/tools/watch/sse/", "/sse"] {
        let mut stream = app.connect().await;
        stream.ask(&Request::new("GET", path).key(GOOD)).await;
        let endpoint = stream.event().await.unwrap();
        let announced = endpoint.strip_prefix("event: endpoint\ndata: ").unwrap();
        assert!(
            announced.starts_with("/tools/watch/messages?session_id="),
            "{announced}"
        );
        let mut client = app.connect().await;
        accepted(&mut client, announced, initialize("2024-11-05")).await;
        assert_eq!(stream.message().await.unwrap()["id"], 0, "{path}");
        accepted(
            &mut client,
            announced.strip_prefix("/tools/watch").unwrap(),
            INITIALIZED,
        )
        .await;
    }
}

#[tokio::test]
async fn the_number_of_calls_per_stream_is_limited() {
    let app = App::with(|config| config.limits.calls_per_stream = 1).await;
    let (mut stream, path) = open(&app).await;
    let mut client = app.connect().await;
    accepted(&mut client, &path, initialize("2024-11-05")).await;
    stream.message().await.unwrap();
    accepted(&mut client, &path, call(1, "wait")).await;
    let reply = client.ask(&Request::post(&path, call(2, "wait")).key(GOOD)).await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, Some("1")));
    app.bench.release.add_permits(1);
    assert_eq!(stream.message().await.unwrap()["id"], 1);
}
