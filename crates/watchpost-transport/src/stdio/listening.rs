//! What changes, for the one client of a process: its legacy session and its modern subscriptions.

use crate::sessions::outstanding::OutstandingCall;
use bytes::Bytes;
use std::{
    future::poll_fn,
    task::{Context, Poll},
};
use watchpost_protocol::{ChangeStream, Interest, RequestId};

/// The sources of notifications that belong to no call.
#[derive(Default)]
pub(super) struct Listening {
    legacy: Option<ChangeStream>,
    modern: Vec<(ChangeStream, OutstandingCall<(), RequestId<'static>>)>,
}

impl Listening {
    /// Subscriptions that are open.
    pub(super) fn len(&self) -> usize {
        self.modern.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.legacy.is_none() && self.modern.is_empty()
    }

    /// From now on the legacy session hears of changes.
    pub(super) fn begin(&mut self, changes: ChangeStream) {
        self.legacy = Some(changes);
    }

    /// The legacy session subscribed to more or less.
    pub(super) fn set_interest(&mut self, interest: Interest) {
        if let Some(legacy) = &mut self.legacy {
            legacy.set_interest(interest);
        }
    }

    pub(super) fn add(&mut self, stream: ChangeStream, entered: OutstandingCall<(), RequestId<'static>>) {
        self.modern.push((stream, entered));
    }

    /// The next notification; never ends.
    pub(super) async fn next(&mut self) -> Bytes {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Bytes> {
        if let Some(legacy) = &mut self.legacy {
            match legacy.poll_next(cx) {
                Poll::Ready(Some(message)) => return Poll::Ready(message),
                Poll::Ready(None) => self.legacy = None,
                Poll::Pending => {}
            }
        }
        // The client ended these; nothing more is said about them (CAN-03).
        self.modern.retain(|(_, entered)| !entered.is_cancelled(cx));
        let mut at = 0;
        while let Some((stream, _)) = self.modern.get_mut(at) {
            match stream.poll_next(cx) {
                Poll::Ready(Some(message)) => return Poll::Ready(message),
                Poll::Ready(None) => {
                    let (stream, _) = self.modern.swap_remove(at);
                    return Poll::Ready(closing_messages(&stream));
                }
                Poll::Pending => at += 1,
            }
        }
        Poll::Pending
    }

    /// Ends everything; gives what is to be said about it.
    pub(super) fn end(&mut self) -> Vec<Bytes> {
        self.legacy = None;
        self.modern
            .drain(..)
            .map(|(stream, _)| closing_messages(&stream))
            .collect()
    }
}

/// The result of the listening, and then a cancellation of it (SUB-06, SUB-08); two lines, written as one.
fn closing_messages(stream: &ChangeStream) -> Bytes {
    let mut lines = stream.ending().to_vec();
    if let Some(cancelled) = stream.cancelled() {
        lines.push(b'\n');
        lines.extend_from_slice(&cancelled);
    }
    lines.into()
}
