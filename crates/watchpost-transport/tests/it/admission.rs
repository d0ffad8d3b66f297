use crate::{
    app::{App, GOOD, OTHER},
    http_client::Request,
    talk::{PING, call, post},
};
use serde_json::json;

const PATHS: [&str; 13] = [
    "/",
    "/mcp",
    "/mcp/",
    "/sse",
    "/messages",
    "/messages?session_id=00",
    "/healthz",
    "/readyz",
    "/metrics",
    "/.well-known/oauth-protected-resource",
    "/.well-known/oauth-protected-resource/mcp",
    "/mcp/.well-known/openid-configuration",
    "/no/such/path",
];

const METHODS: [&str; 8] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE",
];

/// Returns the status of a request without a key, if its route is public.
fn is_public(method: &str, path: &str) -> Option<u16> {
    let reads = matches!(method, "GET" | "HEAD");
    match path {
        "/healthz" | "/readyz" | "/metrics" if reads => Some(200),
        "/" if reads => Some(404),
        path if path.contains("/.well-known/") && (reads || matches!(method, "POST" | "OPTIONS")) => {
            Some(404)
        }
        _ => None,
    }
}

/// AUT-01, AUT-05, AUT-07.
#[tokio::test]
async fn without_a_key_only_public_routes_are_served() {
    let app = App::start().await;
    for path in PATHS {
        for method in METHODS {
            let mut client = app.connect().await;
            let mut request = Request::new(method, path).header("Content-Type", "application/json");
            if method == "POST" {
                request = request.body(call(1, "echo"));
            }
            let mut reply = {
                client.send(request.bytes()).await;
                if method == "HEAD" {
                    // The response to HEAD has a length but no body.
                    client.head().await
                } else {
                    client.reply().await
                }
            };
            match is_public(method, path) {
                Some(status) => assert_eq!(reply.status, status, "{method} {path}"),
                None => {
                    assert_eq!(reply.status, 401, "{method} {path}");
                    assert_eq!(
                        reply.header("www-authenticate"),
                        Some("Bearer realm=\"watchpost\"")
                    );
                    if method != "HEAD" {
                        assert_eq!(std::mem::take(&mut reply.body), r#"{"error":"API key required"}"#);
                    }
                }
            }
        }
    }
}

/// AUT-07.
#[tokio::test]
async fn well_known_paths_answer_not_found_as_json() {
    let app = App::start().await;
    let mut client = app.connect().await;
    let reply = client
        .ask(&Request::new("GET", "/.well-known/oauth-authorization-server"))
        .await;
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (404, Some("application/json"))
    );
    assert_eq!(reply.json(), json!({"error": "Not found"}));
}

#[tokio::test]
async fn probes_answer_and_report_that_the_server_is_stopping() {
    let app = App::start().await;
    let mut client = app.connect().await;
    assert_eq!(
        client.ask(&Request::new("GET", "/healthz")).await.json(),
        json!({"status": "ok"})
    );
    assert_eq!(
        client.ask(&Request::new("GET", "/readyz")).await.json(),
        json!({"status": "ready"})
    );
    assert_eq!(
        client.ask(&Request::new("GET", "/metrics")).await.body,
        "calls_total 1\n"
    );
    app.service.stop();
    let reply = client.ask(&Request::new("GET", "/readyz")).await;
    assert_eq!(reply.status, 503);
    assert_eq!(reply.json(), json!({"status": "not ready", "reason": "stopping"}));
}

#[tokio::test]
async fn a_key_is_accepted_in_every_form_of_both_headers() {
    let app = App::start().await;
    let mut client = app.connect().await;
    for (name, value) in [
        ("X-Api-Key", "good-key"),
        ("x-api-key", "good-key"),
        ("X-API-KEY", "  good-key  "),
        ("Authorization", "Bearer good-key"),
        ("authorization", "bearer good-key"),
        ("AUTHORIZATION", "BEARER   good-key "),
    ] {
        let reply = client.ask(&Request::post("/mcp", PING).header(name, value)).await;
        assert_eq!(reply.status, 200, "{name}: {value}");
    }
    let both = Request::post("/mcp", PING)
        .key(GOOD)
        .header("Authorization", "Bearer good-key");
    assert_eq!(client.ask(&both).await.status, 200);
}

/// AUT-01, AUT-05.
#[tokio::test]
async fn an_invalid_key_is_rejected() {
    let app = App::start().await;
    let mut client = app.connect().await;
    let with = |name: &str, value: &str| Request::post("/mcp", PING).header(name, value);
    for request in [
        with("X-Api-Key", "wrong"),
        with("Authorization", "Bearer wrong"),
        with("Authorization", "Basic Z29vZC1rZXk="),
        with("Authorization", "good-key"),
        with("X-Api-Key", ""),
        with("X-Api-Key", GOOD).header("Authorization", "Bearer other-key"),
        with("X-Api-Key", GOOD).header("X-Api-Key", OTHER),
    ] {
        let reply = client.ask(&request).await;
        assert_eq!(reply.status, 401, "{request:?}");
        assert_eq!(reply.body, r#"{"error":"Invalid API key"}"#);
        assert_eq!(
            reply.header("www-authenticate"),
            Some("Bearer realm=\"watchpost\"")
        );
    }
    let in_query = Request::post(&format!("/mcp?api_key={GOOD}"), PING);
    assert_eq!(
        client.ask(&in_query).await.status,
        401,
        "a key in the query isn't used"
    );
}

#[tokio::test]
async fn temporary_refusals_say_when_to_retry() {
    let app = App::start().await;
    let mut client = app.connect().await;
    let check = async |client: &mut crate::http_client::HttpClient, key: &str, status: u16| {
        let reply = client.ask(&Request::post("/mcp", PING).key(key)).await;
        assert_eq!(
            (reply.status, reply.header("retry-after")),
            (status, Some("7")),
            "{key}"
        );
    };
    check(&mut client, "spent-key", 429).await;
    check(&mut client, "key-of-a-locked-store", 503).await;
}

#[tokio::test]
async fn the_21st_invalid_key_of_an_address_must_wait_while_a_valid_one_is_served() {
    let app = App::start().await;
    let mut client = app.connect().await;
    let wrong = Request::post("/mcp", PING).key("wrong");
    for attempt in 1..=20 {
        assert_eq!(client.ask(&wrong).await.status, 401, "attempt {attempt}");
    }
    let reply = client.ask(&wrong).await;
    assert_eq!(reply.status, 429);
    let wait: u64 = reply.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait));
    assert_eq!(
        client.ask(&post(PING)).await.status,
        200,
        "a valid key from the same address"
    );
    assert_eq!(
        client.ask(&Request::post("/mcp", PING)).await.status,
        401,
        "a missing key isn't counted as an invalid one"
    );
    app.clock.advance(60);
    assert_eq!(client.ask(&wrong).await.status, 401, "after a minute");
}

#[tokio::test]
async fn invalid_keys_are_counted_by_the_address_from_trusted_proxies() {
    let app = App::with(|config| config.proxies = vec!["127.0.0.0/8".parse().unwrap()]).await;
    let mut client = app.connect().await;
    let wrong = |client: &str| {
        Request::post("/mcp", PING)
            .key("wrong")
            .header("X-Forwarded-For", client)
    };
    for _ in 0..20 {
        assert_eq!(client.ask(&wrong("198.51.100.1")).await.status, 401);
    }
    assert_eq!(client.ask(&wrong("198.51.100.1")).await.status, 429);
    assert_eq!(
        client.ask(&wrong("198.51.100.2")).await.status,
        401,
        "another client of the same proxy"
    );
    assert_eq!(
        client.ask(&wrong("198.51.100.2, 198.51.100.1")).await.status,
        429,
        "an address written by the client is ignored"
    );
}

/// SEC-01, SEC-02, SSE-06.
#[tokio::test]
async fn unknown_hosts_and_origins_are_rejected_on_every_route() {
    let public = url::Url::parse("https://posture.example.com").unwrap();
    let app = App::with(|config| config.hosts = config.hosts.clone().with_public_url(&public)).await;
    let mut client = app.connect().await;
    for path in PATHS {
        let check = async |client: &mut crate::http_client::HttpClient,
                           request: Request,
                           status: u16,
                           message: &str| {
            let reply = client.ask(&request).await;
            assert_eq!(
                (reply.status, reply.json()),
                (status, json!({"error": message})),
                "{request:?}"
            );
        };
        let request = || Request::post(path, PING).key(GOOD);
        for host in [
            "evil.example",
            "localhost.evil.example",
            "user@localhost",
            "localhost.",
            "0.0.0.0",
            "127.0.0.2",
        ] {
            let message = format!(
                "Host not allowed: {host}. The operator allows the name under which clients reach this server with the setting http.public_url"
            );
            check(&mut client, request().set("Host", host), 403, &message).await;
        }
        for origin in [
            "null",
            "https://evil.example",
            "http://posture.example.com",
            "https://posture.example.com.evil.example",
        ] {
            check(
                &mut client,
                request().header("Origin", origin),
                403,
                &format!("Origin not allowed: {origin}. Pages of this machine and of the setting http.public_url may use this server"),
            )
            .await;
        }
        let two = request()
            .header("Origin", "http://localhost")
            .header("Origin", "https://evil.example");
        check(
            &mut client,
            two,
            403,
            "Origin not allowed: http://localhost. Pages of this machine and of the setting http.public_url may use this server",
        )
        .await;
        check(
            &mut client,
            request().header("Host", "localhost"),
            400,
            "Exactly one Host is required",
        )
        .await;
        check(
            &mut client,
            request().without("Host"),
            400,
            "Exactly one Host is required",
        )
        .await;
    }
    for host in [
        "localhost",
        "LOCALHOST:80",
        "127.0.0.1:4711",
        "[::1]:4711",
        "Posture.Example.com",
        "posture.example.com:8443",
    ] {
        assert_eq!(
            client.ask(&post(PING).set("Host", host)).await.status,
            200,
            "{host}"
        );
    }
    for origin in [
        "http://localhost:5173",
        "http://[::1]",
        "https://posture.example.com",
    ] {
        assert_eq!(
            client.ask(&post(PING).header("Origin", origin)).await.status,
            200,
            "{origin}"
        );
    }
}

/// SSE-04.
#[tokio::test]
async fn a_wrong_method_is_answered_with_the_allowed_ones() {
    let app = App::start().await;
    let mut client = app.connect().await;
    for (method, path, allow) in [
        ("PUT", "/mcp", "GET, POST, DELETE, OPTIONS"),
        ("GET", "/messages", "POST, OPTIONS"),
        ("PATCH", "/sse", "GET, POST, DELETE, OPTIONS"),
        ("PUT", "/", "GET, HEAD, POST, DELETE, OPTIONS"),
        ("POST", "/healthz", "GET, HEAD, OPTIONS"),
        ("GET", "/mcp", "POST"),
    ] {
        let reply = client.ask(&Request::new(method, path).key(GOOD).body("")).await;
        assert_eq!(
            (reply.status, reply.header("allow")),
            (405, Some(allow)),
            "{method} {path}"
        );
    }
    let reply = client.ask(&Request::new("OPTIONS", "/mcp").key(GOOD)).await;
    assert_eq!(
        (reply.status, reply.header("allow")),
        (204, Some("GET, POST, DELETE, OPTIONS"))
    );
    assert!(reply.header("access-control-allow-origin").is_none());
    assert_eq!(
        client
            .ask(&Request::new("GET", "/no/such/path").key(GOOD))
            .await
            .status,
        404
    );
}

/// SEC-04.
#[tokio::test]
async fn beyond_the_connection_limit_only_probes_are_served() {
    let app = App::with(|config| {
        config.limits.connections_total = 1;
        config.limits.connections_reserved = 1;
    })
    .await;
    let mut first = app.connect().await;
    assert_eq!(first.ask(&post(PING)).await.status, 200);
    let mut reserved = app.connect().await;
    let reply = reserved.ask(&Request::new("GET", "/healthz")).await;
    assert_eq!(reply.status, 200);
    assert!(
        reserved.is_closed().await,
        "a reserved connection serves only one probe"
    );
    let mut reserved = app.connect().await;
    let reply = reserved.ask(&post(PING)).await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, Some("1")));
    assert_eq!(first.ask(&post(PING)).await.status, 200);
}
