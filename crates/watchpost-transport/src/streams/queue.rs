//! The message queue of a stream.

use crate::admission::shares::Hold;
use bytes::Bytes;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

/// A bounded queue between the calls that send messages and the stream that carries them.
#[derive(Debug)]
pub(crate) struct EventQueue {
    inner: Mutex<Inner>,
    bytes_max: usize,
    /// The share of the stream's request.
    hold: Option<Arc<Hold>>,
}

#[derive(Debug, Default)]
struct Inner {
    messages: VecDeque<Bytes>,
    bytes: usize,
    closed: bool,
    /// The number of calls that may still send a response.
    working: usize,
    waker: Option<Waker>,
    /// The time after which the client should reconnect, if it should disconnect now.
    disconnect: Option<Duration>,
}

impl EventQueue {
    pub(crate) fn new(bytes_max: usize, hold: Option<Arc<Hold>>) -> Arc<Self> {
        Arc::new(Self {
            inner: Mutex::new(Inner::default()),
            bytes_max,
            hold,
        })
    }

    /// Adds one encoded event. Returns `false` if the queue is closed. If the queue overflows because the
    /// reader is too slow, the queue closes and the stream ends, since a silently missing response would be
    /// worse.
    pub(crate) fn push(&self, event: Bytes) -> bool {
        let (waker, is_kept) = {
            let mut inner = self.lock();
            if inner.closed {
                return false;
            }
            let has_room = self.hold.as_ref().is_none_or(|hold| hold.grow(event.len()));
            // A single message may exceed the limit, but only if no other is queued.
            if !inner.messages.is_empty() && (!has_room || inner.bytes + event.len() > self.bytes_max) {
                inner.closed = true;
                inner.messages.clear();
            } else {
                inner.bytes += event.len();
                inner.messages.push_back(event);
            }
            (inner.waker.take(), !inner.closed)
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        is_kept
    }

    /// Wakes the reader's task.
    pub(crate) fn wake(&self) {
        let waker = self.lock().waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Asks the reader to disconnect and resume the stream after `retry`.
    pub(crate) fn disconnect(&self, retry: Duration) {
        self.lock().disconnect = Some(retry);
        self.wake();
    }

    /// Returns the retry time if the reader should disconnect. Reset by this call.
    pub(crate) fn take_disconnect(&self) -> Option<Duration> {
        self.lock().disconnect.take()
    }

    /// Returns the next event, or `None` if the queue is closed and empty.
    pub(crate) fn poll_next(&self, cx: &Context<'_>) -> Poll<Option<Bytes>> {
        let mut inner = self.lock();
        if let Some(event) = inner.messages.pop_front() {
            inner.bytes -= event.len();
            if let Some(hold) = &self.hold {
                hold.shrink(event.len());
            }
            return Poll::Ready(Some(event));
        }
        if inner.closed {
            return Poll::Ready(None);
        }
        inner.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Closes the queue. The stream ends after the queued events have been sent.
    pub(crate) fn close(&self) {
        let waker = {
            let mut inner = self.lock();
            inner.closed = true;
            inner.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Whether events are queued. If not, the task is woken when one is.
    pub(crate) fn has_events(&self, cx: &Context<'_>) -> bool {
        let mut inner = self.lock();
        let has_events = !inner.messages.is_empty() || inner.disconnect.is_some();
        if !has_events {
            inner.waker = Some(cx.waker().clone());
        }
        has_events
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lock().messages.is_empty()
    }

    #[cfg(test)]
    fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Whether the queue is empty and no call may still send a response.
    pub(crate) fn is_quiet(&self) -> bool {
        let inner = self.lock();
        inner.messages.is_empty() && inner.working == 0
    }

    /// Registers a call that will send a response. Returns `None` if there are already `max`, or if the queue
    /// is closed.
    pub(crate) fn begin(self: &Arc<Self>, max: usize) -> Option<Working> {
        let mut inner = self.lock();
        if inner.closed || inner.working >= max {
            return None;
        }
        inner.working += 1;
        drop(inner);
        Some(Working(Arc::clone(self)))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that may still send a response.
#[derive(Debug)]
pub(crate) struct Working(Arc<EventQueue>);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.lock().working -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(queue: &EventQueue) -> Poll<Option<Bytes>> {
        queue.poll_next(&Context::from_waker(Waker::noop()))
    }

    #[test]
    fn a_reader_that_is_too_slow_loses_its_stream() {
        let queue = EventQueue::new(10, None);
        queue.push(Bytes::from_static(b"12345678901234567890"));
        assert_eq!(
            next(&queue),
            Poll::Ready(Some(Bytes::from_static(b"12345678901234567890"))),
            "a single large event is accepted"
        );
        queue.push(Bytes::from_static(b"123456"));
        queue.push(Bytes::from_static(b"123456"));
        assert_eq!(next(&queue), Poll::Ready(None));
        assert!(queue.is_closed());
    }

    #[test]
    fn closing_still_delivers_queued_events() {
        let queue = EventQueue::new(100, None);
        assert_eq!(next(&queue), Poll::Pending);
        queue.push(Bytes::from_static(b"a"));
        queue.close();
        queue.push(Bytes::from_static(b"b"));
        assert_eq!(next(&queue), Poll::Ready(Some(Bytes::from_static(b"a"))));
        assert_eq!(next(&queue), Poll::Ready(None));
    }

    #[test]
    fn the_number_of_calls_in_progress_is_limited() {
        let queue = EventQueue::new(100, None);
        let first = queue.begin(1);
        assert!(first.is_some() && queue.begin(1).is_none() && !queue.is_quiet());
        drop(first);
        assert!(queue.is_quiet());
    }
}
