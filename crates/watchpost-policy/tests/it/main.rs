//! What the rules and the engine do, seen from outside.
#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod builtin_checks;
mod builtin_rules;
mod checks;
mod conditions;
mod contract;
mod customer_rules;
mod documents;
mod engine;
