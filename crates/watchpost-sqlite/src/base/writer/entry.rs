//! Audit entries that wait to be committed.

use crate::{
    base::{fault::unavailable, lock::lock},
    text,
};
use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};
use watchpost_core::{access::Audited, error::StoreError};

/// The state that an entry's future shares with the writer.
#[derive(Default)]
pub(super) struct Ticket(Mutex<TicketState>);

#[derive(Default)]
enum TicketState {
    #[default]
    New,
    Waiting(Waker),
    Done(Result<Audited<()>, StoreError>, Arc<PendingWakers>),
    Taken,
}

/// The wakers of a group that haven't been woken yet. Waking a task from the writer's thread costs a system call, so the
/// writer wakes the first task, and that task wakes the others from its own thread.
#[derive(Default)]
pub(super) struct PendingWakers(Mutex<Vec<Waker>>);

impl PendingWakers {
    /// Sets the wakers that the first task is to wake.
    pub(super) fn hold(&self, wakers: Vec<Waker>) {
        *lock(&self.0) = wakers;
    }
    fn wake(&self) {
        let wakers = std::mem::take(&mut *lock(&self.0));
        for waker in wakers {
            waker.wake();
        }
    }
}

impl Ticket {
    pub(super) fn finish(
        &self,
        result: Result<Audited<()>, StoreError>,
        pending: &Arc<PendingWakers>,
    ) -> Option<Waker> {
        let mut state = lock(&self.0);
        match std::mem::replace(&mut *state, TicketState::Done(result, Arc::clone(pending))) {
            TicketState::Waiting(waker) => Some(waker),
            TicketState::New => None,
            // The future was dropped: nobody takes the result.
            TicketState::Taken | TicketState::Done(..) => {
                *state = TicketState::Taken;
                None
            }
        }
    }
}

/// A queued audit entry. The future completes once the entry is committed.
pub(crate) struct Appending(pub(super) Arc<Ticket>);

impl Future for Appending {
    type Output = Result<Audited<()>, StoreError>;
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = lock(&self.0.0);
        match std::mem::replace(&mut *state, TicketState::Taken) {
            TicketState::Done(result, pending) => {
                drop(state);
                pending.wake();
                Poll::Ready(result)
            }
            TicketState::Waiting(waker) if waker.will_wake(context.waker()) => {
                *state = TicketState::Waiting(waker);
                Poll::Pending
            }
            TicketState::New | TicketState::Waiting(_) => {
                *state = TicketState::Waiting(context.waker().clone());
                Poll::Pending
            }
            TicketState::Taken => Poll::Ready(Err(unavailable(text::POLLED_AFTER_COMPLETION))),
        }
    }
}

impl Drop for Appending {
    fn drop(&mut self) {
        let state = std::mem::replace(&mut *lock(&self.0.0), TicketState::Taken);
        // The dropped task may have been the one that was to wake the others.
        if let TicketState::Done(_, pending) = state {
            pending.wake();
        }
    }
}
