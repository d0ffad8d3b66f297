//! The parts of a connector that all vendors share: renewing tokens, retrying requests, following lists, describing errors,
//! and checking permissions. A vendor's folder contains only what is specific to the vendor, as implementations of
//! [`Vendor`] and [`ReadableVendor`]; [`VendorConnector`] is the connector over them.

mod client;
mod connector;
mod definition;
mod error;
mod verify;

pub(crate) use client::Client;
pub use connector::PermissionUse;
pub(crate) use connector::{ReadableVendor, VendorConnector, permission_uses};
pub(crate) use definition::{Expected, ListPage, Probe, Vendor};
pub(crate) use error::{Api, ApiError};
