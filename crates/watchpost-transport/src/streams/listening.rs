//! Streams of change notifications: subscriptions of modern clients and the streams of legacy sessions.

use crate::streams::{frame, guarded::Source, queue::EventQueue};
use bytes::Bytes;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};
use watchpost_protocol::{ChangeStream, Interest};

/// A subscription of a modern client.
pub(crate) struct Subscription {
    stream: ChangeStream,
    acknowledged: bool,
    ended: bool,
}

impl Subscription {
    pub(crate) fn new(stream: ChangeStream) -> Self {
        Self {
            stream,
            acknowledged: false,
            ended: false,
        }
    }
}

impl Source for Subscription {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if !self.acknowledged {
            self.acknowledged = true;
            return Poll::Ready(Some(frame::message(&self.stream.acknowledgment())));
        }
        if self.ended {
            return Poll::Ready(None);
        }
        match self.stream.poll_next(cx) {
            Poll::Ready(Some(message)) => Poll::Ready(Some(frame::message(&message))),
            Poll::Ready(None) => Poll::Ready(self.closing_event()),
            Poll::Pending => Poll::Pending,
        }
    }

    fn may_stop(&self) -> bool {
        true
    }

    fn closing_event(&mut self) -> Option<Bytes> {
        let first = !std::mem::replace(&mut self.ended, true);
        (first && self.acknowledged).then(|| frame::message(&self.stream.ending()))
    }
}

/// The stream of a legacy session: queued messages and change notifications.
#[derive(Debug)]
pub(crate) struct SessionStream {
    pub(crate) queue: Arc<EventQueue>,
    changes: Mutex<Option<ChangeStream>>,
}

impl SessionStream {
    pub(crate) fn new(queue: Arc<EventQueue>, changes: Option<ChangeStream>) -> Arc<Self> {
        Arc::new(Self {
            queue,
            changes: Mutex::new(changes),
        })
    }

    /// Starts the change notifications of the session.
    pub(crate) fn begin(&self, changes: ChangeStream) {
        *self.lock() = Some(changes);
        self.queue.wake();
    }

    /// Ends the change notifications of the session.
    pub(crate) fn end_changes(&self) {
        *self.lock() = None;
    }

    /// Replaces the session's interest after it subscribed or unsubscribed.
    pub(crate) fn set_interest(&self, interest: Interest) {
        if let Some(changes) = self.lock().as_mut() {
            changes.set_interest(interest);
        }
        self.queue.wake();
    }

    fn lock(&self) -> MutexGuard<'_, Option<ChangeStream>> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source for Arc<SessionStream> {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if let Poll::Ready(event) = self.queue.poll_next(cx) {
            return Poll::Ready(event);
        }
        let mut changes = self.lock();
        let Some(stream) = changes.as_mut() else {
            return Poll::Pending;
        };
        match stream.poll_next(cx) {
            Poll::Ready(Some(message)) => Poll::Ready(Some(frame::message(&message))),
            // Only the changes have ended. Responses may still follow.
            Poll::Ready(None) => {
                *changes = None;
                Poll::Pending
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn may_stop(&self) -> bool {
        self.queue.is_quiet()
    }
}
