//! One request, its answer, and what can go wrong on the way.

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderValue};
use secrecy::SecretString;
use std::{fmt, time::Duration};
use url::Url;

/// What is asked.
pub(crate) struct Request {
    /// Where. Already of the configured origin or a checked link.
    pub(crate) url: Url,
    /// `Authorization`, marked sensitive.
    pub(crate) authorization: Option<HeaderValue>,
    /// A form to POST; without one it's a GET. Only POSTs that change nothing are sent, so both may be repeated.
    pub(crate) form: Option<SecretString>,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({} {})", self.method(), self.url.path())
    }
}

impl Request {
    /// A GET.
    pub(crate) fn get(url: Url, authorization: HeaderValue) -> Self {
        Self {
            url,
            authorization: Some(authorization),
            form: None,
        }
    }

    /// A form to a token endpoint.
    pub(crate) fn form(url: Url, form: SecretString) -> Self {
        Self {
            url,
            authorization: None,
            form: Some(form),
        }
    }

    pub(crate) const fn method(&self) -> &'static str {
        if self.form.is_some() { "POST" } else { "GET" }
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
