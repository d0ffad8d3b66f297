//! One TCP connection: how long it may take, and how many there may be.

pub(crate) mod accept;
pub(crate) mod body;
pub(crate) mod deadline;
pub(crate) mod permits;
pub(crate) mod timed_socket;

use crate::{
    connection::{deadline::DeadlineTimer, timed_socket::Activity},
    sessions::open::LastSession,
};
use std::{
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    task::Context,
};
use tokio::time::Instant;

/// What one TCP connection is to its requests.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) peer: IpAddr,
    /// Probes only.
    pub(crate) reserved: bool,
    pub(crate) activity: Arc<Activity>,
    pub(crate) last_session: LastSession,
    /// For HTTP/1, where one request follows another.
    timer: Mutex<DeadlineTimer>,
}

impl Connection {
    pub(crate) fn new(peer: IpAddr, reserved: bool, activity: Arc<Activity>) -> Self {
        Self {
            peer,
            reserved,
            activity,
            last_session: LastSession::default(),
            timer: Mutex::default(),
        }
    }

    /// Whether `deadline` has passed; if not, the task is woken by then. One request at a time.
    pub(crate) fn has_passed(&self, deadline: Instant, cx: &mut Context<'_>) -> bool {
        self.timer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .has_passed(deadline, cx)
    }
}
