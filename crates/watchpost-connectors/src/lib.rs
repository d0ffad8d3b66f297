//! Connectors: they read the platforms that a company uses. Each vendor has a folder that implements
//! [`watchpost_core::integration::connector::Connector`]; [`connectors`] lists them. All their requests go through
//! [`watchpost_outbound`].
//!
//! Everything that a vendor sends is untrusted: rows are parsed one by one, sizes and pages are bounded, names become
//! [`watchpost_core::value::text::ForeignText`], and neither the body of a response nor a credential appears in an error or
//! a log line.
//!
//! [`import`] reads the result files of other scanners.
//!
//! What this crate does NOT do: open network connections of its own, store anything, evaluate rules or checks, schedule
//! syncs, or change a setting at a vendor.

mod concurrency;
mod config;
pub mod dns;
mod echo;
mod form;
mod generator;
pub mod import;
mod jwt;
mod m365;
mod okta;
mod paging;
mod rate;
mod registry;
mod run;
mod session;
mod settings;
mod text;
mod token;
mod value;
mod vendor;
mod visits;

pub use registry::{connectors, permissions};
pub use session::ReadLimits;
pub use vendor::PermissionUse;
