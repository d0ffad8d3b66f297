use crate::{
    app::{App, GOOD},
    http_client::{HttpClient, Request},
    talk::{PING, call, modern, post},
};

async fn is_usable(client: &mut HttpClient) {
    assert_eq!(
        client.ask(&post(PING)).await.status,
        200,
        "the connection is still usable"
    );
}

/// RPC-07.
#[tokio::test]
async fn malformed_messages_are_answered_and_the_connection_stays_usable() {
    let app = App::start().await;
    let mut client = app.connect().await;
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for (body, status, code) in [
        ("", 400, -32700),
        ("{", 400, -32700),
        ("nonsense", 400, -32700),
        ("\u{feff}{}", 400, -32600),
        ("[]", 400, -32600),
        ("42", 400, -32600),
        (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, 400, -32600),
        (r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, 400, -32600),
        (r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#, 400, -32600),
        (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, 400, -32600),
        (deep.as_str(), 400, -32600),
    ] {
        let reply = client.ask(&post(body)).await;
        assert_eq!(reply.status, status, "{body:.60}");
        assert_eq!(reply.json()["error"]["code"], code, "{body:.60}");
        is_usable(&mut client).await;
    }
}

#[tokio::test]
async fn a_message_truncated_at_any_byte_leaves_the_connection_usable() {
    let app = App::start().await;
    let mut client = app.connect().await;
    let message = call(7, "echo");
    for end in 0..message.len() {
        let reply = client.ask(&post(&message[..end])).await;
        assert_eq!(reply.json()["error"]["code"], -32700, "truncated at {end}");
    }
    is_usable(&mut client).await;
}

/// HTP-15, SEC-04.
#[tokio::test]
async fn a_body_over_the_limit_is_rejected_before_it_is_read() {
    let app = App::with(|config| config.limits.message_bytes = 2_000).await;
    let mut client = app.connect().await;
    let fits = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{{"a":"{}"}}}}"#,
        "x".repeat(1_942)
    );
    assert_eq!(fits.len(), 2_000);
    assert_eq!(client.ask(&post(fits.clone())).await.status, 200);
    assert_eq!(client.ask(&post(format!("{fits} "))).await.status, 413);

    let mut client = app.connect().await;
    let declared = post("").header("Content-Length", &(1_u64 << 30).to_string());
    let head = String::from_utf8(declared.bytes())
        .unwrap()
        .replace("Content-Length: 0\r\n", "");
    client.send(head).await;
    assert_eq!(client.reply().await.status, 413);
}

#[tokio::test]
async fn a_chunked_body_over_the_limit_closes_its_connection() {
    let app = App::with(|config| config.limits.message_bytes = 2_000).await;
    let chunked = |chunks: &[&str]| {
        let head = Request::post("/mcp", "")
            .key(GOOD)
            .header("Transfer-Encoding", "chunked");
        let mut text = String::from_utf8(head.bytes())
            .unwrap()
            .replace("Content-Length: 0\r\n", "");
        for chunk in chunks {
            text.push_str(&format!("{:x}\r\n{chunk}\r\n", chunk.len()));
        }
        text
    };
    let mut client = app.connect().await;
    let (one, two) = PING.split_at(10);
    client.send(chunked(&[one, two, ""])).await;
    let reply = client.reply().await;
    assert_eq!((reply.status, reply.header("connection")), (200, Some("close")));
    assert!(
        client.is_closed().await,
        "no request can follow a body whose end is unknown"
    );

    let mut client = app.connect().await;
    let piece = "x".repeat(1_500);
    client.send(chunked(&[&piece, &piece])).await;
    assert_eq!(client.reply().await.status, 413);
}

/// HTP-15.
#[tokio::test]
async fn content_types_and_encodings_are_checked() {
    let app = App::start().await;
    let mut client = app.connect().await;
    for (name, value, status) in [
        ("Content-Type", "text/plain", 415),
        ("Content-Type", "application/x-www-form-urlencoded", 415),
        ("Content-Type", "application/json; charset=utf-8", 200),
        ("Content-Encoding", "gzip", 415),
        ("Content-Encoding", "identity", 200),
        ("Accept", "text/html", 406),
        ("Accept", "*/*", 200),
        ("Accept", "text/event-stream, application/json;q=0.5", 200),
    ] {
        let reply = client.ask(&post(PING).set(name, value)).await;
        assert_eq!(reply.status, status, "{name}: {value}");
    }
    assert_eq!(client.ask(&post(PING).without("Content-Type")).await.status, 415);
}

#[tokio::test]
async fn headers_over_the_limits_are_rejected() {
    let app = App::start().await;
    let check = async |request: Request, status: u16| {
        let mut client = app.connect().await;
        client.try_send(request.bytes()).await;
        assert_eq!(client.reply().await.status, status);
    };
    check(
        Request::new("GET", &format!("/{}", "a".repeat(9_000))).key(GOOD),
        414,
    )
    .await;
    check(post(PING).header("X-Long", &"a".repeat(40_000)), 431).await;
    let many = (0..120).fold(post(PING), |request, n| request.header(&format!("X-{n}"), "a"));
    check(many, 431).await;
    let mut client = app.connect().await;
    client.send("rubbish\r\n\r\n").await;
    assert_eq!(client.reply().await.status, 400);
}

#[tokio::test]
async fn slow_headers_and_bodies_time_out() {
    let app = App::with(|config| {
        config.timing.head = std::time::Duration::from_millis(30);
        config.timing.body_grace = std::time::Duration::from_millis(30);
    })
    .await;
    let mut client = app.connect().await;
    client.send("POST /mcp HT").await;
    assert!(client.is_closed().await);

    let mut client = app.connect().await;
    let request = post(PING).bytes();
    client.send(&request[..request.len() - 5]).await;
    assert_eq!(client.reply().await.status, 408);
}

/// RPC-13.
#[tokio::test]
async fn a_panic_in_a_tool_affects_only_its_call() {
    let app = App::start().await;
    let mut client = app.connect().await;
    let reply = client.ask(&post(call(1, "panic"))).await;
    assert_eq!(
        (reply.status, reply.json()["error"]["code"].as_i64()),
        (200, Some(-32603))
    );
    is_usable(&mut client).await;
}

/// HTP-03, HTP-04, HTP-05, HDR-02, HDR-05.
#[tokio::test]
async fn modern_statuses_are_those_of_the_protocol() {
    let app = App::start().await;
    let mut client = app.connect().await;
    let tools = serde_json::json!({});
    let reply = client.ask(&modern(1, "tools/list", tools.clone())).await;
    assert_eq!(
        (reply.status, reply.json()["result"]["resultType"].as_str()),
        (200, Some("complete"))
    );
    assert!(reply.header("mcp-session-id").is_none());
    for name in ["mcp-method", "MCP-METHOD"] {
        let spelled = modern(1, "tools/list", tools.clone())
            .without("Mcp-Method")
            .header(name, "tools/list");
        assert_eq!(client.ask(&spelled).await.status, 200, "{name}");
    }
    let unknown = client.ask(&modern(1, "no/such/method", tools.clone())).await;
    assert_eq!(
        (unknown.status, unknown.json()["error"]["code"].as_i64()),
        (404, Some(-32601))
    );
    let mismatch = modern(1, "tools/list", tools.clone()).set("Mcp-Method", "tools/call");
    let mismatch = client.ask(&mismatch).await;
    assert_eq!(
        (mismatch.status, mismatch.json()["error"]["code"].as_i64()),
        (400, Some(-32020))
    );
    let with_session = modern(1, "tools/list", tools).header("Mcp-Session-Id", "nonsense");
    assert_eq!(
        client.ask(&with_session).await.status,
        200,
        "modern requests have no sessions"
    );
    for method in ["GET", "DELETE"] {
        let request = Request::new(method, "/mcp")
            .key(GOOD)
            .header("MCP-Protocol-Version", "2026-07-28");
        let reply = client.ask(&request).await;
        assert_eq!(
            (reply.status, reply.header("allow")),
            (405, Some("POST")),
            "{method}"
        );
    }
}

#[tokio::test]
async fn http_2_announces_its_limits() {
    let app = App::start().await;
    let mut client = app.connect().await;
    let settings_without_any = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    client.send(settings_without_any).await;
    let head = client.bytes(9).await;
    assert_eq!(head[3], 4, "a SETTINGS frame comes first");
    let settings = client.bytes(usize::from(head[2])).await;
    let value = |id: u8| {
        let found = settings.chunks(6).find(|setting| setting[..2] == [0, id]);
        found.map(|setting| u32::from_be_bytes([setting[2], setting[3], setting[4], setting[5]]))
    };
    assert_eq!(value(3), Some(128), "concurrent streams");
    assert_eq!(value(6), Some(32 << 10), "bytes of headers");
}

#[tokio::test]
async fn requests_whose_end_is_ambiguous_are_rejected_with_everything_behind_them() {
    let app = App::start().await;
    let hidden = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let start = "POST /mcp HTTP/1.1\r\nHost: localhost\r\n";
    for bytes in [
        format!("{start}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}"),
        format!("{start}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n{hidden}"),
        format!("{start}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n{hidden}"),
        format!("{start}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{hidden}"),
        format!("{start}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{{}}{hidden}"),
        format!("GET /healthz HTTP/1.1\nHost: localhost\r\n\r\n{hidden}"),
        format!("GET /healthz HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n{hidden}"),
        format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\n{hidden}"),
        format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: y\rZ: 1\r\n\r\n{hidden}"),
    ] {
        let mut client = app.connect().await;
        client.try_send(&bytes).await;
        assert_eq!(client.reply().await.status, 400, "{bytes}");
        assert!(client.is_closed().await, "{bytes}");
    }
    let mut client = app.connect().await;
    client.send(hidden.repeat(2)).await;
    for _ in 0..2 {
        assert_eq!(client.reply().await.status, 200);
    }
}

#[tokio::test]
async fn chunks_with_ambiguous_lines_are_rejected() {
    let app = App::start().await;
    for chunks in [
        "28\n{ping}\r\n0\r\n\r\n",
        "28\r\n{ping}\n0\r\n\r\n",
        "0x28\r\n{ping}\r\n0\r\n\r\n",
        "28\r\n{ping}\r\n0\r\nX: y\n\r\n",
    ] {
        let head = format!(
            "POST /mcp HTTP/1.1\r\nHost: localhost\r\nX-Api-Key: {GOOD}\r\nContent-Type: application/json\r\nAccept: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        let mut client = app.connect().await;
        client.try_send(head + &chunks.replace("{ping}", PING)).await;
        assert_eq!(client.reply().await.status, 400, "{chunks}");
        assert!(client.is_closed().await, "{chunks}");
    }
}
