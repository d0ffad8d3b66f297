//! Responses, and the one body type they all share.

use crate::{connection::timed_socket::RequestInProgress, routing::route::Access};
use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, StatusCode,
    header::{
        ALLOW, CACHE_CONTROL, CONTENT_TYPE, REFERRER_POLICY, RETRY_AFTER, STRICT_TRANSPORT_SECURITY,
        WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
    },
};
use http_body::{Body, Frame, SizeHint};
use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

/// What every route answers with.
pub type Response = http::Response<ResponseBody>;

/// Bytes that are there already, or that come.
pub struct ResponseBody {
    content: Content,
    /// Given back when hyper has taken the last byte.
    _running: Option<RequestInProgress>,
}

type Stream = Pin<Box<dyn Body<Data = Bytes, Error = Infallible> + Send>>;

enum Content {
    Bytes(Bytes),
    /// Of a mount besides MCP: admission puts it under guard.
    Stream(Stream),
    /// Events under guard.
    Events(Stream),
}

impl std::fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.content {
            Content::Bytes(_) => "ResponseBody::Bytes",
            Content::Stream(_) => "ResponseBody::Stream",
            Content::Events(_) => "ResponseBody::Events",
        })
    }
}

impl ResponseBody {
    fn of(content: Content) -> Self {
        Self {
            content,
            _running: None,
        }
    }

    /// Bytes that are there already.
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self::of(Content::Bytes(bytes.into()))
    }

    /// Bytes that come. The stream counts among the open streams of its principal, and ends within moments when that
    /// principal isn't valid any more. Only routes that aren't public may answer with one.
    pub fn stream(stream: impl Body<Data = Bytes, Error = Infallible> + Send + 'static) -> Self {
        Self::of(Content::Stream(Box::pin(stream)))
    }

    /// Events, already under guard.
    pub(crate) fn events(events: impl Body<Data = Bytes, Error = Infallible> + Send + 'static) -> Self {
        Self::of(Content::Events(Box::pin(events)))
    }

    /// Takes a stream that isn't under guard yet; leaves nothing in its stead.
    pub(crate) fn take_stream(&mut self) -> Option<Stream> {
        match std::mem::replace(&mut self.content, Content::Bytes(Bytes::new())) {
            Content::Stream(stream) => Some(stream),
            content => {
                self.content = content;
                None
            }
        }
    }

    /// Puts a stream back, under guard.
    pub(crate) fn put_guarded(
        &mut self,
        stream: impl Body<Data = Bytes, Error = Infallible> + Send + 'static,
    ) {
        self.content = Content::Stream(Box::pin(stream));
    }

    fn is_events(&self) -> bool {
        matches!(self.content, Content::Events(_))
    }

    /// The request counts as running until this body is dropped.
    pub(crate) fn attach(&mut self, running: RequestInProgress) {
        self._running = Some(running);
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut self.content {
            Content::Bytes(bytes) if bytes.is_empty() => Poll::Ready(None),
            Content::Bytes(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Content::Stream(stream) | Content::Events(stream) => stream.as_mut().poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Bytes(bytes) => bytes.is_empty(),
            Content::Stream(stream) | Content::Events(stream) => stream.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Bytes(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Stream(stream) | Content::Events(stream) => stream.size_hint(),
        }
    }
}

/// For those who come while everything is taken.
pub(crate) const RETRY_SOON: Duration = Duration::from_secs(1);

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer realm=\"watchpost\"");
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// A finished JSON text.
pub(crate) fn json(status: StatusCode, body: Bytes) -> Response {
    let mut response = http::Response::new(ResponseBody::bytes(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

/// `{"error":"…"}`. `message` is ours and needs no escaping.
pub(crate) fn error(status: StatusCode, message: &'static str) -> Response {
    debug_assert!(!message.contains(['"', '\\']));
    json(status, Bytes::from(format!("{{\"error\":\"{message}\"}}")))
}

pub(crate) fn not_found() -> Response {
    error(StatusCode::NOT_FOUND, "Not found")
}

pub(crate) fn unauthorized(message: &'static str) -> Response {
    let mut response = error(StatusCode::UNAUTHORIZED, message);
    response.headers_mut().insert(WWW_AUTHENTICATE, CHALLENGE);
    response
}

/// An error that says when to come back: at least a second, rounded up.
pub(crate) fn later(status: StatusCode, message: &'static str, retry_after: Duration) -> Response {
    let mut response = error(status, message);
    let seconds = retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0);
    response
        .headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    response
}

pub(crate) fn too_many_streams() -> Response {
    later(
        StatusCode::SERVICE_UNAVAILABLE,
        "Too many open streams",
        RETRY_SOON,
    )
}

pub(crate) fn not_allowed(allow: HeaderValue) -> Response {
    let mut response = error(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed");
    response.headers_mut().insert(ALLOW, allow);
    response
}

/// No body, for example 202 and 204.
pub(crate) fn empty(status: StatusCode) -> Response {
    let mut response = http::Response::new(ResponseBody::bytes(Bytes::new()));
    *response.status_mut() = status;
    response
}

pub(crate) fn options(allow: HeaderValue) -> Response {
    let mut response = empty(StatusCode::NO_CONTENT);
    response.headers_mut().insert(ALLOW, allow);
    response
}

pub(crate) fn text(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response {
    let mut response = http::Response::new(ResponseBody::bytes(body.into()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// An event stream that no proxy should hold back or change.
pub(crate) fn events(events: impl Body<Data = Bytes, Error = Infallible> + Send + 'static) -> Response {
    let mut response = http::Response::new(ResponseBody::events(events));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
    headers.insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
    response
}

/// What every answer says to browsers and caches, whatever route or refusal it comes from.
///
/// Where data or keys may go out, nothing is stored on the way, whatever the mount says; an event stream says so in its
/// own words. Public answers say themselves for how long they are good.
pub(crate) fn protect(response: &mut Response, access: Access, is_behind_tls: bool) {
    let may_hold_data = access != Access::Public && !response.body().is_events();
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if may_hold_data {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if is_behind_tls {
        // A year; without subdomains, which aren't ours.
        headers.insert(
            STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        );
    }
}
