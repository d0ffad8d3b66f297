//! Messages that a handler can send before its result.

use crate::{id::ProgressToken, json::push_string, log_level::LogLevel, revision::Revision};
use bytes::Bytes;
use std::{
    future::Future,
    pin::Pin,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Sends notifications that belong to one request, on the request's SSE stream or on standard output. It may
/// drop what it can't deliver, and drops messages beyond about ten per second.
pub trait Outbox: Send + Sync {
    /// Sends one complete JSON-RPC message. Never blocks.
    fn send(&self, message: Bytes);

    /// Closes the connection that carries the request's stream, if the client can resume it after `retry`.
    /// Otherwise does nothing.
    fn disconnect(&self, retry: Duration) {
        let _ = retry;
    }
}

/// Sends requests to a legacy client on behalf of one request.
pub trait Peer: Send + Sync {
    /// Sends the request `method` with `params`, a JSON object, and waits for its result, a JSON value. Returns
    /// `None` if the client responds with an error or not in time.
    fn ask<'a>(
        &'a self,
        method: &'static str,
        params: Vec<u8>,
    ) -> Pin<Box<dyn Future<Output = Option<String>> + Send + 'a>>;
}

/// Seals state that travels through a modern client. A seal is made for one principal.
pub trait Seal: Send + Sync {
    /// Seals `state` for a request that `context` identifies. Returns `None` if the state is too large.
    fn seal(&self, context: &[u8], state: &[u8]) -> Option<String>;

    /// Opens what [`Seal::seal`] recently sealed for the same principal and `context`. Returns `None` for
    /// anything else, without telling the reasons apart.
    fn open(&self, context: &[u8], sealed: &str) -> Option<Vec<u8>>;
}

/// Encodes a request from the server to a legacy client as one message. `id` must be unique among the server's
/// requests of that session.
pub fn client_request(id: u64, method: &str, params: &[u8]) -> Bytes {
    let mut out = br#"{"jsonrpc":"2.0","id":"#.to_vec();
    out.extend_from_slice(id.to_string().as_bytes());
    out.extend_from_slice(b",\"method\":");
    push_string(&mut out, method);
    out.extend_from_slice(b",\"params\":");
    out.extend_from_slice(params);
    out.push(b'}');
    out.into()
}

/// Sends progress and log messages of one request, as far as the client asked for them.
pub struct Notify<'a> {
    outbox: Option<&'a dyn Outbox>,
    token: Option<ProgressToken<'a>>,
    level: Option<LogLevel>,
    revision: Revision,
    /// The bits of the last `progress` value sent.
    last: AtomicU64,
}

impl std::fmt::Debug for Notify<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Notify")
            .field("wants_progress", &self.wants_progress())
            .finish_non_exhaustive()
    }
}

impl<'a> Notify<'a> {
    pub(crate) fn new(
        outbox: Option<&'a dyn Outbox>,
        token: Option<ProgressToken<'a>>,
        level: Option<LogLevel>,
        revision: Revision,
    ) -> Self {
        Self {
            outbox,
            token,
            level,
            revision,
            last: AtomicU64::new(f64::NEG_INFINITY.to_bits()),
        }
    }

    /// Whether the client asked for progress and the transport can deliver it.
    pub fn wants_progress(&self) -> bool {
        self.outbox.is_some() && self.token.is_some()
    }

    pub(crate) fn log_level(&self) -> Option<LogLevel> {
        self.level
    }

    /// Sends a log message, if the client asked for messages of this level. The text must not contain secrets,
    /// personal data or internals of the server (LOG-03).
    pub fn log(&self, level: LogLevel, logger: Option<&str>, text: &str) {
        let Some(outbox) = self
            .outbox
            .filter(|_| self.level.is_some_and(|least| level >= least))
        else {
            return;
        };
        let mut out = br#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"#.to_vec();
        push_string(&mut out, level.as_str());
        if let Some(logger) = logger {
            out.extend_from_slice(b",\"logger\":");
            push_string(&mut out, logger);
        }
        out.extend_from_slice(b",\"data\":");
        push_string(&mut out, text);
        out.extend_from_slice(b"}}");
        outbox.send(out.into());
    }

    /// Closes the connection and tells the client to resume the stream after `retry`, if the client's revision
    /// and transport support that (SHT-11). Otherwise the connection stays open. Meant for calls that take
    /// minutes.
    pub fn disconnect(&self, retry: Duration) {
        if let Some(outbox) = self.outbox {
            outbox.disconnect(retry);
        }
    }

    /// Reports that `progress` of `total` is done, in a unit of the handler's choice. Values that aren't finite
    /// or don't increase strictly aren't sent (PRG-02). `message` is sent only to clients whose revision has
    /// it.
    pub fn progress(&self, progress: f64, total: Option<f64>, message: Option<&str>) {
        let (Some(outbox), Some(token)) = (self.outbox, &self.token) else {
            return;
        };
        if !progress.is_finite() {
            return;
        }
        let newer = self
            .last
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| {
                (progress > f64::from_bits(last)).then(|| progress.to_bits())
            });
        if newer.is_err() {
            return;
        }
        let mut out =
            br#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"#.to_vec();
        token.push(&mut out);
        out.extend_from_slice(b",\"progress\":");
        push_number(&mut out, progress);
        if let Some(total) = total.filter(|total| total.is_finite()) {
            out.extend_from_slice(b",\"total\":");
            push_number(&mut out, total);
        }
        if let Some(message) = message.filter(|_| self.revision.has_progress_message()) {
            out.extend_from_slice(b",\"message\":");
            push_string(&mut out, message);
        }
        out.extend_from_slice(b"}}");
        outbox.send(out.into());
    }
}

fn push_number(out: &mut Vec<u8>, number: f64) {
    serde_json::to_writer(out, &number).expect("a finite number always serializes into memory");
}
