//! Responses, and the one body type they all share.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};

use crate::connection::watched::Running;

/// A response of this crate.
pub(crate) type Answer = Response<AnswerBody>;

/// Bytes that are there already, or events that come.
pub(crate) struct AnswerBody {
    content: Content,
    /// Given back when hyper has taken the last byte.
    _running: Option<Running>,
}

enum Content {
    Bytes(Bytes),
    Events(Pin<Box<dyn Body<Data = Bytes, Error = Infallible> + Send>>),
}

impl AnswerBody {
    pub(crate) fn bytes(bytes: Bytes) -> Self {
        Self {
            content: Content::Bytes(bytes),
            _running: None,
        }
    }

    pub(crate) fn events(events: impl Body<Data = Bytes, Error = Infallible> + Send + 'static) -> Self {
        Self {
            content: Content::Events(Box::pin(events)),
            _running: None,
        }
    }

    /// The request counts as running until this body is dropped.
    pub(crate) fn attach(&mut self, running: Running) {
        self._running = Some(running);
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut self.content {
            Content::Bytes(bytes) if bytes.is_empty() => Poll::Ready(None),
            Content::Bytes(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Content::Events(events) => events.as_mut().poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Bytes(bytes) => bytes.is_empty(),
            Content::Events(events) => events.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Bytes(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Events(_) => SizeHint::default(),
        }
    }
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer realm=\"watchpost\"");
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// A finished JSON text.
pub(crate) fn json(status: StatusCode, body: Bytes) -> Answer {
    let mut answer = Response::new(AnswerBody::bytes(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, JSON);
    answer
}

/// `{"error":"…"}`. `message` is ours and needs no escaping.
pub(crate) fn error(status: StatusCode, message: &'static str) -> Answer {
    debug_assert!(!message.contains(['"', '\\']));
    json(status, Bytes::from(format!("{{\"error\":\"{message}\"}}")))
}

pub(crate) fn unauthorized(message: &'static str) -> Answer {
    let mut answer = error(StatusCode::UNAUTHORIZED, message);
    answer.headers_mut().insert(WWW_AUTHENTICATE, CHALLENGE);
    answer
}

/// An error that says when to come back: at least a second, rounded up.
pub(crate) fn later(status: StatusCode, message: &'static str, retry_after: Duration) -> Answer {
    let mut answer = error(status, message);
    let seconds = retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0);
    answer
        .headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    answer
}

pub(crate) fn not_allowed(allow: &'static str) -> Answer {
    let mut answer = error(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed");
    answer
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(allow));
    answer
}

/// No body, for example 202 and 204.
pub(crate) fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(AnswerBody::bytes(Bytes::new()));
    *answer.status_mut() = status;
    answer
}

pub(crate) fn options(allow: &'static str) -> Answer {
    let mut answer = empty(StatusCode::NO_CONTENT);
    answer
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(allow));
    answer
}

pub(crate) fn text(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(AnswerBody::bytes(body.into()));
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

/// An event stream that no proxy should hold back or change.
pub(crate) fn events(events: impl Body<Data = Bytes, Error = Infallible> + Send + 'static) -> Answer {
    let mut answer = Response::new(AnswerBody::events(events));
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
    headers.insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
    answer
}
