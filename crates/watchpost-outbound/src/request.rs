//! Requests, responses and errors.

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

/// The headers that a caller must not set by name: those of the connection, and those that [`Request`] has a method for.
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

/// An HTTP request. Its `Debug` text shows only the method and the path.
#[derive(Clone)]
pub struct Request {
    pub(crate) body: Body,
    pub(crate) url: Url,
    pub(crate) authorization: Option<HeaderValue>,
    pub(crate) accept: &'static str,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) rate_limit: Option<&'static RateLimitHeaders>,
}

/// The method of a request with its body.
#[derive(Clone)]
pub(crate) enum Body {
    /// A GET.
    None,
    /// A POST of a form.
    Form(SecretString),
    /// A POST of JSON that changes nothing.
    Query(String),
    /// A POST of JSON that creates something.
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

    /// Creates a GET request.
    pub const fn get(url: Url) -> Self {
        Self::new(url, Body::None)
    }

    /// Creates a POST request with a form (`application/x-www-form-urlencoded`) for a token endpoint. It may be retried.
    pub const fn form(url: Url, form: SecretString) -> Self {
        Self::new(url, Body::Form(form))
    }

    /// Creates a POST request with JSON that changes nothing at the server. It may be retried.
    pub const fn query(url: Url, json: String) -> Self {
        Self::new(url, Body::Query(json))
    }

    /// Creates a POST request with JSON that creates something at the server. It is retried only if the server's status
    /// says that nothing was done (429, 503): without a response, whether the request was processed is unknown.
    pub const fn create(url: Url, json: String) -> Self {
        Self::new(url, Body::Create(json))
    }

    /// Creates a DELETE request. It may be retried.
    pub const fn delete(url: Url) -> Self {
        Self::new(url, Body::Delete)
    }

    /// Sets `Accept`, which is `application/json` by default.
    #[must_use]
    pub const fn accepting(mut self, media_type: &'static str) -> Self {
        self.accept = media_type;
        self
    }

    /// Adds headers. [`crate::Outbound::send`] rejects those that it sets itself, such as `Host` and `Authorization`.
    #[must_use]
    pub fn with_headers(mut self, headers: &[(HeaderName, HeaderValue)]) -> Self {
        self.headers.extend_from_slice(headers);
        self
    }

    /// Names the headers in which the server reports its rate limit.
    #[must_use]
    pub const fn limited_by(mut self, headers: &'static RateLimitHeaders) -> Self {
        self.rate_limit = Some(headers);
        self
    }

    /// Returns the path of the address.
    pub fn path(&self) -> &str {
        self.url.path()
    }

    /// Sets `Authorization`, replacing an earlier value. The value doesn't appear in `Debug` texts.
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

    /// Whether the request may be sent again when it is unknown whether the server processed it.
    pub(crate) const fn is_retryable(&self) -> bool {
        !matches!(self.body, Body::Create(_))
    }

    /// Whether the caller has set a reserved header.
    pub(crate) fn has_reserved_header(&self) -> bool {
        let mut names = self.headers.iter().map(|(name, _)| name);
        names.any(|name| RESERVED_HEADERS.contains(name))
    }
}

/// A response whose status a retry wouldn't change. Its `Debug` text shows only the status and the size of the body.
pub struct Response {
    /// The HTTP status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The decompressed body, of at most [`crate::OutboundSettings::response_bytes_max`]. The body of an error (a status
    /// outside 200–299) is empty if it is longer than 64 KiB.
    pub body: Bytes,
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({}, {} bytes)", self.status, self.body.len())
    }
}

impl Response {
    /// Whether the status is a success (200–299).
    pub const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// Returns a header as text; `None` if it is absent or contains anything but visible ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// The reason why a request has no usable response. The messages are Watchpost's own: they don't quote the request or the
/// response's body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The request isn't allowed, and was not sent.
    #[error("the address is not allowed: {reason}")]
    Refused {
        /// The rule that forbids it.
        reason: &'static str,
    },
    /// The connection could not be made or was lost.
    #[error("{reason}")]
    Transport {
        /// The reason.
        reason: &'static str,
    },
    /// The response's body exceeds the limit.
    #[error("a response was larger than {limit_mib} MiB")]
    TooLarge {
        /// The limit in MiB.
        limit_mib: usize,
    },
    /// The response contained a credential. Reported by the sender, who knows them.
    #[error("a response contained the credential that Watchpost uses there, so it was discarded")]
    Echoed,
    /// The server answered 429 to the last attempt.
    #[error("the vendor kept responding \"too many requests\" (status 429)")]
    Throttled,
    /// The server answered 5xx to the last attempt.
    #[error("the vendor kept responding with a server error (status {status})")]
    Server {
        /// The last status.
        status: u16,
    },
    /// The next wait would go past the deadline.
    #[error("the next attempt would have to wait {} s, which is past the deadline", wait.as_secs())]
    OutOfTime {
        /// The length of the wait; zero if the deadline had passed before the request was sent.
        wait: Duration,
    },
}
