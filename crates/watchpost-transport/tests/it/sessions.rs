use crate::{
    app::{App, Bench, GOOD, OTHER},
    http_client::{HttpClient, Request},
    talk::{INITIALIZED, PING, call, cancel, handshake, initialize, post},
};

const REVISION: &str = "2025-11-25";

fn in_session(id: &str, body: impl Into<String>) -> Request {
    post(body).header("Mcp-Session-Id", id)
}

/// INI-10, SES-01, SHT-02.
#[tokio::test]
async fn a_session_accepts_any_version_header() {
    let app = App::start().await;
    let mut client = app.connect().await;
    let id = handshake(&mut client, REVISION).await;
    assert!(id.bytes().all(|byte| (0x21..=0x7e).contains(&byte)));
    let early = client.ask(&in_session(&id, call(1, "echo"))).await;
    assert_eq!(
        early.json()["result"]["isError"],
        false,
        "before `notifications/initialized`"
    );
    let accepted = client.ask(&in_session(&id, INITIALIZED)).await;
    assert_eq!((accepted.status, accepted.body.as_str()), (202, ""));
    let response = client
        .ask(&in_session(&id, r#"{"jsonrpc":"2.0","id":1,"result":{}}"#))
        .await;
    assert_eq!((response.status, response.body.as_str()), (202, ""));
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let reply = client
            .ask(&in_session(&id, call(2, "echo")).header("MCP-Protocol-Version", version))
            .await;
        assert_eq!(reply.status, 200, "{version}");
    }
    let unserved = in_session(&id, PING).header("MCP-Protocol-Version", "2023-01-01");
    assert_eq!(client.ask(&unserved).await.status, 400);
}

/// INI-09.
#[tokio::test]
async fn a_handshake_with_any_session_id_makes_a_new_session() {
    let app = App::start().await;
    let mut client = app.connect().await;
    let id = handshake(&mut client, REVISION).await;
    let ended = handshake(&mut client, REVISION).await;
    let end = Request::new("DELETE", "/mcp")
        .key(GOOD)
        .header("Mcp-Session-Id", &ended);
    assert_eq!(client.ask(&end).await.status, 204);
    for given in [id.as_str(), &ended, "no-such-session", ""] {
        let reply = client.ask(&in_session(given, initialize(REVISION))).await;
        assert_eq!(reply.status, 200, "{given}: {reply:?}");
        let new = reply.header("mcp-session-id").unwrap().to_owned();
        assert!(!new.is_empty() && new != given);
        assert_eq!(client.ask(&in_session(&new, PING)).await.status, 200);
    }
    assert_eq!(
        client.ask(&in_session(&id, PING)).await.status,
        200,
        "the other session goes on"
    );
}

#[tokio::test]
async fn a_post_without_a_session_is_served_on_its_own() {
    let app = App::start().await;
    let mut client = app.connect().await;
    let reply = client.ask(&post(call(5, "echo"))).await;
    assert_eq!((reply.status, reply.json()["id"].as_i64()), (200, Some(5)));
    assert!(reply.header("mcp-session-id").is_none());
}

/// SES-03.
#[tokio::test]
async fn a_session_continues_in_another_process_with_the_same_key() {
    let app = App::start().await;
    let id = handshake(&mut app.connect().await, REVISION).await;
    let replica = App::start().await;
    let mut client = replica.connect().await;
    assert_eq!(client.ask(&in_session(&id, PING)).await.status, 200);
    let elsewhere =
        App::with(|config| config.session_key = watchpost_transport::SessionKey::new([8; 32])).await;
    let mut client = elsewhere.connect().await;
    assert_eq!(client.ask(&in_session(&id, PING)).await.status, 404);
}

async fn is_unknown(client: &mut HttpClient, id: &str, key: &str) {
    for request in [
        Request::post("/mcp", PING),
        Request::post("/mcp", INITIALIZED),
        Request::post("/mcp", r#"{"jsonrpc":"2.0","id":1,"result":{}}"#),
        Request::new("GET", "/mcp").header("Accept", "text/event-stream"),
        Request::new("DELETE", "/mcp"),
    ] {
        let request = request.key(key).header("Mcp-Session-Id", id);
        let reply = client.ask(&request).await;
        assert_eq!(reply.status, 404, "{request:?}: {reply:?}");
    }
}

/// SES-01, SES-03, SES-06.
#[tokio::test]
async fn a_foreign_altered_or_expired_session_looks_like_an_unknown_one() {
    let app = App::start().await;
    let mut client = app.connect().await;
    let id = handshake(&mut client, REVISION).await;
    assert_eq!(client.ask(&in_session(&id, PING)).await.status, 200);
    is_unknown(&mut client, &id, OTHER).await;
    let altered = if id.ends_with('A') {
        id.replace('A', "B")
    } else {
        format!("{}A", &id[..id.len() - 1])
    };
    is_unknown(&mut client, &altered, GOOD).await;
    is_unknown(&mut client, "no-such-session", GOOD).await;
    assert_eq!(
        client.ask(&in_session(&id, PING)).await.status,
        200,
        "the original session still works"
    );
    app.clock.advance(7 * 24 * 60 * 60 - 1);
    assert_eq!(client.ask(&in_session(&id, PING)).await.status, 200);
    app.clock.advance(1);
    is_unknown(&mut client, &id, GOOD).await;
}

/// SES-02, SES-03, SES-04.
#[tokio::test]
async fn a_deleted_session_is_gone_on_every_connection() {
    let app = App::start().await;
    let mut client = app.connect().await;
    let id = handshake(&mut client, REVISION).await;
    let mut other = app.connect().await;
    assert_eq!(other.ask(&in_session(&id, PING)).await.status, 200);
    let end = Request::new("DELETE", "/mcp")
        .key(GOOD)
        .header("Mcp-Session-Id", &id);
    assert_eq!(client.ask(&end).await.status, 204);
    is_unknown(&mut client, &id, GOOD).await;
    is_unknown(&mut other, &id, GOOD).await;
    assert_eq!(
        client.ask(&Request::new("DELETE", "/mcp").key(GOOD)).await.status,
        400
    );
}

/// SES-08.
#[tokio::test]
async fn a_failed_handshake_leaves_no_session() {
    let app = App::start().await;
    let mut client = app.connect().await;
    let reply = client
        .ask(&post(
            r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#,
        ))
        .await;
    assert_eq!(reply.json()["error"]["code"], -32602);
    assert!(reply.header("mcp-session-id").is_none());
}

/// CAN-01, CAN-07, RPC-16.
#[tokio::test]
async fn a_cancellation_ends_a_call_with_an_error_only_in_its_own_session() {
    let app = App::start().await;
    let mut client = app.connect().await;
    let id = handshake(&mut client, REVISION).await;
    let mut other = app.connect().await;
    let other_id = handshake(&mut other, REVISION).await;
    client.send(in_session(&id, call(9, "wait")).bytes()).await;
    Bench::until(&app.bench.started, 1).await;
    assert_eq!(other.ask(&in_session(&other_id, cancel(9))).await.status, 202);
    assert_eq!(other.ask(&in_session(&id, cancel("9"))).await.status, 202);
    assert_eq!(other.ask(&post(cancel(9))).await.status, 202);
    let again = other.ask(&in_session(&id, call(9, "echo"))).await;
    assert_eq!(
        again.json()["error"]["code"],
        -32600,
        "the id is still in use, so the call is running"
    );
    assert_eq!(other.ask(&in_session(&id, cancel(9))).await.status, 202);
    let reply = client.reply().await;
    assert_eq!(
        (reply.status, reply.json()["error"]["code"].as_i64()),
        (200, Some(-32800))
    );
    assert_eq!(
        (*app.bench.dropped.borrow(), *app.bench.finished.borrow()),
        (1, 0)
    );
}

/// BAT-01, BAT-02, BAT-04.
#[tokio::test]
async fn batches_are_served_if_2025_03_26_was_negotiated() {
    let app = App::start().await;
    let mut client = app.connect().await;
    let array = format!("[{},{INITIALIZED},{}]", call(1, "echo"), call(2, "panic"));
    let id = handshake(&mut client, "2025-03-26").await;
    let reply = client.ask(&in_session(&id, array.clone())).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json().as_array().map(Vec::len), Some(2));
    assert_eq!(
        client
            .ask(&in_session(&id, format!("[{INITIALIZED}]")))
            .await
            .status,
        202
    );
    let id = handshake(&mut client, "2025-06-18").await;
    assert_eq!(
        client.ask(&in_session(&id, array)).await.json()["error"]["code"],
        -32600
    );
}
