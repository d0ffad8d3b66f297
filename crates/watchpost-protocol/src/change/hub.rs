//! A source of changes within one process.

use super::{Change, Changes, Interest};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

/// The maximum number of changes that wait for one slow stream. A stream with more ends, so that the client
/// reconnects instead of missing a change unnoticed.
const WAITING_MAX: usize = 4096;

/// Distributes changes to the streams that subscribed to them. Clones share the same hub.
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
    /// Creates a hub without streams.
    pub fn new() -> Self {
        Self::default()
    }

    /// Registers a stream. It receives the changes that are published from now on.
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

    /// Publishes a change to every stream that is interested in it. A change that is already waiting isn't
    /// queued again; a newer state of a task replaces the older one.
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

    /// Returns the combined interest of all open streams, so that a publisher can skip everything else.
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

/// A stream registered with a hub.
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
