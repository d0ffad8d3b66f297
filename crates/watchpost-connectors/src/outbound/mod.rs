//! The one way out: every request to a vendor goes through [`Outbound`], which decides where to, how long, how much
//! and how often. It knows no vendor.

pub(crate) mod address;
pub(crate) mod call;
pub(crate) mod resolve;
pub(crate) mod wait;

pub use address::{NotAnOrigin, Origin};
pub use resolve::Lookup;

use address::{Lane, judge};
use backon::{ExponentialBuilder, Retryable};
use bytes::{Bytes, BytesMut};
use call::{Answer, Body, CallError, Request};
use reqwest::{Client, header};
use resolve::{AnyAddress, NoPublicAddress, PublicOnly, SystemLookup};
use secrecy::ExposeSecret;
use std::{error::Error as StdError, fmt, sync::Arc, time::Duration};
use tokio::time::{Instant, timeout};
use watchpost_core::{
    port::{Clock, Random},
    value::time::Timestamp,
};

/// How often a request is repeated after its first try.
const REPEATS_MAX: usize = 4;
/// First wait where the vendor doesn't say; doubles.
const WAIT_FIRST: Duration = Duration::from_secs(1);
/// Longest wait where the vendor doesn't say.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// Bytes kept of an error's body: enough for its code.
const ERROR_BODY_BYTES_MAX: usize = 64 * 1024;
/// Characters kept of a vendor's request id in logs.
const REQUEST_ID_CHARS_MAX: usize = 64;

/// Limits and exceptions of the way out.
#[derive(Debug, Clone)]
pub struct OutboundSettings {
    /// Exact origins that may be spoken to without HTTPS and at private addresses. Empty in production.
    pub allow: Vec<Origin>,
    /// Until a connection stands, name lookup included.
    pub connect_timeout: Duration,
    /// Until the whole answer is there.
    pub answer_timeout: Duration,
    /// Bytes of an answer after decompression.
    pub answer_bytes_max: usize,
    /// How long one sync may take; no wait goes past it.
    pub sync_budget: Duration,
    /// How long one verification may take.
    pub verify_budget: Duration,
    /// Pages of one list.
    pub pages_max: u32,
}

impl Default for OutboundSettings {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            connect_timeout: Duration::from_secs(5),
            answer_timeout: Duration::from_secs(60),
            answer_bytes_max: 32 * 1024 * 1024,
            sync_budget: Duration::from_secs(2 * 60 * 60),
            verify_budget: Duration::from_secs(120),
            pages_max: 20_000,
        }
    }
}

/// The client can't be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the HTTP client can't be set up: the system's certificate store may be missing")]
pub struct OutboundError;

/// The shared way out. Clones share connections.
#[derive(Clone)]
pub struct Outbound {
    shared: Arc<Shared>,
}

struct Shared {
    strict: Client,
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
        let strict = base()
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
                strict,
                exempt,
                settings,
                clock,
                random,
            }),
        })
    }

    pub(crate) fn settings(&self) -> &OutboundSettings {
        &self.shared.settings
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.shared.clock.as_ref()
    }

    pub(crate) fn random(&self) -> &dyn Random {
        self.shared.random.as_ref()
    }

    /// Whether an address may be spoken to, as far as that can be said without looking its name up.
    pub(crate) fn judge(&self, url: &url::Url) -> Result<(), CallError> {
        judge(url, &self.shared.settings.allow).map(drop)
    }

    /// Sends a request, again where that can help, and never past `deadline`.
    pub(crate) async fn send(&self, request: &Request, deadline: Instant) -> Result<Answer, CallError> {
        let mut asked_too_long = None;
        let waits = ExponentialBuilder::new()
            .with_min_delay(WAIT_FIRST)
            .with_max_delay(WAIT_MAX)
            .with_max_times(REPEATS_MAX);
        let end = (|| self.attempt(request, deadline))
            .retry(waits)
            .when(|failed| failed.may_repeat(request))
            .adjust(|failed: &Attempt, wait: Option<Duration>| {
                // `None`: no try is left.
                let wait = match (wait?, failed) {
                    (usual, Attempt::Status(answer)) => {
                        wait::asked(answer.status, &answer.headers, self.now())
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
            (Ok(answer), _) => Ok(answer),
            (Err(_), Some(wait)) => Err(CallError::OutOfTime { wait }),
            (Err(Attempt::Broken(error)), None) => Err(error),
            (Err(Attempt::Status(answer)), None) => Err(match answer.status {
                429 => CallError::Throttled,
                status => CallError::Server { status },
            }),
        }
    }

    /// Full jitter: any part of the wait, so that clients that failed together don't come back together.
    fn part_of(&self, wait: Duration) -> Duration {
        let mut bytes = [0_u8; 4];
        self.random().fill(&mut bytes);
        wait.mul_f64(f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX))
    }

    /// Sleeps, but not past `deadline`.
    pub(crate) async fn pause(&self, wait: Duration, deadline: Instant) {
        let until = Instant::now()
            .checked_add(wait)
            .map_or(deadline, |until| until.min(deadline));
        tokio::time::sleep_until(until).await;
    }

    /// One try, with its log line.
    async fn attempt(&self, request: &Request, deadline: Instant) -> Result<Answer, Attempt> {
        let lane = judge(&request.url, &self.shared.settings.allow).map_err(Attempt::Broken)?;
        let began_ms = self.shared.clock.monotonic_ms();
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Attempt::Broken(CallError::OutOfTime { wait: Duration::ZERO }));
        }
        let end = timeout(
            self.shared.settings.answer_timeout.min(left),
            self.exchange(request, lane),
        )
        .await
        .unwrap_or(Err(CallError::Transport {
            reason: "the answer took too long",
        }));
        let took_ms = self.shared.clock.monotonic_ms().saturating_sub(began_ms);
        let (method, path) = (request.method(), request.url.path());
        match end {
            Ok(answer) => {
                let status = answer.status;
                let request_id = request_id(&answer);
                tracing::debug!(method, path, status, request_id, took_ms, "vendor answered");
                if matches!(status, 429 | 500 | 502 | 503 | 504) {
                    Err(Attempt::Status(answer))
                } else {
                    Ok(answer)
                }
            }
            Err(error) => {
                tracing::warn!(method, path, took_ms, reason = %error, "no answer from vendor");
                Err(Attempt::Broken(error))
            }
        }
    }

    async fn exchange(&self, request: &Request, lane: Lane) -> Result<Answer, CallError> {
        let client = match lane {
            Lane::Strict => &self.shared.strict,
            Lane::Exempt => &self.shared.exempt,
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
            Body::Query(text) | Body::Order(text) => json(text),
            Body::Withdrawal => client.delete(url),
        };
        builder = builder.header(header::ACCEPT, request.accept);
        for (name, value) in &request.headers {
            builder = builder.header(*name, value.clone());
        }
        if let Some(authorization) = &request.authorization {
            builder = builder.header(header::AUTHORIZATION, authorization.clone());
        }
        let mut response = builder.send().await.map_err(|error| broken(&error))?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = if response.status().is_success() {
            let limit = self.shared.settings.answer_bytes_max;
            read(&mut response, limit).await?.ok_or(CallError::TooLarge {
                limit_mib: limit >> 20,
            })?
        } else {
            // A code in an error's body helps to tell errors apart, but isn't needed.
            read(&mut response, ERROR_BODY_BYTES_MAX)
                .await
                .ok()
                .flatten()
                .unwrap_or_default()
        };
        Ok(Answer {
            status,
            headers,
            body,
        })
    }
}

/// Reads a decompressed body; `None` if it exceeds the limit.
async fn read(response: &mut reqwest::Response, limit: usize) -> Result<Option<Bytes>, CallError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| broken(&error))? {
        if body.len().saturating_add(chunk.len()) > limit {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body.freeze()))
}

/// A failed try.
enum Attempt {
    /// An answer whose status asks for another try.
    Status(Answer),
    /// No answer.
    Broken(CallError),
}

impl Attempt {
    const fn may_repeat(&self, request: &Request) -> bool {
        match self {
            Self::Status(answer) => request.may_repeat_blindly() || matches!(answer.status, 429 | 503),
            Self::Broken(error) => {
                request.may_repeat_blindly() && matches!(error, CallError::Transport { .. })
            }
        }
    }
}

/// The client's error in our own words: its own text may hold the address with its query.
fn broken(error: &reqwest::Error) -> CallError {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(inner) = cause {
        if inner.is::<NoPublicAddress>() {
            return CallError::Refused {
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
    CallError::Transport { reason }
}

/// The id under which the vendor's support finds the request.
fn request_id(answer: &Answer) -> String {
    ["request-id", "x-okta-request-id"]
        .iter()
        .find_map(|name| answer.header(name))
        .unwrap_or_default()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
        .take(REQUEST_ID_CHARS_MAX)
        .collect()
}
