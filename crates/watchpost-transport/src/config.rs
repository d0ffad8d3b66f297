//! The configuration of a service: limits, timeouts, host names and keys.

use crate::{
    admission::hosts::AllowedHosts,
    environment::{Clock, Random},
    sessions::states::StateKeys,
};
use http::Uri;
use ipnet::IpNet;
use std::{fmt, num::NonZeroU32, sync::Arc, time::Duration};

/// The configuration of a [`Service`](crate::Service).
#[derive(Clone)]
pub struct Config {
    /// The host names and web origins that requests may use.
    pub hosts: AllowedHosts,
    /// The networks of trusted proxies, whose `X-Forwarded-For` and `X-Forwarded-Proto` headers are used. If
    /// empty, these headers are ignored.
    pub proxies: Vec<IpNet>,
    /// The key that seals session ids. Sessions survive a restart, and work on every replica, if the key stays
    /// the same.
    pub session_key: SessionKey,
    /// The keys that seal state sent through modern clients. They must be the same on every replica.
    pub state_keys: StateKeys,
    /// The transports whose routes are served.
    pub surface: Surface,
    /// The path under which a proxy serves this server, for example `/watchpost`, without a trailing slash.
    /// Empty at the root. Paths are served with and without it, since proxies may pass it on or remove it, and
    /// HTTP+SSE includes it in the path that clients post to.
    pub base_path: String,
    /// Limits on counts and sizes.
    pub limits: Limits,
    /// Timeouts and intervals.
    pub timing: Timing,
    /// The source of time.
    pub clock: Arc<dyn Clock>,
    /// The source of randomness for nonces and stream names.
    pub random: Arc<dyn Random>,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("hosts", &self.hosts)
            .field("proxies", &self.proxies)
            .field("surface", &self.surface)
            .field("base_path", &self.base_path)
            .field("limits", &self.limits)
            .field("timing", &self.timing)
            .finish_non_exhaustive()
    }
}

impl Config {
    /// Creates a configuration that accepts loopback host names only, with all routes and the default limits
    /// and timing.
    pub fn new(
        session_key: SessionKey,
        state_keys: StateKeys,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self {
            hosts: AllowedHosts::loopback(),
            proxies: Vec::new(),
            session_key,
            state_keys,
            surface: Surface::Everything,
            base_path: String::new(),
            limits: Limits::default(),
            timing: Timing::default(),
            clock,
            random,
        }
    }

    /// Returns the URI of a request without [`base_path`](Self::base_path), if it begins with it.
    pub(crate) fn without_base_path(&self, uri: &Uri) -> Option<Uri> {
        let rest = uri.path_and_query()?.as_str().strip_prefix(&self.base_path)?;
        if self.base_path.is_empty() || !(rest.is_empty() || rest.starts_with(['/', '?'])) {
            return None;
        }
        let slash = if rest.starts_with('/') { "" } else { "/" };
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = Some(format!("{slash}{rest}").parse().ok()?);
        Uri::from_parts(parts).ok()
    }
}

/// The transports that a server offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// Streamable HTTP and HTTP+SSE.
    Everything,
    /// HTTP+SSE only: `/sse`, `/messages` and the probes.
    HttpSse,
}

/// The key that seals session ids, 32 secret bytes. `Debug` prints `SessionKey(…)`.
#[derive(Clone)]
pub struct SessionKey([u8; 32]);

impl SessionKey {
    /// Wraps the bytes. The caller must derive them from its master key for this purpose only.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey(…)")
    }
}

/// Limits on counts and sizes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The maximum size of a message on any transport, in bytes.
    pub message_bytes: usize,
    /// The maximum size of a request line with its headers, in bytes.
    pub head_bytes: usize,
    /// The maximum length of the path and query, in bytes.
    pub uri_bytes: usize,
    /// The maximum number of open connections. Beyond it, `connections_reserved` more are accepted for probes.
    pub connections_total: usize,
    /// The maximum number of open connections per client address (per /64 network for IPv6). Loopback addresses
    /// and trusted proxies are exempt.
    pub connections_per_address: usize,
    /// The maximum number of open connections whose last request had the same principal.
    pub connections_per_key: usize,
    /// The number of connections beyond `connections_total` that are reserved for probes.
    pub connections_reserved: usize,
    /// The maximum number of HTTP requests being processed at the same time, without open streams.
    pub calls_total: usize,
    /// The maximum number of HTTP requests of one principal being processed at the same time, without open streams.
    pub calls_per_key: usize,
    /// The maximum memory for requests that are read, responses that clients didn't take yet and events that wait, in
    /// bytes.
    pub held_bytes_total: usize,
    /// The maximum of that memory per principal, in bytes.
    pub held_bytes_per_key: usize,
    /// The maximum number of open event streams.
    pub streams_total: usize,
    /// The maximum number of open event streams per principal.
    pub streams_per_key: usize,
    /// The maximum size of the events waiting for one slow reader, in bytes. Beyond it, the stream ends.
    pub stream_buffer_bytes: usize,
    /// The maximum number of messages being processed at the same time in one HTTP+SSE session, or on stdio.
    pub calls_per_stream: usize,
    /// The number of ended session ids that are remembered. Each is remembered until it would have expired.
    pub ended_sessions: usize,
    /// The number of sessions whose subscriptions, log level and open questions this process remembers.
    pub sessions_remembered: usize,
    /// The maximum number of resumable streams (2025-11-25).
    pub replays_total: usize,
    /// The maximum size of the events kept for resumable streams, in bytes over all streams.
    pub replay_bytes_total: usize,
    /// The number of invalid keys per minute and client address (per /64 network for IPv6) before requests with
    /// invalid keys get 429.
    pub wrong_keys_per_minute: NonZeroU32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes: 1 << 20,
            head_bytes: 32 << 10,
            uri_bytes: 8 << 10,
            connections_total: 20_000,
            connections_per_address: 1_024,
            connections_per_key: 10_000,
            connections_reserved: 64,
            calls_total: 4_096,
            calls_per_key: 256,
            held_bytes_total: 256 << 20,
            held_bytes_per_key: 32 << 20,
            streams_total: 16_384,
            streams_per_key: 1_024,
            stream_buffer_bytes: 256 << 10,
            calls_per_stream: 64,
            ended_sessions: 65_536,
            sessions_remembered: 4_096,
            replays_total: 4_096,
            replay_bytes_total: 64 << 20,
            wrong_keys_per_minute: NonZeroU32::new(20).expect("20 isn't zero"),
        }
    }
}

/// Timeouts and intervals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timing {
    /// The time from the first byte of a request (or from connecting) to the end of its headers.
    pub head: Duration,
    /// The time for a whole request body.
    pub body: Duration,
    /// The time for which a request body may be slower than 1 KiB/s.
    pub body_grace: Duration,
    /// The time after which a connection without a request in progress is closed.
    pub idle: Duration,
    /// The same while most connections that may be open are open, so that others find a place.
    pub idle_crowded: Duration,
    /// The time after which a connection is closed if the client reads no bytes. Over HTTP/2, the time after which a stream
    /// ends whose client makes room for less than 1 KiB/s.
    pub write_stall: Duration,
    /// The interval between comments on a quiet stream. Also the time after which the response to an unfinished
    /// request becomes a stream instead of JSON.
    pub keep_alive: Duration,
    /// The interval at which the principal of a stream is checked for validity.
    pub revocation_check: Duration,
    /// The time from the stop signal until requests in progress are cancelled.
    pub stop_grace: Duration,
    /// The lifetime of a session id.
    pub session_life: Duration,
    /// The time in which a legacy client must answer a question, including the time that a user needs to
    /// decide.
    pub client_answer: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            body: Duration::from_secs(30),
            body_grace: Duration::from_secs(5),
            idle: Duration::from_secs(120),
            idle_crowded: Duration::from_secs(5),
            write_stall: Duration::from_secs(30),
            keep_alive: Duration::from_secs(15),
            revocation_check: Duration::from_millis(500),
            stop_grace: Duration::from_secs(10),
            session_life: Duration::from_secs(7 * 24 * 60 * 60),
            client_answer: Duration::from_secs(5 * 60),
        }
    }
}
