//! MCP over HTTP: its routes and their handlers.

pub(crate) mod exchange;
pub(crate) mod headers;
pub(crate) mod http_sse;
pub(crate) mod negotiation;
pub(crate) mod session_ids;
pub(crate) mod session_stream;
pub(crate) mod streamable;

use crate::{
    config::{Config, Surface},
    connection::permits::Counter,
    gate::Gate,
    mcp::headers::SESSION_ID,
    response::{self, Response},
    routing::{
        mount::{Admitted, Mount, Request},
        route::{Access, Route},
    },
    sessions::{
        ended::EndedSessions,
        http_sse::{SseSession, StreamName},
        local::LocalStates,
        outstanding::Outstanding,
        seal::{Sealer, SessionName},
    },
    streams::{guarded::Streams, registry::Registry, replay::Replays, standing::StandingStreams},
};
use http::Method;
use std::sync::Arc;
use watchpost_protocol::{Handler, RequestId, Server};

/// The mount of Streamable HTTP and HTTP+SSE.
pub(crate) struct McpMount<G: Gate, H>(Arc<Mcp<G, H>>);

/// The state that all requests to one MCP server share.
pub(crate) struct Mcp<G: Gate, H> {
    pub(crate) config: Arc<Config>,
    pub(crate) gate: Arc<G>,
    pub(crate) server: Arc<Server<H>>,
    pub(crate) calls: Arc<Counter>,
    pub(crate) streams: Arc<Streams<G>>,
    pub(crate) sealer: Sealer,
    pub(crate) ended: EndedSessions,
    pub(crate) outstanding: Arc<Outstanding<SessionName, RequestId<'static>>>,
    pub(crate) session_streams: Arc<StandingStreams<SessionName>>,
    pub(crate) local: LocalStates<SessionName>,
    pub(crate) replays: Replays<SessionName>,
    pub(crate) sse_sessions: Arc<Registry<StreamName, SseSession>>,
}

impl<G: Gate, H> McpMount<G, H> {
    pub(crate) fn new(
        config: Arc<Config>,
        gate: Arc<G>,
        server: Arc<Server<H>>,
        calls: Arc<Counter>,
        streams: Arc<Streams<G>>,
    ) -> Self {
        let limits = &config.limits;
        Self(Arc::new(Mcp {
            sealer: Sealer::new(&config.session_key, config.timing.session_life),
            ended: EndedSessions::new(limits.ended_sessions),
            outstanding: Outstanding::new(),
            session_streams: StandingStreams::new(),
            local: LocalStates::new(limits.sessions_remembered),
            replays: Replays::new(limits.replays_total, limits.replay_bytes_total),
            sse_sessions: Registry::new(),
            config,
            gate,
            server,
            calls,
            streams,
        }))
    }
}

/// Prefixes of paths that clients request after a 401. Any response other than 404 makes them start OAuth.
const OAUTH_PREFIXES: [&str; 8] = [
    "/.well-known/",
    "/mcp/.well-known/",
    "/sse/.well-known/",
    "/oauth/",
    "/oauth2/",
    "/authorize",
    "/register",
    "/token",
];

fn routes(surface: Surface, message_bytes: usize) -> Vec<Route> {
    let full = [Method::GET, Method::POST, Method::DELETE];
    let mut routes = Vec::new();
    if surface == Surface::Everything {
        routes.extend([
            Route::new("/mcp", full.clone(), Access::Key),
            Route::new("/mcp/", full.clone(), Access::Key),
            // A session must be reachable under every path at which it could be opened.
            Route::new("/", full.clone(), Access::Key).with_header(SESSION_ID),
            Route::new("/sse", full.clone(), Access::Key).with_header(SESSION_ID),
            Route::new("/sse/", full.clone(), Access::Key).with_header(SESSION_ID),
            Route::new("/", [Method::POST, Method::DELETE], Access::Key),
            Route::new("/sse", full.clone(), Access::Key),
            Route::new("/sse/", full, Access::Key),
        ]);
    } else {
        for path in ["/sse", "/sse/"] {
            routes.push(Route::new(path, [Method::GET], Access::Key));
        }
    }
    for path in ["/messages", "/messages/"] {
        routes.push(Route::new(path, [Method::POST], Access::Key));
    }
    for prefix in OAUTH_PREFIXES {
        let public = [Method::GET, Method::HEAD, Method::POST, Method::OPTIONS];
        routes.push(Route::prefix(prefix, public, Access::Public));
        routes.push(Route::prefix(prefix, [], Access::Key).any_method());
    }
    routes
        .into_iter()
        .map(|route| route.body_bytes(message_bytes))
        .collect()
}

impl<G, H> Mount<G::Principal> for McpMount<G, H>
where
    G: Gate,
    H: Handler<Principal = G::Principal>,
{
    fn routes(&self) -> Vec<Route> {
        let config = &self.0.config;
        routes(config.surface, config.limits.message_bytes)
    }

    async fn serve(&self, admitted: Admitted<'_, G::Principal>) -> Response {
        let Admitted { principal, request } = admitted;
        let Request {
            head,
            body,
            connection,
            ..
        } = request;
        let mcp = &self.0;
        let has_session =
            || mcp.config.surface == Surface::Everything && head.headers.contains_key(SESSION_ID);
        match (&head.method, head.uri.path()) {
            (&Method::POST, "/messages" | "/messages/") => mcp.post_sse_message(head, body, principal).await,
            (&Method::POST, _) => mcp.post(head, body, principal, connection).await,
            (&Method::GET, "/sse" | "/sse/") if !has_session() => mcp.open_sse_stream(principal, body.hold()),
            (&Method::GET, _) => mcp.open_session_stream(head, principal, connection, body.hold()),
            (&Method::DELETE, _) if !is_oauth_path(head.uri.path()) => {
                mcp.end_session(head, &principal, connection)
            }
            _ => response::not_found(),
        }
    }
}

fn is_oauth_path(path: &str) -> bool {
    OAUTH_PREFIXES.iter().any(|prefix| path.starts_with(prefix))
}
