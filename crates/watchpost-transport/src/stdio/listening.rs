//! Change notifications for the one client of a process: for its legacy session and its modern subscriptions.

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
    /// Returns the number of open subscriptions.
    pub(super) fn len(&self) -> usize {
        self.modern.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.legacy.is_none() && self.modern.is_empty()
    }

    /// Starts the notifications of the legacy session.
    pub(super) fn begin(&mut self, changes: ChangeStream) {
        self.legacy = Some(changes);
    }

    /// Ends the notifications of the legacy session.
    pub(super) fn end_legacy(&mut self) {
        self.legacy = None;
    }

    /// Replaces the interest of the legacy session after it subscribed or unsubscribed.
    pub(super) fn set_interest(&mut self, interest: Interest) {
        if let Some(legacy) = &mut self.legacy {
            legacy.set_interest(interest);
        }
    }

    pub(super) fn add(&mut self, stream: ChangeStream, entered: OutstandingCall<(), RequestId<'static>>) {
        self.modern.push((stream, entered));
    }

    /// Waits for the next notification. Never completes without one.
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
        // The client cancelled these subscriptions, so nothing more is sent for them (CAN-03).
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

    /// Ends all subscriptions. Returns the messages to send about it.
    pub(super) fn end(&mut self) -> Vec<Bytes> {
        self.legacy = None;
        self.modern
            .drain(..)
            .map(|(stream, _)| closing_messages(&stream))
            .collect()
    }
}

/// Returns the result of the subscription followed by its cancellation (SUB-06, SUB-08): two lines in one
/// message.
fn closing_messages(stream: &ChangeStream) -> Bytes {
    let mut lines = stream.ending().to_vec();
    if let Some(cancelled) = stream.cancelled() {
        lines.push(b'\n');
        lines.extend_from_slice(&cancelled);
    }
    lines.into()
}
