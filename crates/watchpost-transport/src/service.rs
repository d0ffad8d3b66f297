//! What every listener of a server shares, and the way of a request up to its route.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Context;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderValue, Method, Request, StatusCode, Version};
use http_body::Body;
use tokio::time::Instant;
use watchpost_protocol::{Handler, RequestId, Server};

use crate::admission::address;
use crate::admission::credential::{Presented, presented};
use crate::admission::hosts::Unwelcome;
use crate::admission::throttle::WrongKeys;
use crate::config::{Config, Surface};
use crate::connection::alarm::Alarm;
use crate::connection::permits::{Connections, Counter, KeyedCounter};
use crate::connection::watched::Activity;
use crate::gate::{Binding, Caller, Gate, Probes, Refusal};
use crate::http::answer::{self, Answer};
use crate::http::old_stream::{OldSession, StreamName};
use crate::http::routes::Route;
use crate::http::streamable::SESSION_ID;
use crate::sessions::ended::Ended;
use crate::sessions::notes::SessionBook;
use crate::sessions::open::LastSession;
use crate::sessions::outstanding::Outstanding;
use crate::sessions::seal::{Sealer, SessionName};
use crate::streams::listening::Unsolicited;
use crate::streams::registry::Registry;
use crate::streams::replay::Replays;

/// More headers than this are refused; hyper's own bound for HTTP/1 is the same number.
const HEADERS_MAX: usize = 100;

/// Probes being answered at one moment. Their own, so that they survive a flood of calls.
const PROBES_MAX: usize = 64;

/// One MCP server: cheap to clone, shareable between threads and runtimes.
pub struct Service<G: Gate, H, P>(Arc<Shared<G, H, P>>);

impl<G: Gate, H, P> Clone for Service<G, H, P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

pub(crate) struct Shared<G: Gate, H, P> {
    pub(crate) config: Config,
    pub(crate) gate: Arc<G>,
    pub(crate) server: Arc<Server<H>>,
    pub(crate) connections: Connections,
    pub(crate) calls: Arc<Counter>,
    pub(crate) streams: Arc<Counter>,
    pub(crate) streams_by_key: Arc<KeyedCounter<Binding>>,
    pub(crate) stopping: Arc<AtomicBool>,
    pub(crate) sealer: Sealer,
    pub(crate) ended: Ended,
    pub(crate) outstanding: Arc<Outstanding<SessionName, RequestId<'static>>>,
    pub(crate) session_streams: Arc<Registry<SessionName, Unsolicited>>,
    pub(crate) notes: SessionBook<SessionName>,
    pub(crate) replays: Replays<SessionName>,
    pub(crate) old_sessions: Arc<Registry<StreamName, OldSession>>,
    probes: P,
    probing: Arc<Counter>,
    wrong_keys: WrongKeys,
}

/// What one TCP connection is to its requests.
#[derive(Debug)]
pub(crate) struct Connection {
    peer: IpAddr,
    /// Probes only.
    reserved: bool,
    activity: Arc<Activity>,
    pub(crate) last_session: LastSession,
    /// For HTTP/1, where one request follows another.
    alarm: Mutex<Alarm>,
}

impl Connection {
    pub(crate) fn new(peer: IpAddr, reserved: bool, activity: Arc<Activity>) -> Self {
        Self {
            peer,
            reserved,
            activity,
            last_session: LastSession::default(),
            alarm: Mutex::default(),
        }
    }

    /// Whether `deadline` has passed; if not, the task is woken by then. One request at a time.
    pub(crate) fn has_passed(&self, deadline: Instant, cx: &mut Context<'_>) -> bool {
        self.alarm
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .has_passed(deadline, cx)
    }
}

impl<G, H, P> Service<G, H, P>
where
    G: Gate,
    H: Handler<Principal = G::Principal>,
    P: Probes,
{
    /// Puts a server together. Nothing runs and nothing listens until [`serve`](crate::serve) is called.
    pub fn new(config: Config, gate: Arc<G>, server: Arc<Server<H>>, probes: P) -> Self {
        let limits = &config.limits;
        Self(Arc::new(Shared {
            gate,
            server,
            probes,
            connections: Connections::new(limits),
            calls: Counter::new(limits.calls_total),
            streams: Counter::new(limits.streams_total),
            streams_by_key: KeyedCounter::new(limits.streams_per_key),
            stopping: Arc::new(AtomicBool::new(false)),
            sealer: Sealer::new(&config.session_key, config.timing.session_life),
            ended: Ended::new(limits.ended_sessions),
            outstanding: Outstanding::new(),
            session_streams: Registry::new(),
            notes: SessionBook::new(limits.sessions_remembered),
            replays: Replays::new(limits.replays_total, limits.replay_bytes_total),
            old_sessions: Registry::new(),
            probing: Counter::new(PROBES_MAX),
            wrong_keys: WrongKeys::new(limits.wrong_keys_per_minute, Arc::clone(&config.clock)),
            config,
        }))
    }

    /// Tells open streams to end and `/readyz` to say no. [`serve`](crate::serve) calls it by itself;
    /// calling it earlier gives load balancers time to look elsewhere.
    pub fn stop(&self) {
        self.0.stopping.store(true, Ordering::Release);
    }

    /// Event streams open at this moment, over all listeners.
    pub fn open_streams(&self) -> usize {
        self.0.streams.now()
    }

    pub(crate) fn shared(&self) -> &Arc<Shared<G, H, P>> {
        &self.0
    }

    /// Answers one HTTP request. Never fails: what goes wrong is an answer too.
    pub(crate) async fn answer<B>(self, request: Request<B>, connection: Arc<Connection>) -> Answer
    where
        B: Body<Data = Bytes> + Send + Unpin,
    {
        let running = connection.activity.begin(request.version() == Version::HTTP_2);
        let (head, body) = request.into_parts();
        let mut answer = self.0.respond(&head, body, &connection).await;
        // hyper hides a Content-Length beside it. A peer that believed that one is out of step with us now,
        // so nothing more is read from this connection.
        if head.version < Version::HTTP_2 && head.headers.contains_key(TRANSFER_ENCODING) {
            answer
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
        }
        answer.body_mut().attach(running);
        answer
    }
}

impl<G, H, P> Shared<G, H, P>
where
    G: Gate,
    H: Handler<Principal = G::Principal>,
    P: Probes,
{
    async fn respond<B>(self: &Arc<Self>, head: &Parts, body: B, connection: &Connection) -> Answer
    where
        B: Body<Data = Bytes> + Send + Unpin,
    {
        match self.config.hosts.check(head) {
            Ok(()) => {}
            Err(Unwelcome::Ambiguous) => {
                return answer::error(StatusCode::BAD_REQUEST, "Exactly one Host is needed");
            }
            Err(Unwelcome::Host) => return answer::error(StatusCode::FORBIDDEN, "Host not allowed"),
            Err(Unwelcome::Origin) => return answer::error(StatusCode::FORBIDDEN, "Origin not allowed"),
        }
        let uri_bytes = head.uri.path_and_query().map_or(0, |uri| uri.as_str().len());
        if uri_bytes > self.config.limits.uri_bytes {
            return answer::error(StatusCode::URI_TOO_LONG, "URI too long");
        }
        if head.headers.len() > HEADERS_MAX || uri_bytes + head_bytes(head) > self.config.limits.head_bytes {
            return answer::error(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "Headers too large");
        }
        let route = match Route::of(head.uri.path(), self.config.surface) {
            // Where a session was opened, its stream and its end are asked for too.
            Route::Root | Route::Sse
                if self.config.surface == Surface::Everything && head.headers.contains_key(SESSION_ID) =>
            {
                Route::Mcp
            }
            route => route,
        };
        if route.is_public(&head.method) {
            return self.answer_public(route).await;
        }
        if connection.reserved {
            return answer::later(
                StatusCode::SERVICE_UNAVAILABLE,
                "Too many connections",
                RETRY_SOON,
            );
        }
        let principal = match self.admit(head, connection.peer).await {
            Ok(principal) => principal,
            Err(answer) => return answer,
        };
        self.answer_admitted(route, head, body, principal, connection)
            .await
    }

    async fn answer_public(&self, route: Route) -> Answer {
        let Some(_place) = self.probing.enter() else {
            return answer::later(StatusCode::SERVICE_UNAVAILABLE, "Too many probes", RETRY_SOON);
        };
        match route {
            Route::Health => answer::json(StatusCode::OK, Bytes::from_static(br#"{"status":"ok"}"#)),
            Route::Ready if self.stopping.load(Ordering::Acquire) => not_ready("stopping"),
            Route::Ready => match self.probes.ready().await {
                Ok(()) => answer::json(StatusCode::OK, Bytes::from_static(br#"{"status":"ready"}"#)),
                Err(reason) => not_ready(&reason),
            },
            Route::Metrics => answer::text(
                StatusCode::OK,
                "text/plain; version=0.0.4; charset=utf-8",
                self.probes.metrics().await,
            ),
            Route::Root => answer::text(
                StatusCode::NOT_FOUND,
                "text/plain; charset=utf-8",
                "This is an MCP server. Point an MCP client at /mcp, with an API key.\n",
            ),
            _ => answer::error(StatusCode::NOT_FOUND, "Not found"),
        }
    }

    /// The gate, and what it costs to knock with wrong keys.
    async fn admit(&self, head: &Parts, peer: IpAddr) -> Result<G::Principal, Answer> {
        let caller = Caller::remote(peer, &head.headers, &self.config.proxies);
        let refusal = match presented(&head.headers) {
            Presented::Unusable => Refusal::Invalid,
            Presented::Nothing => match self.gate.admit(None, &caller).await {
                Ok(principal) => return Ok(principal),
                Err(refusal) => refusal,
            },
            Presented::One(credential) => match self.gate.admit(Some(credential), &caller).await {
                Ok(principal) => return Ok(principal),
                Err(refusal) => refusal,
            },
        };
        Err(match refusal {
            Refusal::Missing => answer::unauthorized("API key required"),
            Refusal::Invalid => {
                let address = caller.address().unwrap_or(peer);
                if self.wrong_keys.may_report() {
                    tracing::warn!(client = %address, "a wrong API key was refused");
                }
                match self.wrong_keys.count(address::network(address)) {
                    Ok(()) => answer::unauthorized("Invalid API key"),
                    Err(wait) => {
                        answer::later(StatusCode::TOO_MANY_REQUESTS, "Too many wrong API keys", wait)
                    }
                }
            }
            Refusal::Throttled { retry_after } => answer::later(
                StatusCode::TOO_MANY_REQUESTS,
                "Too many requests for this API key",
                retry_after,
            ),
            Refusal::Unavailable { retry_after } => answer::later(
                StatusCode::SERVICE_UNAVAILABLE,
                "Service unavailable",
                retry_after,
            ),
        })
    }

    async fn answer_admitted<B>(
        self: &Arc<Self>,
        route: Route,
        head: &Parts,
        body: B,
        principal: G::Principal,
        connection: &Connection,
    ) -> Answer
    where
        B: Body<Data = Bytes> + Send + Unpin,
    {
        let everything = self.config.surface == Surface::Everything;
        let allow = route.allow(self.config.surface);
        let is_mcp = match route {
            Route::Mcp | Route::Root | Route::Sse => everything,
            _ => false,
        };
        match (route, &head.method) {
            (Route::Unknown | Route::WellKnown, _) => answer::error(StatusCode::NOT_FOUND, "Not found"),
            (_, &Method::OPTIONS) => answer::options(allow),
            (Route::Sse, &Method::GET) => self.open_old_stream(principal),
            (Route::Messages, &Method::POST) => self.post_to_old_stream(head, body, principal).await,
            (_, &Method::POST) if is_mcp => self.post_mcp(head, body, principal, connection).await,
            (Route::Mcp, &Method::GET) => self.open_session_stream(head, principal, connection),
            (_, &Method::DELETE) if is_mcp => self.end_session(head, &principal, connection),
            _ => answer::not_allowed(allow),
        }
    }
}

/// About how long the headers were. hyper's own bound is loose: it may read more than it was told to.
fn head_bytes(head: &Parts) -> usize {
    let lengths = head
        .headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4);
    lengths.sum()
}

/// For those who come while everything is taken.
pub(crate) const RETRY_SOON: Duration = Duration::from_secs(1);

fn not_ready(reason: &str) -> Answer {
    let body = serde_json::json!({"status": "not ready", "reason": reason}).to_string();
    answer::json(StatusCode::SERVICE_UNAVAILABLE, Bytes::from(body))
}
