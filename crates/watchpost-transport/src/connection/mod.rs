//! TCP connections: their timeouts and their number.

pub(crate) mod accept;
pub(crate) mod body;
pub(crate) mod deadline;
pub(crate) mod frames;
pub(crate) mod framing;
pub(crate) mod permits;
pub(crate) mod timed_socket;
pub(crate) mod uptake;

use crate::{
    admission::shares::ConnectionOwner,
    connection::{deadline::DeadlineTimer, timed_socket::Activity},
    sessions::open::LastSession,
};
use std::{
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    task::Context,
};
use tokio::time::Instant;

/// A TCP connection, as its requests see it.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) peer: IpAddr,
    /// Whether the connection may serve only probes.
    pub(crate) reserved: bool,
    pub(crate) activity: Arc<Activity>,
    pub(crate) last_session: LastSession,
    pub(crate) owner: ConnectionOwner,
    /// The timer for requests over HTTP/1, which are processed one after the other.
    timer: Mutex<DeadlineTimer>,
}

impl Connection {
    pub(crate) fn new(peer: IpAddr, reserved: bool, activity: Arc<Activity>) -> Self {
        Self {
            peer,
            reserved,
            activity,
            last_session: LastSession::default(),
            owner: ConnectionOwner::default(),
            timer: Mutex::default(),
        }
    }

    /// Whether `deadline` has passed. If not, the task is woken at that time. Only one request may use this at
    /// a time.
    pub(crate) fn has_passed(&self, deadline: Instant, cx: &mut Context<'_>) -> bool {
        self.timer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .has_passed(deadline, cx)
    }
}
