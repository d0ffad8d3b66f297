//! Background work: leasing jobs, queuing what is due, and syncs on request.

pub(crate) mod lease;
pub(crate) mod schedule;
mod trigger;

pub(crate) use trigger::trigger;
