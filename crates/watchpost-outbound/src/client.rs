//! The client: where to, how long, how much and how often.

use crate::{
    address::{Destination, Origin, check},
    lookup::{AnyAddress, Lookup, NoPublicAddress, PublicOnly, SystemLookup},
    request::{Body, Request, RequestError, Response},
    wait,
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

/// How often a request is repeated after its first try.
const REPEATS_MAX: usize = 4;
/// First wait where the server doesn't say; doubles.
const WAIT_FIRST: Duration = Duration::from_secs(1);
/// Longest wait where the server doesn't say.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// Bytes kept of an error's body: enough for its code.
const ERROR_BODY_BYTES_MAX: usize = 64 * 1024;
/// Characters kept of a server's request id in logs.
const REQUEST_ID_CHARS_MAX: usize = 64;
/// Headers under which servers name the request for their support.
const REQUEST_ID_HEADERS: [&str; 3] = ["request-id", "x-okta-request-id", "x-request-id"];

/// Limits of the client, and its exceptions.
#[derive(Debug, Clone)]
pub struct OutboundSettings {
    /// Exact origins that may be spoken to without HTTPS and at private addresses. Empty in production.
    pub allow: Vec<Origin>,
    /// Until a connection stands, name lookup included.
    pub connect_timeout: Duration,
    /// Until the whole response is there.
    pub response_timeout: Duration,
    /// Bytes of a response's body after decompression.
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

/// The client can't be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the HTTP client can't be set up: the system's certificate store may be missing")]
pub struct OutboundError;

/// The guarded HTTP client. Clones share connections.
#[derive(Clone)]
pub struct Outbound {
    shared: Arc<Shared>,
}

struct Shared {
    /// For [`Destination::Public`].
    public: Client,
    /// For [`Destination::Exempt`].
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
    /// With the system's name servers.
    ///
    /// # Errors
    /// If the system's certificates can't be read.
    pub fn new(
        settings: OutboundSettings,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, OutboundError> {
        Self::with_lookup(settings, clock, random, Arc::new(SystemLookup::default()))
    }

    /// With another way to look names up.
    ///
    /// # Errors
    /// If the system's certificates can't be read.
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
                // Waiting and repeating is decided here and nowhere else.
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

    /// The clock that it was made with.
    pub fn clock(&self) -> &dyn Clock {
        self.shared.clock.as_ref()
    }

    /// The generator that it was made with.
    pub fn random(&self) -> &dyn Random {
        self.shared.random.as_ref()
    }

    /// Whether an address may be spoken to, as far as that can be said without looking its name up.
    ///
    /// # Errors
    /// [`RequestError::Refused`].
    pub fn check(&self, url: &Url) -> Result<(), RequestError> {
        check(url, &self.shared.settings.allow).map(drop)
    }

    /// Sends a request, again where that can help, and never past `deadline`. Gives any response but 429, 500, 502, 503
    /// and 504: those are errors once no try is left.
    ///
    /// # Errors
    /// [`RequestError::Refused`] before anything is sent; the others when there is no response.
    pub async fn send(&self, request: &Request, deadline: Instant) -> Result<Response, RequestError> {
        let mut asked_too_long = None;
        let waits = ExponentialBuilder::new()
            .with_min_delay(WAIT_FIRST)
            .with_max_delay(WAIT_MAX)
            .with_max_times(REPEATS_MAX);
        let end = (|| self.attempt(request, deadline))
            .retry(waits)
            .when(|failed| failed.is_worth_repeating(request))
            .adjust(|failed: &Attempt, wait: Option<Duration>| {
                // `None`: no try is left.
                let wait = match (wait?, failed) {
                    (usual, Attempt::Status(response)) => {
                        let (status, headers) = (response.status, &response.headers);
                        wait::asked(status, headers, request.rate_limit, self.clock().now())
                            .unwrap_or_else(|| self.part_of(usual))
                    }
                    (usual, Attempt::Broken(_)) => self.part_of(usual),
                };
                if wait >= deadline.saturating_duration_since(Instant::now()) {
                    asked_too_long = Some(wait);
                    return None;
                }
                tracing::debug!(
                    path = request.url.path(),
                    wait_ms = wait.as_millis(),
                    "waiting to ask again"
                );
                Some(wait)
            })
            .await;
        match (end, asked_too_long) {
            (Ok(response), _) => Ok(response),
            (Err(_), Some(wait)) => Err(RequestError::OutOfTime { wait }),
            (Err(Attempt::Broken(error)), None) => Err(error),
            (Err(Attempt::Status(response)), None) => Err(match response.status {
                429 => RequestError::Throttled,
                status => RequestError::Server { status },
            }),
        }
    }

    /// Full jitter: any part of the wait, so that clients that failed together don't come back together.
    fn part_of(&self, wait: Duration) -> Duration {
        let mut bytes = [0_u8; 4];
        self.random().fill(&mut bytes);
        wait.mul_f64(f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX))
    }

    /// One try, with its log line.
    async fn attempt(&self, request: &Request, deadline: Instant) -> Result<Response, Attempt> {
        if request.has_reserved_header() {
            return Err(Attempt::Broken(RequestError::Refused {
                reason: "the request sets a header that only the client sets",
            }));
        }
        let destination = check(&request.url, &self.shared.settings.allow).map_err(Attempt::Broken)?;
        let began_ms = self.shared.clock.monotonic_ms();
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Attempt::Broken(RequestError::OutOfTime { wait: Duration::ZERO }));
        }
        let end = timeout(
            self.shared.settings.response_timeout.min(left),
            self.exchange(request, destination),
        )
        .await
        .unwrap_or(Err(RequestError::Transport {
            reason: "the answer took too long",
        }));
        let took_ms = self.shared.clock.monotonic_ms().saturating_sub(began_ms);
        let (method, path) = (request.method(), request.url.path());
        match end {
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
            // A code in an error's body helps to tell errors apart, but isn't needed.
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

/// Reads a decompressed body; `None` if it exceeds the limit.
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

/// A failed try.
enum Attempt {
    /// A response whose status asks for another try.
    Status(Response),
    /// No response.
    Broken(RequestError),
}

impl Attempt {
    const fn is_worth_repeating(&self, request: &Request) -> bool {
        match self {
            Self::Status(response) => request.is_repeatable() || matches!(response.status, 429 | 503),
            Self::Broken(error) => request.is_repeatable() && matches!(error, RequestError::Transport { .. }),
        }
    }
}

/// The client's error in our own words: its own text may hold the address with its query.
fn broken(error: &reqwest::Error) -> RequestError {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(inner) = cause {
        if inner.is::<NoPublicAddress>() {
            return RequestError::Refused {
                reason: "the host leads to no address on the public internet",
            };
        }
        cause = inner.source();
    }
    let reason = if error.is_timeout() {
        "connecting took too long"
    } else if error.is_connect() {
        "no connection could be made (name, network or certificate)"
    } else if error.is_decode() || error.is_body() {
        "the answer broke off or was garbled"
    } else {
        "the connection broke"
    };
    RequestError::Transport { reason }
}

/// The id under which the server's support finds the request.
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
