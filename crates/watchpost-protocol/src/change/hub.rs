//! A source of changes within one process.

use super::{Change, Changes, Interest};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

/// Changes that wait for one slow stream; with more of them the stream ends, since a change that is silently
/// missing would be worse.
const WAITING_MAX: usize = 4096;

/// Hands changes to the streams that want them. A clone is the same hub.
#[derive(Debug, Clone, Default)]
pub struct ChangeHub(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    open: HashMap<u64, Open>,
}

#[derive(Debug, Default)]
struct Open {
    interest: Interest,
    waiting: VecDeque<Change>,
    overflowed: bool,
    waker: Option<Waker>,
}

impl ChangeHub {
    /// A hub without streams.
    pub fn new() -> Self {
        Self::default()
    }

    /// Registers a stream; it gets what is published from now on.
    pub fn open(&self, interest: &Interest) -> Box<dyn Changes> {
        let mut inner = self.lock();
        let key = inner.next;
        inner.next = inner.next.wrapping_add(1);
        inner.open.insert(
            key,
            Open {
                interest: interest.clone(),
                ..Open::default()
            },
        );
        drop(inner);
        Box::new(Stream {
            hub: self.clone(),
            key,
        })
    }

    /// Hands a change to every stream that wants it. One that waits already isn't queued a second time; of a task
    /// the newer state counts.
    pub fn publish(&self, change: &Change) {
        let mut wakers = Vec::new();
        for open in self.lock().open.values_mut() {
            if open.overflowed || !open.interest.covers(change) {
                continue;
            }
            open.waiting.retain(|waiting| !waiting.is_covered_by(change));
            if open.waiting.len() >= WAITING_MAX {
                open.overflowed = true;
                open.waiting.clear();
            } else {
                open.waiting.push_back(change.clone());
            }
            wakers.extend(open.waker.take());
        }
        for waker in wakers {
            waker.wake();
        }
    }

    /// What all open streams together want to hear of, so that a publisher needn't look at anything else.
    pub fn interests(&self) -> Interest {
        let mut all = Interest::default();
        for open in self.lock().open.values() {
            let Interest {
                tools,
                prompts,
                resources,
                uris,
                tasks,
            } = &open.interest;
            all.tools |= tools;
            all.prompts |= prompts;
            all.resources |= resources;
            all.uris.extend(uris.iter().cloned());
            all.tasks.extend(tasks.iter().cloned());
        }
        all
    }

    /// Whether no stream is open.
    pub fn is_idle(&self) -> bool {
        self.lock().open.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One stream's end of a hub.
struct Stream {
    hub: ChangeHub,
    key: u64,
}

impl Changes for Stream {
    fn set(&mut self, interest: &Interest) {
        if let Some(open) = self.hub.lock().open.get_mut(&self.key) {
            open.interest.clone_from(interest);
            open.waiting.retain(|change| interest.covers(change));
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Change>> {
        let mut inner = self.hub.lock();
        let Some(open) = inner.open.get_mut(&self.key) else {
            return Poll::Ready(None);
        };
        if let Some(change) = open.waiting.pop_front() {
            return Poll::Ready(Some(change));
        }
        if open.overflowed {
            return Poll::Ready(None);
        }
        open.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.hub.lock().open.remove(&self.key);
    }
}
