//! Work in the background: leasing jobs, what is due by the time, syncs that somebody asks for.

pub(crate) mod lease;
pub(crate) mod schedule;
mod trigger;

pub(crate) use trigger::trigger;
