//! The service: admission and the mounts behind it.

use crate::{
    admission::{Admission, cors},
    config::Config,
    connection::{Connection, body::RequestBody, permits::Counter, uptake::Uptake},
    gate::{Caller, Gate, Probes},
    mcp::McpMount,
    probes::ProbeMount,
    response::{self, ErrorMessage, RETRY_SOON, Response},
    routing::{
        mount::{Admitted, BoxedResponse, ErasedMount, Mount, Mounts, Request, ServiceError},
        route::{Access, Route},
        table::{Found, RouteConflict, RouteTable, Row},
    },
    streams::{
        call::poll_caught,
        guarded::{RawStream, Streams},
    },
    text,
};
use http::{
    HeaderValue, Method, StatusCode, Version,
    header::{CONNECTION, CONTENT_TYPE, TRANSFER_ENCODING},
    request::Parts,
};
use hyper::body::Incoming;
use std::{
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use watchpost_protocol::{Handler, Server};

/// The maximum number of probes being processed at the same time. Separate from the limit for calls, so that
/// probes still work during a flood of calls.
const PROBES_MAX: usize = 64;

/// A server: MCP, the probes and further mounts behind one admission. Cheap to clone, and can be shared between
/// threads and runtimes.
pub struct Service<G: Gate, H, P>(Arc<Inner<G, H, P>>);

impl<G: Gate, H, P> Clone for Service<G, H, P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<G: Gate, H, P> std::fmt::Debug for Service<G, H, P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service")
            .field("config", &self.0.config)
            .finish_non_exhaustive()
    }
}

struct Inner<G: Gate, H, P> {
    config: Arc<Config>,
    admission: Admission<G>,
    routes: RouteTable<Target>,
    mcp: McpMount<G, H>,
    probes: ProbeMount<P>,
    others: Vec<Box<dyn ErasedMount<G::Principal>>>,
    calls: Arc<Counter>,
    probing: Arc<Counter>,
    streams: Arc<Streams<G>>,
    stopping: Arc<AtomicBool>,
}

/// The numbers of connections and streams that are open, and of those that may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Occupancy {
    /// The number of open connections, without those reserved for probes.
    pub connections: usize,
    /// The maximum of `connections`.
    pub connections_max: usize,
    /// The number of open event streams.
    pub streams: usize,
    /// The maximum of `streams`.
    pub streams_max: usize,
}

/// The mount that a route belongs to. The types of the first two are known statically, so calls to them need no
/// box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Mcp,
    Probes,
    Other(usize),
    /// No mount: a sentence for a user who opens the server in a browser. Replaced when a mount serves `/`.
    Welcome,
}

impl<G, H, P> Service<G, H, P>
where
    G: Gate,
    H: Handler<Principal = G::Principal>,
    P: Probes,
{
    /// Creates a service with MCP and the probes. It does nothing until it is passed to
    /// [`serve`](crate::serve).
    pub fn new(config: Config, gate: Arc<G>, server: Arc<Server<H>>, probes: P) -> Self {
        Self::with_mounts(config, gate, server, probes, Mounts::default())
            .expect("the server's own routes don't conflict")
    }

    /// Like [`Service::new`], with additional mounts.
    ///
    /// # Errors
    /// Returns an error if two mounts declare the same method and path.
    pub fn with_mounts(
        config: Config,
        gate: Arc<G>,
        server: Arc<Server<H>>,
        probes: P,
        mounts: Mounts<G::Principal>,
    ) -> Result<Self, RouteConflict> {
        let config = Arc::new(config);
        let stopping = Arc::new(AtomicBool::new(false));
        let streams = Streams::new(Arc::clone(&gate), Arc::clone(&stopping), &config);
        let calls = Counter::new(config.limits.calls_total);
        let mcp = McpMount::new(
            Arc::clone(&config),
            Arc::clone(&gate),
            server,
            Arc::clone(&calls),
            Arc::clone(&streams),
        );
        let probes = ProbeMount {
            probes,
            stopping: Arc::clone(&stopping),
        };
        let Mounts(others) = mounts;
        let mut routes = RouteTable::new();
        routes.add(mcp.routes(), Target::Mcp)?;
        routes.add(Mount::<G::Principal>::routes(&probes), Target::Probes)?;
        for (index, other) in others.iter().enumerate() {
            routes.add(other.declared_routes(), Target::Other(index))?;
        }
        let welcome = Route::new("/", [Method::GET, Method::HEAD], Access::Public);
        routes.add_default(welcome, Target::Welcome);
        Ok(Self(Arc::new(Inner {
            admission: Admission::new(Arc::clone(&config), gate),
            config,
            routes,
            mcp,
            probes,
            others,
            calls,
            probing: Counter::new(PROBES_MAX),
            streams,
            stopping,
        })))
    }

    /// Ends open streams and makes `/readyz` report that the process isn't ready. [`serve`](crate::serve) calls
    /// this when it stops. Calling it earlier gives load balancers time to redirect traffic.
    pub fn stop(&self) {
        self.0.stopping.store(true, Ordering::Release);
    }

    /// Returns the numbers of open connections and streams, over all listeners.
    pub fn occupancy(&self) -> Occupancy {
        let (connections, connections_max) = self.0.admission.connections();
        Occupancy {
            connections,
            connections_max,
            streams: self.open_streams(),
            streams_max: self.0.config.limits.streams_total,
        }
    }

    /// Returns the number of open streams, over all listeners.
    pub fn open_streams(&self) -> usize {
        self.0.streams.open()
    }

    /// Returns the routes of all mounts, the most specific first. Other paths are answered with 401 without a
    /// credential and with 404 with one.
    pub fn routes(&self) -> impl Iterator<Item = &Route> {
        self.0.routes.routes()
    }

    pub(crate) fn config(&self) -> &Config {
        &self.0.config
    }

    pub(crate) fn admission(&self) -> &Admission<G> {
        &self.0.admission
    }

    /// Answers one HTTP request. Errors are also returned as responses.
    pub(crate) async fn answer(
        self,
        request: http::Request<Incoming>,
        connection: Arc<Connection>,
    ) -> Response {
        let running = connection.activity.begin(request.version() == Version::HTTP_2);
        let (mut head, body) = request.into_parts();
        if let Some(uri) = self.0.config.without_base_path(&head.uri) {
            head.uri = uri;
        }
        let caller = self.0.admission.caller(&head, connection.peer);
        let is_behind_tls = self.0.admission.is_behind_tls(&caller);
        let (access, response) = self.0.respond(&head, body, caller, &connection).await;
        let mut response = self.0.in_form_of_mount(head.uri.path(), response);
        response::protect(&mut response, access, is_behind_tls);
        if let Some(origin) = self.0.admission.allowed_origin(&head) {
            cors::allow(&mut response, origin);
        }
        // hyper hides the Content-Length header of a request that has both. A client that used it for framing
        // is now out of step, so the connection must not be used for another request.
        if head.version < Version::HTTP_2 && head.headers.contains_key(TRANSFER_ENCODING) {
            response
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response.body_mut().attach(running, Uptake::current());
        response
    }
}

impl<G, H, P> Inner<G, H, P>
where
    G: Gate,
    H: Handler<Principal = G::Principal>,
    P: Probes,
{
    /// Puts an error of this crate in the form of the mount that the path belongs to.
    fn in_form_of_mount(&self, path: &str, mut response: Response) -> Response {
        let Some(ErrorMessage(message)) = response.extensions_mut().remove::<ErrorMessage>() else {
            return response;
        };
        let error = ServiceError {
            status: response.status(),
            message: &message,
        };
        let Some(body) = self
            .others
            .iter()
            .find_map(|mount| mount.error_body(path, &error))
        else {
            return response;
        };
        let media_type = HeaderValue::from_static(body.media_type);
        response.headers_mut().insert(CONTENT_TYPE, media_type);
        response.body_mut().replace_bytes(body.bytes);
        response
    }

    /// Returns the response and the access of the route that it comes from.
    async fn respond(
        &self,
        head: &Parts,
        body: Incoming,
        caller: Caller<'_>,
        connection: &Connection,
    ) -> (Access, Response) {
        if let Some(rejection) = self.admission.reject_head(head) {
            return (Access::Either, rejection);
        }
        if let Some(preflight) = cors::preflight(head) {
            return (Access::Public, preflight);
        }
        let found = self.routes.find(head.uri.path(), &head.method, &head.headers);
        let access = match &found {
            Found::Row(row) => row.route.access(),
            Found::OtherMethods(_) | Found::Nothing => Access::Either,
        };
        let request = |row: &Row<Target>, caller, hold| Request {
            head,
            body: RequestBody::new(body, row.route.body_bytes, &self.config.timing, hold),
            caller,
            connection,
        };
        // A reserved connection serves only the probes and the other responses that this crate can give
        // immediately.
        let is_own = |row: &Row<Target>| !matches!(row.target, Target::Other(_));
        if let (Found::Row(row), Access::Public) = (&found, access)
            && (is_own(row) || !connection.reserved)
        {
            return (
                access,
                self.serve_public(row.target, request(row, caller, None)).await,
            );
        }
        if connection.reserved {
            let rejection = response::later(
                StatusCode::SERVICE_UNAVAILABLE,
                text::TOO_MANY_CONNECTIONS,
                RETRY_SOON,
            );
            return (access, rejection);
        }
        let principal = match self.admission.authenticate(head, &caller, access).await {
            Ok(principal) => principal,
            Err(rejection) => return (access, rejection),
        };
        let hold = match self.admission.begin_call(&principal, connection) {
            Ok(hold) => hold,
            Err(rejection) => return (access, *rejection),
        };
        let mut response = match found {
            Found::Row(row) => {
                let admitted = Admitted::new(principal, request(row, caller, Some(Arc::clone(&hold))));
                match row.target {
                    Target::Mcp => self.mcp.serve(admitted).await,
                    Target::Probes => self.probes.serve(admitted).await,
                    Target::Other(index) => self.serve_other(index, admitted).await,
                    Target::Welcome => response::not_found(),
                }
            }
            Found::OtherMethods(allow) if head.method == Method::OPTIONS => response::options(allow.clone()),
            Found::OtherMethods(allow) => response::not_allowed(allow.clone()),
            Found::Nothing => response::not_found(),
        };
        response.body_mut().answer(hold);
        (access, response)
    }

    async fn serve_public(&self, target: Target, request: Request<'_>) -> Response {
        if let Target::Other(index) = target {
            return self.serve_other_public(index, request).await;
        }
        let Some(_permit) = self.probing.enter() else {
            return response::later(StatusCode::SERVICE_UNAVAILABLE, text::TOO_MANY_PROBES, RETRY_SOON);
        };
        match target {
            Target::Probes => Mount::<G::Principal>::serve_public(&self.probes, request).await,
            Target::Mcp => self.mcp.serve_public(request).await,
            Target::Welcome => {
                let welcome = text::welcome(&self.config.base_path);
                response::typed(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", welcome)
            }
            Target::Other(_) => response::not_found(),
        }
    }

    async fn serve_other_public(&self, index: usize, request: Request<'_>) -> Response {
        let Some(mount) = self.others.get(index) else {
            return response::not_found();
        };
        let Some(_permit) = self.calls.enter() else {
            return too_many_calls();
        };
        let mut response = catch_panic(mount.serve_public_boxed(request)).await;
        if response.body_mut().take_stream().is_some() {
            tracing::error!("a public route returned a stream, which is not allowed");
            return internal_error();
        }
        response
    }

    /// Serves a request to a mount other than MCP and the probes. Limits its calls and guards its streams.
    async fn serve_other(&self, index: usize, admitted: Admitted<'_, G::Principal>) -> Response {
        let Some(mount) = self.others.get(index) else {
            return response::not_found();
        };
        let Some(_permit) = self.calls.enter() else {
            return too_many_calls();
        };
        let principal = admitted.principal.clone();
        let mut response = catch_panic(mount.serve_boxed(admitted)).await;
        if let Some(stream) = response.body_mut().take_stream() {
            let Some(permits) = self.streams.enter(&principal) else {
                return response::too_many_streams();
            };
            let guarded = self.streams.guard(RawStream(stream), principal, permits);
            response.body_mut().put_guarded(guarded);
        }
        response
    }
}

/// Answers with an error if the mount panics, so that other requests aren't affected.
async fn catch_panic(mut serving: BoxedResponse<'_>) -> Response {
    let served = poll_fn(|cx| poll_caught(serving.as_mut(), cx)).await;
    served.unwrap_or_else(|()| internal_error())
}

fn too_many_calls() -> Response {
    response::later(StatusCode::SERVICE_UNAVAILABLE, text::TOO_MANY_CALLS, RETRY_SOON)
}

fn internal_error() -> Response {
    response::error(StatusCode::INTERNAL_SERVER_ERROR, text::INTERNAL_ERROR)
}
