//! Findings.

mod apps;
mod check;
mod condition;
mod counts;
mod list;
mod marks;
mod merge;
mod observe;
mod row;
mod sighting;
mod state;
mod sweep;
mod text;
mod wake;

pub(crate) use check::{observe_check, pass_checks};
pub(crate) use condition::move_conditions;
pub(crate) use counts::{all as all_counts, live as live_counts};
pub(crate) use list::{page, top_live};
pub(crate) use merge::move_subject;
pub(crate) use observe::Observing;
pub(crate) use row::{SUMMARY, one, summary};
pub(crate) use state::{apply_change, state_of};
pub(crate) use sweep::Sweeping;
pub(crate) use wake::{asleep, wake_some};
