//! Responses and their common body type.

use crate::{
    admission::shares::Hold,
    connection::{timed_socket::RequestInProgress, uptake::Uptake},
    routing::route::Access,
    text,
};
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
    borrow::Cow,
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

/// The response of a route.
pub type Response = http::Response<ResponseBody>;

/// The body of a response: complete bytes or a stream.
pub struct ResponseBody {
    content: Content,
    /// The rest of an event or piece of a stream that is larger than a piece of the connection.
    rest: Bytes,
    /// The length of the piece that hyper took last.
    last_piece: usize,
    /// The progress of the HTTP/2 stream.
    uptake: Option<Arc<Uptake>>,
    /// The share of the request and this response.
    hold: Option<Arc<Hold>>,
    /// The request in progress. Dropped when hyper has taken the last byte.
    _running: Option<RequestInProgress>,
}

/// The maximum size of the pieces that hyper gets, in bytes: the connection may hold that much beside the body.
const PIECE_BYTES: usize = 64 << 10;
/// The same over HTTP/2: the size of a frame.
const HTTP2_PIECE_BYTES: usize = 16 << 10;

type Stream = Pin<Box<dyn Body<Data = Bytes, Error = Infallible> + Send>>;

enum Content {
    Bytes(Bytes),
    /// A stream of a mount other than MCP. Admission wraps it in a guard.
    Stream(Stream),
    /// An event stream that is already guarded.
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
            rest: Bytes::new(),
            last_piece: 0,
            uptake: None,
            hold: None,
            _running: None,
        }
    }

    /// Creates a body from bytes.
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self::of(Content::Bytes(bytes.into()))
    }

    /// Creates a body from a stream. The stream counts as one of its principal's open streams and ends soon
    /// after the principal becomes invalid. Public routes must not return a stream.
    pub fn stream(stream: impl Body<Data = Bytes, Error = Infallible> + Send + 'static) -> Self {
        Self::of(Content::Stream(Box::pin(stream)))
    }

    /// Creates a body from an event stream that is already guarded.
    pub(crate) fn events(events: impl Body<Data = Bytes, Error = Infallible> + Send + 'static) -> Self {
        Self::of(Content::Events(Box::pin(events)))
    }

    /// Takes a stream that isn't guarded yet, and leaves an empty body.
    pub(crate) fn take_stream(&mut self) -> Option<Stream> {
        match std::mem::replace(&mut self.content, Content::Bytes(Bytes::new())) {
            Content::Stream(stream) => Some(stream),
            content => {
                self.content = content;
                None
            }
        }
    }

    /// Sets a guarded stream as the content.
    pub(crate) fn put_guarded(
        &mut self,
        stream: impl Body<Data = Bytes, Error = Infallible> + Send + 'static,
    ) {
        self.content = Content::Stream(Box::pin(stream));
    }

    /// Replaces the bytes of a body that hasn't been sent yet.
    pub(crate) fn replace_bytes(&mut self, bytes: Bytes) {
        self.content = Content::Bytes(bytes);
    }

    fn is_events(&self) -> bool {
        matches!(self.content, Content::Events(_))
    }

    /// Makes the request count as running until this body is dropped. `uptake` measures how fast the client takes the body.
    pub(crate) fn attach(&mut self, running: RequestInProgress, uptake: Option<Arc<Uptake>>) {
        self._running = Some(running);
        self.uptake = uptake;
    }

    /// Ends the call of `hold`, which this body keeps.
    pub(crate) fn answer(&mut self, hold: Arc<Hold>) {
        hold.answer(match &self.content {
            Content::Bytes(bytes) => Some(bytes.len()),
            Content::Stream(_) | Content::Events(_) => None,
        });
        self.hold = Some(hold);
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let is_http2 = self.uptake.is_some();
        let piece_bytes = if is_http2 { HTTP2_PIECE_BYTES } else { PIECE_BYTES };
        if !self.rest.is_empty() {
            let piece = next_piece(&mut self.rest, piece_bytes);
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        match &mut self.content {
            Content::Bytes(bytes) if bytes.is_empty() => Poll::Ready(None),
            Content::Bytes(bytes) if is_http2 => Poll::Ready(Some(Ok(Frame::data(next_http2_piece(bytes))))),
            Content::Bytes(bytes) => Poll::Ready(Some(Ok(Frame::data(next_piece(bytes, piece_bytes))))),
            Content::Stream(stream) | Content::Events(stream) => {
                let Poll::Ready(frame) = stream.as_mut().poll_frame(cx) else {
                    return Poll::Pending;
                };
                Poll::Ready(frame.map(|Ok(frame)| {
                    Ok(match frame.into_data() {
                        Ok(mut event) => {
                            let piece = next_piece(&mut event, piece_bytes);
                            self.rest = event;
                            Frame::data(piece)
                        }
                        Err(other) => other,
                    })
                }))
            }
        }
    }
}

/// Takes the next piece.
fn next_piece(bytes: &mut Bytes, piece_bytes: usize) -> Bytes {
    bytes.split_to(bytes.len().min(piece_bytes))
}

/// Takes the next piece of a complete body over HTTP/2. The last byte is a piece of its own: hyper asks for it only when the
/// client made room for all bytes before, so a body that the client doesn't take stays in sight.
fn next_http2_piece(bytes: &mut Bytes) -> Bytes {
    let before_last = bytes.len().saturating_sub(1).max(1);
    next_piece(bytes, HTTP2_PIECE_BYTES.min(before_last))
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = &mut *self;
        // hyper asks for the next piece when the client made room for this one.
        let taken = std::mem::take(&mut this.last_piece);
        if taken > 0
            && let Some(uptake) = &this.uptake
        {
            uptake.took(taken);
        }
        let polled = this.poll_piece(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            this.last_piece = frame.data_ref().map_or(0, Bytes::len);
        }
        if let Some(uptake) = &this.uptake {
            match &polled {
                Poll::Ready(Some(_)) => uptake.waits(),
                Poll::Ready(None) | Poll::Pending => uptake.is_drained(),
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
            && match &self.content {
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

/// The `Retry-After` of responses sent when a limit is reached.
pub(crate) const RETRY_SOON: Duration = Duration::from_secs(1);

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer realm=\"watchpost\"");
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Creates a response from JSON text.
pub(crate) fn json(status: StatusCode, body: Bytes) -> Response {
    let mut response = http::Response::new(ResponseBody::bytes(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

/// The message of an error that this crate answers, which the mount of the path may put in a form of its own.
#[derive(Debug, Clone)]
pub(crate) struct ErrorMessage(pub(crate) Cow<'static, str>);

/// Creates the response `{"error":"…"}`. `message` isn't escaped, so it must not contain quotes or backslashes.
pub(crate) fn error(status: StatusCode, message: &'static str) -> Response {
    debug_assert!(!message.contains(['"', '\\']));
    let mut response = json(status, Bytes::from(format!("{{\"error\":\"{message}\"}}")));
    response
        .extensions_mut()
        .insert(ErrorMessage(Cow::Borrowed(message)));
    response
}

/// Like [`error`], for a message that repeats text of the client.
pub(crate) fn error_about_client(status: StatusCode, message: &str) -> Response {
    let body = serde_json::json!({ "error": message });
    let mut response = json(status, Bytes::from(body.to_string()));
    let message = Cow::Owned(message.to_owned());
    response.extensions_mut().insert(ErrorMessage(message));
    response
}

pub(crate) fn not_found() -> Response {
    error(StatusCode::NOT_FOUND, text::NOT_FOUND)
}

pub(crate) fn unauthorized(message: &'static str) -> Response {
    let mut response = error(StatusCode::UNAUTHORIZED, message);
    response.headers_mut().insert(WWW_AUTHENTICATE, CHALLENGE);
    response
}

/// Creates an error with a `Retry-After` header, rounded up to at least one second.
pub(crate) fn later(status: StatusCode, message: &'static str, retry_after: Duration) -> Response {
    let mut response = error(status, message);
    self::retry_after(&mut response, retry_after);
    response
}

/// Sets the time after which the client may repeat the request.
pub(crate) fn retry_after(response: &mut Response, after: Duration) {
    let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
    response
        .headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
}

pub(crate) fn too_many_streams() -> Response {
    later(
        StatusCode::SERVICE_UNAVAILABLE,
        text::TOO_MANY_STREAMS,
        RETRY_SOON,
    )
}

pub(crate) fn not_allowed(allow: HeaderValue) -> Response {
    let mut response = error(StatusCode::METHOD_NOT_ALLOWED, text::METHOD_NOT_ALLOWED);
    response.headers_mut().insert(ALLOW, allow);
    response
}

/// Creates a response without a body, for example 202 or 204.
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

pub(crate) fn typed(status: StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Response {
    let mut response = http::Response::new(ResponseBody::bytes(body.into()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// Creates the response for an event stream, with headers that keep proxies from buffering or changing it.
pub(crate) fn events(events: impl Body<Data = Bytes, Error = Infallible> + Send + 'static) -> Response {
    let mut response = http::Response::new(ResponseBody::events(events));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
    headers.insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
    response
}

/// Adds the headers that every response has for browsers and caches.
///
/// A response that may contain data or keys must not be stored by caches, whatever the mount sets; event
/// streams have their own `Cache-Control`. Public responses set their own caching headers.
pub(crate) fn protect(response: &mut Response, access: Access, is_behind_tls: bool) {
    let may_hold_data = access != Access::Public && !response.body().is_events();
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if may_hold_data {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if is_behind_tls {
        // One year. Subdomains aren't included, because they may belong to other services.
        headers.insert(
            STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        );
    }
}
