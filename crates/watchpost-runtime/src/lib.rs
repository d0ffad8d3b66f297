//! What the four programs share: configuration, the data folder, clocks, logging, wiring, the worker loop, serving,
//! stopping, the demo, and the snippets that connect a client.
//!
//! # What this crate does not do
//! It holds no domain rule, no SQL and no word of a protocol: it reads settings, joins the other crates and runs
//! them. It prints nothing of its own accord, except where a function says so; the programs do.

pub mod client_config;
pub mod clock;
pub mod config;
pub mod data_dir;
pub mod telemetry;
