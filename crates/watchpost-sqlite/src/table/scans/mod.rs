//! Scans, schedules, exemptions.

pub(crate) mod exemption;
pub(crate) mod finish;
pub(crate) mod read;
mod row;
pub(crate) mod schedule;
pub(crate) mod start;

pub(crate) use finish::record;
pub(crate) use schedule::{due_schedules, next_schedule, start_due_scan};
pub(crate) use start::{cancel_unfinished, end_with_job};
