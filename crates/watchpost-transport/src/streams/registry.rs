//! A registry of open streams by name.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

/// The open streams by name, at most one per name.
#[derive(Debug)]
pub(crate) struct Registry<N: Hash + Eq + Clone, T> {
    open: Mutex<HashMap<N, Arc<T>>>,
}

impl<N: Hash + Eq + Clone, T> Registry<N, T> {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            open: Mutex::new(HashMap::new()),
        })
    }

    /// Registers a stream. Returns `None` if a stream with this name is open.
    pub(crate) fn enter(self: &Arc<Self>, name: N, stream: Arc<T>) -> Option<Registered<N, T>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.contains_key(&name) {
            return None;
        }
        open.insert(name.clone(), stream);
        drop(open);
        Some(Registered {
            registry: Arc::clone(self),
            name,
        })
    }

    pub(crate) fn get(&self, name: &N) -> Option<Arc<T>> {
        self.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .cloned()
    }
}

/// A registered stream. Dropping it removes the entry.
#[derive(Debug)]
pub(crate) struct Registered<N: Hash + Eq + Clone, T> {
    registry: Arc<Registry<N, T>>,
    name: N,
}

impl<N: Hash + Eq + Clone, T> Drop for Registered<N, T> {
    fn drop(&mut self) {
        self.registry
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_be_registered_only_once_at_a_time() {
        let registry = Registry::new();
        let first = registry.enter("a", Arc::new(1)).unwrap();
        assert!(registry.enter("a", Arc::new(2)).is_none());
        assert_eq!(registry.get(&"a"), Some(Arc::new(1)));
        drop(first);
        assert!(registry.get(&"a").is_none());
        assert!(registry.enter("a", Arc::new(2)).is_some());
    }
}
