//! Mounts: groups of routes behind admission.

use crate::{
    connection::{Connection, body::RequestBody},
    gate::Caller,
    response::{self, Response},
    routing::route::Route,
};
use bytes::Bytes;
use http::{StatusCode, request::Parts};
use std::{future::Future, pin::Pin};

/// A request to a mount.
pub struct Request<'a> {
    /// The method, URI and headers. The headers still contain the credential; code behind admission must not
    /// read it.
    pub head: &'a Parts,
    /// The body, which hasn't been read yet.
    pub body: RequestBody<'a>,
    /// The origin of the request.
    pub caller: Caller<'a>,
    pub(crate) connection: &'a Connection,
}

impl std::fmt::Debug for Request<'_> {
    /// Leaves out the headers, which may contain credentials.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.head.method)
            .field("path", &self.head.uri.path())
            .finish_non_exhaustive()
    }
}

/// A request that passed admission, with its principal. Only admission creates it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Admitted<'a, P> {
    /// The authenticated caller.
    pub principal: P,
    /// The request.
    pub request: Request<'a>,
}

impl<'a, P> Admitted<'a, P> {
    pub(crate) fn new(principal: P, request: Request<'a>) -> Self {
        Self { principal, request }
    }
}

/// A group of routes, for example MCP, the probes, a REST API or web pages. Mounts are independent of each
/// other.
///
/// Admission handles everything before a mount: connections, `Host` and `Origin`, the size of headers, the
/// credential and its allowance. The service adds the headers that protect browsers, and ends a stream when its
/// principal becomes invalid. If a mount panics, the response is 500 and other requests aren't affected.
pub trait Mount<P>: Send + Sync + 'static {
    /// Returns the routes of this mount. Read once, when the service is created.
    fn routes(&self) -> Vec<Route>;

    /// Serves a request to a route that isn't public. A mount with only public routes doesn't need to implement
    /// it.
    fn serve(&self, admitted: Admitted<'_, P>) -> impl Future<Output = Response> + Send {
        let _ = admitted;
        std::future::ready(response::not_found())
    }

    /// Returns the body of an error that the service answers before or instead of the mount: a refused credential, an
    /// unknown path, a method that the path doesn't have, a limit. `path` is any path, also one without a route. `None`
    /// leaves `{"error":"…"}`, which is right for paths that aren't the mount's. The status and the other headers stay.
    fn error(&self, path: &str, error: &ServiceError<'_>) -> Option<ErrorBody> {
        let _ = (path, error);
        None
    }

    /// Serves a request to a public route. A mount without public routes doesn't need to implement it.
    fn serve_public(&self, request: Request<'_>) -> impl Future<Output = Response> + Send {
        let _ = request;
        std::future::ready(response::not_found())
    }
}

/// An error that the service answers before or instead of a mount.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct ServiceError<'e> {
    /// The status.
    pub status: StatusCode,
    /// The message, without secrets. It may repeat a host name of the request.
    pub message: &'e str,
}

/// The body of an error, in a mount's own form.
#[derive(Debug, Clone)]
pub struct ErrorBody {
    /// The media type.
    pub media_type: &'static str,
    /// The content.
    pub bytes: Bytes,
}

/// Mounts besides MCP and the probes. Each request to one of them needs a boxed future.
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
    /// Adds a mount.
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

/// A [`Mount`] as a trait object.
pub(crate) trait ErasedMount<P>: Send + Sync + 'static {
    fn declared_routes(&self) -> Vec<Route>;
    fn error_body(&self, path: &str, error: &ServiceError<'_>) -> Option<ErrorBody>;
    fn serve_boxed<'a>(&'a self, admitted: Admitted<'a, P>) -> BoxedResponse<'a>;
    fn serve_public_boxed<'a>(&'a self, request: Request<'a>) -> BoxedResponse<'a>;
}

impl<P: Send + 'static, M: Mount<P>> ErasedMount<P> for M {
    fn declared_routes(&self) -> Vec<Route> {
        Mount::routes(self)
    }

    fn error_body(&self, path: &str, error: &ServiceError<'_>) -> Option<ErrorBody> {
        Mount::error(self, path, error)
    }

    fn serve_boxed<'a>(&'a self, admitted: Admitted<'a, P>) -> BoxedResponse<'a> {
        Box::pin(Mount::serve(self, admitted))
    }

    fn serve_public_boxed<'a>(&'a self, request: Request<'a>) -> BoxedResponse<'a> {
        Box::pin(Mount::serve_public(self, request))
    }
}
