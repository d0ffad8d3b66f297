//! The parts that the four binaries share: configuration, the data folder, clocks, logging, wiring, the worker loop,
//! serving, shutdown, the demo, and the snippets that connect a client.
//!
//! [`instance::Instance`] is an opened data folder with everything built on its store; [`launch`] holds the functions
//! that the mains call; [`worker`] runs the jobs.
//!
//! # What this crate does not do
//! It implements no domain rules, no SQL and no protocol: it reads settings, connects the other crates and runs them. It
//! prints nothing, except in functions whose documentation says so.
//!
//! # Adding a setting
//! See [`config`].

mod changes;
pub mod checkpoint;
pub mod client_config;
pub mod clock;
pub mod config;
pub mod data_dir;
pub mod demo;
mod engines;
pub mod gate;
mod guard;
pub mod import;
pub mod instance;
pub mod launch;
pub mod metrics;
pub mod offline;
pub mod open_files;
pub mod owed;
pub mod serve;
pub mod server_url;
pub mod stdio;
pub mod telemetry;
mod text;
pub mod worker;
