//! Calls in progress that can be cancelled by their request id.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash, RandomState},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Waker},
};

/// The number of shards. It is large enough that threads rarely wait for each other.
const SHARDS: usize = 16;

/// The outstanding calls, by their owner (`S`, a session) and request id (`I`).
pub(crate) struct Outstanding<S, I> {
    shards: [Shard<S, I>; SHARDS],
    hasher: RandomState,
}

type Shard<S, I> = Mutex<HashMap<(S, I), Arc<Cancel>>>;

/// The cancellation signal of one call.
#[derive(Debug, Default)]
pub(crate) struct Cancel {
    cancelled: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Cancel {
    /// Whether the call was cancelled. If not, the task is woken when it is.
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

    /// Registers a call. Returns `None` if a call with this id is already outstanding.
    pub(crate) fn enter(self: &Arc<Self>, owner: S, id: I) -> Option<OutstandingCall<S, I>> {
        let key = (owner, id);
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

    /// Cancels a call. An unknown id is ignored.
    pub(crate) fn cancel(&self, owner: S, id: I) {
        let key = (owner, id);
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

    /// Cancels all calls and forgets them, so that their ids can be used again at once.
    pub(crate) fn cancel_all(&self) {
        for shard in &self.shards {
            let calls = std::mem::take(&mut *shard.lock().unwrap_or_else(PoisonError::into_inner));
            calls.values().for_each(|call| call.cancel());
        }
    }

    fn shard(&self, key: &(S, I)) -> &Shard<S, I> {
        let at = usize::try_from(self.hasher.hash_one(key) % SHARDS as u64).unwrap_or(0);
        &self.shards[at]
    }
}

/// An outstanding call. Dropping it unregisters it.
pub(crate) struct OutstandingCall<S: Hash + Eq + Clone, I: Hash + Eq + Clone> {
    all: Arc<Outstanding<S, I>>,
    key: (S, I),
    cancel: Arc<Cancel>,
}

impl<S: Hash + Eq + Clone, I: Hash + Eq + Clone> OutstandingCall<S, I> {
    /// Returns a flag that is set when the call is cancelled, for code that polls instead of waiting.
    pub(crate) fn flag(&self) -> &AtomicBool {
        &self.cancel.cancelled
    }

    pub(crate) fn is_cancelled(&self, cx: &Context<'_>) -> bool {
        self.cancel.is_cancelled(cx)
    }
}

impl<S: Hash + Eq + Clone, I: Hash + Eq + Clone> Drop for OutstandingCall<S, I> {
    fn drop(&mut self) {
        let mut shard = self
            .all
            .shard(&self.key)
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // After `cancel_all`, another call can have the same id.
        if shard
            .get(&self.key)
            .is_some_and(|call| Arc::ptr_eq(call, &self.cancel))
        {
            shard.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{future::poll_fn, task::Poll};

    #[tokio::test]
    async fn a_cancellation_reaches_only_its_call() {
        let all = Outstanding::<u8, &str>::new();
        let mine = all.enter(1, "a").unwrap();
        let theirs = all.enter(2, "a").unwrap();
        assert!(all.enter(1, "a").is_none(), "an id can be outstanding only once");
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
        all.cancel_all();
        assert!(poll_fn(|cx| Poll::Ready(theirs.is_cancelled(cx))).await);
        let again = all.enter(2, "a").unwrap();
        drop(theirs);
        assert!(
            all.enter(2, "a").is_none(),
            "a forgotten call doesn't remove its successor"
        );
        drop((mine, again));
        assert!(
            all.enter(1, "a").is_some(),
            "the id of a finished call can be used again"
        );
    }
}
