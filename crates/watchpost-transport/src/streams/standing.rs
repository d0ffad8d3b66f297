//! The standing streams of legacy sessions: those for notifications that belong to no request.

use crate::streams::listening::SessionStream;
use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use watchpost_protocol::Interest;

/// The maximum number of standing streams of a session. Beyond it, the oldest ends. Clients open another one before they
/// notice that the connection of the last one is gone.
const STREAMS_MAX: usize = 4;

/// The open standing streams by session. A message is sent on one stream only (SHT-08): the newest of its session.
#[derive(Debug)]
pub(crate) struct StandingStreams<N: Hash + Eq + Clone> {
    open: Mutex<Open<N>>,
}

#[derive(Debug)]
struct Open<N> {
    sessions: HashMap<N, Session>,
    next: u64,
}

#[derive(Debug)]
struct Session {
    /// The streams with their numbers, oldest first.
    streams: VecDeque<(u64, Arc<SessionStream>)>,
    /// The interest of the newest stream.
    interest: Interest,
}

impl<N: Hash + Eq + Clone> StandingStreams<N> {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            open: Mutex::new(Open {
                sessions: HashMap::new(),
                next: 0,
            }),
        })
    }

    /// Registers a stream that has this interest. It gets the session's notifications from now on.
    pub(crate) fn enter(
        self: &Arc<Self>,
        name: N,
        stream: Arc<SessionStream>,
        interest: Interest,
    ) -> Standing<N> {
        let mut open = self.lock();
        let number = open.next;
        open.next = number.wrapping_add(1);
        let session = open.sessions.entry(name.clone()).or_insert_with(|| Session {
            streams: VecDeque::new(),
            interest: Interest::default(),
        });
        if let Some((_, previous)) = session.streams.back() {
            previous.set_interest(Interest::default());
        }
        session.interest = interest;
        session.streams.push_back((number, stream));
        if session.streams.len() > STREAMS_MAX
            && let Some((_, oldest)) = session.streams.pop_front()
        {
            oldest.queue.close();
        }
        drop(open);
        Standing {
            all: Arc::clone(self),
            name,
            number,
        }
    }

    /// Replaces the interest of a session after it subscribed or unsubscribed.
    pub(crate) fn set_interest(&self, name: &N, interest: Interest) {
        let mut open = self.lock();
        if let Some(session) = open.sessions.get_mut(name) {
            session.interest = interest.clone();
            if let Some((_, newest)) = session.streams.back() {
                newest.set_interest(interest);
            }
        }
    }

    /// Ends the streams of a session.
    pub(crate) fn close(&self, name: &N) {
        let open = self.lock();
        for (_, stream) in open
            .sessions
            .get(name)
            .into_iter()
            .flat_map(|session| &session.streams)
        {
            stream.queue.close();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Open<N>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A registered stream. Dropping it removes it, and the stream before it gets the notifications again.
#[derive(Debug)]
pub(crate) struct Standing<N: Hash + Eq + Clone> {
    all: Arc<StandingStreams<N>>,
    name: N,
    number: u64,
}

impl<N: Hash + Eq + Clone> Drop for Standing<N> {
    fn drop(&mut self) {
        let mut open = self.all.lock();
        let Some(session) = open.sessions.get_mut(&self.name) else {
            return;
        };
        let was_newest = session
            .streams
            .back()
            .is_some_and(|(number, _)| *number == self.number);
        session.streams.retain(|(number, _)| *number != self.number);
        match session.streams.back() {
            None => drop(open.sessions.remove(&self.name)),
            Some((_, newest)) if was_newest => newest.set_interest(session.interest.clone()),
            Some(_) => {}
        }
    }
}
