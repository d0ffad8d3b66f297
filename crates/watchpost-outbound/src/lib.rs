//! Outbound traffic: the HTTP client and the DNS resolver through which Watchpost reaches other machines on a customer's
//! behalf. Connectors, notifications and remediations all use them.
//!
//! [`Outbound::send`] is the only way to make an HTTP request. It enforces, for each request:
//! - **Destination**: only HTTPS to addresses on the public internet, in whatever notation an address is written. Host
//!   names are resolved here, and the connection uses exactly the addresses that were checked. Only the exact origins in
//!   [`OutboundSettings::allow`] are exempt.
//! - **Connection**: redirects aren't followed, proxies from the environment are ignored, and the certificate must match
//!   the host name.
//! - **Limits**: on the time to connect, on the time of each attempt, and on the size of the decompressed body.
//! - **Retries**: a failed request is retried where that is safe and can help, after the wait that the server asks for
//!   (`Retry-After`, [`RateLimitHeaders`]), and never past the caller's deadline.
//!
//! [`dns::HickoryResolver`] looks up DNS records.
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
//! What this crate does NOT do: expose the HTTP library's client or any of its types, with which a request could bypass
//! these rules; contain anything specific to a vendor; store, refresh or choose credentials; interpret a body; put the
//! query of an address, a credential or a body into an error or a log line; check the address of the name server that an
//! operator configured.

mod address;
mod client;
pub mod dns;
mod lookup;
mod request;
mod text;
mod wait;

pub use address::{InvalidOrigin, Origin};
pub use client::{Outbound, OutboundError, OutboundSettings};
pub use http::{HeaderMap, HeaderName, HeaderValue};
pub use lookup::Lookup;
pub use request::{Request, RequestError, Response};
pub use wait::{RateLimit, RateLimitHeaders};
