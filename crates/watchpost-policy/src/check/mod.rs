//! Checks: Rego files that judge a tenant's settings, and what makes verdicts of them.
//!
//! [`CheckSet`] is the checks of a pack, [`RegoChecks`] evaluates them on threads of its own behind the port
//! [`CheckEngine`], [`CheckJudge`] does so on the caller's thread, [`cases`] runs the examples beside each check. How
//! to write one: `docs/checks/writing.md`.
//!
//! Before a check is evaluated the host decides what needs no Rego: another platform, a setting that couldn't be read,
//! a check that a person must always do.
//!
//! [`CheckEngine`]: watchpost_core::check::CheckEngine

mod baseline;
pub mod cases;
mod control_id;
mod engine;
mod host;
mod judge;
mod metadata;
mod set;
mod verdict;
mod view;

pub use baseline::{Baseline, BaselineLine};
pub use engine::RegoChecks;
pub use judge::CheckJudge;
pub use set::CheckSet;
