//! One request, its answer, and what can go wrong on the way.

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderValue};
use secrecy::SecretString;
use std::{fmt, time::Duration};
use url::Url;

/// What is asked.
pub(crate) struct Request {
    /// How, and with what.
    pub(crate) body: Body,
    /// Where. Already of the configured origin or a checked link.
    pub(crate) url: Url,
    /// `Authorization`, marked sensitive.
    pub(crate) authorization: Option<HeaderValue>,
    /// What is accepted as an answer.
    pub(crate) accept: &'static str,
    /// More headers.
    pub(crate) headers: Vec<(&'static str, HeaderValue)>,
}

/// The method of a request with what it carries.
pub(crate) enum Body {
    /// A GET.
    None,
    /// A form to POST to a token endpoint.
    Form(SecretString),
    /// JSON to POST that asks for something and changes nothing, so that it may be repeated.
    Query(String),
    /// JSON to POST that orders something of our own at the vendor (a snapshot): repeated only if the vendor says that
    /// it did nothing.
    Order(String),
    /// A DELETE of something that we ordered ourselves.
    Withdrawal,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({} {})", self.method(), self.url.path())
    }
}

impl Request {
    /// Anything; `Authorization` comes later.
    pub(crate) const fn new(url: Url, body: Body) -> Self {
        Self {
            body,
            url,
            authorization: None,
            accept: "application/json",
            headers: Vec::new(),
        }
    }

    /// A GET.
    pub(crate) fn get(url: Url, authorization: HeaderValue) -> Self {
        Self {
            authorization: Some(authorization),
            ..Self::new(url, Body::None)
        }
    }

    /// A form to a token endpoint.
    pub(crate) const fn form(url: Url, form: SecretString) -> Self {
        Self::new(url, Body::Form(form))
    }

    pub(crate) const fn method(&self) -> &'static str {
        match self.body {
            Body::None => "GET",
            Body::Form(_) | Body::Query(_) | Body::Order(_) => "POST",
            Body::Withdrawal => "DELETE",
        }
    }

    /// Whether it may be sent again when nobody knows whether it arrived.
    pub(crate) const fn may_repeat_blindly(&self) -> bool {
        !matches!(self.body, Body::Order(_))
    }
}

/// An answer with any status that repeating wouldn't change. Its body is never shown to anybody.
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: u16,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body after decompression; of an error at most its first part.
    pub(crate) body: Bytes,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer({}, {} bytes)", self.status, self.body.len())
    }
}

impl Answer {
    /// Whether the status says success.
    pub(crate) const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Why there is no answer. Texts are our own words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CallError {
    /// Our rules forbid the address.
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
    /// The answer exceeds the limit.
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
    /// Waiting as asked would exceed the time that a sync may take.
    #[error("the vendor asked to wait {} s, longer than this sync may still take", wait.as_secs())]
    OutOfTime {
        /// How long.
        wait: Duration,
    },
}
