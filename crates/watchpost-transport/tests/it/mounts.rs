//! Mounts beside MCP: access to their routes, shared limits, and common response headers.

use crate::{
    app::{App, GOOD, OTHER},
    http_client::{Reply, Request},
    talk::{PING, handshake, post},
};
use bytes::Bytes;
use http::{HeaderValue, Method};
use http_body::{Body, Frame};
use serde_json::json;
use std::{
    collections::BTreeSet,
    convert::Infallible,
    num::NonZeroU32,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use watchpost_transport::{
    Access, Admitted, Config, ErrorBody, Mount, Mounts, Request as Asked, Response, ResponseBody, Route,
    ServiceError, Surface,
};

/// A mount with a route of each access, and routes with unusual responses.
struct TestMount;

/// A stream that yields one chunk and never ends.
struct Endless(Option<Bytes>);

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.0.take() {
            Some(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            None => Poll::Pending,
        }
    }
}

fn endless() -> ResponseBody {
    ResponseBody::stream(Endless(Some(Bytes::from_static(b"first"))))
}

impl Mount<Arc<str>> for TestMount {
    fn routes(&self) -> Vec<Route> {
        vec![
            Route::new("/api/v1/desk", [Method::GET, Method::POST], Access::Key),
            Route::new("/api/v1/report", [Method::GET], Access::Key),
            Route::new("/api/v1/panic", [Method::GET], Access::Key),
            Route::new("/api/v1/import", [Method::POST], Access::Key).body_bytes(1 << 20),
            Route::new("/api/v1/rooms", [Method::GET], Access::Either),
            Route::prefix("/w/", [Method::GET, Method::POST], Access::Member),
            Route::prefix("/assets/", [Method::GET, Method::HEAD], Access::Public),
            Route::new("/assets/endless", [Method::GET], Access::Public),
            Route::new("/assets/panic", [Method::GET], Access::Public),
            Route::template("/forms/{id}", [Method::GET, Method::POST], Access::Key),
        ]
    }

    fn error(&self, path: &str, error: &ServiceError<'_>) -> Option<ErrorBody> {
        path.starts_with("/forms/").then(|| ErrorBody {
            media_type: "text/x-form",
            bytes: format!("{} {}", error.status.as_u16(), error.message).into(),
        })
    }

    async fn serve(&self, admitted: Admitted<'_, Arc<str>>) -> Response {
        let Admitted {
            principal, request, ..
        } = admitted;
        match request.head.uri.path() {
            "/api/v1/report" => return Response::new(endless()),
            "/api/v1/panic" => panic!("this route always panics"),
            _ => {}
        }
        let mut response = match request.body.read().await {
            Ok(body) => Response::new(ResponseBody::bytes(format!("{principal} {}", body.len()))),
            Err(error) => return error.response(),
        };
        let caching = HeaderValue::from_static("public, max-age=60");
        response.headers_mut().insert("cache-control", caching);
        response
    }

    async fn serve_public(&self, request: Asked<'_>) -> Response {
        match request.head.uri.path() {
            "/assets/endless" => return Response::new(endless()),
            "/assets/panic" => panic!("this route always panics"),
            _ => {}
        }
        let mut response = Response::new(ResponseBody::bytes("asset"));
        let caching = HeaderValue::from_static("public, max-age=60");
        response.headers_mut().insert("cache-control", caching);
        response
    }
}

async fn app_with_mount(surface: Surface) -> App {
    let change = |config: &mut Config| {
        config.surface = surface;
        config.limits.wrong_keys_per_minute = NonZeroU32::MAX;
    };
    App::with_mounts(change, Mounts::default().and(TestMount)).await
}

const METHODS: [&str; 8] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE",
];

/// A method and path with the access of its route, or `None` if the path doesn't have the method.
struct Step {
    method: &'static str,
    path: String,
    header: Option<String>,
    access: Option<Access>,
}

/// Returns every method of every path in the route table and of an unknown path.
fn steps(app: &App) -> Vec<Step> {
    let routes: Vec<Route> = app.service.routes().cloned().collect();
    let targets: BTreeSet<_> = routes.iter().map(|route| target(route)).collect();
    let mut steps = Vec::new();
    for (path, is_prefix, header) in targets {
        for method in METHODS {
            let rows = || {
                routes
                    .iter()
                    .filter(|route| target(route) == (path, is_prefix, header.clone()))
            };
            let named = rows().find(|route| {
                let methods = route.methods().unwrap_or_default();
                methods.iter().any(|served| served.as_str() == method)
            });
            let row = named.or_else(|| rows().find(|route| route.methods().is_none()));
            steps.push(Step {
                method,
                path: if is_prefix {
                    format!("{path}x")
                } else {
                    path.to_owned()
                },
                header: header.clone(),
                access: row.map(Route::access),
            });
        }
    }
    for method in METHODS {
        steps.push(Step {
            method,
            path: "/no/such/path".to_owned(),
            header: None,
            access: None,
        });
    }
    steps
}

fn target(route: &Route) -> (&'static str, bool, Option<String>) {
    let header = route.header().map(|name| name.as_str().to_owned());
    (route.path(), route.is_prefix(), header)
}

impl Step {
    async fn take(&self, app: &App, change: impl FnOnce(Request) -> Request) -> Reply {
        let mut request = Request::new(self.method, &self.path);
        if let Some(name) = &self.header {
            request = request.header(name, "x");
        }
        let mut client = app.connect().await;
        client.send(change(request.body("")).bytes()).await;
        // Some responses have a length but no body, or don't end.
        client.head().await
    }

    fn name(&self) -> String {
        format!("{} {} {:?}", self.method, self.path, self.header)
    }
}

/// AUT-01, AUT-05, AUT-07. New routes are included automatically.
#[tokio::test]
async fn every_route_enforces_its_access() {
    for surface in [Surface::Everything, Surface::HttpSse] {
        let app = app_with_mount(surface).await;
        let steps = steps(&app);
        assert!(steps.len() > 100, "the route table isn't empty");
        for step in steps {
            let nobody = step.take(&app, |request| request).await;
            let wrong = step
                .take(&app, |request| request.header("Authorization", "Basic x"))
                .await;
            let key = step.take(&app, |request| request.key(GOOD)).await;
            let name = step.name();
            let is_public = step.access == Some(Access::Public);
            for refused in [&nobody, &wrong] {
                let challenge = refused.header("www-authenticate");
                assert_eq!(refused.status != 401, is_public, "{name}: {refused:?}");
                assert_eq!(challenge.is_none(), is_public, "{name}");
            }
            match step.access {
                Some(Access::Member) => assert_eq!(
                    key.status, 401,
                    "{name}: a key doesn't grant access for signed-in users"
                ),
                _ => assert_ne!(key.status, 401, "{name}: {key:?}"),
            }
            if step.access.is_none() {
                assert!(matches!(key.status, 404 | 405 | 204), "{name}: {key:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_mount_serves_its_routes_beside_mcp() {
    let app = app_with_mount(Surface::Everything).await;
    let mut client = app.connect().await;
    let get = |path: &str| Request::new("GET", path);
    let reply = client.ask(&get("/api/v1/desk").key(GOOD)).await;
    assert_eq!((reply.status, reply.body.as_str()), (200, "good-key 0"));
    let reply = client.ask(&get("/api/v1/rooms").key(OTHER)).await;
    assert_eq!((reply.status, reply.body.as_str()), (200, "other-key 0"));
    let reply = client.ask(&get("/assets/site.css")).await;
    assert_eq!((reply.status, reply.body.as_str()), (200, "asset"));
    let reply = client.ask(&get("/w/acme/findings").key(GOOD)).await;
    assert_eq!(
        (reply.status, reply.json()),
        (401, json!({"error": "Sign-in required"}))
    );
    let reply = client.ask(&Request::new("PUT", "/api/v1/desk").key(GOOD)).await;
    assert_eq!(
        (reply.status, reply.header("allow")),
        (405, Some("GET, POST, OPTIONS"))
    );
    let reply = client
        .ask(&Request::new("OPTIONS", "/api/v1/desk").key(GOOD))
        .await;
    assert_eq!(
        (reply.status, reply.header("allow")),
        (204, Some("GET, POST, OPTIONS"))
    );
    assert_eq!(client.ask(&post(PING)).await.status, 200, "MCP still works");
}

/// The errors of admission, of routing and of reading the body, on paths with and without a route.
#[tokio::test]
async fn a_mount_gives_the_errors_on_its_paths_their_form() {
    let app = app_with_mount(Surface::Everything).await;
    let get = |path: &str| Request::new("GET", path);
    let large = Request::new("POST", "/forms/1")
        .key(GOOD)
        .body("x".repeat((256 << 10) + 1));
    for (request, status, body) in [
        (get("/forms/1"), 401, "401 API key required"),
        (get("/forms/1").key("unknown-key"), 401, "401 Invalid API key"),
        (get("/forms/1/2").key(GOOD), 404, "404 Not found"),
        (
            Request::new("PUT", "/forms/1").key(GOOD),
            405,
            "405 Method not allowed",
        ),
        (large, 413, "413 The message is too large"),
    ] {
        let mut client = app.connect().await;
        client.try_send(request.bytes()).await;
        let reply = client.reply().await;
        assert_eq!((reply.status, reply.body.as_str()), (status, body), "{request:?}");
        assert_eq!(reply.header("content-type"), Some("text/x-form"), "{request:?}");
        assert_eq!(reply.header("www-authenticate").is_some(), status == 401);
        assert_eq!(reply.header("allow").is_some(), status == 405);
    }
    let mut client = app.connect().await;
    let served = client.ask(&get("/forms/1").key(GOOD)).await;
    assert_eq!((served.status, served.body.as_str()), (200, "good-key 0"));
    let other = client.ask(&get("/api/v1/desk")).await;
    assert_eq!(other.json(), json!({"error": "API key required"}));
}

#[tokio::test]
async fn bodies_are_limited_by_their_route() {
    let app = app_with_mount(Surface::Everything).await;
    for (path, bytes, status) in [
        ("/api/v1/desk", 256 << 10, 200),
        ("/api/v1/desk", (256 << 10) + 1, 413),
        ("/api/v1/import", (256 << 10) + 1, 200),
        ("/api/v1/import", (1 << 20) + 1, 413),
    ] {
        let mut client = app.connect().await;
        let request = Request::new("POST", path).key(GOOD).body("x".repeat(bytes));
        client.try_send(request.bytes()).await;
        assert_eq!(client.reply().await.status, status, "{path} {bytes}");
    }
}

/// The gate keeps the allowance, so all mounts share it.
#[tokio::test]
async fn calls_to_all_mounts_use_one_allowance() {
    let app = app_with_mount(Surface::Everything).await;
    app.gate.allow(GOOD, 4);
    let mut client = app.connect().await;
    let rest = Request::new("GET", "/api/v1/desk").key(GOOD);
    for request in [&rest, &post(PING), &rest, &post(PING)] {
        assert_eq!(client.ask(request).await.status, 200);
    }
    for request in [&rest, &post(PING)] {
        let reply = client.ask(request).await;
        assert_eq!((reply.status, reply.header("retry-after")), (429, Some("7")));
    }
    assert_eq!(
        client.ask(&rest.clone().set("X-Api-Key", OTHER)).await.status,
        200
    );
    let public = client
        .ask(&Request::new("GET", "/assets/site.css").key(GOOD))
        .await;
    assert_eq!(public.status, 200, "public routes don't use the allowance");
}

#[tokio::test]
async fn a_stream_of_a_mount_is_counted_and_ends_when_its_key_is_revoked() {
    let app = app_with_mount(Surface::Everything).await;
    let mut client = app.connect().await;
    let reply = client.ask(&Request::new("GET", "/api/v1/report").key(GOOD)).await;
    assert_eq!(
        (reply.status, reply.header("cache-control")),
        (200, Some("no-store"))
    );
    assert_eq!(client.event().await.as_deref(), Some("first"));
    assert_eq!(app.service.open_streams(), 1);
    app.gate.revoke(GOOD);
    assert_eq!(client.event().await, None);
    let mut client = app.connect().await;
    let reply = client.ask(&Request::new("GET", "/assets/endless")).await;
    assert_eq!(reply.status, 500, "a stream without a principal would never end");
}

#[tokio::test]
async fn a_panic_in_a_mount_affects_only_its_call() {
    let app = app_with_mount(Surface::Everything).await;
    let mut client = app.connect().await;
    for path in ["/api/v1/panic", "/assets/panic"] {
        let reply = client.ask(&Request::new("GET", path).key(GOOD)).await;
        let error = json!({"error": "Internal error"});
        assert_eq!((reply.status, reply.json()), (500, error), "{path}");
    }
    assert_eq!(client.ask(&post(PING)).await.status, 200);
}

/// SEC-04.
#[tokio::test]
async fn beyond_the_connection_limit_only_probes_are_served_not_mounts() {
    let change = |config: &mut Config| {
        config.limits.connections_total = 1;
        config.limits.connections_reserved = 1;
    };
    let app = App::with_mounts(change, Mounts::default().and(TestMount)).await;
    let mut first = app.connect().await;
    assert_eq!(
        first.ask(&Request::new("GET", "/assets/site.css")).await.status,
        200
    );
    for (path, status) in [
        ("/assets/site.css", 503),
        ("/api/v1/desk", 503),
        ("/healthz", 200),
    ] {
        let mut reserved = app.connect().await;
        let reply = reserved.ask(&Request::new("GET", path).key(GOOD)).await;
        assert_eq!(reply.status, status, "{path}");
        assert!(reserved.is_closed().await);
    }
}

/// A flood of calls to mounts doesn't affect the probes.
#[tokio::test]
async fn calls_to_mounts_are_limited_separately_from_probes() {
    let app = App::with_mounts(
        |config| config.limits.calls_total = 0,
        Mounts::default().and(TestMount),
    )
    .await;
    let mut client = app.connect().await;
    for path in ["/assets/site.css", "/api/v1/desk"] {
        let reply = client.ask(&Request::new("GET", path).key(GOOD)).await;
        assert_eq!(
            (reply.status, reply.header("retry-after")),
            (503, Some("1")),
            "{path}"
        );
    }
    assert_eq!(client.ask(&post(PING)).await.status, 503);
    assert_eq!(client.ask(&Request::new("GET", "/healthz")).await.status, 200);
}

#[tokio::test]
async fn a_mount_can_serve_the_root_while_mcp_keeps_its_posts_there() {
    struct Pages;

    impl Mount<Arc<str>> for Pages {
        fn routes(&self) -> Vec<Route> {
            vec![Route::new("/", [Method::GET, Method::HEAD], Access::Public)]
        }

        async fn serve_public(&self, _: Asked<'_>) -> Response {
            Response::new(ResponseBody::bytes("a page"))
        }
    }

    let app = App::with_mounts(|_| {}, Mounts::default().and(Pages)).await;
    let mut client = app.connect().await;
    let reply = client.ask(&Request::new("GET", "/")).await;
    assert_eq!((reply.status, reply.body.as_str()), (200, "a page"));
    assert_eq!(client.ask(&Request::post("/", PING).key(GOOD)).await.status, 200);
    let reply = client.ask(&Request::new("PUT", "/").key(GOOD)).await;
    assert_eq!(reply.header("allow"), Some("GET, HEAD, POST, DELETE, OPTIONS"));
    let session = handshake(&mut client, "2025-11-25").await;
    let stream = Request::new("GET", "/")
        .key(GOOD)
        .header("Mcp-Session-Id", &session);
    assert!(
        client.ask(&stream).await.is_events(),
        "a session's stream is still served"
    );
}

#[tokio::test]
async fn a_route_that_another_mount_has_is_rejected_at_the_start() {
    struct ConflictingMount;

    impl Mount<Arc<str>> for ConflictingMount {
        fn routes(&self) -> Vec<Route> {
            vec![Route::new("/mcp", [Method::PUT, Method::POST], Access::Public)]
        }
    }

    let refused = App::try_service(|_| {}, Mounts::default().and(ConflictingMount))
        .err()
        .unwrap();
    assert_eq!(refused.to_string(), "two routes serve POST /mcp");
}

fn protects(reply: &Reply, access: Option<Access>, is_behind_tls: bool, name: &str) {
    let header = |header: &str| reply.header(header);
    assert_eq!(header("x-content-type-options"), Some("nosniff"), "{name}");
    assert_eq!(header("referrer-policy"), Some("no-referrer"), "{name}");
    let expected = is_behind_tls.then_some("max-age=31536000");
    assert_eq!(header("strict-transport-security"), expected, "{name}");
    match access {
        Some(Access::Public) => assert_ne!(header("cache-control"), Some("no-store"), "{name}"),
        _ if reply.is_events() => {
            assert_eq!(header("cache-control"), Some("no-cache, no-transform"), "{name}");
        }
        _ => assert_eq!(header("cache-control"), Some("no-store"), "{name}: {reply:?}"),
    }
}

#[tokio::test]
async fn every_response_has_the_headers_that_protect_browsers() {
    let app = app_with_mount(Surface::Everything).await;
    for step in steps(&app) {
        let nobody = step.take(&app, |request| request).await;
        let key = step.take(&app, |request| request.key(GOOD)).await;
        let stranger = step
            .take(&app, |request| request.set("Host", "evil.example"))
            .await;
        protects(&nobody, step.access, false, &step.name());
        protects(&key, step.access, false, &step.name());
        assert_eq!(stranger.status, 403);
        protects(&stranger, None, false, &step.name());
    }
    let mut client = app.connect().await;
    let mut check = async |request: Request, status: u16| {
        let reply = client.ask(&request).await;
        assert_eq!(reply.status, status, "{request:?}");
        protects(&reply, None, false, &format!("{request:?}"));
    };
    check(post(PING), 200).await;
    check(post(PING).set("X-Api-Key", "spent-key"), 429).await;
    check(post(PING).set("X-Api-Key", "key-of-a-locked-store"), 503).await;
    check(post("{"), 400).await;
    check(post(PING).without("Content-Type"), 415).await;
    check(Request::new("GET", &format!("/{}", "x".repeat(9_000))), 414).await;
}

#[tokio::test]
async fn strict_transport_security_is_sent_if_clients_use_https() {
    let check = async |app: &App, forwarded: Option<&str>, expected: bool| {
        for step in steps(app) {
            let with = |request: Request| match forwarded {
                Some(scheme) => request.header("X-Forwarded-Proto", scheme),
                None => request,
            };
            let reply = step.take(app, with).await;
            protects(&reply, step.access, expected, &step.name());
        }
    };
    let trusting = App::with(|config| config.proxies = vec!["127.0.0.0/8".parse().unwrap()]).await;
    check(&trusting, Some("https"), true).await;
    check(&trusting, Some("http"), false).await;
    check(&trusting, None, false).await;
    check(&App::start().await, Some("https"), false).await;
    let url = url::Url::parse("https://posture.example.com").unwrap();
    let public = App::with(|config| config.hosts = config.hosts.clone().with_public_url(&url)).await;
    check(&public, None, true).await;
    let url = url::Url::parse("http://posture.example.com").unwrap();
    let public = App::with(|config| config.hosts = config.hosts.clone().with_public_url(&url)).await;
    check(&public, None, false).await;
}
