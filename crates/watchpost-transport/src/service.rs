//! Admission and the mounts behind it, put together.

use crate::{
    admission::Admission,
    config::Config,
    connection::{Connection, body::RequestBody, permits::Counter},
    gate::{Caller, Gate, Probes},
    mcp::McpMount,
    probes::ProbeMount,
    response::{self, RETRY_SOON, Response},
    routing::{
        mount::{Admitted, BoxedResponse, ErasedMount, Mount, Mounts, Request},
        route::{Access, Route},
        table::{Found, RouteConflict, RouteTable, Row},
    },
    streams::{
        call::poll_caught,
        guarded::{RawStream, Streams},
    },
};
use http::{
    HeaderValue, Method, StatusCode, Version,
    header::{CONNECTION, TRANSFER_ENCODING},
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

/// Probes being answered at one moment. Their own, so that they survive a flood of calls.
const PROBES_MAX: usize = 64;

/// One server: MCP, the probes, and what is mounted beside them, behind one admission. Cheap to clone, shareable
/// between threads and runtimes.
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

/// Which mount a route belongs to. The first two are known by their types, so that a call to them costs no box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Mcp,
    Probes,
    Other(usize),
    /// Nobody's: a sentence for whoever opens the server in a browser, until a mount has pages.
    Welcome,
}

impl<G, H, P> Service<G, H, P>
where
    G: Gate,
    H: Handler<Principal = G::Principal>,
    P: Probes,
{
    /// Puts a server of MCP and probes together. Nothing runs and nothing listens until [`serve`](crate::serve) is
    /// called.
    pub fn new(config: Config, gate: Arc<G>, server: Arc<Server<H>>, probes: P) -> Self {
        Self::with_mounts(config, gate, server, probes, Mounts::default())
            .expect("the server's own routes don't conflict")
    }

    /// As [`Service::new`], with more mounts beside them.
    ///
    /// # Errors
    /// If a mount declares a route that another one has.
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

    /// Tells open streams to end and `/readyz` to say no. [`serve`](crate::serve) calls it by itself;
    /// calling it earlier gives load balancers time to look elsewhere.
    pub fn stop(&self) {
        self.0.stopping.store(true, Ordering::Release);
    }

    /// Streams open at this moment, over all listeners.
    pub fn open_streams(&self) -> usize {
        self.0.streams.open()
    }

    /// Every route of every mount, the most particular first. What isn't among them answers 401 without a credential,
    /// and 404 with one.
    pub fn routes(&self) -> impl Iterator<Item = &Route> {
        self.0.routes.routes()
    }

    pub(crate) fn config(&self) -> &Config {
        &self.0.config
    }

    pub(crate) fn admission(&self) -> &Admission<G> {
        &self.0.admission
    }

    /// Answers one HTTP request. Never fails: what goes wrong is an answer too.
    pub(crate) async fn answer(
        self,
        request: http::Request<Incoming>,
        connection: Arc<Connection>,
    ) -> Response {
        let running = connection.activity.begin(request.version() == Version::HTTP_2);
        let (head, body) = request.into_parts();
        let caller = self.0.admission.caller(&head, connection.peer);
        let is_behind_tls = self.0.admission.is_behind_tls(&caller);
        let (access, mut response) = self.0.respond(&head, body, caller, &connection).await;
        response::protect(&mut response, access, is_behind_tls);
        // hyper hides a Content-Length beside it. A peer that believed that one is out of step with us now,
        // so nothing more is read from this connection.
        if head.version < Version::HTTP_2 && head.headers.contains_key(TRANSFER_ENCODING) {
            response
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response.body_mut().attach(running);
        response
    }
}

impl<G, H, P> Inner<G, H, P>
where
    G: Gate,
    H: Handler<Principal = G::Principal>,
    P: Probes,
{
    /// The answer, and whose requests the route answers that it comes from.
    async fn respond(
        &self,
        head: &Parts,
        body: Incoming,
        caller: Caller<'_>,
        connection: &Connection,
    ) -> (Access, Response) {
        if let Some(refusal) = self.admission.refuse_head(head) {
            return (Access::Either, refusal);
        }
        let found = self.routes.find(head.uri.path(), &head.method, &head.headers);
        let access = match &found {
            Found::Row(row) => row.route.access(),
            Found::OtherMethods(_) | Found::Nothing => Access::Either,
        };
        let request = |row: &Row<Target>, caller| Request {
            head,
            body: RequestBody::new(body, row.route.body_bytes, &self.config.timing),
            caller,
            connection,
        };
        // A reserved connection is for the probes and what else this crate answers at once.
        let is_own = |row: &Row<Target>| !matches!(row.target, Target::Other(_));
        if let (Found::Row(row), Access::Public) = (&found, access)
            && (is_own(row) || !connection.reserved)
        {
            return (access, self.serve_public(row.target, request(row, caller)).await);
        }
        if connection.reserved {
            let refusal = response::later(
                StatusCode::SERVICE_UNAVAILABLE,
                "Too many connections",
                RETRY_SOON,
            );
            return (access, refusal);
        }
        let principal = match self.admission.authenticate(head, &caller, access).await {
            Ok(principal) => principal,
            Err(refusal) => return (access, refusal),
        };
        let response = match found {
            Found::Row(row) => {
                let admitted = Admitted::new(principal, request(row, caller));
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
        (access, response)
    }

    async fn serve_public(&self, target: Target, request: Request<'_>) -> Response {
        if let Target::Other(index) = target {
            return self.serve_other_public(index, request).await;
        }
        let Some(_permit) = self.probing.enter() else {
            return response::later(StatusCode::SERVICE_UNAVAILABLE, "Too many probes", RETRY_SOON);
        };
        match target {
            Target::Probes => Mount::<G::Principal>::serve_public(&self.probes, request).await,
            Target::Mcp => self.mcp.serve_public(request).await,
            Target::Welcome => response::text(
                StatusCode::NOT_FOUND,
                "text/plain; charset=utf-8",
                "This is an MCP server. Point an MCP client at /mcp, with an API key.\n",
            ),
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
            tracing::error!("a public route answered with a stream, which nobody would end");
            return internal_error();
        }
        response
    }

    /// A mount besides MCP and the probes: its calls are bounded, and its streams end like all others.
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

/// A mount that panics costs its caller an error, and nobody else anything.
async fn catch_panic(mut serving: BoxedResponse<'_>) -> Response {
    let served = poll_fn(|cx| poll_caught(serving.as_mut(), cx)).await;
    served.unwrap_or_else(|()| internal_error())
}

fn too_many_calls() -> Response {
    response::later(StatusCode::SERVICE_UNAVAILABLE, "Too many calls", RETRY_SOON)
}

fn internal_error() -> Response {
    response::error(StatusCode::INTERNAL_SERVER_ERROR, "Internal error")
}
