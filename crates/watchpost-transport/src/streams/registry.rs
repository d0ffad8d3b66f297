//! Which named streams are open.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

/// Open streams by name, at most one each.
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

    /// Enters a stream; `None` if one of that name is open.
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

/// One entry; removed when dropped.
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
    fn a_name_is_open_at_most_once() {
        let registry = Registry::new();
        let first = registry.enter("a", Arc::new(1)).unwrap();
        assert!(registry.enter("a", Arc::new(2)).is_none());
        assert_eq!(registry.get(&"a"), Some(Arc::new(1)));
        drop(first);
        assert!(registry.get(&"a").is_none());
        assert!(registry.enter("a", Arc::new(2)).is_some());
    }
}
