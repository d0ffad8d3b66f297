//! The domain of Watchpost and its use cases: what is read from a company's platforms, how it is judged, what a
//! finding's life looks like, who may do what, and the ports through which all of that reaches the world.
//!
//! A service that embeds this crate gets the whole product minus I/O: it implements (or picks) the ports
//! ([`port::Store`], [`integration::connector::Connector`], [`rule::RuleEngine`], [`check::CheckEngine`],
//! [`port::Clock`], [`port::Random`]) and calls [`service::Watchpost`].
//!
//! # What this crate does not do
//! It opens no file and no socket, speaks no SQL, no HTTP and no MCP, spawns no task and never sleeps. It reads no
//! clock and no random source of its own: both are ports.
//!
//! # How tenancy and audit are held
//! Every read takes a [`access::WorkspaceScope`], which only [`access`] makes. Every change takes an
//! [`access::AuthorizedWrite`] and gives an [`access::Audited`]; see [`access`].
//!
//! # Adding a port method
//! Add it to the trait of its aggregate, to the adapters, and one case to the conformance suite of the test kit.

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
pub mod port;
pub mod posture;
pub mod remediation;
pub mod report;
pub mod rule;
pub mod scan;
pub mod service;
pub mod value;
