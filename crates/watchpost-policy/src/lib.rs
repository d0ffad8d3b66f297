//! Rego rules and checks: the built-in pack, a customer's own, and the engines that evaluate them.
//!
//! [`Pack`] holds the rules and checks. [`RegoRules`] evaluates rules on [`Document`]s on its own threads and
//! implements the port [`RuleEngine`]; [`check::RegoChecks`] evaluates checks on settings and implements the port
//! [`CheckEngine`]. [`cases`] and [`check::cases`] run the test cases beside each rule and check. `docs/rules.md`
//! describes how to write a rule, `docs/checks/writing.md` how to write a check.
//!
//! This crate does not read facts, store findings, use SQL, HTTP or MCP, or read the clock (a batch carries the
//! time). A rule can't access the network, files or other documents.
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
mod text;
mod value;
mod verdict;

pub use condition::SharedCondition;
pub use engine::RegoRules;
pub use folder::{FolderReport, test_folder};
pub use limits::Limits;
pub use metadata::ACTIONS;
pub use pack::Pack;
