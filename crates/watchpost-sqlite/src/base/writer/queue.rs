//! The writer's queues.

use super::{
    backlog::HeldSince,
    entry::Ticket,
    work::{Bulk, Work},
};
use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex},
};
use watchpost_core::audit::PendingEntry;

pub(super) enum Call {
    Append(PendingEntry, Arc<Ticket>),
    Work(Box<dyn Work>),
}

#[derive(Default)]
pub(super) struct Queues {
    pub(super) calls: VecDeque<Call>,
    pub(super) bulk: VecDeque<Box<dyn Bulk>>,
    pub(super) sleeping: bool,
    pub(super) closing: bool,
}

#[derive(Default)]
pub(super) struct Shared {
    pub(super) queues: Mutex<Queues>,
    pub(super) ready: Condvar,
    pub(super) held_since: HeldSince,
}
