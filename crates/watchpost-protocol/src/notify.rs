//! What a handler can say before it answers.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use crate::id::ProgressToken;
use crate::json::push_string;
use crate::revision::Revision;

/// Where a transport takes notifications that belong to one request: the request's SSE stream, or the line
/// writer. It may drop what it can't deliver, and thins out more than about ten a second.
pub trait Outbox: Send + Sync {
    /// Takes one complete JSON-RPC message. Never blocks.
    fn send(&self, message: Bytes);
}

/// Sends progress of one request to the client that asked for it; silent if it didn't.
pub struct Notify<'a> {
    target: Option<(&'a dyn Outbox, ProgressToken<'a>)>,
    revision: Revision,
    /// The bits of the last `progress` that was sent.
    last: AtomicU64,
}

impl std::fmt::Debug for Notify<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Notify")
            .field("wanted", &self.is_wanted())
            .finish_non_exhaustive()
    }
}

impl<'a> Notify<'a> {
    pub(crate) fn new(target: Option<(&'a dyn Outbox, ProgressToken<'a>)>, revision: Revision) -> Self {
        Self {
            target,
            revision,
            last: AtomicU64::new(f64::NEG_INFINITY.to_bits()),
        }
    }

    /// Whether the client asked for progress and the transport can carry it.
    pub fn is_wanted(&self) -> bool {
        self.target.is_some()
    }

    /// Reports that `progress` of `total` is done, in units of the handler's choice. What doesn't increase
    /// strictly, or isn't a finite number, isn't sent (PRG-02). `message` goes only to revisions that have it.
    pub fn progress(&self, progress: f64, total: Option<f64>, message: Option<&str>) {
        let Some((outbox, token)) = &self.target else {
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
