//! One request, its response, and what can go wrong on the way.

use crate::wait::RateLimitHeaders;
use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{
        ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, PROXY_AUTHORIZATION,
        TRANSFER_ENCODING, UPGRADE, USER_AGENT,
    },
};
use secrecy::SecretString;
use std::{fmt, time::Duration};
use url::Url;

/// Headers that a caller doesn't set by name: the connection's own, and those that have a method of their own here.
const RESERVED_HEADERS: [HeaderName; 10] = [
    ACCEPT,
    AUTHORIZATION,
    CONNECTION,
    CONTENT_LENGTH,
    CONTENT_TYPE,
    HOST,
    PROXY_AUTHORIZATION,
    TRANSFER_ENCODING,
    UPGRADE,
    USER_AGENT,
];

/// A request. Its `Debug` text shows method and path only.
#[derive(Clone)]
pub struct Request {
    pub(crate) body: Body,
    pub(crate) url: Url,
    pub(crate) authorization: Option<HeaderValue>,
    pub(crate) accept: &'static str,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) rate_limit: Option<&'static RateLimitHeaders>,
}

/// The method of a request with what it carries.
#[derive(Clone)]
pub(crate) enum Body {
    /// A GET.
    None,
    /// A POST of a form.
    Form(SecretString),
    /// A POST of JSON that changes nothing.
    Query(String),
    /// A POST of JSON that makes something.
    Create(String),
    /// A DELETE.
    Delete,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({} {})", self.method(), self.url.path())
    }
}

impl Request {
    const fn new(url: Url, body: Body) -> Self {
        Self {
            body,
            url,
            authorization: None,
            accept: "application/json",
            headers: Vec::new(),
            rate_limit: None,
        }
    }

    /// A GET.
    pub const fn get(url: Url) -> Self {
        Self::new(url, Body::None)
    }

    /// A POST of a form (`application/x-www-form-urlencoded`) to a token endpoint. May be repeated.
    pub const fn form(url: Url, form: SecretString) -> Self {
        Self::new(url, Body::Form(form))
    }

    /// A POST of JSON that asks for something and changes nothing, so that it may be repeated.
    pub const fn query(url: Url, json: String) -> Self {
        Self::new(url, Body::Query(json))
    }

    /// A POST of JSON that makes something at the server. Repeated only if the server says that it did nothing (429,
    /// 503): without a response nobody knows whether it arrived.
    pub const fn create(url: Url, json: String) -> Self {
        Self::new(url, Body::Create(json))
    }

    /// A DELETE. May be repeated.
    pub const fn delete(url: Url) -> Self {
        Self::new(url, Body::Delete)
    }

    /// With this `Accept` instead of `application/json`.
    #[must_use]
    pub const fn accepting(mut self, media_type: &'static str) -> Self {
        self.accept = media_type;
        self
    }

    /// With more headers. [`crate::Outbound::send`] refuses those that it sets itself, `Host` and `Authorization` among
    /// them.
    #[must_use]
    pub fn with_headers(mut self, headers: &[(HeaderName, HeaderValue)]) -> Self {
        self.headers.extend_from_slice(headers);
        self
    }

    /// With the headers by which the server tells how many requests it still takes.
    #[must_use]
    pub const fn limited_by(mut self, headers: &'static RateLimitHeaders) -> Self {
        self.rate_limit = Some(headers);
        self
    }

    /// Sets `Authorization`, or replaces it. The value is kept out of `Debug` texts.
    pub fn authorize(&mut self, mut value: HeaderValue) {
        value.set_sensitive(true);
        self.authorization = Some(value);
    }

    pub(crate) const fn method(&self) -> &'static str {
        match self.body {
            Body::None => "GET",
            Body::Form(_) | Body::Query(_) | Body::Create(_) => "POST",
            Body::Delete => "DELETE",
        }
    }

    /// Whether it may be sent again when nobody knows whether it arrived.
    pub(crate) const fn is_repeatable(&self) -> bool {
        !matches!(self.body, Body::Create(_))
    }

    /// Whether a caller tries to set a header that isn't a caller's to set.
    pub(crate) fn has_reserved_header(&self) -> bool {
        let mut names = self.headers.iter().map(|(name, _)| name);
        names.any(|name| RESERVED_HEADERS.contains(name))
    }
}

/// A response with any status that repeating the request wouldn't change. Its `Debug` text shows no header and no
/// body.
pub struct Response {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body after decompression, at most [`crate::OutboundSettings::response_bytes_max`]; of an error (a status
    /// outside 200–299) at most 64 KiB, and nothing if it is longer.
    pub body: Bytes,
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({}, {} bytes)", self.status, self.body.len())
    }
}

impl Response {
    /// Whether the status says success (200–299).
    pub const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// A header as text; `None` if it is absent or no visible ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Why there is no response. The texts are our own words and hold nothing of the request or of a response's body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The rules forbid the address.
    #[error("the address is refused: {reason}")]
    Refused {
        /// Which rule.
        reason: &'static str,
    },
    /// No connection, or it broke.
    #[error("{reason}")]
    Transport {
        /// How.
        reason: &'static str,
    },
    /// The body exceeds the limit.
    #[error("an answer was larger than {limit_mib} MiB")]
    TooLarge {
        /// The limit.
        limit_mib: usize,
    },
    /// 429 after all tries.
    #[error("the vendor kept answering \"too many requests\" (429)")]
    Throttled,
    /// 5xx after all tries.
    #[error("the vendor kept answering with an error of its own (status {status})")]
    Server {
        /// The last status.
        status: u16,
    },
    /// Waiting as asked would go past the deadline.
    #[error("the vendor asked to wait {} s, longer than there is time for", wait.as_secs())]
    OutOfTime {
        /// How long it asked to wait; zero if the deadline had passed before the request was sent.
        wait: Duration,
    },
}
