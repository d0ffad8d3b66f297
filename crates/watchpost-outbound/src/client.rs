//! The HTTP client with its limits on destinations, time, size and retries.

use crate::{
    address::{Destination, Origin, check},
    lookup::{AnyAddress, Lookup, NoPublicAddress, PublicOnly, SystemLookup},
    request::{Body, Request, RequestError, Response},
    text, wait,
};
use backon::{ExponentialBuilder, Retryable};
use bytes::{Bytes, BytesMut};
use http::header;
use reqwest::Client;
use secrecy::ExposeSecret;
use std::{error::Error as StdError, fmt, sync::Arc, time::Duration};
use tokio::time::{Instant, timeout};
use url::Url;
use watchpost_core::port::{Clock, Random};

/// The maximum number of retries after the first attempt.
const RETRIES_MAX: usize = 4;
/// The first wait when the server doesn't specify one; it doubles with each retry.
const WAIT_FIRST: Duration = Duration::from_secs(1);
/// The longest wait when the server doesn't specify one.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// The maximum size of an error response's body, in bytes. It is enough to read the error code.
const ERROR_BODY_BYTES_MAX: usize = 64 * 1024;
/// The number of characters of a server's request id that are logged.
const REQUEST_ID_CHARS_MAX: usize = 64;
/// The headers in which servers return the request id that their support asks for.
const REQUEST_ID_HEADERS: [&str; 3] = ["request-id", "x-okta-request-id", "x-request-id"];

/// The limits of the client, and the exceptions from its address rules.
#[derive(Debug, Clone)]
pub struct OutboundSettings {
    /// The exact origins that may be reached without HTTPS and at private addresses. Empty in production.
    pub allow: Vec<Origin>,
    /// The time limit for connecting, including the name lookup.
    pub connect_timeout: Duration,
    /// The time limit for one attempt, until the whole response has arrived.
    pub response_timeout: Duration,
    /// The maximum size of a response's body after decompression, in bytes.
    pub response_bytes_max: usize,
}

impl Default for OutboundSettings {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            connect_timeout: Duration::from_secs(5),
            response_timeout: Duration::from_secs(60),
            response_bytes_max: 32 * 1024 * 1024,
        }
    }
}

/// The error returned when the client can't be created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the HTTP client can't be set up: the system's certificate store may be missing")]
pub struct OutboundError;

/// The restricted HTTP client. Clones share connections.
#[derive(Clone)]
pub struct Outbound {
    shared: Arc<Shared>,
}

struct Shared {
    /// The client for [`Destination::Public`].
    public: Client,
    /// The client for [`Destination::Exempt`].
    exempt: Client,
    settings: OutboundSettings,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound")
            .field("settings", &self.shared.settings)
            .finish_non_exhaustive()
    }
}

impl Outbound {
    /// Creates a client that resolves names through the system's name servers.
    ///
    /// # Errors
    /// Returns an error if the system's certificates can't be read.
    pub fn new(
        settings: OutboundSettings,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, OutboundError> {
        Self::with_lookup(settings, clock, random, Arc::new(SystemLookup::default()))
    }

    /// Creates a client that resolves names through `lookup`.
    ///
    /// # Errors
    /// Returns an error if the system's certificates can't be read.
    pub fn with_lookup(
        settings: OutboundSettings,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        lookup: Arc<dyn Lookup>,
    ) -> Result<Self, OutboundError> {
        let base = || {
            Client::builder()
                .user_agent(concat!("watchpost/", env!("CARGO_PKG_VERSION")))
                .redirect(reqwest::redirect::Policy::none())
                // `send` is the only place that decides on retries.
                .retry(reqwest::retry::never())
                .referer(false)
                .no_proxy()
                .gzip(true)
                .connect_timeout(settings.connect_timeout)
        };
        let public = base()
            .https_only(true)
            .dns_resolver(PublicOnly(Arc::clone(&lookup)))
            .build()
            .map_err(|_| OutboundError)?;
        let exempt = base()
            .dns_resolver(AnyAddress(lookup))
            .build()
            .map_err(|_| OutboundError)?;
        Ok(Self {
            shared: Arc::new(Shared {
                public,
                exempt,
                settings,
                clock,
                random,
            }),
        })
    }

    /// Returns the clock that the client was created with.
    pub fn clock(&self) -> &dyn Clock {
        self.shared.clock.as_ref()
    }

    /// Returns the random generator that the client was created with.
    pub fn random(&self) -> &dyn Random {
        self.shared.random.as_ref()
    }

    /// Checks whether requests to an address are allowed, without resolving its host name.
    ///
    /// # Errors
    /// Returns [`RequestError::Refused`] if they aren't.
    pub fn check(&self, url: &Url) -> Result<(), RequestError> {
        check(url, &self.shared.settings.allow).map(drop)
    }

    /// Whether an address belongs to an origin that is exempt from the address rules.
    pub fn is_exempt(&self, url: &Url) -> bool {
        check(url, &self.shared.settings.allow).is_ok_and(|to| to == Destination::Exempt)
    }

    /// Sends a request, with retries where they are safe and can help, and never past `deadline`. Returns a response with
    /// any status except 429, 500, 502, 503 and 504: those are errors once no retry is left.
    ///
    /// # Errors
    /// Returns [`RequestError::Refused`] before anything is sent, and the other variants when there is no usable response.
    pub async fn send(&self, request: &Request, deadline: Instant) -> Result<Response, RequestError> {
        let mut wait_too_long = None;
        let waits = ExponentialBuilder::new()
            .with_min_delay(WAIT_FIRST)
            .with_max_delay(WAIT_MAX)
            .with_max_times(RETRIES_MAX);
        let result = (|| self.attempt(request, deadline))
            .retry(waits)
            .when(|failed| failed.is_worth_retrying(request))
            .adjust(|failed: &Attempt, wait: Option<Duration>| {
                // `None`: no retry is left.
                let wait = match (wait?, failed) {
                    (default, Attempt::Status(response)) => {
                        let (status, headers) = (response.status, &response.headers);
                        wait::requested(status, headers, request.rate_limit, self.clock().now())
                            .unwrap_or_else(|| self.jitter(default))
                    }
                    (default, Attempt::Broken(_)) => self.jitter(default),
                };
                if wait >= deadline.saturating_duration_since(Instant::now()) {
                    wait_too_long = Some(wait);
                    return None;
                }
                tracing::debug!(
                    path = request.url.path(),
                    wait_ms = wait.as_millis(),
                    "waiting before a retry"
                );
                Some(wait)
            })
            .await;
        match (result, wait_too_long) {
            (Ok(response), _) => Ok(response),
            (Err(_), Some(wait)) => Err(RequestError::OutOfTime { wait }),
            (Err(Attempt::Broken(error)), None) => Err(error),
            (Err(Attempt::Status(response)), None) => Err(match response.status {
                429 => RequestError::Throttled,
                status => RequestError::Server { status },
            }),
        }
    }

    /// Returns a random part of the wait (full jitter), so that clients that failed together don't retry together.
    fn jitter(&self, wait: Duration) -> Duration {
        let mut bytes = [0_u8; 4];
        self.random().fill(&mut bytes);
        wait.mul_f64(f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX))
    }

    /// Makes one attempt, and logs it.
    async fn attempt(&self, request: &Request, deadline: Instant) -> Result<Response, Attempt> {
        if request.has_reserved_header() {
            return Err(Attempt::Broken(RequestError::Refused {
                reason: text::RESERVED_HEADER,
            }));
        }
        let destination = check(&request.url, &self.shared.settings.allow).map_err(Attempt::Broken)?;
        let began_ms = self.shared.clock.monotonic_ms();
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Attempt::Broken(RequestError::OutOfTime { wait: Duration::ZERO }));
        }
        let result = timeout(
            self.shared.settings.response_timeout.min(left),
            self.exchange(request, destination),
        )
        .await
        .unwrap_or(Err(RequestError::Transport {
            reason: text::RESPONSE_TIMEOUT,
        }));
        let took_ms = self.shared.clock.monotonic_ms().saturating_sub(began_ms);
        let (method, path) = (request.method(), request.url.path());
        match result {
            Ok(response) => {
                let status = response.status;
                let request_id = request_id(&response);
                tracing::debug!(method, path, status, request_id, took_ms, "response received");
                if matches!(status, 429 | 500 | 502 | 503 | 504) {
                    Err(Attempt::Status(response))
                } else {
                    Ok(response)
                }
            }
            Err(error) => {
                tracing::warn!(method, path, took_ms, reason = %error, "no response");
                Err(Attempt::Broken(error))
            }
        }
    }

    async fn exchange(&self, request: &Request, destination: Destination) -> Result<Response, RequestError> {
        let client = match destination {
            Destination::Public => &self.shared.public,
            Destination::Exempt => &self.shared.exempt,
        };
        let url = request.url.clone();
        let json = |text: &str| {
            client
                .post(request.url.clone())
                .header(header::CONTENT_TYPE, "application/json")
                .body(text.to_owned())
        };
        let mut builder = match &request.body {
            Body::None => client.get(url),
            Body::Form(form) => client
                .post(url)
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form.expose_secret().to_owned()),
            Body::Query(text) | Body::Create(text) => json(text),
            Body::Delete => client.delete(url),
        };
        builder = builder.header(header::ACCEPT, request.accept);
        for (name, value) in &request.headers {
            builder = builder.header(name, value.clone());
        }
        if let Some(authorization) = &request.authorization {
            builder = builder.header(header::AUTHORIZATION, authorization.clone());
        }
        let mut incoming = builder.send().await.map_err(|error| broken(&error))?;
        let status = incoming.status().as_u16();
        let headers = incoming.headers().clone();
        let body = if incoming.status().is_success() {
            let limit = self.shared.settings.response_bytes_max;
            read(&mut incoming, limit).await?.ok_or(RequestError::TooLarge {
                limit_mib: limit >> 20,
            })?
        } else {
            // The error code in the body helps to distinguish errors, but isn't required.
            read(&mut incoming, ERROR_BODY_BYTES_MAX)
                .await
                .ok()
                .flatten()
                .unwrap_or_default()
        };
        Ok(Response {
            status,
            headers,
            body,
        })
    }
}

/// Reads a decompressed body. Returns `None` if it exceeds the limit.
async fn read(incoming: &mut reqwest::Response, limit: usize) -> Result<Option<Bytes>, RequestError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = incoming.chunk().await.map_err(|error| broken(&error))? {
        if body.len().saturating_add(chunk.len()) > limit {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body.freeze()))
}

/// A failed attempt.
enum Attempt {
    /// A response whose status suggests a retry.
    Status(Response),
    /// No response.
    Broken(RequestError),
}

impl Attempt {
    const fn is_worth_retrying(&self, request: &Request) -> bool {
        match self {
            Self::Status(response) => request.is_retryable() || matches!(response.status, 429 | 503),
            Self::Broken(error) => request.is_retryable() && matches!(error, RequestError::Transport { .. }),
        }
    }
}

/// Translates the HTTP library's error. The library's own message may contain the address with its query.
fn broken(error: &reqwest::Error) -> RequestError {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(inner) = cause {
        if inner.is::<NoPublicAddress>() {
            return RequestError::Refused {
                reason: text::NO_PUBLIC_ADDRESS,
            };
        }
        cause = inner.source();
    }
    let reason = if error.is_timeout() {
        text::CONNECT_TIMEOUT
    } else if error.is_connect() {
        text::CONNECT_FAILED
    } else if error.is_decode() || error.is_body() {
        text::RESPONSE_INCOMPLETE
    } else {
        text::CONNECTION_LOST
    };
    RequestError::Transport { reason }
}

/// Returns the id by which the server's support finds the request; empty if the server sent none.
fn request_id(response: &Response) -> String {
    REQUEST_ID_HEADERS
        .iter()
        .find_map(|name| response.header(name))
        .unwrap_or_default()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
        .take(REQUEST_ID_CHARS_MAX)
        .collect()
}
