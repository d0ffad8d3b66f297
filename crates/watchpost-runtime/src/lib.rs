//! What the four programs share: configuration, the data folder, clocks, logging, wiring, the worker loop, serving,
//! stopping, the demo, and the snippets that connect a client.
//!
//! [`instance::Instance`] is an opened data folder with everything that stands on it; [`launch`] is what the mains
//! call; [`worker`] runs the jobs.
//!
//! # What this crate does not do
//! It holds no domain rule, no SQL and no word of a protocol: it reads settings, joins the other crates and runs
//! them. It prints nothing of its own accord, except where a function says so.
//!
//! # Adding a setting
//! See [`config`].

mod changes;
pub mod client_config;
pub mod clock;
pub mod config;
pub mod data_dir;
pub mod demo;
mod engines;
pub mod gate;
pub mod import;
pub mod instance;
pub mod launch;
pub mod metrics;
pub mod offline;
pub mod serve;
pub mod stdio;
pub mod telemetry;
pub mod worker;
