//! Checks: Rego files that judge a tenant's settings, and their evaluation.
//!
//! [`CheckSet`] holds the checks of a pack. [`RegoChecks`] evaluates them on its own threads and implements the port
//! [`CheckEngine`], [`CheckJudge`] evaluates them on the caller's thread, and [`cases`] runs the test cases beside each
//! check. `docs/checks/writing.md` describes how to write a check.
//!
//! Before a check is evaluated, the host decides the outcomes that need no Rego: another platform, a setting that
//! couldn't be read, a manual check.
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
