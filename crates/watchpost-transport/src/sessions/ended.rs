//! Session ids that a client ended before they expired.

use crate::sessions::seal::SessionName;
use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// Remembers ended ids until they would have expired. If there are too many, the oldest is forgotten; then a
/// client could use a session again that it had ended, but only its own.
#[derive(Debug)]
pub(crate) struct EndedSessions {
    inner: Mutex<Inner>,
    max: usize,
    /// Incremented with every ended session, so that a connection can cache the result of a lookup.
    generation: AtomicU64,
}

#[derive(Debug, Default)]
struct Inner {
    expires: HashMap<SessionName, u64>,
    order: VecDeque<SessionName>,
}

impl EndedSessions {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            inner: Mutex::new(Inner::default()),
            max,
            generation: AtomicU64::new(0),
        }
    }

    /// Returns a number that changes whenever an id is added.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    pub(crate) fn contains(&self, name: &SessionName) -> bool {
        self.inner
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .expires
            .contains_key(name)
    }

    pub(crate) fn add(&self, name: SessionName, expires: u64, now: u64) {
        {
            let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
            while let Some(oldest) = inner.order.front().copied() {
                let is_over = inner.expires.get(&oldest).is_none_or(|expires| *expires <= now);
                if !is_over && inner.order.len() < self.max {
                    break;
                }
                inner.order.pop_front();
                inner.expires.remove(&oldest);
            }
            if inner.expires.insert(name, expires).is_none() {
                inner.order.push_back(name);
            }
        }
        self.generation.fetch_add(1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ended_ids_are_kept_until_they_expire_up_to_the_limit() {
        let ended = EndedSessions::new(3);
        for n in 0..4_u8 {
            ended.add([n; 24], 100, 0);
        }
        assert!(!ended.contains(&[0; 24]), "the oldest was removed");
        assert!((1..4).all(|n| ended.contains(&[n; 24])));
        ended.add([9; 24], 300, 200);
        assert!(
            (1..4).all(|n| !ended.contains(&[n; 24])),
            "expired ids are removed"
        );
        assert!(ended.contains(&[9; 24]));
        assert_eq!(ended.generation(), 5);
    }
}
