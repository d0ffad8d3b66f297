//! The one way out of Watchpost: the HTTP client and the DNS resolver that everything uses that talks to another
//! machine on a customer's behalf. Connectors read through it; what notifies or acts goes through it as well.
//!
//! [`Outbound::send`] is the only way to make an HTTP request. For each request it decides
//! - **where to**: HTTPS to addresses on the public internet only, however an address is written. A name is resolved
//!   here and the connection goes to the very addresses that were checked. [`OutboundSettings::allow`] lists exact
//!   origins that are exempt; nothing else is.
//! - **how**: no redirect is followed, no proxy is taken from the environment, the certificate must fit the name.
//! - **how much and how long**: limits on the time to connect, on the whole exchange and on the decompressed body.
//! - **how often**: a failed request is repeated where that is harmless and can help, as the server asks
//!   (`Retry-After`, [`RateLimitHeaders`]) and never past the caller's deadline.
//!
//! [`dns::HickoryResolver`] asks name servers for records.
//!
//! ```no_run
//! # async fn example(
//! #     clock: std::sync::Arc<dyn watchpost_core::port::Clock>,
//! #     random: std::sync::Arc<dyn watchpost_core::port::Random>,
//! # ) -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! use tokio::time::Instant;
//! use watchpost_outbound::{Outbound, OutboundSettings, Request};
//!
//! let outbound = Outbound::new(OutboundSettings::default(), clock, random)?;
//! let request = Request::get("https://api.vendor.example/v1/users".parse()?);
//! let response = outbound.send(&request, Instant::now() + Duration::from_secs(30)).await?;
//! assert!(response.is_success());
//! # Ok(())
//! # }
//! ```
//!
//! What this crate does NOT do: hand out the HTTP library's client, or any of its types, by which a request could go
//! round these rules; know a vendor; keep, refresh or choose credentials; read a body as anything but bytes; put an
//! address's query, a credential or a body into an error or a log line; check the address of the name server that an
//! operator configured.

mod address;
mod client;
pub mod dns;
mod lookup;
mod request;
mod wait;

pub use address::{InvalidOrigin, Origin};
pub use client::{Outbound, OutboundError, OutboundSettings};
pub use http::{HeaderMap, HeaderName, HeaderValue};
pub use lookup::Lookup;
pub use request::{Request, RequestError, Response};
pub use wait::RateLimitHeaders;
