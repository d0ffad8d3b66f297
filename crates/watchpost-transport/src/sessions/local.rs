//! The state of a legacy session that changes after its handshake: subscriptions, the log level, and open
//! questions. It is kept in this process, is bounded and may be lost; the client must then subscribe again.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    hash::Hash,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::oneshot;
use watchpost_protocol::{INTEREST_MAX, LogLevel, RequestId, Response};

/// The maximum size of all URIs that one session subscribed to, in bytes.
const URI_BYTES_MAX: usize = 64 << 10;

/// The maximum number of questions to one session that wait for their answers.
const QUESTIONS_MAX: usize = 64;

/// The changeable state of one session.
#[derive(Debug, Default)]
pub(crate) struct LocalState {
    settings: Mutex<Settings>,
    next_question: AtomicU64,
    questions: Mutex<HashMap<u64, oneshot::Sender<Option<String>>>>,
}

#[derive(Debug, Default)]
struct Settings {
    uris: BTreeSet<String>,
    bytes: usize,
    level: Option<LogLevel>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl LocalState {
    /// Adds a subscription. Returns `false` if the limit is reached.
    #[must_use]
    pub(crate) fn subscribe(&self, uri: String) -> bool {
        let mut settings = lock(&self.settings);
        if settings.uris.contains(&uri) {
            return true;
        }
        if settings.uris.len() >= INTEREST_MAX || settings.bytes + uri.len() > URI_BYTES_MAX {
            return false;
        }
        settings.bytes += uri.len();
        settings.uris.insert(uri)
    }

    pub(crate) fn unsubscribe(&self, uri: &str) {
        let mut settings = lock(&self.settings);
        if settings.uris.remove(uri) {
            settings.bytes -= uri.len();
        }
    }

    pub(crate) fn uris(&self) -> BTreeSet<String> {
        lock(&self.settings).uris.clone()
    }

    /// Forgets everything. Open questions get no answer.
    pub(crate) fn clear(&self) {
        *lock(&self.settings) = Settings::default();
        lock(&self.questions).clear();
    }

    pub(crate) fn set_level(&self, level: LogLevel) {
        lock(&self.settings).level = Some(level);
    }

    pub(crate) fn level(&self) -> Option<LogLevel> {
        lock(&self.settings).level
    }

    /// Registers a question to the client. Returns `None` if too many are waiting.
    pub(crate) fn question(self: &Arc<Self>) -> Option<Question> {
        let (sender, answer) = oneshot::channel();
        let mut questions = lock(&self.questions);
        if questions.len() >= QUESTIONS_MAX {
            return None;
        }
        let id = self.next_question.fetch_add(1, Ordering::Relaxed) + 1;
        questions.insert(id, sender);
        drop(questions);
        Some(Question {
            local: Arc::clone(self),
            id,
            answer,
        })
    }

    /// Passes a response to the question that it answers. A response without a waiting question is dropped.
    pub(crate) fn answer(&self, response: Response) {
        let Some(RequestId::Number(id)) = response.id else {
            return;
        };
        let waiting = u64::try_from(id)
            .ok()
            .and_then(|id| lock(&self.questions).remove(&id));
        if let Some(waiting) = waiting {
            // The receiver may have been dropped.
            let _ = waiting.send(response.result);
        }
    }
}

/// A question that waits for its answer. Dropping it unregisters it.
#[derive(Debug)]
pub(crate) struct Question {
    local: Arc<LocalState>,
    id: u64,
    answer: oneshot::Receiver<Option<String>>,
}

impl Question {
    /// Returns the id of the request that asks the question.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Waits for the result. `None` means an error, or that there won't be an answer.
    pub(crate) async fn answered(mut self) -> Option<String> {
        (&mut self.answer).await.ok().flatten()
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        lock(&self.local.questions).remove(&self.id);
    }
}

/// The changeable state of all sessions of this process, by name. If there are too many, the oldest are
/// forgotten.
#[derive(Debug)]
pub(crate) struct LocalStates<N> {
    inner: Mutex<States<N>>,
    max: usize,
}

#[derive(Debug)]
struct States<N> {
    local: HashMap<N, Arc<LocalState>>,
    order: VecDeque<N>,
}

impl<N: Hash + Eq + Copy> LocalStates<N> {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            inner: Mutex::new(States {
                local: HashMap::new(),
                order: VecDeque::new(),
            }),
            max,
        }
    }

    pub(crate) fn get(&self, name: &N) -> Option<Arc<LocalState>> {
        lock(&self.inner).local.get(name).cloned()
    }

    /// Returns the state of a session. Creates an empty one if there is none.
    pub(crate) fn open(&self, name: N) -> Arc<LocalState> {
        let mut inner = lock(&self.inner);
        if let Some(local) = inner.local.get(&name) {
            return Arc::clone(local);
        }
        while inner.order.len() >= self.max {
            let Some(oldest) = inner.order.pop_front() else {
                break;
            };
            inner.local.remove(&oldest);
        }
        let local = Arc::new(LocalState::default());
        inner.local.insert(name, Arc::clone(&local));
        inner.order.push_back(name);
        local
    }

    pub(crate) fn forget(&self, name: &N) {
        let mut inner = lock(&self.inner);
        if inner.local.remove(name).is_some() {
            inner.order.retain(|other| other != name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subscriptions_are_bounded_in_number_and_size() {
        let local = LocalState::default();
        assert!(local.subscribe("a".repeat(URI_BYTES_MAX)));
        assert!(local.subscribe("a".repeat(URI_BYTES_MAX)), "the same one again");
        assert!(!local.subscribe("b".to_owned()));
        local.unsubscribe(&"a".repeat(URI_BYTES_MAX));
        assert!((0..INTEREST_MAX).all(|n| local.subscribe(n.to_string())));
        assert!(!local.subscribe("additional".to_owned()));
    }

    #[tokio::test]
    async fn an_answer_reaches_only_its_question() {
        let local = Arc::new(LocalState::default());
        let (first, second) = (local.question().unwrap(), local.question().unwrap());
        let answer = |id: u64, result: Option<&str>| Response {
            id: Some(RequestId::Number(id.cast_signed())),
            result: result.map(str::to_owned),
        };
        local.answer(answer(99, Some("{}")));
        local.answer(answer(second.id(), Some("{\"a\":1}")));
        local.answer(answer(second.id(), Some("again")));
        local.answer(answer(first.id(), None));
        assert_eq!(second.answered().await.as_deref(), Some("{\"a\":1}"));
        assert_eq!(first.answered().await, None);
        let many: Vec<Question> = std::iter::from_fn(|| local.question()).collect();
        assert_eq!(many.len(), QUESTIONS_MAX);
        drop(many);
        assert!(local.question().is_some(), "dropped questions free their slots");
    }

    #[test]
    fn the_oldest_sessions_are_forgotten_first() {
        let states = LocalStates::new(2);
        for name in [1, 2, 3] {
            states.open(name).set_level(LogLevel::Info);
        }
        assert!(states.get(&1).is_none());
        assert_eq!(states.open(2).level(), Some(LogLevel::Info));
        states.forget(&2);
        assert!(states.get(&2).is_none() && states.get(&3).is_some());
    }
}
