//! Findings.

mod apps;
mod check;
mod condition;
mod counts;
mod full_text;
mod list;
mod marks;
mod merge;
mod observe;
mod row;
mod sighting;
mod state;
mod sweep;
mod wake;

pub(crate) use check::{observe_failed_checks, record_passed_checks};
pub(crate) use condition::apply_condition_moves;
pub(crate) use counts::{all as all_counts, live as live_counts};
pub(crate) use list::{page, top_live};
pub(crate) use merge::move_subject;
pub(crate) use observe::ObservationWriter;
pub(crate) use row::{SUMMARY, one, summary};
pub(crate) use state::{apply_change, state_of};
pub(crate) use sweep::Sweep;
pub(crate) use wake::{snoozed_condition, wake_some};
