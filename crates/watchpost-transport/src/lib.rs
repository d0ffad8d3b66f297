//! Moves MCP messages: streamable HTTP for both eras on one endpoint, HTTP+SSE, and stdio.
#![expect(dead_code, reason = "wired in the next step")]

mod admission;
mod config;
mod connection;
mod environment;
mod gate;
mod http;
mod sessions;
mod streams;

pub use admission::hosts::AllowedHosts;
pub use config::{Config, Limits, SessionKey, Surface, Timing};
pub use environment::{Clock, Random};
pub use gate::{Binding, Caller, Credential, Gate, Probes, Refusal};
