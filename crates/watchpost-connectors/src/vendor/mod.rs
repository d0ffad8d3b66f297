//! What reading a vendor takes whoever it is: tokens that are renewed, requests that are repeated, lists that are
//! followed, refusals that become sentences, permissions that are tried out. A vendor's folder says only what is the
//! vendor's own, by [`Vendor`] and [`Readable`]; [`VendorConnector`] is the connector over it.

mod client;
mod connector;
mod own;
mod refusal;
mod verify;

pub(crate) use client::Client;
pub(crate) use connector::{Readable, VendorConnector};
pub(crate) use own::{ListPage, Probe, Vendor};
pub(crate) use refusal::{Api, Refusal};
