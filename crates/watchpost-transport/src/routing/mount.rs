//! What is served behind admission.

use crate::{
    connection::{Connection, body::RequestBody},
    gate::Caller,
    response::{self, Response},
    routing::route::Route,
};
use http::request::Parts;
use std::{future::Future, pin::Pin};

/// A request on its way to the mount whose route it took.
pub struct Request<'a> {
    /// Method, URI and headers; the credential is still in them, and nobody behind admission reads it.
    pub head: &'a Parts,
    /// The body, which hasn't been read.
    pub body: RequestBody<'a>,
    /// Where it came from.
    pub caller: Caller<'a>,
    pub(crate) connection: &'a Connection,
}

impl std::fmt::Debug for Request<'_> {
    /// Headers carry credentials, so they aren't shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.head.method)
            .field("path", &self.head.uri.path())
            .finish_non_exhaustive()
    }
}

/// A request that admission let through, and who is acting. Only admission makes one.
#[derive(Debug)]
#[non_exhaustive]
pub struct Admitted<'a, P> {
    /// Who is acting.
    pub principal: P,
    /// What is asked.
    pub request: Request<'a>,
}

impl<'a, P> Admitted<'a, P> {
    pub(crate) fn new(principal: P, request: Request<'a>) -> Self {
        Self { principal, request }
    }
}

/// A group of routes: MCP, the probes, a REST API, pages. Mounts know nothing of each other.
///
/// What comes before a mount (connections, `Host` and `Origin`, sizes of headers, the credential, its allowance) and
/// after it (headers that protect browsers, the end of a stream whose principal isn't valid any more) isn't its
/// business. A mount that panics costs its caller
/// a 500, and nobody else anything.
pub trait Mount<P>: Send + Sync + 'static {
    /// Its rows of the table of routes. Read once, when the service is put together.
    fn routes(&self) -> Vec<Route>;

    /// Answers a request to one of its routes that isn't public. A mount without any leaves it out.
    fn serve(&self, admitted: Admitted<'_, P>) -> impl Future<Output = Response> + Send {
        let _ = admitted;
        std::future::ready(response::not_found())
    }

    /// Answers a request to one of its public routes. A mount without any leaves it out.
    fn serve_public(&self, request: Request<'_>) -> impl Future<Output = Response> + Send {
        let _ = request;
        std::future::ready(response::not_found())
    }
}

/// Some mounts, besides MCP and the probes. One boxed future per request to them.
pub struct Mounts<P>(pub(crate) Vec<Box<dyn ErasedMount<P>>>);

impl<P> std::fmt::Debug for Mounts<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Mounts").field(&self.0.len()).finish()
    }
}

impl<P> Default for Mounts<P> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<P> Mounts<P> {
    /// Adds one.
    #[must_use]
    pub fn and(mut self, mount: impl Mount<P>) -> Self
    where
        P: Send + 'static,
    {
        self.0.push(Box::new(mount));
        self
    }
}

pub(crate) type BoxedResponse<'a> = Pin<Box<dyn Future<Output = Response> + Send + 'a>>;

/// A [`Mount`] whose type is forgotten.
pub(crate) trait ErasedMount<P>: Send + Sync + 'static {
    fn declared_routes(&self) -> Vec<Route>;
    fn serve_boxed<'a>(&'a self, admitted: Admitted<'a, P>) -> BoxedResponse<'a>;
    fn serve_public_boxed<'a>(&'a self, request: Request<'a>) -> BoxedResponse<'a>;
}

impl<P: Send + 'static, M: Mount<P>> ErasedMount<P> for M {
    fn declared_routes(&self) -> Vec<Route> {
        Mount::routes(self)
    }

    fn serve_boxed<'a>(&'a self, admitted: Admitted<'a, P>) -> BoxedResponse<'a> {
        Box::pin(Mount::serve(self, admitted))
    }

    fn serve_public_boxed<'a>(&'a self, request: Request<'a>) -> BoxedResponse<'a> {
        Box::pin(Mount::serve_public(self, request))
    }
}
