//! Everything the caller decides: limits, times, names, keys.

use crate::{
    admission::hosts::AllowedHosts,
    environment::{Clock, Random},
    sessions::states::StateKeys,
};
use ipnet::IpNet;
use std::{fmt, num::NonZeroU32, sync::Arc, time::Duration};

/// What a [`Service`](crate::Service) is made of, besides gate, handler and probes.
#[derive(Clone)]
pub struct Config {
    /// Names and origins that are answered.
    pub hosts: AllowedHosts,
    /// Networks whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed. Empty: nobody's.
    pub proxies: Vec<IpNet>,
    /// Seals session ids. The same key on every replica and after a restart keeps sessions alive.
    pub session_key: SessionKey,
    /// Seals what travels through modern clients. The same keys on every replica.
    pub state_keys: StateKeys,
    /// Which routes exist.
    pub surface: Surface,
    /// The path under which a proxy serves this server, for example `/watchpost`; without a trailing slash,
    /// empty at the root. HTTP+SSE tells its clients where to post with it.
    pub base_path: String,
    /// Bounds on everything a stranger can make grow.
    pub limits: Limits,
    /// Bounds on everything a stranger can make last.
    pub timing: Timing,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// The generator for nonces and names of streams.
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
    /// Loopback names only, default limits and times, all routes.
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
}

/// Which routes a server has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// Streamable HTTP and HTTP+SSE.
    Everything,
    /// HTTP+SSE alone: `/sse` and `/messages`, and the probes.
    HttpSse,
}

/// 32 secret bytes. Prints as `SessionKey(…)`.
#[derive(Clone)]
pub struct SessionKey([u8; 32]);

impl SessionKey {
    /// Wraps the bytes, which the caller derives from its master key for this purpose alone.
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

/// Counts and sizes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one message, on every transport.
    pub message_bytes: usize,
    /// Bytes of one request's line and headers.
    pub head_bytes: usize,
    /// Bytes of the path and query.
    pub uri_bytes: usize,
    /// Open connections in all. A small reserve beyond it answers probes and nothing else.
    pub connections_total: usize,
    /// Open connections per address (IPv6: per /64). Loopback and trusted proxies are exempt.
    pub connections_per_address: usize,
    /// Connections beyond `connections_total` that are kept for probes.
    pub connections_reserved: usize,
    /// HTTP calls being answered at one moment, streams not counted.
    pub calls_total: usize,
    /// Open event streams in all.
    pub streams_total: usize,
    /// Open event streams per principal.
    pub streams_per_key: usize,
    /// Bytes of events that wait for one slow reader before it is cut off.
    pub stream_buffer_bytes: usize,
    /// Messages of one HTTP+SSE session, or of stdio, being answered at one moment.
    pub calls_per_stream: usize,
    /// EndedSessions session ids that are remembered until they would have expired.
    pub ended_sessions: usize,
    /// Sessions whose subscriptions, log level and open questions this process remembers.
    pub sessions_remembered: usize,
    /// Streams of 2025-11-25 that their client can come back to.
    pub replays_total: usize,
    /// Bytes of events that are kept for clients that come back, over all streams.
    pub replay_bytes_total: usize,
    /// Wrong keys a minute per address (IPv6: per /64) before 429.
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
            connections_reserved: 64,
            calls_total: 4_096,
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

/// Durations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timing {
    /// From the first byte of a request (or from connecting) to the end of its headers.
    pub head: Duration,
    /// The whole body.
    pub body: Duration,
    /// How long a body may be slower than 1 KiB/s.
    pub body_grace: Duration,
    /// A connection without a request in progress is closed after this.
    pub idle: Duration,
    /// A peer that takes no bytes for this long is cut off.
    pub write_stall: Duration,
    /// Between comments on a quiet stream; also how long a handler may think before its JSON answer
    /// becomes a stream.
    pub keep_alive: Duration,
    /// Between two looks at whether a stream's principal is still valid.
    pub revocation_check: Duration,
    /// From the stop signal until what still runs is dropped.
    pub stop_grace: Duration,
    /// How long a session id is good for.
    pub session_life: Duration,
    /// How long a legacy client may take to answer a question; a person reads and decides.
    pub client_answer: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            body: Duration::from_secs(30),
            body_grace: Duration::from_secs(5),
            idle: Duration::from_secs(120),
            write_stall: Duration::from_secs(30),
            keep_alive: Duration::from_secs(15),
            revocation_check: Duration::from_millis(500),
            stop_grace: Duration::from_secs(10),
            session_life: Duration::from_secs(24 * 60 * 60),
            client_answer: Duration::from_secs(5 * 60),
        }
    }
}
