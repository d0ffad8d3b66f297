//! Requests as clients send them that don't follow the specification in all points.

use crate::{
    app::{App, GOOD},
    http_client::{HttpClient, Reply, Request},
    talk::{PING, call, call_with_progress, handshake, initialize, modern, post},
};
use serde_json::{Value, json};

#[tokio::test]
async fn a_trailing_slash_makes_no_difference() {
    let app = App::start().await;
    let mut client = app.connect().await;
    for path in ["/mcp", "/mcp/", "/sse", "/sse/", "/"] {
        let reply = client.ask(&Request::post(path, PING).key(GOOD)).await;
        assert_eq!((reply.status, &reply.json()["id"]), (200, &json!(1)), "{path}");
    }
    for path in ["/sse", "/sse/"] {
        let mut stream = app.connect().await;
        assert_eq!(stream.ask(&Request::new("GET", path).key(GOOD)).await.status, 200);
        let event = stream.event().await.unwrap();
        let to = event.strip_prefix("event: endpoint\ndata: ").unwrap();
        for to in [to.to_owned(), to.replace("/messages?", "/messages/?")] {
            client
                .ask(&Request::post(&to, initialize("2025-06-18")).key(GOOD))
                .await;
            let answer = stream.message().await.unwrap();
            assert_eq!(answer["result"]["protocolVersion"], "2025-06-18", "{to}");
        }
    }
}

/// Returns the messages of a response in either form.
async fn messages(client: &mut HttpClient, reply: &Reply) -> Vec<Value> {
    if !reply.is_events() {
        return vec![reply.json()];
    }
    let mut found = Vec::new();
    while let Some(message) = client.message().await {
        found.push(message);
    }
    found
}

#[tokio::test]
async fn a_client_that_accepts_one_form_gets_that_form() {
    let app = App::start().await;
    app.bench.release.add_permits(100);
    for (accept, events) in [
        ("application/json", false),
        ("application/*", false),
        ("application/json, text/event-stream;q=0", false),
        ("text/event-stream", true),
        ("text/*", true),
    ] {
        for request in [
            post(initialize("2025-06-18")),
            post(call(0, "echo")),
            post(call_with_progress(0, "step")),
            modern(0, "tools/call", json!({"name": "echo"})),
        ] {
            let mut client = app.connect().await;
            let reply = client.ask(&request.set("Accept", accept)).await;
            assert_eq!(
                (reply.status, reply.is_events()),
                (200, events),
                "{accept}: {reply:?}"
            );
            let all = messages(&mut client, &reply).await;
            let last = all.last().unwrap();
            assert_eq!(
                (&last["id"], last["result"].is_object()),
                (&json!(0), true),
                "{accept}"
            );
            assert!(events || all.len() == 1);
            if last["result"]["protocolVersion"].is_string() {
                let id = reply.header("mcp-session-id").unwrap();
                let ping = post(PING).header("Mcp-Session-Id", id);
                assert_eq!(app.connect().await.ask(&ping).await.status, 200);
            }
        }
    }
    let mut client = app.connect().await;
    let html = post(PING).set("Accept", "text/html");
    assert_eq!(client.ask(&html).await.status, 406);
    let listen = modern(0, "subscriptions/listen", json!({"notifications": {}}));
    let listen = listen.set("Accept", "application/json");
    assert_eq!(
        client.ask(&listen).await.status,
        406,
        "a subscription is a stream"
    );
}

#[tokio::test]
async fn the_paths_of_sign_in_are_not_found() {
    let app = App::start().await;
    let mut client = app.connect().await;
    for path in [
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/mcp",
        "/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration",
        "/.well-known/anything",
        "/mcp/.well-known/oauth-protected-resource",
        "/sse/.well-known/openid-configuration",
        "/register",
        "/authorize?response_type=code",
        "/token",
        "/oauth/token",
        "/oauth2/register",
    ] {
        for method in ["GET", "POST"] {
            let reply = client.ask(&Request::new(method, path)).await;
            assert_eq!(
                (reply.status, reply.json()),
                (404, json!({"error": "Not found"})),
                "{path}"
            );
            assert_eq!(reply.header("content-type"), Some("application/json"), "{path}");
            assert_eq!(reply.header("www-authenticate"), None, "{path}");
        }
    }
}

const PAGE: &str = "https://posture.example.com";

async fn behind_a_proxy() -> App {
    App::with(|config| {
        let url = url::Url::parse(PAGE).unwrap();
        config.hosts = config.hosts.clone().with_public_url(&url);
    })
    .await
}

#[tokio::test]
async fn the_page_of_an_allowed_origin_can_call_and_read() {
    let app = behind_a_proxy().await;
    let mut client = app.connect().await;
    for origin in [PAGE, "http://localhost:5173", "http://127.0.0.1:6274"] {
        // A preflight has no credential.
        let preflight = Request::new("OPTIONS", "/mcp")
            .header("Origin", origin)
            .header("Access-Control-Request-Method", "POST")
            .header(
                "Access-Control-Request-Headers",
                "content-type, x-api-key, mcp-param-place",
            );
        let reply = client.ask(&preflight).await;
        assert_eq!((reply.status, reply.body.as_str()), (204, ""), "{origin}");
        assert_eq!(reply.header("access-control-allow-origin"), Some(origin));
        assert_eq!(reply.header("access-control-allow-credentials"), None);
        assert!(reply.header("vary").unwrap().contains("Origin"));
        let methods = reply.header("access-control-allow-methods").unwrap();
        assert!(
            ["GET", "POST", "DELETE"]
                .iter()
                .all(|method| methods.contains(method))
        );
        let headers = reply.header("access-control-allow-headers").unwrap();
        for name in [
            "authorization",
            "content-type",
            "x-api-key",
            "mcp-session-id",
            "mcp-protocol-version",
            "mcp-param-place",
        ] {
            assert!(
                headers.split(", ").any(|header| header == name),
                "{name}: {headers}"
            );
        }
        let reply = client
            .ask(&post(initialize("2025-11-25")).header("Origin", origin))
            .await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("access-control-allow-origin"), Some(origin));
        let exposed = reply.header("access-control-expose-headers").unwrap();
        assert!(exposed.contains("mcp-session-id"), "{exposed}");
        // A page must be able to read why it was refused.
        let reply = client
            .ask(&Request::post("/mcp", PING).header("Origin", origin))
            .await;
        assert_eq!(reply.status, 401);
        assert_eq!(reply.header("access-control-allow-origin"), Some(origin));
    }
}

#[tokio::test]
async fn other_pages_can_neither_call_nor_read() {
    let app = behind_a_proxy().await;
    let mut client = app.connect().await;
    for origin in ["https://evil.example", "null", "http://posture.example.com"] {
        for request in [
            Request::new("OPTIONS", "/mcp").header("Access-Control-Request-Method", "POST"),
            post(PING),
        ] {
            let reply = client.ask(&request.header("Origin", origin)).await;
            assert_eq!(reply.status, 403, "{origin}");
            assert_eq!(reply.header("access-control-allow-origin"), None, "{origin}");
        }
    }
    // Without an origin, no page is concerned.
    let reply = client.ask(&post(PING)).await;
    assert_eq!(reply.header("access-control-allow-origin"), None);
    let id = handshake(&mut client, "2025-11-25").await;
    assert!(!id.is_empty());
}

#[tokio::test]
async fn an_authorization_header_that_holds_no_key_is_ignored_beside_a_key() {
    let app = App::start().await;
    let mut client = app.connect().await;
    for value in ["Basic d3A6YQ==", "Bearer", "", "Bearer ", "Bearer undefined"] {
        let request = post(PING).header("Authorization", value);
        assert_eq!(client.ask(&request).await.status, 200, "{value}");
        let alone = Request::post("/mcp", PING).header("Authorization", value);
        assert_eq!(client.ask(&alone).await.status, 401, "{value}");
    }
    let two = post(PING).header("Authorization", "Bearer another-key");
    assert_eq!(client.ask(&two).await.status, 401, "two different keys");
}
