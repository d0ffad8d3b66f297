//! Limits on the number of connections and calls.

use crate::{admission::address, config::Limits, connection::timed_socket::Held};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

/// A count with an upper limit.
#[derive(Debug)]
pub(crate) struct Counter {
    now: AtomicUsize,
    max: usize,
}

impl Counter {
    pub(crate) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self {
            now: AtomicUsize::new(0),
            max,
        })
    }

    /// Increments the count. Returns `None` if the limit is reached.
    pub(crate) fn enter(self: &Arc<Self>) -> Option<Permit> {
        if self.now.fetch_add(1, Ordering::Relaxed) >= self.max {
            self.now.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Permit(Arc::clone(self)))
    }

    /// Whether at least three quarters are in use.
    fn is_crowded(&self) -> bool {
        self.now() >= self.max - self.max / 4
    }

    pub(crate) fn now(&self) -> usize {
        self.now.load(Ordering::Relaxed)
    }
}

/// A unit of a [`Counter`]. Dropping it decrements the count.
#[derive(Debug)]
pub(crate) struct Permit(Arc<Counter>);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A count per key, with one upper limit for all keys. Keys with a count of 0 are removed.
#[derive(Debug)]
pub(crate) struct KeyedCounter<K: std::hash::Hash + Eq + Clone> {
    now: Mutex<HashMap<K, usize>>,
    max: usize,
}

impl<K: std::hash::Hash + Eq + Clone> KeyedCounter<K> {
    pub(crate) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self {
            now: Mutex::new(HashMap::new()),
            max,
        })
    }

    pub(crate) fn enter(self: &Arc<Self>, key: K) -> Option<KeyedPermit<K>> {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let count = now.entry(key.clone()).or_insert(0);
        if *count >= self.max {
            if *count == 0 {
                now.remove(&key);
            }
            return None;
        }
        *count += 1;
        Some(KeyedPermit {
            counter: Arc::clone(self),
            key,
        })
    }
}

/// A unit of a [`KeyedCounter`]. Dropping it decrements the count of its key.
#[derive(Debug)]
pub(crate) struct KeyedPermit<K: std::hash::Hash + Eq + Clone> {
    counter: Arc<KeyedCounter<K>>,
    key: K,
}

impl<K: std::hash::Hash + Eq + Clone> Drop for KeyedPermit<K> {
    fn drop(&mut self) {
        let mut now = self.counter.now.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = now.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                now.remove(&self.key);
            }
        }
    }
}

/// The connections of one service, over all its listeners.
#[derive(Debug)]
pub(crate) struct Connections {
    total: Arc<Counter>,
    reserve: Arc<Counter>,
    by_network: Arc<KeyedCounter<IpAddr>>,
}

/// The permission to serve one connection.
#[derive(Debug)]
pub(crate) struct ConnectionPermit {
    /// Whether the connection may serve only probes, because all ordinary permits are taken.
    pub(crate) reserved: bool,
    permit: Permit,
    _by_network: Option<KeyedPermit<IpAddr>>,
}

impl Held for ConnectionPermit {
    fn is_crowded(&self) -> bool {
        self.permit.0.is_crowded()
    }
}

impl Connections {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            total: Counter::new(limits.connections_total),
            reserve: Counter::new(limits.connections_reserved),
            by_network: KeyedCounter::new(limits.connections_per_address),
        }
    }

    /// Returns the number of open connections, without those reserved for probes.
    pub(crate) fn open(&self) -> usize {
        self.total.now()
    }

    /// Admits a connection from `peer`. `None` means to close it without reading from it.
    pub(crate) fn admit(&self, peer: IpAddr, exempt: bool) -> Option<ConnectionPermit> {
        let by_network = if exempt {
            None
        } else {
            self.by_network.enter(address::network(peer))
        };
        let over_limit = !exempt && by_network.is_none();
        if !over_limit && let Some(permit) = self.total.enter() {
            return Some(ConnectionPermit {
                reserved: false,
                permit,
                _by_network: by_network,
            });
        }
        if over_limit {
            return None;
        }
        let permit = self.reserve.enter()?;
        Some(ConnectionPermit {
            reserved: true,
            permit,
            _by_network: by_network,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_limit_some_connections_are_reserved_for_probes() {
        let limits = Limits {
            connections_total: 2,
            connections_reserved: 1,
            connections_per_address: 10,
            ..Limits::default()
        };
        let connections = Connections::new(&limits);
        let peer: IpAddr = "192.0.2.1".parse().unwrap();
        let first = connections.admit(peer, false).unwrap();
        let second = connections.admit(peer, false).unwrap();
        assert!(!first.reserved && !second.reserved);
        let third = connections.admit(peer, false).unwrap();
        assert!(third.reserved);
        assert!(connections.admit(peer, false).is_none());
        drop(first);
        assert!(
            !connections.admit(peer, false).unwrap().reserved,
            "a returned permit is an ordinary one"
        );
    }

    #[test]
    fn one_address_cannot_use_all_connections() {
        let limits = Limits {
            connections_per_address: 1,
            ..Limits::default()
        };
        let connections = Connections::new(&limits);
        let first = connections.admit("2001:db8::1".parse().unwrap(), false);
        assert!(first.is_some());
        assert!(
            connections.admit("2001:db8::2".parse().unwrap(), false).is_none(),
            "same /64"
        );
        assert!(
            connections
                .admit("2001:db8:0:1::2".parse().unwrap(), false)
                .is_some()
        );
        assert!(
            connections.admit("2001:db8::2".parse().unwrap(), true).is_some(),
            "an exempt peer isn't counted"
        );
        drop(first);
        assert!(connections.admit("2001:db8::2".parse().unwrap(), false).is_some());
    }
}
