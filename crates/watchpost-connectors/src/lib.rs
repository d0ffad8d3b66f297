//! Connectors: how Watchpost reads the platforms that a company runs on. One folder per vendor behind
//! [`watchpost_core::integration::connector::Connector`]; [`connectors`] lists them, [`watchpost_outbound`] is their only way
//! to a vendor.
//!
//! Everything that a vendor sends is foreign: rows are read one by one, sizes and pages are bounded, names become
//! [`watchpost_core::value::text::ForeignText`], and neither an answer's body nor a credential ever gets into an error or a
//! log line.
//!
//! [`import`] reads files instead: what other scanners found.
//!
//! What this crate does NOT do: open a connection of its own, store, judge, schedule, or change anything at a vendor. It only reads.

mod config;
pub mod dns;
mod driven;
pub mod import;
mod jwt;
mod m365;
mod many;
mod okta;
mod paging;
mod registry;
mod run;
mod session;
mod settings;
mod token;
mod value;
mod vendor;

pub use registry::connectors;
pub use session::ReadLimits;
