//! Rego rules: the built-in pack, a customer's own, and the engine that evaluates them on [`Document`]s.
//!
//! [`PolicyPack`] is the rules, [`RegoEngine`] evaluates them on threads of its own behind the port
//! [`PolicyEngine`], [`cases`] runs the examples beside each rule. How to write a rule: `docs/rules.md`.
//!
//! Does not: read facts, keep findings, know SQL, HTTP or MCP, take the time (a batch brings it), or let a rule reach
//! the network, a file or another document.
//!
//! [`Document`]: watchpost_core::document::Document
//! [`PolicyEngine`]: watchpost_core::policy::PolicyEngine

mod builtin;
pub mod cases;
mod engine;
mod judge;
mod limits;
mod metadata;
mod pack;
mod program;
mod value;
mod verdict;

pub use engine::RegoEngine;
pub use limits::Limits;
pub use metadata::ACTIONS;
pub use pack::PolicyPack;
