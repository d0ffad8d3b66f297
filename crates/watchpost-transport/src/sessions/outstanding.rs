//! Calls that are being answered and may be cancelled by name.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash, RandomState},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Waker},
};

/// Enough that cores don't wait for each other.
const SHARDS: usize = 16;

/// The outstanding calls, by whose they are (`S`) and their request id (`I`).
pub(crate) struct Outstanding<S, I> {
    shards: [Shard<S, I>; SHARDS],
    hasher: RandomState,
}

type Shard<S, I> = Mutex<HashMap<(S, I), Arc<Cancel>>>;

/// Tells one call that it was cancelled.
#[derive(Debug, Default)]
pub(crate) struct Cancel {
    cancelled: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Cancel {
    /// Whether the call was cancelled; if not, the task is woken when it is.
    pub(crate) fn is_cancelled(&self, cx: &Context<'_>) -> bool {
        if self.cancelled.load(Ordering::Acquire) {
            return true;
        }
        {
            let mut waker = self.waker.lock().unwrap_or_else(PoisonError::into_inner);
            match waker.as_mut() {
                Some(waker) => waker.clone_from(cx.waker()),
                None => *waker = Some(cx.waker().clone()),
            }
        }
        self.cancelled.load(Ordering::Acquire)
    }

    pub(crate) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
        let waker = self.waker.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<S: Hash + Eq + Clone, I: Hash + Eq + Clone> Outstanding<S, I> {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            shards: std::array::from_fn(|_| Mutex::new(HashMap::new())),
            hasher: RandomState::new(),
        })
    }

    /// Enters a call. `None` if one with this id is outstanding already.
    pub(crate) fn enter(self: &Arc<Self>, whose: S, id: I) -> Option<OutstandingCall<S, I>> {
        let key = (whose, id);
        let cancel = Arc::new(Cancel::default());
        let mut shard = self.shard(&key).lock().unwrap_or_else(PoisonError::into_inner);
        if shard.contains_key(&key) {
            return None;
        }
        shard.insert(key.clone(), Arc::clone(&cancel));
        drop(shard);
        Some(OutstandingCall {
            all: Arc::clone(self),
            key,
            cancel,
        })
    }

    /// Cancels a call; one that isn't there is ignored.
    pub(crate) fn cancel(&self, whose: S, id: I) {
        let key = (whose, id);
        let found = self
            .shard(&key)
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
            .cloned();
        if let Some(cancel) = found {
            cancel.cancel();
        }
    }

    fn shard(&self, key: &(S, I)) -> &Shard<S, I> {
        let at = usize::try_from(self.hasher.hash_one(key) % SHARDS as u64).unwrap_or(0);
        &self.shards[at]
    }
}

/// One outstanding call; forgotten when dropped.
pub(crate) struct OutstandingCall<S: Hash + Eq + Clone, I: Hash + Eq + Clone> {
    all: Arc<Outstanding<S, I>>,
    key: (S, I),
    cancel: Arc<Cancel>,
}

impl<S: Hash + Eq + Clone, I: Hash + Eq + Clone> OutstandingCall<S, I> {
    /// Set once the call is cancelled, for work that looks instead of waiting.
    pub(crate) fn flag(&self) -> &AtomicBool {
        &self.cancel.cancelled
    }

    pub(crate) fn is_cancelled(&self, cx: &Context<'_>) -> bool {
        self.cancel.is_cancelled(cx)
    }
}

impl<S: Hash + Eq + Clone, I: Hash + Eq + Clone> Drop for OutstandingCall<S, I> {
    fn drop(&mut self) {
        self.all
            .shard(&self.key)
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{future::poll_fn, task::Poll};

    #[tokio::test]
    async fn a_cancel_reaches_its_call_and_no_other() {
        let all = Outstanding::<u8, &str>::new();
        let mine = all.enter(1, "a").unwrap();
        let theirs = all.enter(2, "a").unwrap();
        assert!(all.enter(1, "a").is_none(), "an id is outstanding once");
        all.cancel(1, "unknown");
        let waiting = poll_fn(|cx| {
            if mine.is_cancelled(cx) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        });
        let ((), ()) = tokio::join!(waiting, async { all.cancel(1, "a") });
        assert!(!poll_fn(|cx| Poll::Ready(theirs.is_cancelled(cx))).await);
        drop(mine);
        assert!(all.enter(1, "a").is_some(), "a finished id may be used again");
    }
}
