//! Limits on the share of one principal: its connections, its calls, and the memory for bodies that weren't read or taken
//! yet. Without them, one key could use up what the others need.

use crate::{config::Limits, gate::Binding};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

/// The memory that each call counts for until its answer is known, in bytes, besides large bodies.
const CALL_BYTES: usize = 64 << 10;
/// The same for an open stream.
const STREAM_BYTES: usize = 1 << 10;

/// The shares of all principals that have a connection or a call.
#[derive(Debug)]
pub(crate) struct Shares {
    connections_per_key: usize,
    calls_per_key: usize,
    bytes_per_key: usize,
    bytes_total: usize,
    bytes: AtomicUsize,
    by_principal: Mutex<HashMap<Binding, Arc<Share>>>,
}

#[derive(Debug)]
struct Share {
    binding: Binding,
    connections: AtomicUsize,
    calls: AtomicUsize,
    bytes: AtomicUsize,
}

/// The limit that a principal has reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    Connections,
    Calls,
    Memory,
}

impl Shares {
    pub(crate) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            connections_per_key: limits.connections_per_key,
            calls_per_key: limits.calls_per_key,
            bytes_per_key: limits.held_bytes_per_key,
            bytes_total: limits.held_bytes_total,
            bytes: AtomicUsize::new(0),
            by_principal: Mutex::default(),
        })
    }

    /// Makes a principal the owner of one more connection. Returns `None` if it has too many.
    fn join(self: &Arc<Self>, binding: Binding) -> Option<Owner> {
        let mut all = self.by_principal.lock().unwrap_or_else(PoisonError::into_inner);
        let share = all.entry(binding).or_insert_with(|| {
            Arc::new(Share {
                binding,
                connections: AtomicUsize::new(0),
                calls: AtomicUsize::new(0),
                bytes: AtomicUsize::new(0),
            })
        });
        enter(&share.connections, self.connections_per_key).then(|| Owner {
            shares: Arc::clone(self),
            share: Arc::clone(share),
        })
    }

    /// Removes a share that holds nothing besides the caller's reference.
    fn forget_if_unused(&self, share: &Arc<Share>) {
        let mut all = self.by_principal.lock().unwrap_or_else(PoisonError::into_inner);
        // One reference is that of the map. Further ones are made only under this lock or from an owner.
        if share.connections.load(Ordering::Relaxed) == 0 && Arc::strong_count(share) <= 2 {
            all.remove(&share.binding);
        }
    }
}

/// Increments a count. Returns `false` if the limit is reached.
fn enter(count: &AtomicUsize, max: usize) -> bool {
    let entered = count.fetch_add(1, Ordering::Relaxed) < max;
    if !entered {
        count.fetch_sub(1, Ordering::Relaxed);
    }
    entered
}

/// The principal of the last request on a connection.
#[derive(Debug)]
struct Owner {
    shares: Arc<Shares>,
    share: Arc<Share>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.share.connections.fetch_sub(1, Ordering::Relaxed);
        self.shares.forget_if_unused(&self.share);
    }
}

/// The principal to which a connection counts: that of its last request.
#[derive(Debug, Default)]
pub(crate) struct ConnectionOwner(Mutex<Option<Owner>>);

impl ConnectionOwner {
    /// Begins a call of a principal on this connection.
    pub(crate) fn begin(&self, shares: &Arc<Shares>, binding: Binding) -> Result<Arc<Hold>, Full> {
        let mut owner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if owner.as_ref().is_none_or(|owner| owner.share.binding != binding) {
            *owner = None;
            *owner = shares.join(binding);
        }
        let owner = owner.as_ref().ok_or(Full::Connections)?;
        if !enter(&owner.share.calls, shares.calls_per_key) {
            return Err(Full::Calls);
        }
        let hold = Arc::new(Hold {
            shares: Arc::clone(shares),
            share: Arc::clone(&owner.share),
            bytes: AtomicUsize::new(0),
            calling: AtomicBool::new(true),
        });
        if hold.grow(CALL_BYTES) {
            Ok(hold)
        } else {
            Err(Full::Memory)
        }
    }
}

/// The share of one request and its response. Dropping the last reference releases it.
#[derive(Debug)]
pub(crate) struct Hold {
    shares: Arc<Shares>,
    share: Arc<Share>,
    bytes: AtomicUsize,
    calling: AtomicBool,
}

impl Hold {
    /// Adds bytes. Returns `false`, and adds none, if a limit is reached.
    pub(crate) fn grow(&self, bytes: usize) -> bool {
        let within = |count: &AtomicUsize, max: usize| {
            let is_within = count.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) <= max;
            if !is_within {
                count.fetch_sub(bytes, Ordering::Relaxed);
            }
            is_within
        };
        if !within(&self.shares.bytes, self.shares.bytes_total) {
            return false;
        }
        if !within(&self.share.bytes, self.shares.bytes_per_key) {
            self.shares.bytes.fetch_sub(bytes, Ordering::Relaxed);
            return false;
        }
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        true
    }

    /// Releases bytes that [`Hold::grow`] added.
    pub(crate) fn shrink(&self, bytes: usize) {
        let held = self
            .bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |held| {
                Some(held.saturating_sub(bytes))
            })
            .unwrap_or_default();
        self.release(held.min(bytes));
    }

    /// Ends the call. From now on only the response counts. `bytes` is its size, or `None` for a stream, which also keeps its
    /// request. A response is never refused, because the call may have changed something.
    pub(crate) fn answer(&self, bytes: Option<usize>) {
        self.end_call();
        let Some(bytes) = bytes else {
            self.shrink(CALL_BYTES - STREAM_BYTES);
            return;
        };
        self.shares.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.share.bytes.fetch_add(bytes, Ordering::Relaxed);
        let before = self.bytes.swap(bytes, Ordering::Relaxed);
        self.release(before);
    }

    fn end_call(&self) {
        if self.calling.swap(false, Ordering::Relaxed) {
            self.share.calls.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn release(&self, bytes: usize) {
        self.shares.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.share.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.end_call();
        self.release(self.bytes.load(Ordering::Relaxed));
        if self.share.connections.load(Ordering::Relaxed) == 0 {
            self.shares.forget_if_unused(&self.share);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares() -> Arc<Shares> {
        Shares::new(&Limits {
            connections_per_key: 2,
            calls_per_key: 3,
            held_bytes_per_key: 10 * CALL_BYTES,
            held_bytes_total: 15 * CALL_BYTES,
            ..Limits::default()
        })
    }

    fn key(name: &str) -> Binding {
        Binding::new(name.as_bytes()).unwrap()
    }

    fn is_empty(shares: &Shares) -> bool {
        shares.by_principal.lock().unwrap().is_empty() && shares.bytes.load(Ordering::Relaxed) == 0
    }

    #[test]
    fn a_connection_counts_to_the_principal_of_its_last_request() {
        let shares = shares();
        let [one, two, three] = [(); 3].map(|()| ConnectionOwner::default());
        for connection in [&one, &two, &one] {
            drop(connection.begin(&shares, key("a")).unwrap());
        }
        assert_eq!(three.begin(&shares, key("a")).unwrap_err(), Full::Connections);
        drop(three.begin(&shares, key("b")).unwrap());
        drop(two.begin(&shares, key("b")).unwrap());
        assert!(
            three.begin(&shares, key("a")).is_ok(),
            "the second one is b's now"
        );
        drop((one, two, three));
        assert!(is_empty(&shares));
    }

    #[test]
    fn the_calls_of_a_principal_are_limited_until_they_are_answered() {
        let shares = shares();
        let connection = ConnectionOwner::default();
        let calls: Vec<_> = (0..3)
            .map(|_| connection.begin(&shares, key("a")).unwrap())
            .collect();
        assert_eq!(connection.begin(&shares, key("a")).unwrap_err(), Full::Calls);
        let other = ConnectionOwner::default();
        assert!(other.begin(&shares, key("b")).is_ok());
        calls[0].answer(Some(5));
        assert!(connection.begin(&shares, key("a")).is_ok());
        drop((connection, other));
        assert!(!is_empty(&shares), "the calls still run");
        drop(calls);
        assert!(is_empty(&shares));
    }

    #[test]
    fn the_memory_of_a_principal_and_of_all_is_limited() {
        let shares = shares();
        let [a, b] = [(); 2].map(|()| ConnectionOwner::default());
        let first = a.begin(&shares, key("a")).unwrap();
        assert!(first.grow(9 * CALL_BYTES) && !first.grow(1));
        assert_eq!(a.begin(&shares, key("a")).unwrap_err(), Full::Memory);
        let second = b.begin(&shares, key("b")).unwrap();
        assert!(!second.grow(5 * CALL_BYTES), "the limit of all");
        assert!(second.grow(4 * CALL_BYTES));
        first.shrink(9 * CALL_BYTES);
        assert!(a.begin(&shares, key("a")).is_ok());
        // A response is never refused, but the next call is.
        first.answer(Some(20 * CALL_BYTES));
        assert_eq!(b.begin(&shares, key("b")).unwrap_err(), Full::Memory);
        drop((first, second, a, b));
        assert!(is_empty(&shares));
    }
}
