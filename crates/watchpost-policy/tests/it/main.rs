//! Tests of rules, checks and engines through the public API.
#![expect(clippy::unwrap_used, reason = "a panic fails the test")]

mod builtin_checks;
mod builtin_rules;
mod checks;
mod conditional_access;
mod conditions;
mod connect;
mod contract;
mod customer_rules;
mod documents;
mod engine;
