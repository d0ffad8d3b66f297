//! Messages on their way to one stream.

use bytes::Bytes;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

/// A bounded queue between those who answer and the one stream that carries the answers.
#[derive(Debug)]
pub(crate) struct EventQueue {
    inner: Mutex<Inner>,
    bytes_max: usize,
}

#[derive(Debug, Default)]
struct Inner {
    messages: VecDeque<Bytes>,
    bytes: usize,
    closed: bool,
    /// Somebody still works on an answer.
    working: usize,
    waker: Option<Waker>,
    /// The reader is to go and come back after this.
    hang_up: Option<Duration>,
}

impl EventQueue {
    pub(crate) fn new(bytes_max: usize) -> Arc<Self> {
        Arc::new(Self {
            inner: Mutex::new(Inner::default()),
            bytes_max,
        })
    }

    /// Queues one finished event. A reader so slow that the queue overflows loses its stream: an answer
    /// that is silently missing would be worse.
    /// `false` if nobody will read it.
    pub(crate) fn push(&self, event: Bytes) -> bool {
        let (waker, is_kept) = {
            let mut inner = self.lock();
            if inner.closed {
                return false;
            }
            // One message may be larger than the bound; a second one has to wait in vain.
            if !inner.messages.is_empty() && inner.bytes + event.len() > self.bytes_max {
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

    /// Lets the reader's task look again.
    pub(crate) fn wake(&self) {
        let waker = self.lock().waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The reader is to go and come back after `retry`.
    pub(crate) fn hang_up(&self, retry: Duration) {
        self.lock().hang_up = Some(retry);
        self.wake();
    }

    /// Whether the reader is to go; asked once.
    pub(crate) fn take_hang_up(&self) -> Option<Duration> {
        self.lock().hang_up.take()
    }

    /// The next event; `None` once closed.
    pub(crate) fn poll_next(&self, cx: &Context<'_>) -> Poll<Option<Bytes>> {
        let mut inner = self.lock();
        if let Some(event) = inner.messages.pop_front() {
            inner.bytes -= event.len();
            return Poll::Ready(Some(event));
        }
        if inner.closed {
            return Poll::Ready(None);
        }
        inner.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Ends the stream once what is queued has gone out.
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

    /// Whether an event waits; if not, the task is woken when one comes.
    pub(crate) fn has_events(&self, cx: &Context<'_>) -> bool {
        let mut inner = self.lock();
        let has_events = !inner.messages.is_empty() || inner.hang_up.is_some();
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

    /// Nothing queued and nobody working.
    pub(crate) fn is_quiet(&self) -> bool {
        let inner = self.lock();
        inner.messages.is_empty() && inner.working == 0
    }

    /// One more answer is being worked on, unless there are `max` already or the stream is gone.
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

/// One answer being worked on.
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
        let queue = EventQueue::new(10);
        queue.push(Bytes::from_static(b"12345678901234567890"));
        assert_eq!(
            next(&queue),
            Poll::Ready(Some(Bytes::from_static(b"12345678901234567890"))),
            "a large one passes alone"
        );
        queue.push(Bytes::from_static(b"123456"));
        queue.push(Bytes::from_static(b"123456"));
        assert_eq!(next(&queue), Poll::Ready(None));
        assert!(queue.is_closed());
    }

    #[test]
    fn closing_lets_out_what_is_queued() {
        let queue = EventQueue::new(100);
        assert_eq!(next(&queue), Poll::Pending);
        queue.push(Bytes::from_static(b"a"));
        queue.close();
        queue.push(Bytes::from_static(b"b"));
        assert_eq!(next(&queue), Poll::Ready(Some(Bytes::from_static(b"a"))));
        assert_eq!(next(&queue), Poll::Ready(None));
    }

    #[test]
    fn only_so_many_answers_are_worked_on_at_once() {
        let queue = EventQueue::new(100);
        let first = queue.begin(1);
        assert!(first.is_some() && queue.begin(1).is_none() && !queue.is_quiet());
        drop(first);
        assert!(queue.is_quiet());
    }
}
