//! The domain of Watchpost and its use cases: the data read from a company's platforms, its evaluation, the
//! lifecycle of findings, the permissions of actors, and the ports to storage, vendors and rule engines.
//!
//! A service that embeds this crate gets the whole product without I/O. It implements the ports or picks existing
//! implementations ([`port::Store`], [`integration::connector::Connector`], [`rule::RuleEngine`],
//! [`check::CheckEngine`], [`report::ReportRenderer`], [`port::Clock`], [`port::Random`]) and calls
//! [`service::Watchpost`].
//!
//! # What this crate does not do
//! It opens no file and no socket, has no SQL, HTTP or MCP code, spawns no task and never sleeps. It has no clock
//! and no random source of its own: both are ports.
//!
//! # Tenancy and audit
//! Every read takes a [`access::WorkspaceScope`], which only [`access`] creates. Every change takes an
//! [`access::AuthorizedWrite`] and returns an [`access::Audited`]; see [`access`].
//!
//! # Adding a port method
//! Add the method to the trait of its aggregate and to the adapters, and a case to the conformance suite of the
//! test kit.

pub mod access;
pub mod app;
pub mod audit;
pub mod check;
pub mod error;
pub mod finding;
pub mod identity;
pub mod import;
pub mod integration;
pub mod job;
pub mod log_sample;
pub mod port;
pub mod posture;
pub mod remediation;
pub mod report;
pub mod rule;
pub mod scan;
pub mod service;
mod text;
pub mod value;
