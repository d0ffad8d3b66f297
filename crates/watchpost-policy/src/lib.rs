//! Rego rules and checks: the built-in pack, a customer's own, and the engines that evaluate them.
//!
//! [`Pack`] is the rules and checks. [`RegoRules`] evaluates rules on [`Document`]s on threads of its own behind
//! the port [`RuleEngine`]; [`check::RegoChecks`] evaluates checks on settings behind the port [`CheckEngine`].
//! [`cases`] and [`check::cases`] run the examples beside each. How to write a rule: `docs/rules.md`; a check:
//! `docs/checks/writing.md`.
//!
//! Does not: read facts, keep findings, know SQL, HTTP or MCP, take the time (a batch brings it), or let a rule reach
//! the network, a file or another document.
//!
//! [`Document`]: watchpost_core::rule::document::Document
//! [`CheckEngine`]: watchpost_core::check::CheckEngine
//! [`RuleEngine`]: watchpost_core::rule::RuleEngine

mod alias;
mod answer;
mod builtin;
pub mod cases;
pub mod check;
mod condition;
mod engine;
mod folder;
mod judge;
mod limits;
mod metadata;
mod pack;
mod pool;
mod program;
mod source;
mod value;
mod verdict;

pub use condition::SharedCondition;
pub use engine::RegoRules;
pub use folder::{FolderReport, test_folder};
pub use limits::Limits;
pub use metadata::ACTIONS;
pub use pack::Pack;
